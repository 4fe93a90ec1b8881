package tui

import (
	"strconv"
	"strings"

	"expectscope/analysis/report"
)

// An overview is the page that sums everything up.
type overview struct{ page }

// columnsFrom is from which width on the overview has two columns.
const columnsFrom = 110

// content is the lines of the page in w columns.
func (o *overview) content(t *theme, w int, g *figures) []string {
	p := &writer{theme: t, w: w}
	if !g.done {
		p.line(t.dim.of("so far:"))
	}
	for _, l := range wrap(safe(g.verdict), w) {
		p.line(t.strong.of(l))
	}
	p.blank()
	p.lines = append(p.lines, bigFigures(t, w, g)...)
	p.blank()
	part := func(w int, draw ...func(*writer, *figures)) []string {
		q := &writer{theme: t, w: w}
		for _, d := range draw {
			d(q, g)
		}
		return q.lines
	}
	if w < columnsFrom {
		p.lines = append(p.lines, part(w, ruleBars, serverBars, histogram)...)
	} else {
		half := (w - 3) / 2
		p.lines = append(p.lines, sideBySide(part(half, ruleBars), part(half, serverBars, histogram), half)...)
	}
	p.blank()
	p.lines = append(p.lines, part(w, balanceSheet, healthNote)...)
	return p.lines
}

// sideBySide puts two columns next to one another.
func sideBySide(a, b []string, w int) []string {
	var lines []string
	for i := range max(len(a), len(b)) {
		l, r := "", ""
		if i < len(a) {
			l = a[i]
		}
		if i < len(b) {
			r = b[i]
		}
		lines = append(lines, clip(l, w)+"   "+r)
	}
	return lines
}

// bigFigures are the numbers one asks for first, as many in a line as fit.
func bigFigures(t *theme, w int, g *figures) []string {
	s := &g.summary
	cells := []struct{ n, what string }{
		{report.Grouped(int64(s.Exchanges)), "exchanges"},
		{report.Grouped(int64(s.Expect)), "with Expect"},
		{report.Grouped(int64(s.Refused417)), "refused (417)"},
		{report.Grouped(int64(s.Retried)) + "/" + report.Grouped(int64(s.NotRetried)) + "/" + report.Grouped(int64(s.RetryUnknown)), "repeated/not/unknown"},
		{report.Size(s.WastedBytes), "wasted"},
		{report.Size(s.SavedBytes), "saved"},
		{report.Span(s.Waited), "waited for a 100"},
	}
	var lines []string
	numbers, names := "", ""
	flush := func() {
		if names != "" {
			lines = append(lines, t.strong.of(numbers), t.dim.of(names))
		}
		numbers, names = "", ""
	}
	for _, c := range cells {
		cell := max(width(c.n), width(c.what)) + 3
		if width(names)+cell > w {
			flush()
		}
		numbers += fit(c.n, cell, left)
		names += fit(c.what, cell, left)
	}
	flush()
	return lines
}

// barsShown is how many bars there are of a sort.
const barsShown = 12

// ruleBars draws how often each rule fired.
func ruleBars(p *writer, g *figures) {
	p.title("FINDINGS BY RULE")
	drawBars(p, g.rules, 25, func(b bar) string { return report.Grouped(b.n) }, func(b bar) style { return p.theme.severity[b.severity] },
		func(b bar) string { return fit(b.severity.String(), 8, left) })
	if len(g.rules) == 0 {
		p.line("none")
	}
}

// serverBars draws the bytes that were sent to each server in vain.
func serverBars(p *writer, g *figures) {
	p.title("WASTED BYTES BY SERVER")
	drawBars(p, g.servers, 22, func(b bar) string { return report.Size(b.n) }, func(bar) style { return p.theme.fresh }, func(bar) string { return "" })
	if len(g.servers) == 0 {
		p.line("none")
	}
}

