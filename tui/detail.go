package tui

import (
	"slices"
	"strconv"
	"strings"

	"expectscope/analysis"
	"expectscope/analysis/report"
	"expectscope/analysis/rules"
	"expectscope/analysis/store"
)

// A detail is the page of one exchange: its ladder, what was found on it, its
// bytes, its heads.
type detail struct {
	page
	// pos is the position of the exchange, rule the finding that is told first, "" for none.
	pos  int32
	rule string
	// row is the position, in the list the page was opened from, of the row it belongs to; -1 after a jump to a linked exchange.
	row int32
}

// labels is the room for the words left of the text of a page.
const labels = 10

// finding is the finding the page is about: the one it was opened from, else the gravest.
func (d *detail) finding(x *store.Exchange) *store.Finding {
	var best *store.Finding
	for _, f := range x.Findings {
		if f.Rule == d.rule {
			return f
		}
		if best == nil || f.Severity > best.Severity {
			best = f
		}
	}
	return best
}

// content is the lines of the page in w columns.
func (d *detail) content(t *theme, w int, n store.Snapshot) []string {
	x := n.Exchanges.At(int(d.pos))
	p := &writer{theme: t, w: w}
	p.line(t.strong.of(fit(safe(x.Request.Method)+" "+safe(x.Request.Target), w-24, ends) + "  " + fit(outcome(x), 22, right)))
	parties(p, x)
	identity(p, x)
	p.blank()
	next := n.Find(x.Retry().By)
	p.drawing(report.Ladder(&x.Exchange, exchangeOf(next), min(w, 120)))
	scale := report.Scale(&x.Exchange, exchangeOf(next), min(w, 120)-labels)
	p.line(t.dim.of(fit("scale", labels, left)) + scale[0])
	p.line(spaces(labels) + t.dim.of(scale[1]))
	links(p, n, x)
	first := d.finding(x)
	if first != nil {
		p.title("FINDINGS")
		told(p, first)
	}
	for _, f := range tree(x) {
		if f != first {
			told(p, f)
		}
	}
	accounts(p, x)
	heads(p, x)
	return p.lines
}

func exchangeOf(x *store.Exchange) *analysis.Exchange {
	if x == nil {
		return nil
	}
	return &x.Exchange
}

// outcome is the final status in words.
func outcome(x *store.Exchange) string {
	switch {
	case x.Final != nil:
		return strconv.Itoa(x.Final.Status) + " " + safe(x.Final.Reason)
	case x.Waiting() != "":
		return "waits for the " + x.Waiting()
	}
	return "no answer"
}

// parties says who talked to whom.
func parties(p *writer, x *store.Exchange) {
	p.para("client", labels, strings.TrimSpace(endpoint(x.Conn.Addr(x.Client))+"  "+safe(x.UserAgent())))
	p.para("server", labels, strings.TrimSpace(endpoint(x.Conn.Addr(x.ServerDir()))+"  "+safe(x.Software())))
}

// identity says which exchange it is, and what is in doubt.
func identity(p *writer, x *store.Exchange) {
	note := x.ID + ", " + clock(x.Request.Last.Time) + " UTC, " + safe(x.Request.Version)
	if x.StreamID != 0 {
		note += ", stream " + strconv.FormatUint(uint64(x.StreamID), 10)
	}
	note += sealed(x)
	if len(x.Doubts) > 0 {
		var words []string
		for _, d := range x.Doubts {
			words = append(words, d.Kind.String()+" (#"+strconv.FormatUint(d.At.Packet.Frame(), 10)+")")
		}
		note += "; in doubt: " + strings.Join(words, ", ")
	}
	p.para("exchange", labels, note)
}

