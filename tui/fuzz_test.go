package tui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"expectscope/analysis"
	"expectscope/analysis/store"
)

// FuzzRow draws rows of requests that hold anything. A line is as wide as it should be however a terminal measures, and holds no
// escape sequence but the theme's: as many as the same row with harmless text.
func FuzzRow(f *testing.F) {
	f.Add("PUT", hostileTarget, "Expectation\x1b[31m Failed", "curl\r\n", 80)
	f.Add("\x9b2J", "/\u0301\u0301", "\ufe0f", "🇩🇪🇩", 60)
	f.Add("", "", "", "", 300)
	f.Add("GET", "/"+strings.Repeat("資", 100)+"\u200d", "👩‍👩‍👧‍👦", "\u2028", 61)
	f.Add("G\tE\nT", "/\xf0\x9f\x92", "a\u0300\u0301\u0302", "กำ ｶﾞ ﷽", 100)
	f.Fuzz(func(t *testing.T, method, target, reason, agent string, w int) {
		w = minWidth + (w%240+240)%240
		wild, tame := rowsWith(method, target, reason, agent, w), rowsWith("PUT", "/a", "OK", "curl", w)
		if len(wild) != len(tame) {
			t.Fatalf("%d lines, want %d", len(wild), len(tame))
		}
		for i, l := range wild {
			bare := sgr.ReplaceAllString(l, "")
			if a, b := ansi.StringWidth(bare), ansi.StringWidthWc(bare); a != w || b != w {
				t.Errorf("%d columns, or %d, want %d: %q", a, b, w, l)
			}
			if strings.Count(l, "\x1b") != strings.Count(tame[i], "\x1b") {
				t.Errorf("an escape sequence reaches the terminal: %q", l)
			}
			for _, r := range bare {
				if r < ' ' || r >= 0x7f && r < 0xa0 {
					t.Errorf("the control character %U reaches the terminal: %q", r, l)
				}
			}
		}
	})
}

// rowsWith draws the lists over one refused exchange that holds those texts, by rule and by target, unfolded.
func rowsWith(method, target, reason, agent string, w int) []string {
	st := store.New()
	s := &script{at: epoch}
	s.connect("10.0.0.1:40000", "10.0.0.2:80").request("PUT", "/", 20_000, expect)
	s.answer(417, "Expectation Failed")
	s.x.Request.Method, s.x.Request.Target, s.x.Final.Reason = method, target, reason
	s.x.Request.Fields = append(s.x.Request.Fields, analysis.Field{Name: "User-Agent", Value: agent})
	one := s.found("417-no-retry", "No retry after 417", analysis.Warning, reason)
	two := s.found("417-received", "Expectation refused", analysis.Notice, reason)
	put(st, s.x, one, two)
	var lines []string
	for _, keys := range [][]string{nil, {"b", "b", "b", "z"}, {"2"}, {"4"}} {
		sc := press(shown(st, w, 24, darkLook), keys...)
		l := sc.list()
		lines = append(lines, l.view(&sc.theme, w, 8, sc.snap)...)
	}
	return lines
}

// FuzzPages draws the pages of an exchange that holds anything.
func FuzzPages(f *testing.F) {
	f.Add("PUT", hostileTarget, "X: \x1b[2J\r\n\u202e: \xff\r\n", 80)
	f.Add("", "", strings.Repeat("a", 300)+"資料夾\n\n\n", 60)
	f.Fuzz(func(t *testing.T, method, target, head string, w int) {
		w = minWidth + (w%240+240)%240
		st := store.New()
		s := &script{at: epoch}
		s.connect("10.0.0.1:40000", "10.0.0.2:80").request("PUT", "/", 20_000, expect).answer(417, target)
		s.x.Request.Method, s.x.Request.Target, s.x.Request.Head = method, target, head
		put(st, s.x, s.found("417-no-retry", "No retry after 417", analysis.Warning, head))
		for _, keys := range [][]string{nil, {"enter"}, {"enter", "pgdown"}, {"3"}, {"4"}, {"4", "enter"}} {
			onGrid(t, strings.Join(keys, " "), drawn(press(shown(st, w, 24, darkLook), keys...)), w, 24)
		}
	})
}
