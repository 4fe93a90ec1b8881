package report

import (
	"cmp"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"expectscope/analysis"
	"expectscope/analysis/rules"
)

var _ = format(Format{
	Name: "text", Ext: ".txt",
	Summary: "a report to read: what is wrong, what it costs, who must change what, where the proof is",
	New:     func(w io.Writer, o Options) Writer { return newText(w, o, explanation) },
})

// openShown is how many exchanges that hang at the end are shown, the longest silent first.
const openShown = 10

// text keeps counters, the worst instances of each rule and the exchanges that hang longest; all of it is written by Close.
type text struct {
	w    io.Writer
	opts Options
	page page
	// explain is the rule's explanation, "" when there is none.
	explain func(rule string) string

	groups  map[string]*group // by rule
	current exchangeState
	tally   [graveness]uint64 // exchanges by the gravest thing that was found on them
	parties [4]party          // by Fault: who is to change something
	hanging []hanging         // by falling silence
	hangs   uint64
}

func newText(w io.Writer, o Options, explain func(rule string) string) *text {
	return &text{
		w: w, opts: o, explain: explain, groups: map[string]*group{},
		page: page{width: o.width(), theme: newTheme(o.Color)},
	}
}

// explanation is what the table of rules says.
func explanation(rule string) string {
	if r := rules.ByID(rule); r != nil {
		return r.Explain
	}
	return ""
}

// grave is what was found on an exchange, least first.
type grave uint8

const (
	clean grave = iota
	costly
	doubtful // it would be a notice or more, if the evidence were whole
	wrong
	graveness // number of them
)

func graveOf(f *analysis.Finding) grave {
	switch {
	case f.Severity == analysis.Info:
		return clean
	case f.Confidence == analysis.Inconclusive:
		return doubtful
	case f.Severity == analysis.Notice:
		return costly
	}
	return wrong
}

// exchangeState is what is remembered of the findings of the exchange whose findings come just now.
type exchangeState struct {
	id    string
	roots []rootOf
	early []analysis.Finding // consequences that came before their cause
	grave grave
}

// rootOf names the first cause of a rule that fired.
type rootOf struct{ rule, root string }

// root is the first cause of f, itself or what the rule is a consequence of, and whether that rule has been seen.
func (s *exchangeState) root(f *analysis.Finding) (rule string, ok bool) {
	if f.Cause == "" {
		return f.Rule, true
	}
	for _, r := range s.roots {
		if r.rule == f.Cause {
			return r.root, true
		}
	}
	return f.Rule, false
}

// A party is who is to change something, with the names of the software seen.
type party struct {
	findings uint64
	software []string
	more     bool
}

// partyNames is how many different programs of a party are named.
const partyNames = 3

func (p *party) add(software string) {
	p.findings++
	switch {
	case software == "" || slices.Contains(p.software, software):
	case len(p.software) == partyNames:
		p.more = true
	default:
		p.software = append(p.software, strings.Clone(software))
	}
}

// hanging is an exchange that was open at the end.
type hanging struct {
	since, silent                       int64
	client, server, method, target, who string
	packet                              string
}

// Exchange remembers an exchange that still hangs; the others are told by their findings and in the summary.
func (t *text) Exchange(x *analysis.Exchange) error {
	who := x.Waiting()
	if who == "" {
		return nil
	}
	t.hangs++
	silent := x.At - x.LastActivity.Time
	at, _ := slices.BinarySearchFunc(t.hanging, silent, func(h hanging, s int64) int { return cmp.Or(cmp.Compare(s, h.silent), -1) })
	if at == openShown {
		return nil
	}
	if len(t.hanging) == openShown {
		t.hanging = t.hanging[:openShown-1]
	}
	n := x.Request.Last.Packet
	t.hanging = slices.Insert(t.hanging, at, hanging{
		since: x.LastActivity.Time, silent: silent, who: who,
		client: endpoint(x.Conn.Addr(x.Client)), server: endpoint(x.Conn.Addr(x.ServerDir())),
		method: shorten(Safe(strings.Clone(x.Request.Method)), t.page.width/4), target: Safe(strings.Clone(x.Request.Target)),
		packet: frameOf(&t.opts, n),
	})
	return nil
}

// Finding keeps what is told at the end, the gravest of its exchange and the instances of its rule, and tells it at once where results stream.
func (t *text) Finding(f *analysis.Finding) error {
	err := t.stream(f)
	if f.State != analysis.Final {
		return err // it may still change, and comes again
	}
	if t.current.id != f.Exchange {
		t.settle()
		t.current.id, t.current.grave = f.Exchange, clean
	}
	if g := graveOf(f); g > t.current.grave {
		if t.current.grave != clean {
			t.tally[t.current.grave]--
		}
		t.current.grave = g
		t.tally[g]++
	}
	root, ok := t.current.root(f)
	if !ok {
		t.current.early = append(t.current.early, keep(f))
		return err
	}
	t.group(f, root)
	t.place(false)
	return err
}

