package tui

import (
	"strings"

	"expectscope/analysis/report"
	"expectscope/analysis/store"
)

// A layout is the columns that fit, and how wide they are.
type layout struct {
	columns []int // numbers of the kind's columns
	widths  []int
}

// gutter is the columns left of the first cell: the mark of the selected line.
const gutter = 2

// arrange chooses the columns for w columns of screen: the ones with the largest drop give way first. skip is the title of one that
// is not needed.
func arrange(k *kind, w int, skip string) layout {
	limit := 1 << 10
	for {
		var l layout
		used, flex, gone := gutter, -1, 0
		for i := range k.columns {
			c := &k.columns[i]
			if c.drop >= limit || skip != "" && c.title == skip {
				continue
			}
			if c.flex {
				flex = len(l.columns)
			}
			gone = max(gone, c.drop)
			l.columns, l.widths = append(l.columns, i), append(l.widths, c.width)
			used += c.width + 1
		}
		used--
		if used <= w || gone == 0 {
			if flex >= 0 {
				l.widths[flex] = max(1, l.widths[flex]+w-used)
			}
			return l
		}
		limit = gone
	}
}

// columnAt is the number of the kind's column at a place on the screen, -1 for none.
func (p *pen) columnAt(x int) int {
	at := gutter + p.inset
	l := &p.l
	for i, w := range l.widths {
		if x >= at && x < at+w {
			return l.columns[i]
		}
		at += w + 1
	}
	return -1
}

// A pen draws lines of a list.
type pen struct {
	theme *theme
	kind  *kind
	l     layout
	w     int
	inset int // how far rows stand in under the lines of their groups
}

// titles is the line above the rows; the column that is sorted by is marked.
func (p *pen) titles(s *spec) string {
	var b strings.Builder
	b.WriteString(spaces(gutter + p.inset))
	for i, n := range p.l.columns {
		c := &p.kind.columns[n]
		title := c.title
		if n == s.sort {
			title += map[bool]string{false: "↑", true: "↓"}[s.desc]
		}
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(fit(title, p.l.widths[i], c.align))
	}
	return p.theme.dim.of(fit(b.String(), p.w, left))
}

// row is the line of a row.
func (p *pen) row(r row, selected bool) string {
	var b strings.Builder
	b.Grow(p.w + 64)
	tone := func(style) style { return style{} }
	switch {
	case selected:
		b.WriteString(p.theme.selected.on + "> ")
	default:
		b.WriteString("  ")
		tone = func(t style) style { return t }
	}
	b.WriteString(spaces(p.inset))
	used := gutter + p.inset
	for i, n := range p.l.columns {
		c := &p.kind.columns[n]
		if i > 0 {
			b.WriteByte(' ')
			used++
		}
		w := min(p.l.widths[i], p.w-used)
		text := fit(c.cell(r), w, c.align)
		used += max(w, 0)
		if c.tone != nil {
			t := tone(c.tone(p.theme, r))
			b.WriteString(t.on + text + t.off)
		} else {
			b.WriteString(text)
		}
	}
	b.WriteString(spaces(p.w - used))
	if selected {
		b.WriteString(p.theme.selected.off)
	}
	return b.String()
}

// group is the line above the rows of a group: what they have in common, how many, and their sums in the columns that have them.
func (p *pen) group(n store.Snapshot, ix *index, g *group, folded, selected bool) string {
	sign := "▾ "
	switch {
	case g.n == 1:
		sign = "  "
	case folded:
		sign = "▸ "
	}
	room, tail := p.sums(&g.sums)
	number := fit(report.Grouped(int64(g.n))+"×", 6, right)
	if g.n > 9999 {
		number = " " + report.Grouped(int64(g.n)) + "×"
	}
	room -= gutter + p.inset + severityWidth + width(number)
	name := safe(g.key)
	if ix.spec.kind.groupings[ix.spec.group].causes {
		if rest := room - idWidth - 1; rest >= 16 {
			name = fit(name, idWidth, left) + " " + cutTo(n.Findings.At(int(g.sample)).Title, rest)
		}
	}
	severity := fit(g.worst.String(), severityWidth, left)
	line := sign + p.theme.severity[g.worst].of(severity) + fit(name, room, ends) + number + tail
	if selected {
		return p.theme.selected.on + "> " + sign + severity + fit(name, room, ends) + number + tail + p.theme.selected.off
	}
	return "  " + line
}

// severityWidth is the room for a severity, idWidth for most rules.
const severityWidth, idWidth = 9, 24

// sums is what a group has in the columns from the first one with a sum on, and the room left of them.
func (p *pen) sums(s *sums) (room int, tail string) {
	at := gutter + p.inset
	for i, n := range p.l.columns {
		c, w := &p.kind.columns[n], p.l.widths[i]
		switch {
		case c.sum != nil:
			if tail == "" {
				room = at - 1
			}
			tail += " " + fit(c.sum(s), w, c.align)
		case tail != "":
			tail += spaces(w + 1)
		}
		at += w + 1
	}
	if tail == "" {
		return p.w, ""
	}
	return room, tail + spaces(p.w-at+1)
}
