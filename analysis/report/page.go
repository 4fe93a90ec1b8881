package report

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"expectscope/analysis"
)

// A theme is the SGR sequences of the text report, all empty without colour.
type theme struct {
	severity          [4]string
	strong, dim, none string
}

func newTheme(color bool) theme {
	if !color {
		return theme{}
	}
	t := theme{strong: "\x1b[1m", dim: "\x1b[2m", none: "\x1b[0m"}
	t.severity[analysis.Info] = "\x1b[36m"
	t.severity[analysis.Notice] = "\x1b[1;34m"
	t.severity[analysis.Warning] = "\x1b[1;33m"
	t.severity[analysis.Error] = "\x1b[1;31m"
	return t
}

// label is the severity as a word.
func (t *theme) label(s analysis.Severity) string {
	return t.severity[s] + strings.ToUpper(s.String()) + t.none
}

// A page collects lines that are never wider than its width. Text is given plain; prefixes may hold colour.
type page struct {
	width int
	theme theme
	b     []byte
}

func (p *page) line(s string) {
	p.b = append(append(p.b, s...), '\n')
}

// para adds text folded between words, behind first on its first line and behind indent on the others.
func (p *page) para(first, indent, text string) {
	p.fold(first, indent, strings.SplitAfter(text, " "))
}

// filter adds text folded at spaces and commas.
func (p *page) filter(first, indent, text string) {
	var pieces []string
	for word := range strings.SplitAfterSeq(text, " ") {
		pieces = append(pieces, strings.SplitAfter(word, ",")...)
	}
	p.fold(first, indent, pieces)
}

// fold fills lines with pieces, which are only broken between one another; a piece wider than a line is shortened in its middle.
// A space at the end of a piece does not count at the end of a line.
func (p *page) fold(first, indent string, pieces []string) {
	start, room := first, p.width-ansi.StringWidth(first)
	line, used := "", 0
	for _, s := range pieces {
		bare := strings.TrimSuffix(s, " ")
		if w := ansi.StringWidth(bare); used+w > room && used > 0 {
			p.line(start + strings.TrimSuffix(line, " "))
			start, room = indent, p.width-ansi.StringWidth(indent)
			line, used = "", 0
		}
		if ansi.StringWidth(bare) > room {
			s = shorten(bare, room) + s[len(bare):]
		}
		line += s
		used += ansi.StringWidth(s)
	}
	p.line(start + strings.TrimSuffix(line, " "))
}

// shorten cuts text wider than n columns in its middle and puts … there. Both ends of a path tell something.
func shorten(s string, n int) string {
	w := ansi.StringWidth(s)
	if w <= n {
		return s
	}
	if n < 3 {
		return ansi.Truncate(s, max(n, 0), "")
	}
	left := ansi.Truncate(s, n/2, "")
	rest := n - 1 - ansi.StringWidth(left)
	right := ansi.TruncateLeft(s, w-rest, "")
	for skip := w - rest + 1; ansi.StringWidth(right) > rest; skip++ { // a wide character lay across the cut
		right = ansi.TruncateLeft(s, skip, "")
	}
	return left + "…" + right
}

// pad makes s n columns wide.
func pad(s string, n int) string {
	return s + strings.Repeat(" ", max(0, n-ansi.StringWidth(s)))
}

// cutEnd cuts text wider than n columns at its end and puts … there.
func cutEnd(s string, n int) string { return ansi.Truncate(s, max(n, 1), "…") }
