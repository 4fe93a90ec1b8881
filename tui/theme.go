package tui

import (
	"strings"

	"charm.land/lipgloss/v2"

	"expectscope/analysis"
)

// A style is what is sent before and behind a piece of text.
type style struct{ on, off string }

// of puts s in the style.
func (t style) of(s string) string { return t.on + s + t.off }

// styleOf takes a Lip Gloss style apart, so that a row costs no more than two strings.
func styleOf(s lipgloss.Style) style {
	on, off, _ := strings.Cut(s.Render("x"), "x")
	return style{on, off}
}

// A theme is the look of everything. It uses the sixteen colours every terminal has, which follow the user's own
// palette; what a colour says is also said in words.
type theme struct {
	look     look
	severity [4]style
	strong   style // headings
	dim      style // what is less important
	bar      style // the title line
	tab      style // the view that is shown
	selected style // the line the cursor is on
	key      style // a key in the footer
	link     style // what leads elsewhere
	good     style // bytes saved
	fresh    style // bars
}

// A look is what a theme is made for.
type look uint8

const (
	darkLook look = iota
	lightLook
	plainLook // NO_COLOR: bold, faint and reverse only
)

// newTheme makes the theme for a background.
func newTheme(l look) theme {
	plain := lipgloss.NewStyle()
	bold, faint, reverse := plain.Bold(true), plain.Faint(true), plain.Reverse(true)
	t := theme{
		look: l, strong: styleOf(bold), dim: styleOf(faint), bar: styleOf(reverse), tab: styleOf(bold.Reverse(true)),
		selected: styleOf(reverse), key: styleOf(bold), link: styleOf(plain.Underline(true)),
	}
	t.severity[analysis.Error], t.severity[analysis.Warning] = styleOf(bold), styleOf(bold)
	if l == plainLook {
		return t
	}
	tone := func(dark, light string) lipgloss.Style {
		if l == lightLook {
			return plain.Foreground(lipgloss.Color(light))
		}
		return plain.Foreground(lipgloss.Color(dark))
	}
	t.severity[analysis.Error] = styleOf(tone("9", "1").Bold(true))
	t.severity[analysis.Warning] = styleOf(tone("11", "5").Bold(true))
	t.severity[analysis.Notice] = styleOf(tone("14", "4"))
	t.severity[analysis.Info] = styleOf(tone("8", "8"))
	t.dim = styleOf(tone("8", "8"))
	t.key = styleOf(tone("14", "4").Bold(true))
	t.link = styleOf(tone("14", "4").Underline(true))
	t.good = styleOf(tone("10", "2"))
	t.fresh = styleOf(tone("12", "4"))
	return t
}