// links names the exchanges this one led to, repeats, and is on the other side of a proxy.
func links(p *writer, n store.Snapshot, x *store.Exchange) {
	key := "r"
	add := func(word, id, how string) {
		if id == "" {
			return
		}
		if n.Find(id) == nil {
			how += " (not kept)"
		} else {
			how += ": " + key + " goes there"
		}
		p.line(p.theme.dim.of(fit(word, labels, left)) + p.theme.link.of(safe(id)) + " " + safe(how))
	}
	add("repeated", x.Retry().By, "on "+strings.Replace(x.Retry().Outcome.String(), "-", " ", 1)+certainty(x.Retry().Confidence))
	add("repeats", x.RetryOf, "after "+report.Span(x.RetryDelay))
	add("similar", x.Retry().Near, "differs in "+x.Retry().Differs)
	if x.Retry().Why != "" {
		p.para("unseen", labels, safe(x.Retry().Why))
	}
	for _, l := range x.Sequel().Links {
		add("led to", l.To, followUps[l.Kind]+certainty(l.Confidence))
	}
	key = "x"
	for _, h := range x.Sequel().Hops {
		add(sides[h.Side], h.To, "by "+h.By.String()+certainty(h.Confidence))
		if h.Why != "" {
			p.para("", labels, safe(h.Why))
		}
	}
}

var (
	followUps = [...]string{analysis.LinkRedirect: "the redirect was followed", analysis.LinkAuth: "the challenge was answered", analysis.LinkRepeat: "it was sent again"}
	sides     = [...]string{analysis.Behind: "behind", analysis.InFront: "in front"}
)

func certainty(c analysis.Confidence) string {
	if c == analysis.Certain {
		return ""
	}
	return ", " + c.String()
}

// told adds a finding: what, why, who, what to change, the proof.
func told(p *writer, f *store.Finding) {
	t := p.theme
	head := t.severity[f.Severity].of(strings.ToUpper(f.Severity.String())) + " " + t.strong.of(f.Rule)
	rest := ": " + f.Title
	if f.Confidence != analysis.Certain {
		rest += ", " + f.Confidence.String()
	}
	if f.Cause != "" {
		rest += ", because of " + f.Cause
	}
	p.line(spaces(int(f.Depth)) + head + cutTo(rest, p.w-int(f.Depth)-len(f.Severity.String())-1-len(f.Rule)))
	p.para("  found", labels, safe(f.Summary))
	if why := explained(f.Rule); why != "" {
		p.para("  why", labels, why)
	}
	p.para("  fault", labels, faults(f))
	p.para("  clause", labels, clauses(f))
	for i, fix := range f.Fix {
		p.para([]string{"  fix", ""}[min(i, 1)], labels, safe(fix))
	}
	p.para("  proof", labels, spacedFilter(report.Proof(&f.Finding)))
	p.blank()
}

// cutTo cuts s to n columns without padding.
func cutTo(s string, n int) string {
	if width(s) <= n || n <= 0 {
		return s
	}
	return cut(s, n, left)
}

// explained is the rule's explanation.
func explained(rule string) string {
	if r := rules.ByID(rule); r != nil {
		return strings.Join(strings.Fields(r.Explain), " ")
	}
	return ""
}

func faults(f *store.Finding) string {
	var words []string
	for _, who := range f.Fault {
		words = append(words, who.String())
	}
	return strings.Join(words, " or ")
}

func clauses(f *store.Finding) string {
	var words []string
	for _, c := range f.Clauses {
		words = append(words, c.String())
	}
	return strings.Join(words, ", ")
}

// spacedFilter puts spaces behind commas, so that a long filter can be folded; Wireshark takes it with them too.
func spacedFilter(s string) string { return strings.ReplaceAll(s, ",", ", ") }

