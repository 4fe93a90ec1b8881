package tui

import "strings"

// where is a set of places in which a key works.
type where uint8

const (
	inFindings where = 1 << iota
	inExchanges
	inOverview
	inConnections
	inDetail     // the page of an exchange
	inConnection // the page of a connection

	inLists  = inFindings | inExchanges | inConnections
	inViews  = inLists | inOverview
	inPages  = inDetail | inConnection
	anywhere = inViews | inPages
)

// A binding is a key, or several that do the same.
type binding struct {
	keys []string
	name string // as the footer and help write it
	does string // as help says it
	word string // as the footer says it, "" to leave it out there
	in   where
	act  func(*screen) action
	// needs is what must be possible outside, actNone for nothing.
	needs actKind
}

// bindings is every key, in the order of the footer and of help.
func bindings() []binding {
	return []binding{
		{keys: []string{"enter"}, name: "enter", does: "open: the ladder, the explanation, the proof; unfold or fold a group", word: "open", in: inLists, act: (*screen).enter},
		{keys: []string{"esc", "backspace"}, name: "esc", does: "back; stop loading and keep what is there; clear the filter", word: "back", in: anywhere, act: (*screen).back},
		{keys: []string{"/"}, name: "/", does: "filter, tab completes", word: "filter", in: inLists, act: func(*screen) action { return action{kind: actFilter} }},
		{keys: []string{"b"}, name: "b", does: "group by rule, server, client, target, nothing", word: "group", in: inFindings, act: (*screen).regroup},
		{keys: []string{"z"}, name: "z", does: "unfold or fold all groups", in: inFindings, act: (*screen).foldAll},
		{keys: []string{"right", "l"}, name: "→ l", does: "unfold", in: inFindings, act: func(s *screen) action { s.list().toggle(true); return action{} }},
		{keys: []string{"left", "h"}, name: "← h", does: "fold", in: inFindings, act: func(s *screen) action { s.list().toggle(false); return action{} }},
		{keys: []string{"a"}, name: "a", does: "only exchanges that have to do with Expect, or all", word: "all", in: inExchanges, act: (*screen).toggleAll},
		{keys: []string{"n"}, name: "n", does: "the next one of the list", word: "next", in: inPages, act: func(s *screen) action { s.sibling(1); return action{} }},
		{keys: []string{"p"}, name: "p", does: "the one before", word: "prev", in: inPages, act: func(s *screen) action { s.sibling(-1); return action{} }},
		{keys: []string{"r"}, name: "r", does: "go to the repeat, or from it to what it repeats", word: "retry", in: inDetail, act: (*screen).follow},
		{keys: []string{"x"}, name: "x", does: "cross the proxy: the same exchange on its other side", in: inDetail, act: (*screen).cross},
		{keys: []string{"s"}, name: "s", does: "sort by the next column", word: "sort", in: inLists, act: func(s *screen) action { s.resort(1); return action{} }},
		{keys: []string{"S"}, name: "S", does: "turn the order round", in: inLists, act: (*screen).reverse},
		{keys: []string{"y"}, name: "y", does: "copy the Wireshark filter of the finding, else the id", word: "copy", in: inLists | inPages, act: (*screen).copyProof},
		{keys: []string{"Y"}, name: "Y", does: "copy the exchange's id", in: inLists | inPages, act: (*screen).copyID},
		{keys: []string{"e"}, name: "e", does: "write the exchange's packets to a pcapng file", word: "extract", in: inLists | inPages, act: (*screen).extract, needs: actExtract},
		{keys: []string{"o"}, name: "o", does: "write the list as ndjson or csv", word: "output", in: inLists, act: (*screen).chooseFormat, needs: actWrite},
		{keys: []string{"up", "k"}, name: "↑ k", does: "up", in: anywhere, act: func(s *screen) action { s.move(-1); return action{} }},
		{keys: []string{"down", "j"}, name: "↓ j", does: "down", in: anywhere, act: func(s *screen) action { s.move(1); return action{} }},
		{keys: []string{"pgup", "ctrl+b"}, name: "PgUp ^B", does: "a page up", in: anywhere, act: func(s *screen) action { s.move(-s.pageLines()); return action{} }},
		{keys: []string{"pgdown", "ctrl+f", "space"}, name: "PgDn ^F", does: "a page down, also space", in: anywhere, act: func(s *screen) action { s.move(s.pageLines()); return action{} }},
		{keys: []string{"ctrl+u"}, name: "^U", does: "half a page up", in: anywhere, act: func(s *screen) action { s.move(-s.pageLines() / 2); return action{} }},
		{keys: []string{"ctrl+d"}, name: "^D", does: "half a page down", in: anywhere, act: func(s *screen) action { s.move(s.pageLines() / 2); return action{} }},
		{keys: []string{"home", "g"}, name: "g", does: "to the first", in: anywhere, act: func(s *screen) action { s.move(-1 << 40); return action{} }},
		{keys: []string{"end", "G"}, name: "G", does: "to the last", in: anywhere, act: func(s *screen) action { s.move(1 << 40); return action{} }},
		{keys: []string{"1", "2", "3", "4"}, name: "1-4", does: "the views; tab goes to the next one", in: anywhere},
		{keys: []string{"tab"}, name: "tab", does: "the next view", in: inViews, act: func(s *screen) action { s.show((s.tab + 1) % tabs); return action{} }},
		{keys: []string{"shift+tab"}, name: "shift+tab", does: "the view before", in: inViews, act: func(s *screen) action { s.show((s.tab + tabs - 1) % tabs); return action{} }},
		{keys: []string{"?"}, name: "?", does: "this help", word: "help", in: anywhere, act: func(s *screen) action { s.helping = true; s.help = page{}; return action{} }},
		{keys: []string{"q", "ctrl+c"}, name: "q", does: "quit", word: "quit", in: anywhere, act: func(*screen) action { return action{kind: actQuit} }},
	}
}

