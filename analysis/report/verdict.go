package report

import (
	"strings"

	"expectscope/analysis"
)

// phrases say in the verdict what a rule found, once and several times; the number goes before. The rules that matter most have
// one; any other is told by its title.
var phrases = map[string]struct{ one, many string }{
	"417-no-retry":            {"417 was never followed by a repeat", "417s were never followed by a repeat"},
	"417-retry-still-expects": {"repeat still carried the refused Expect", "repeats still carried the refused Expect"},
	"417-loop":                {"client went round in a loop of 417s", "clients went round in a loop of 417s"},
	"417-for-100-continue":    {"100-continue was refused with 417", "100-continues were refused with 417"},
	"417-late":                {"417 came after body bytes", "417s came after body bytes"},
	"body-withheld-reuse":     {"request began where body bytes were still owed", "requests began where body bytes were still owed"},
	"no-100":                  {"100-continue was ignored by the server", "100-continues were ignored by the server"},
	"expect-timeout":          {"client gave up waiting for the 100", "clients gave up waiting for the 100"},
	"late-100":                {"100 came late", "100s came late"},
	"100-without-final":       {"upload was invited and never answered", "uploads were invited and never answered"},
	"expect-stall":            {"upload hangs, both sides waiting", "uploads hang, both sides waiting"},
	"waste-rejected":          {"body was sent and refused", "bodies were sent and refused"},
	"waste-100-then-reject":   {"body was invited and then refused", "bodies were invited and then refused"},
	"waste-savable":           {"refused body would have been saved by Expect", "refused bodies would have been saved by Expect"},
	"early-final-no-close":    {"refusal left the connection open", "refusals left the connection open"},
	"unsolicited-100":         {"100 came unasked", "100s came unasked"},
}

// phrase says what the group found, as part of a sentence.
func (g *group) phrase() string {
	p, ok := phrases[g.rule]
	switch {
	case ok && g.n == 1:
		return number(g.n) + " " + p.one
	case ok:
		return number(g.n) + " " + p.many
	case g.n == 1:
		return uncapital(g.title)
	}
	return uncapital(g.title) + " (" + times(g.n) + ")"
}

// uncapital writes a title as part of a sentence: "Slow 100" as "slow 100", but not "HTTP" or "417".
func uncapital(s string) string {
	if len(s) > 1 && s[0] >= 'A' && s[0] <= 'Z' && s[1] >= 'a' && s[1] <= 'z' {
		return string(s[0]+'a'-'A') + s[1:]
	}
	return s
}

// verdict is the answer in a sentence or three: is something wrong, what it costs, who must change.
func (t *text) verdict(s *analysis.Summary) string {
	var v string
	switch {
	case t.tally[wrong] > 0:
		v = share(t.tally[wrong], s.Exchanges, "went wrong") + t.phrases(wrong) + t.cost(s) + t.change()
	case t.tally[doubtful] > 0:
		v = share(t.tally[doubtful], s.Exchanges, "may have gone wrong, but the capture does not hold the evidence") + t.phrases(doubtful)
	case t.tally[costly] > 0:
		v = "Nothing is broken, but " + uncapital(share(t.tally[costly], s.Exchanges, "cost more than needed or deserved a look")) +
			t.phrases(costly) + t.cost(s)
	case t.opts.Selected && len(s.Findings) > 0:
		v = "None of the findings chosen is more than a fact to know."
		if len(t.groups) == 0 {
			v = "No finding is among those chosen."
		}
	case s.Exchanges == 0:
		v = "No HTTP request in this capture."
	case s.Expect == 0:
		v = "No Expect exchange in this capture: " + counted(s.Exchanges, "request, without", "requests, none with") + " an Expect field."
	case s.Expect == 1:
		v = "The one Expect exchange was in order."
	default:
		v = "All " + grouped(s.Expect) + " Expect exchanges were in order."
	}
	if v += t.hung(s); s.Capture.Truncated {
		v += " The capture could not be read to its end."
	}
	return v
}