// drawBars draws a line for each bar: what tag says, the name, the bar, the number.
func drawBars(p *writer, bars []bar, names int, number func(bar) string, tone func(bar) style, tag func(bar) string) {
	most, digits := int64(1), 0
	shown := bars[:min(len(bars), barsShown)]
	for _, b := range shown {
		most, digits = max(most, b.n), max(digits, width(number(b)))
	}
	for _, b := range shown {
		head := tag(b)
		room := p.w - width(head) - names - digits - 2
		p.line(tone(b).of(head) + fit(b.name, names, ends) + tone(b).of(fit(blocks(b.n, most, room), room, left)) + "  " + fit(number(b), digits, right))
	}
	if more := len(bars) - len(shown); more > 0 {
		p.line(p.theme.dim.of("and " + strconv.Itoa(more) + " more"))
	}
}

// blocks is a bar of at most room columns; what is not nothing is drawn.
func blocks(n, most int64, room int) string {
	if n <= 0 || room <= 0 {
		return ""
	}
	return strings.Repeat("█", max(1, int(float64(n)/float64(most)*float64(room))))
}

// noteWidth is the room for the names of the clients that give up after a time.
const noteWidth = 42

// histogram draws how long clients waited before their body.
func histogram(p *writer, g *figures) {
	p.title("WAITS FOR AN ANSWER TO EXPECT")
	if g.waited == 0 {
		p.line("none")
		return
	}
	most := 1
	for _, n := range g.waits {
		most = max(most, n)
	}
	room := max(4, min(30, p.w-16-noteWidth))
	for i, n := range g.waits {
		b := &waitBins[i]
		if n == 0 && (b.known == "" || b.upTo == 1<<62) {
			continue
		}
		note := ""
		if b.known != "" {
			note = "  ◂ " + b.known
		}
		p.line(fit(b.label, 9, left) + p.theme.fresh.of(fit(blocks(int64(n), int64(most), room), room, left)) +
			fit(strconv.Itoa(n), 7, right) + p.theme.dim.of(cutTo(note, p.w-16-room)))
	}
}

// balanceSheet says what Expect cost and saved between each client and server.
func balanceSheet(p *writer, g *figures) {
	p.title("EXPECT BALANCE SHEET")
	if len(g.balances) == 0 {
		p.line("no Expect exchange")
		return
	}
	wide := p.w >= 100
	ends1, ends2 := 15, 21
	if !wide {
		ends2 = 19
	}
	p.line(p.theme.dim.of(fit("client", ends1, left) + " " + fit("server", ends2, left) + fit("Expect", 7, right) + fit("rejected", 9, right) +
		fit("paid", 8, right) + fit("wasted", 12, right) + optional(wide, fit("saved", 12, right)+fit("break-even", 11, right))))
	for i := range g.balances {
		if i == barsShown {
			p.line(p.theme.dim.of("and " + strconv.Itoa(len(g.balances)-i) + " more"))
			break
		}
		b := &g.balances[i]
		share := "-"
		if b.Expect > 0 {
			share = percent(float64(b.Rejected) / float64(b.Expect))
		}
		even := "unknown"
		if v, ok := b.BreakEven(); ok {
			even = percent(v)
		}
		p.line(fit(b.Client.String(), ends1, ends) + " " + fit(endpoint(b.Server), ends2, ends) + fit(strconv.Itoa(b.Expect), 7, right) + fit(share, 9, right) +
			fit(report.Span(b.Paid), 8, right) + fit(short(b.Wasted), 12, right) + optional(wide, fit(short(b.Saved), 12, right)+fit(even, 11, right)))
		note := b.Advice()
		if !wide {
			note = strings.TrimSuffix("saved "+report.Size(b.Saved)+"; break-even at "+even+" rejected; "+note, "; ")
		}
		if note != "" {
			p.para("", 2, note)
		}
	}
	p.para("", 0, "Expect is worth its wait where more requests are rejected than the break-even: RTT / (RTT + length / rate).")
}

func optional(is bool, s string) string {
	if is {
		return s
	}
	return ""
}

func percent(v float64) string { return strconv.FormatFloat(v*100, 'f', 1, 64) + "%" }

// healthNote says what the capture lacks.
func healthNote(p *writer, g *figures) {
	p.title("CAPTURE HEALTH")
	if g.health == nil {
		p.line("known when the capture was read to its end")
		return
	}
	for _, l := range g.health {
		p.line(safe(l))
	}
}