// footer is the keys that work here, as many as fit.
func (s *screen) footer(w int) string {
	here := s.here()
	var line strings.Builder
	line.WriteByte(' ')
	used := 1
	must := " ? help  q quit"
	for i := range s.bindings {
		b := &s.bindings[i]
		if !s.works(b, here) || b.word == "" {
			continue
		}
		word := b.word
		if b.name == "esc" {
			if word = s.backWord(); word == "" {
				continue
			}
		}
		n := width(b.name) + 1 + width(word) + 2
		if last := b.name == "?" || b.name == "q"; !last && used+n+len(must) > w {
			continue
		}
		for _, piece := range [...]string{s.theme.key.on, b.name, s.theme.key.off, " ", word, "  "} {
			line.WriteString(piece)
		}
		used += n
	}
	return clip(line.String(), w)
}

// backWord is what esc does now, "" for nothing.
func (s *screen) backWord() string {
	switch {
	case len(s.details) > 0 || s.conn != nil:
		return "back"
	case s.canStop():
		return "stop loading"
	case s.typed != "" && s.tab != overviewTab:
		return "clear filter"
	}
	return ""
}

// helpLines is the help for where one is.
func (s *screen) helpLines(w int) []string {
	p := &writer{theme: &s.theme, w: w}
	here := s.here()
	p.title("KEYS HERE")
	for i := range s.bindings {
		if b := &s.bindings[i]; s.works(b, here) {
			p.para("  "+b.name, 14, b.does)
		}
	}
	p.para("  mouse", 14, "click selects, again opens; a column's title sorts; the wheel scrolls")
	p.title("MARKS")
	p.para("", 2, "Severities: error, warning, notice, info; in narrow columns E, W, n, i. └ is a consequence of the finding above it. "+
		"Confidence: certain, likely, inconclusive (the capture lacks the evidence).")
	if here&inLists != 0 {
		p.title("FILTER: WORDS WITH SPACES BETWEEN, ALL MUST HOLD; A MINUS IN FRONT TURNS ONE ROUND")
		for _, k := range filterKeys() {
			p.para("  "+k.Example, 26, k.Summary+optional(len(k.Values) > 0, ": "+strings.Join(k.Values, ", ")))
		}
		p.para("  any text", 26, "text in the rule, request, host, software, summary, id")
	}
	p.title("COLUMNS GIVE WAY IN THIS ORDER WHEN THE TERMINAL IS NARROW")
	for _, k := range []*kind{findingKind, exchangeKind, connectionKind} {
		p.para("  "+k.name, 16, strings.Join(givingWay(k), ", "))
	}
	return p.lines
}

// givingWay is the columns in the order in which they give way.
func givingWay(k *kind) []string {
	var names []string
	for drop := 9; drop > 0; drop-- {
		for i := range k.columns {
			if c := &k.columns[i]; c.drop == drop {
				names = append(names, c.title)
			}
		}
	}
	return names
}