// share says how many of the exchanges did something, as the beginning of a sentence.
func share(n, of uint64, did string) string {
	switch {
	case of <= 1:
		return "The only exchange " + did
	case n == of && of == 2:
		return "Both exchanges " + did
	case n == of:
		return "All " + grouped(of) + " exchanges " + did
	}
	s := number(n)
	return strings.ToUpper(s[:1]) + s[1:] + " of " + grouped(of) + " exchanges " + did
}

// phrasesShown is how many rules the verdict names.
const phrasesShown = 3

// phrases names the gravest rules that fired at that level.
func (t *text) phrases(level grave) string {
	var said []string
	more := 0
	for _, g := range t.sorted() {
		if g.grave != level {
			continue
		}
		if len(said) == phrasesShown {
			more++
			continue
		}
		said = append(said, g.phrase())
	}
	if more > 0 {
		said = append(said, counted(more, "other thing", "other things"))
	}
	if len(said) == 0 {
		return "."
	}
	return ": " + list(said) + "."
}

// list joins the parts of a sentence: "a", "a and b", "a, b and c".
func list(parts []string) string {
	if n := len(parts) - 1; n > 0 {
		return strings.Join(parts[:n], ", ") + " and " + parts[n]
	}
	return strings.Join(parts, "")
}

// cost says what was lost in all.
func (t *text) cost(s *analysis.Summary) string {
	var parts []string
	if s.WastedBytes > 0 {
		parts = append(parts, size(s.WastedBytes)+" sent in vain")
	}
	if s.Waited >= analysis.NoWait {
		parts = append(parts, span(s.Waited)+" of waiting for a 100")
	}
	if len(parts) == 0 {
		return ""
	}
	return " Cost: " + list(parts) + "."
}

// change says who must change something: the parties of the findings that are wrong.
func (t *text) change() string {
	var parts []string
	for who, word := range [...]string{
		analysis.FaultClient:       "the client",
		analysis.FaultServer:       "the server",
		analysis.FaultIntermediary: "a proxy on the way",
	} {
		p := &t.parties[who]
		if p.findings == 0 || word == "" {
			continue
		}
		either := analysis.Fault(who) == analysis.FaultIntermediary && t.parties[analysis.FaultServer].findings > 0
		if either { // from here the two look alike
			parts[len(parts)-1] += " or a proxy before it"
			continue
		}
		if names := p.software; len(names) > 0 {
			if p.more {
				names = append(names[:len(names):len(names)], "others")
			}
			word += " (" + Safe(list(names)) + ")"
		}
		parts = append(parts, word)
	}
	if len(parts) == 0 {
		return ""
	}
	return " To change: " + list(parts) + "."
}

// hung says that something hangs at the end.
func (t *text) hung(s *analysis.Summary) string {
	switch n := max(t.hangs, s.Open); n {
	case 0:
		return ""
	case 1:
		return " One exchange is still open at the end."
	default:
		return " " + strings.ToUpper(number(n)[:1]) + number(n)[1:] + " exchanges are still open at the end."
	}
}

// figures adds the numbers of the run.
func figures(p *page, s *analysis.Summary) {
	p.para("  ", "    ", counted(s.Exchanges, "exchange", "exchanges")+" on "+counted(s.Connections, "connection", "connections")+
		", "+grouped(s.Expect)+" with Expect; "+grouped(s.Refused417)+" refused with 417: "+
		grouped(s.Retried)+" repeated, "+grouped(s.NotRetried)+" not, "+grouped(s.RetryUnknown)+" unknown")
	p.para("  ", "    ", "body bytes: "+grouped(s.BodySent)+" sent, "+grouped(s.WastedBytes)+" wasted, "+grouped(s.SavedBytes)+
		" saved; waiting for 100: "+span(s.Waited))
	if s.Hops > 0 {
		p.para("  ", "    ", counted(s.Hops, "exchange was", "exchanges were")+" seen on both sides of a proxy")
	}
}