// settle ends the exchange whose findings came last: a consequence without its cause stands alone.
func (t *text) settle() {
	t.place(true)
	t.current.roots = t.current.roots[:0]
}

// place moves consequences that came early to their causes; all of them if that is their last chance.
func (t *text) place(last bool) {
	for again := true; again; {
		again = false
		for i := range t.current.early {
			f := &t.current.early[i]
			root, ok := t.current.root(f)
			if ok || last && i == len(t.current.early)-1 {
				t.group(f, root)
				t.current.early = slices.Delete(t.current.early, i, i+1)
				again = true
				break
			}
		}
	}
}

// group counts a finding under its first cause.
func (t *text) group(f *analysis.Finding, root string) {
	t.current.roots = append(t.current.roots, rootOf{f.Rule, root})
	g := t.groups[root]
	if g == nil {
		g = newGroup(f)
		t.groups[root] = g
	}
	g.worst = max(g.worst, f.Severity)
	g.grave = max(g.grave, graveOf(f))
	g.confidence = max(g.confidence, f.Confidence)
	if root != f.Rule {
		g.consequence(f)
		return
	}
	g.add(f, t.opts.Top)
	if graveOf(f) == wrong {
		t.blame(f)
	}
}

// blame notes who is to change something.
func (t *text) blame(f *analysis.Finding) {
	for _, who := range f.Fault {
		software := ""
		switch who {
		case analysis.FaultClient:
			software = product(f.UserAgent)
		case analysis.FaultServer:
			software = product(f.ServerSoftware)
		}
		t.parties[who].add(software)
	}
}

// stream prints a finding as one line, where that is asked for.
func (t *text) stream(f *analysis.Finding) error {
	if !t.opts.Stream {
		return nil
	}
	words := f.Rule + "  "
	switch {
	case f.State != analysis.Final:
		words = f.State.String() + " " + words
	case f.Cause != "":
		words = "and " + words
	}
	if f.Confidence == analysis.Inconclusive {
		words += "inconclusive: "
	}
	words += Safe(f.Method) + " " + shorten(Safe(f.Target), t.page.width/4)
	if f.Status != 0 {
		words += " " + strconv.Itoa(f.Status)
	}
	words += ": " + Safe(f.Summary) + "  " + endpoint(f.Client)
	p := page{width: t.page.width, theme: t.page.theme}
	head := moment(f.Time, t.opts.Location).Format("15:04:05.000") + " " + pad(p.theme.label(f.Severity), len("WARNING")) + " "
	p.line(head + cutEnd(words, p.width-ansi.StringWidth(head)))
	_, err := t.w.Write(p.b)
	return err
}

// Close writes the report.
func (t *text) Close(s *analysis.Summary) error {
	t.settle()
	p := &t.page
	if t.opts.Stream {
		p.line("")
	}
	p.para(p.theme.strong, "", t.verdict(s))
	if p.theme.none != "" { // the verdict may be several lines: bold ends behind the last
		p.b = append(append(p.b[:len(p.b)-1], p.theme.none...), '\n')
	}
	p.line("")
	figures(p, s)
	t.findings()
	t.open(s)
	health(p, s, &t.opts)
	_, err := t.w.Write(p.b)
	return err
}

// open adds what hangs at the end: who is waited for, since when.
func (t *text) open(s *analysis.Summary) {
	if t.hangs == 0 {
		return
	}
	p := &t.page
	p.line("")
	n := max(t.hangs, s.Open)
	head := "exchanges are open at the end of the capture"
	if n == 1 {
		head = "exchange is open at the end of the capture"
	}
	if n > uint64(len(t.hanging)) {
		head += "; the longest silent:"
	}
	p.para(p.theme.strong+"OPEN"+p.theme.none+"     ", "         ", grouped(n)+" "+head)
	for i := range t.hanging {
		h := &t.hanging[i]
		p.para("  "+clockTime(h.since, t.opts.Location)+"  ", "    ", h.client+" -> "+h.server)
		p.para("    ", "    ", h.method+" "+shorten(h.target, p.width-8-len(h.method)))
		p.para("    ", "    ", "waits for the "+h.who+": nothing moved for "+span(h.silent)+"; request in "+h.packet)
	}
}
