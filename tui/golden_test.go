package tui

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"expectscope/analysis/report"
	"expectscope/analysis/store"
)

// updating tells that the golden files are to be written anew: go test -update, a flag that teatest brings.
func updating() bool { return flag.Lookup("update").Value.String() == "true" }

// shown is a screen of a store, everything indexed.
func shown(st *store.Store, w, h int, l look) *screen {
	s := newScreen("upload.pcap", nil, l)
	s.snap = st.Snapshot()
	s.resize(w, h)
	fresh(s)
	return s
}

// drawn is the screen as text.
func drawn(s *screen) string { return strings.Join(s.view(nil), "\n") }

// fresh makes all indexes anew.
func fresh(s *screen) {
	for _, i := range []int{findingsTab, exchangesTab, connectionsTab} {
		s.lists[i].spec = s.want(i)
		s.lists[i].show(build(s.snap, s.want(i)))
	}
	s.figures = count(s.snap, s.inputs)
}

// press presses keys, and indexes after each.
func press(s *screen, keys ...string) *screen {
	for _, k := range keys {
		s.key(k)
		fresh(s)
	}
	return s
}

// walks are the screens of the goldens, by the keys that lead there.
var walks = []struct {
	name string
	keys []string
}{
	{"findings", nil},
	{"findings unfolded", []string{"z", "j", "j", "j"}},
	{"findings by server", []string{"b", "z", "j"}},
	{"findings ungrouped", []string{"b", "b", "b", "b"}},
	{"exchanges", []string{"2", "j", "j", "j"}},
	{"exchanges sorted by bytes", []string{"2", "s", "s", "s", "s", "s", "s"}},
	{"overview", []string{"3"}},
	{"overview below", []string{"3", "pgdown"}},
	{"connections", []string{"4", "j"}},
	{"connection", []string{"4", "j", "enter"}},
	{"detail", []string{"enter"}},
	{"detail below", []string{"enter", "pgdown"}},
	{"detail of a hostile request", []string{"2", "j", "j", "j", "enter"}},
	{"repeat", []string{"enter", "r"}},
	{"help", []string{"?"}},
	{"formats", []string{"2", "o"}},
}

func TestGolden(t *testing.T) {
	for _, v := range []struct {
		name string
		w, h int
		look look
	}{
		{"60x15-dark", 60, 15, darkLook},
		{"80x24-dark", 80, 24, darkLook},
		{"120x40-dark", 120, 40, darkLook},
		{"200x60-dark", 200, 60, darkLook},
		{"80x24-light", 80, 24, lightLook},
		{"80x24-nocolor", 80, 24, plainLook},
		{"120x40-light", 120, 40, lightLook},
	} {
		t.Run(v.name, func(t *testing.T) {
			var all strings.Builder
			for _, walk := range walks {
				got := drawn(press(shown(fixture(), v.w, v.h, v.look), walk.keys...))
				onGrid(t, walk.name, got, v.w, v.h)
				fmt.Fprintf(&all, "== %s: %s\n%s\n", walk.name, strings.Join(walk.keys, " "), readable(got))
			}
			golden(t, v.name+".txt", all.String())
		})
	}
}

// readable writes escape sequences as text, and takes spaces at the ends of lines away.
func readable(s string) string {
	lines := strings.Split(strings.ReplaceAll(s, "\x1b[", "⟦"), "\n")
	for i, l := range lines {
		lines[i] = strings.TrimRight(l, " ")
	}
	return strings.Join(lines, "\n")
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if updating() {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	wl, gl := strings.Split(string(want), "\n"), strings.Split(got, "\n")
	for i := range max(len(wl), len(gl)) {
		if i >= len(wl) || i >= len(gl) || wl[i] != gl[i] {
			t.Fatalf("%s differs from line %d on; run with -update and look at the difference\nwant: %s\ngot:  %s", path, i+1, wl[min(i, len(wl)-1)], gl[min(i, len(gl)-1)])
		}
	}
}

// sgr is what a theme sends: colours and attributes.
var sgr = regexp.MustCompile(`\x1b\[[0-9;]*m`)

// onGrid tells whether a screen is w columns and h lines, by both ways in which terminals measure, and nothing in it but text and the theme's styles.
func onGrid(t *testing.T, name, s string, w, h int) {
	t.Helper()
	lines := strings.Split(s, "\n")
	if len(lines) != h {
		t.Errorf("%s: %d lines, want %d", name, len(lines), h)
	}
	for i, l := range lines {
		bare := sgr.ReplaceAllString(l, "")
		if a, b := ansi.StringWidth(bare), ansi.StringWidthWc(bare); a != w || b != w {
			t.Errorf("%s, line %d: %d columns, or %d, want %d: %q", name, i+1, a, b, w, l)
		}
		if report.Safe(bare) != bare {
			t.Errorf("%s, line %d: what a terminal acts on reaches it: %q", name, i+1, l)
		}
	}
	if strings.Contains(s, "\x1b[31m Failed") {
		t.Errorf("%s: a style of the wire reaches the terminal", name)
	}
}

// Every size from the smallest to the largest is drawn whole, and below it is a message.
func TestSizes(t *testing.T) {
	st := fixture()
	for _, size := range [][2]int{{60, 15}, {61, 16}, {79, 19}, {80, 20}, {99, 33}, {100, 34}, {109, 50}, {110, 50}, {133, 37}, {300, 100}} {
		for _, walk := range walks {
			s := press(shown(st, size[0], size[1], darkLook), walk.keys...)
			onGrid(t, fmt.Sprintf("%s at %v", walk.name, size), drawn(s), size[0], size[1])
		}
	}
	for _, size := range [][2]int{{59, 24}, {80, 14}, {10, 3}, {1, 1}, {0, 0}} {
		s := shown(st, size[0], size[1], darkLook)
		got := drawn(s)
		if n := strings.Count(got, "\n") + 1; n > max(size[1], 1) || size[1] > 0 && !strings.HasPrefix(got, "expectscope"[:min(max(size[0], 1), 11)]) {
			t.Errorf("at %v: %q", size, got)
		}
	}
}

// Without colour no colour is sent, and severities are words.
func TestNoColour(t *testing.T) {
	got := drawn(shown(fixture(), 80, 24, plainLook))
	for _, code := range sgr.FindAllString(got, -1) {
		for n := range strings.SplitSeq(strings.Trim(code, "\x1b[m"), ";") {
			if strings.HasPrefix(n, "3") || strings.HasPrefix(n, "4") && len(n) > 1 || strings.HasPrefix(n, "9") {
				t.Errorf("a colour is sent: %q", code)
			}
		}
	}
	for _, word := range []string{"error", "warning", "notice"} {
		if !strings.Contains(got, word) {
			t.Errorf("%s is not said in words", word)
		}
	}
}
