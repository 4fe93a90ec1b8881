package tui

import (
	"strings"
)

// A page is text on a screen of its own that can be scrolled: the overview, a
// detail, help. Its lines are made anew for each drawing; the place in them is kept.
type page struct{ top, lines int }

// move scrolls by lines; length is how many there are.
func (p *page) move(by, length int) {
	p.top = max(0, min(p.top+by, length-p.lines))
}

// view is the lines that are seen, each w columns wide.
func (p *page) view(lines []string, w, h int) []string {
	top := max(0, min(p.top, len(lines)-h))
	seen := make([]string, h)
	for i := range seen {
		if top+i < len(lines) {
			seen[i] = clip(lines[top+i], w)
		} else {
			seen[i] = spaces(w)
		}
	}
	return seen
}

// A writer collects the lines of a page of w columns.
type writer struct {
	theme *theme
	w     int
	lines []string
}

func (p *writer) blank() { p.lines = append(p.lines, "") }

// line adds a line that may hold styles.
func (p *writer) line(s string) { p.lines = append(p.lines, s) }

// drawing adds the lines of a drawing of analysis/report.
func (p *writer) drawing(lines []string) {
	for _, l := range lines {
		p.line(safe(l))
	}
}

// title adds a heading.
func (p *writer) title(s string) {
	if len(p.lines) > 0 && p.lines[len(p.lines)-1] != "" {
		p.blank()
	}
	p.line(p.theme.strong.of(s))
}

// para adds safe text folded between words behind label; the lines stand indent columns in.
func (p *writer) para(label string, indent int, s string) {
	start := fit(label, indent, left)
	for _, l := range wrap(s, p.w-indent) {
		p.line(p.theme.dim.of(start) + l)
		start = spaces(indent)
	}
}

// text adds text of the capture as it is, line by line, folded at the width.
func (p *writer) text(indent int, s string) {
	for l := range strings.SplitSeq(strings.TrimRight(s, "\r\n"), "\n") {
		l = safe(strings.TrimSuffix(l, "\r"))
		for first := true; first || l != ""; first = false {
			piece := l
			if width(piece) > p.w-indent {
				piece = prefix(l, p.w-indent)
			}
			p.line(spaces(indent) + piece)
			l = l[len(piece):]
		}
	}
}
