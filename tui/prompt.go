package tui

import (
	"net/netip"
	"slices"
	"strings"

	"charm.land/bubbles/v2/textinput"
	tea "charm.land/bubbletea/v2"

	"expectscope/analysis/query"
	"expectscope/analysis/report"
	"expectscope/analysis/store"
)

// A prompt is the line in which a filter is typed. It completes keys and values.
type prompt struct {
	open   bool
	input  textinput.Model
	before string // the filter when it was opened, which esc brings back
	fault  string // what is wrong with what is typed, "" for nothing
	// refused tells that enter was pressed on what cannot be read.
	refused bool
	values  map[string][]string
	offers  []string
	offer   int
}

// ask opens the prompt with the filter there is.
func (p *prompt) ask(s *screen) tea.Cmd {
	p.input = textinput.New()
	p.input.Prompt = "/"
	p.input.SetWidth(max(10, s.w-3))
	p.input.SetValue(s.typed)
	p.input.CursorEnd()
	p.open, p.before, p.fault = true, s.typed, ""
	p.values = candidates(s.snap)
	p.complete()
	return p.input.Focus()
}

// whole is what is typed, without a last word that is the beginning of a key: nobody looks for that, and the list would be empty until
// the key is whole.
func (p *prompt) whole() string {
	typed := p.input.Value()
	at := strings.LastIndexByte(typed, ' ') + 1
	begun := func(k query.Key) bool { return strings.HasPrefix(k.Name, strings.TrimPrefix(typed[at:], "-")) }
	if slices.ContainsFunc(filterKeys(), begun) {
		return typed[:at]
	}
	return typed
}

func (p *prompt) resize(w int) {
	if p.open {
		p.input.SetWidth(max(10, w-3))
	}
}

// update takes what is typed. It returns the filter to apply, and whether the prompt is to be closed.
func (p *prompt) update(msg tea.Msg, s *screen) (cmd tea.Cmd, typed string, over bool) {
	if key, ok := msg.(tea.KeyPressMsg); ok {
		p.refused = false
		switch key.String() {
		case "enter":
			p.refused = p.fault != ""
			return nil, p.input.Value(), !p.refused
		case "esc", "ctrl+c":
			return nil, p.before, true
		case "tab", "down":
			p.take(1)
			return nil, p.input.Value(), false
		case "shift+tab", "up":
			p.take(-1)
			return nil, p.input.Value(), false
		}
	}
	was := p.input.Value()
	p.input, cmd = p.input.Update(msg)
	if p.input.Value() != was {
		p.complete()
	}
	return cmd, p.input.Value(), false
}

// offered is how many completions are offered.
const offered = 12

// complete finds what the text may go on with.
func (p *prompt) complete() {
	p.offers, p.offer = query.Complete(p.input.Value(), func(key string) []string { return p.values[key] }, offered), -1
}

// take puts in the next completion.
func (p *prompt) take(by int) {
	n := len(p.offers)
	if n == 0 {
		return
	}
	if p.offer += by; p.offer < 0 {
		p.offer += n
	}
	p.offer %= n
	p.input.SetValue(p.offers[p.offer])
	p.input.CursorEnd()
	if n == 1 {
		p.complete()
	}
}

// view is the lines of the prompt: what it offers or what is wrong, and the text; nil when it is closed.
func (p *prompt) view(s *screen) []string {
	if !p.open {
		return nil
	}
	hint := "tab completes, enter keeps the filter, esc drops it"
	switch {
	case p.fault != "" && (p.refused || len(p.offers) == 0):
		hint = s.theme.strong.of(safe(p.fault))
	case len(p.offers) > 0:
		hint = ""
		for i, o := range p.offers {
			word := safe(o[strings.LastIndexByte(o, ' ')+1:])
			if i == p.offer {
				word = s.theme.selected.of(word)
			}
			hint += word + "  "
		}
	}
	return []string{clip(" "+hint, s.w), clip(strings.Map(tame, p.input.View()), s.w)}
}

// tame stands in for what terminals act on: a completion is the capture's, and the input takes only control characters out.
// Escape is the input's own style.
func tame(r rune) rune {
	if c := string(r); r != '\x1b' && report.Safe(c) != c {
		return '\ufffd'
	}
	return r
}

// looked is how many exchanges are looked at for candidates.
const looked = 20_000

// candidates are the values that occur, for the keys that have no fixed list.
func candidates(n store.Snapshot) map[string][]string {
	seen := map[string]map[string]bool{}
	values := map[string][]string{}
	add := func(key, value string) {
		if value == "" || seen[key][value] {
			return
		}
		if seen[key] == nil {
			seen[key] = map[string]bool{}
		}
		seen[key][value] = true
		values[key] = append(values[key], value)
	}
	var client, server netip.Addr
	for i := range min(n.Exchanges.Len(), looked) {
		x := n.Exchanges.At(i)
		if a := x.Conn.Addr(x.Client).Addr(); a != client {
			client = a
			add("client", a.String())
		}
		if a := x.Conn.Addr(x.ServerDir()).Addr(); a != server {
			server = a
			add("server", a.String())
		}
		add("method", x.Request.Method)
		add("host", x.Authority())
		if x.Final != nil {
			add("status", itoa(x.Final.Status))
		}
		for _, f := range x.Findings {
			add("rule", f.Rule)
		}
	}
	return values
}