// accounts adds the byte accounts of both bodies.
func accounts(p *writer, x *store.Exchange) {
	p.title("BYTES")
	b := &x.ReqBody
	if b.Framing == analysis.FramingNone {
		p.line("the request has no body")
		return
	}
	declared := "unknown"
	if b.Declared >= 0 {
		declared = report.Grouped(b.Declared)
	}
	p.para("request", labels, b.Framing.String()+", declared "+declared+", sent "+report.Grouped(b.Sent)+completeness(b.Complete))
	if b.Sent > 0 {
		p.para("  client", labels, report.Grouped(b.Early)+" before any answer, "+report.Grouped(b.Invited)+" after a 100, "+report.Grouped(b.Tail)+" knowing the final response")
	}
	if b.Sent > 0 && x.Final != nil {
		p.para("  server", labels, report.Grouped(b.Read)+" received when it answered, "+report.Grouped(b.Crossing)+" still on their way")
	}
	for _, c := range []struct {
		n    int64
		what string
	}{{b.Lost, "missing from the capture"}, {b.Resent, "sent again by TCP"}, {wasted(x), "wasted"}, {x.Saved(), "saved by Expect"}} {
		if c.n > 0 {
			p.para("", labels, report.Size(c.n)+" "+c.what)
		}
	}
}

func completeness(whole bool) string {
	if whole {
		return ", whole"
	}
	return ", not to its end"
}

// heads adds the message heads as they were sent.
func heads(p *writer, x *store.Exchange) {
	p.title("REQUEST HEAD")
	p.text(2, x.Request.Head)
	const shown = 5
	for i := range x.Interim {
		if i == shown {
			p.title("AND " + strconv.Itoa(len(x.Interim)-shown) + " MORE INTERIM RESPONSES")
			break
		}
		p.title("INTERIM RESPONSE")
		p.text(2, x.Interim[i].Head)
	}
	if x.Final != nil {
		p.title("FINAL RESPONSE")
		p.text(2, x.Final.Head)
	}
}

// A connectionDetail is the page of one connection: the order of events on it.
type connectionDetail struct {
	page
	pos int32 // among the connections of the list
}

// maxDrawn is how many exchanges of a connection are drawn.
const maxDrawn = 200

// content is the lines of the page in w columns.
func (d *connectionDetail) content(t *theme, w int, n store.Snapshot, c *connection) []string {
	p := &writer{theme: t, w: w}
	x := n.Exchanges.At(int(c.exchanges[0]))
	p.line(t.strong.of("connection of frame " + strconv.FormatUint(x.Conn.First.Frame(), 10)))
	parties(p, x)
	p.para("requests", labels, report.Grouped(int64(len(c.exchanges)))+" from "+clock(x.Request.Last.Time)+" UTC on, "+report.Grouped(int64(c.findings))+" findings, "+
		report.Size(c.wasted)+" wasted; "+ending(row{c: c}))
	p.blank()
	var xs []*analysis.Exchange
	for _, i := range c.exchanges[:min(len(c.exchanges), maxDrawn)] {
		xs = append(xs, &n.Exchanges.At(int(i)).Exchange)
	}
	p.drawing(report.ConnectionLadder(xs, min(w, 120)))
	if more := len(c.exchanges) - len(xs); more > 0 {
		p.line("and " + report.Grouped(int64(more)) + " more requests")
	}
	var worst []*store.Finding
	for _, i := range c.exchanges {
		worst = append(worst, n.Exchanges.At(int(i)).Findings...)
	}
	slices.SortStableFunc(worst, func(a, b *store.Finding) int { return int(b.Severity) - int(a.Severity) })
	if len(worst) > 0 {
		p.title("FINDINGS")
	}
	for _, f := range worst[:min(len(worst), maxDrawn)] {
		p.line(t.severity[f.Severity].of(fit(f.Severity.String(), 8, left)) + fit(f.Exchange, 8, left) + " " + t.strong.of(f.Rule) + cutTo(": "+safe(f.Summary), w-17-len(f.Rule)))
	}
	return p.lines
}

// sealed is what the exchange was decrypted from, in words.
func sealed(x *store.Exchange) string {
	if x.TLS == nil {
		return ""
	}
	s := ", " + x.TLS.Version
	if x.TLS.ALPN != "" {
		s += " " + safe(x.TLS.ALPN)
	}
	if x.TLS.SNI != "" {
		s += " for " + safe(x.TLS.SNI)
	}
	return s
}
