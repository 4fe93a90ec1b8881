package tui

import (
	"strings"

	"expectscope/analysis/report"
	"expectscope/analysis/store"
)

// previewLines is how much of h lines shows what is selected; 0 where every line is needed for the list.
func previewLines(h int) int {
	switch {
	case h < 20:
		return 0
	case h < 34:
		return 8
	}
	return h / 3
}

// preview is the lines below the list: see previewed.
func (l *list) preview(t *theme, w, h int, n store.Snapshot) []string {
	if key := (drawnFor{l.ix, t.look, w, h, n.Version, l.told}); l.memo.preview == nil || l.memo.previewFor != key {
		l.memo.preview, l.memo.previewFor = previewed(t, w, h, n, l), key
	}
	return l.memo.preview
}

// previewed tells in short what is selected: a finding, an exchange, a connection, or a group by the gravest of its rows.
func previewed(t *theme, w, h int, n store.Snapshot, l *list) []string {
	p := &writer{theme: t, w: w}
	r, ok := l.rowAt(n, l.told)
	g := l.groupAt(l.told)
	if !ok && g != nil {
		if r = l.ix.at(n, g.sample); r.x == nil {
			g = nil
		}
	}
	switch {
	case r.f != nil:
		summary(p, r.f, ok)
	case r.c != nil:
		order(p, n, r.c)
	case r.x != nil:
		for _, f := range tree(r.x) {
			p.line(t.severity[f.Severity].of(fit(f.Severity.String(), 8, left)) + f.Rule + cutTo(": "+safe(f.Summary), w-8-len(f.Rule)))
		}
		repeated(p, n, r.x)
	}
	rule := t.dim.of(strings.Repeat("─", w))
	return append([]string{rule}, (&page{}).view(p.lines, w, h-1)...)
}

// repeated tells what an exchange repeats, and why: what was found there is the reason for its bytes.
func repeated(p *writer, n store.Snapshot, x *store.Exchange) {
	of := n.Find(x.RetryOf)
	switch {
	case of != nil:
		p.para("repeats", labels, safe(of.ID)+", which got "+outcome(of))
		if f := (&detail{}).finding(of); f != nil {
			p.para("", labels, f.Severity.String()+" "+f.Rule+": "+safe(f.Summary))
		}
	case len(x.Findings) == 0:
		p.line(p.theme.dim.of("nothing was found on this exchange"))
	}
}

// summary tells a finding in a few lines: what was found, what to change, the proof. Of a group's sample it says that it is one.
func summary(p *writer, f *store.Finding, one bool) {
	label := "found"
	if !one {
		label = "gravest"
	}
	figures := ""
	if f.Wasted > 0 {
		figures = " (" + report.Size(f.Wasted) + " wasted)"
	}
	answer := "no answer"
	if f.Status != 0 {
		answer = itoa(f.Status)
	}
	head := safe(f.Exchange) + "  " + endpoint(f.Client) + " → " + endpoint(f.Server) + "  "
	request := fit(safe(f.Method)+" "+safe(f.Target), max(10, min(width(safe(f.Method))+1+width(safe(f.Target)), p.w-labels-width(head)-5-len(answer))), ends)
	p.line(p.theme.dim.of(fit(label, labels, left)) + head + request + " → " + answer)
	p.para("", labels, safe(f.Summary)+figures)
	change := faults(f)
	if c := clauses(f); c != "" {
		change = strings.TrimPrefix(change+", "+c, ", ")
	}
	for i, fix := range f.Fix {
		p.para([]string{"fix", ""}[min(i, 1)], labels, safe(fix))
	}
	p.para("fault", labels, change)
	p.para("proof", labels, spacedFilter(report.Proof(&f.Finding)))
	p.para("why", labels, explained(f.Rule))
}

// order tells the requests of a connection with their answers, in their order.
func order(p *writer, n store.Snapshot, c *connection) {
	var words []string
	for i, at := range c.exchanges {
		if i == 100 {
			words = append(words, "…")
			break
		}
		x := n.Exchanges.At(int(at))
		word := safe(x.Request.Method) + " → " + answers(row{x: x})
		if o := x.Owed; o != nil && o.Bytes > 0 {
			word += " (" + report.Grouped(o.Bytes) + " bytes still owed)"
		}
		words = append(words, word+",")
	}
	p.para("order", labels, strings.Join(words, " ")+" "+ending(row{c: c}))
	if c.worst != nil {
		summary(p, c.worst, false)
	}
}
