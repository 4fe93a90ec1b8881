package report

import (
	"cmp"
	"maps"
	"slices"
	"strconv"
	"strings"

	"expectscope/analysis"
	"expectscope/capture"
)

// A group is what one rule found, where it was not the consequence of another.
type group struct {
	rule, title  string
	worst        analysis.Severity   // also of its consequences
	confidence   analysis.Confidence // the best
	grave        grave               // what the gravest finding amounts to
	n            uint64
	wasted, lost int64
	saved        int64
	clauses      []analysis.Clause
	fault        [4]bool
	top          []analysis.Finding // the worst, worst first
	with         map[string]*consequence
}

// A consequence counts a rule that fired because of another.
type consequence struct {
	n     uint64
	worst analysis.Severity
}

func newGroup(f *analysis.Finding) *group {
	return &group{rule: f.Rule, title: f.Title, clauses: f.Clauses, with: map[string]*consequence{}}
}

func (g *group) consequence(f *analysis.Finding) {
	c := g.with[f.Rule]
	if c == nil {
		c = &consequence{}
		g.with[f.Rule] = c
	}
	c.n++
	c.worst = max(c.worst, f.Severity)
}

// add counts f and keeps a copy if it is among the worst.
func (g *group) add(f *analysis.Finding, top int) {
	g.n++
	g.wasted += f.Wasted
	g.saved += f.Saved
	g.lost += int64(f.Lost)
	for _, who := range f.Fault {
		g.fault[who] = true
	}
	if top == 0 {
		top = DefaultTop
	}
	at, _ := slices.BinarySearchFunc(g.top, f, func(kept analysis.Finding, f *analysis.Finding) int { return worse(&kept, f) })
	if top > 0 {
		if at == top {
			return
		}
		g.top = g.top[:min(len(g.top), top-1)]
	}
	g.top = slices.Insert(g.top, at, keep(f))
}

// worse orders findings of one rule, the worst first; of equals the first one found.
func worse(a, b *analysis.Finding) int {
	return cmp.Or(
		cmp.Compare(b.Severity, a.Severity),
		cmp.Compare(b.Confidence, a.Confidence),
		cmp.Compare(b.Wasted, a.Wasted),
		cmp.Compare(b.Lost, a.Lost),
		cmp.Compare(a.Time, b.Time),
		-1,
	)
}

// keep copies what the report shows of a finding, and nothing that would hold a message head in memory.
func keep(f *analysis.Finding) analysis.Finding {
	c := *f
	c.Method, c.Target = strings.Clone(f.Method), strings.Clone(f.Target)
	c.UserAgent, c.ServerSoftware = strings.Clone(product(f.UserAgent)), strings.Clone(product(f.ServerSoftware))
	c.Evidence, c.Fix, c.Related = slices.Clone(f.Evidence), slices.Clone(f.Fix), nil
	return c
}

// findings adds the groups, errors first, then one line for each rule that only tells a fact.
func (t *text) findings() {
	groups := t.sorted()
	facts := groups[len(groups):]
	for i, g := range groups {
		if g.worst == analysis.Info {
			groups, facts = groups[:i], groups[i:]
			break
		}
	}
	for _, g := range groups {
		t.page.line("")
		g.write(&t.page, &t.opts, g.why(t.explain(g.rule)))
	}
	if len(facts) == 0 {
		return
	}
	p := &t.page
	p.line("")
	p.line(p.theme.label(analysis.Info))
	names, counts := 0, 0
	for _, g := range facts {
		names, counts = max(names, len(g.rule)), max(counts, len(grouped(g.n)))
	}
	for _, g := range facts {
		n := grouped(g.n)
		first := "  " + strings.Repeat(" ", counts-len(n)) + n + "  " + pad(g.rule, names) + "  "
		p.para(first, strings.Repeat(" ", min(len(first), p.width/2)), g.title+g.figures(", "))
	}
}

// sorted lists the groups by falling severity, then how often, then by rule.
func (t *text) sorted() []*group {
	return slices.SortedFunc(maps.Values(t.groups), func(a, b *group) int {
		return cmp.Or(cmp.Compare(b.worst, a.worst), cmp.Compare(b.n, a.n), strings.Compare(a.rule, b.rule))
	})
}

// figures says what the findings of the group cost, behind sep, or nothing.
func (g *group) figures(sep string) string {
	s := ""
	if g.wasted > 0 {
		s += sep + size(g.wasted) + " wasted"
	}
	if g.saved > 0 {
		s += sep + size(g.saved) + " saved"
	}
	if g.lost > 0 {
		s += sep + span(g.lost) + " lost"
	}
	return s
}

const (
	groupIndent = "         " // as wide as the widest severity and two spaces
	noteIndent  = "           "
)

