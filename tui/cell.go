package tui

import (
	"strings"

	"github.com/charmbracelet/x/ansi"

	"expectscope/analysis/report"
)

// safe makes text of the capture fit for a cell: [report.Safe], and
// an escape for each character that terminals disagree about how wide it is (emoji with variation selectors, flags), because
// one such character moves everything behind it.
func safe(s string) string {
	if plain(s) {
		return s
	}
	s = report.Safe(s)
	if plain(s) {
		return s
	}
	var b strings.Builder
	for len(s) > 0 {
		c, w := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
		if w == 0 || w != ansi.StringWidthWc(c) {
			for _, r := range c {
				b.WriteString(escape(r))
			}
		} else {
			b.WriteString(c)
		}
		s = s[len(c):]
	}
	return b.String()
}

// escape writes a character as report.Safe writes those that do not print.
func escape(r rune) string {
	const digits = "0123456789abcdef"
	if r < 0x80 {
		return string(r)
	}
	n, s := 4, `\u`
	if r > 0xffff {
		n, s = 8, `\U`
	}
	b := []byte(s)
	for n--; n >= 0; n-- {
		b = append(b, digits[r>>(4*n)&15])
	}
	return string(b)
}

// plain tells whether s is printable ASCII: as many columns as bytes.
func plain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// width is how many columns s takes; s is safe.
func width(s string) int {
	if plain(s) {
		return len(s)
	}
	return ansi.StringWidth(s)
}

const blanks = "                                                                                                                                "

// spaces is n spaces.
func spaces(n int) string {
	if n <= 0 {
		return ""
	}
	if n <= len(blanks) {
		return blanks[:n]
	}
	return strings.Repeat(" ", n)
}

// alignment is which end of a cell text stands at, and where it is cut when it is too long.
type alignment uint8

const (
	left  alignment = iota // cut at the end
	right                  // numbers: cut at the end too, but that shows
	ends                   // left, cut in the middle: both ends of a path tell something
)

// fit makes s exactly n columns wide. s is safe.
func fit(s string, n int, a alignment) string {
	if n <= 0 {
		return ""
	}
	w := width(s)
	if w > n {
		s = cut(s, n, a)
		w = width(s)
	}
	if a == right {
		return spaces(n-w) + s
	}
	return s + spaces(n-w)
}

// cut makes s at most n columns wide.
func cut(s string, n int, a alignment) string {
	if a == ends && n > 8 {
		return report.Shorten(s, n)
	}
	if plain(s) {
		return s[:n-1] + "…"
	}
	return ansi.Truncate(s, n, "…")
}

// clip makes a line that may hold styles exactly n columns wide.
func clip(s string, n int) string {
	w := ansi.StringWidth(s)
	if w > n {
		s = ansi.Truncate(s, n, "…")
		w = ansi.StringWidth(s)
	}
	return s + spaces(n-w)
}

// wrap folds safe text between words into lines of at most n columns; a word that is wider is broken. The lines are pieces of s where
// single spaces stand between its words.
func wrap(s string, n int) []string {
	n = max(n, 1)
	if !single(s) {
		s = strings.Join(strings.Fields(s), " ")
	}
	var lines []string
	line, used := "", 0 // line is a piece of s
	for at := 0; at < len(s); {
		end := len(s)
		if i := strings.IndexByte(s[at:], ' '); i >= 0 {
			end = at + i
		}
		word, next := s[at:end], end+1
		w := width(word)
		if used > 0 && used+1+w > n {
			lines = append(lines, line)
			used = 0
		}
		for w > n {
			head := prefix(word, n)
			lines = append(lines, head)
			word = word[len(head):]
			w = width(word)
		}
		if used > 0 {
			line, used = s[end-len(word)-1-len(line):end], used+1+w
		} else {
			line, used = word, w
		}
		at = next
	}
	if used > 0 {
		lines = append(lines, line)
	}
	return lines
}

// single tells whether the words of s are separated by single spaces, and by nothing else.
func single(s string) bool {
	return plain(s) && !strings.Contains(s, "  ") && !strings.HasPrefix(s, " ") && !strings.HasSuffix(s, " ")
}

// prefix is as much of safe text as fits n columns, and at least one character.
func prefix(s string, n int) string {
	if p := ansi.Truncate(s, n, ""); p != "" {
		return p
	}
	c, _ := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
	return c
}