// write adds the group: what, why, what to change, what came with it, and the worst instances.
func (g *group) write(p *page, o *Options, why string) {
	label := pad(p.theme.label(g.worst), len(groupIndent))
	head := g.title + "; " + times(g.n) + g.figures(", ")
	if g.confidence == analysis.Inconclusive {
		head += ", inconclusive"
	}
	if who := g.faults(); who != "" {
		head += "; fault: " + who
	}
	p.para(label+p.theme.strong+g.rule+p.theme.none+"  ", groupIndent, head)
	if why != "" {
		p.para("  why      ", noteIndent, why)
	}
	var fixes []string
	for i := range g.top {
		for _, s := range g.top[i].Fix {
			if !slices.Contains(fixes, s) {
				fixes = append(fixes, s)
			}
		}
	}
	first := "  fix      "
	for _, s := range fixes {
		p.para(first, noteIndent, Safe(s))
		first = noteIndent
	}
	if len(g.with) > 0 {
		p.para("  with it  ", noteIndent, g.consequences())
	}
	for i := range g.top {
		writeInstance(p, &g.top[i], o)
	}
	if more := g.n - uint64(len(g.top)); more > 0 {
		p.line("  " + p.theme.dim + "and " + grouped(more) + " more" + p.theme.none)
	}
}

// why is the clauses the rule stands on and the first sentence of its explanation.
func (g *group) why(explain string) string {
	s, first := clauses(g.clauses), firstSentence(explain)
	if s != "" && first != "" {
		s += ": "
	}
	return s + first
}

// faults lists the parties that are to change something. With an
// intermediary among them it was one of them: from outside they look alike.
func (g *group) faults() string {
	var who []string
	for f, is := range g.fault {
		if is && analysis.Fault(f) != analysis.FaultUnknown {
			who = append(who, analysis.Fault(f).String())
		}
	}
	if n := len(who) - 1; n > 0 && g.fault[analysis.FaultIntermediary] {
		return list(who[:n]) + " or " + who[n]
	}
	return list(who)
}

// firstSentence is text up to the first full stop that ends a sentence, its white space made single spaces.
func firstSentence(text string) string {
	words := strings.Fields(text)
	for i, w := range words {
		if strings.HasSuffix(w, ".") && !strings.HasSuffix(w, "e.g.") && !strings.HasSuffix(w, "i.e.") {
			return strings.Join(words[:i+1], " ")
		}
	}
	return strings.Join(words, " ")
}

// consequences lists the rules that fired because of this one, the gravest first.
func (g *group) consequences() string {
	ids := slices.SortedFunc(maps.Keys(g.with), func(a, b string) int {
		return cmp.Or(cmp.Compare(g.with[b].worst, g.with[a].worst), strings.Compare(a, b))
	})
	for i, id := range ids {
		c := g.with[id]
		s := id + " (" + c.worst.String()
		if c.n > 1 {
			s += ", " + times(c.n)
		}
		ids[i] = s + ")"
	}
	return strings.Join(ids, ", ")
}

// writeInstance adds one finding: when, who, what, and where the proof is.
func writeInstance(p *page, f *analysis.Finding, o *Options) {
	client := strings.TrimSpace(endpoint(f.Client) + " " + Safe(f.UserAgent))
	server := strings.TrimSpace(endpoint(f.Server) + " " + Safe(f.ServerSoftware))
	p.para("  "+p.theme.dim+clockTime(f.Time, o.Location)+p.theme.none+"  ", "    ", client+" -> "+server)
	tail := ""
	if f.Status != 0 {
		tail = " -> " + strconv.Itoa(f.Status)
	}
	if f.Wasted > 0 {
		tail += ", " + counted(f.Wasted, "byte", "bytes") + " wasted"
	}
	if f.Saved > 0 {
		tail += ", " + counted(f.Saved, "byte", "bytes") + " saved"
	}
	if f.Lost > 0 {
		tail += ", " + span(int64(f.Lost)) + " lost"
	}
	tail += "; " + f.Confidence.String()
	method := shorten(Safe(f.Method), p.width/4)
	p.para("    ", "    ", method+" "+shorten(Safe(f.Target), max(p.width/3, p.width-6-len(method)-len(tail)))+tail)
	if f.Summary != "" {
		p.para("    ", "    ", Safe(f.Summary))
	}
	if f.Unrecorded {
		p.filter("    proof: ", "      ", Proof(f))
		return
	}
	for nums := f.Evidence; len(nums) > 0; {
		home := nums[0].Input()
		mine := 1
		for mine < len(nums) && nums[mine].Input() == home {
			mine++
		}
		writeProof(p, nums[:mine], o.file(home))
		nums = nums[mine:]
	}
}

// proofShown is how many packets of a finding the text report lists; the other formats list all.
const proofShown = 40

// writeProof adds the filter that shows the packets, which are all of one input.
func writeProof(p *page, nums []capture.Num, file string) {
	first := "    proof: "
	if file != "" {
		p.para(first, "      ", shorten(Safe(file), p.width-12))
		first = "      "
	}
	more := ""
	if n := len(nums) - proofShown; n > 0 {
		nums, more = nums[:proofShown], " and "+counted(n, "packet", "packets")+" more"
	}
	p.filter(first, "      ", string(appendFilter(nil, nums, nums[0].Input()))+more)
}

// product is the first word of a User-Agent or Server field: name and version.
func product(s string) string {
	s = strings.TrimLeftFunc(s, notPrinted)
	if end := strings.IndexFunc(s, notPrinted); end >= 0 {
		s = s[:end]
	}
	return s
}

func notPrinted(r rune) bool { return r <= ' ' || r == 0x7f }
