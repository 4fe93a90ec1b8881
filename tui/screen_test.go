package tui

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"expectscope/analysis"
	"expectscope/analysis/report"
	"expectscope/analysis/store"
)

// text is a screen without styles.
func text(s *screen) string { return sgr.ReplaceAllString(drawn(s), "") }

// says fails unless the screen holds all of it.
func says(t *testing.T, s *screen, want ...string) {
	t.Helper()
	got := text(s)
	for _, w := range want {
		if !strings.Contains(got, w) {
			t.Fatalf("%q is not on the screen:\n%s", w, got)
		}
	}
}

func TestWalk(t *testing.T) {
	s := shown(fixture(), 80, 40, darkLook)
	says(t, s, "body-withheld-reuse", "350,000 bytes of body were owed", "frame.number in {8, 9}", "enter open")
	press(s, "enter")
	says(t, s, "417 Expectation Failed", "repeated  7/2 on same connection", "esc back")
	press(s, "r")
	says(t, s, "400 Bad Request", "repeats   7/1")
	press(s, "r")
	says(t, s, "repeated  7/2")
	press(s, "n")
	says(t, s, "2 of 11", "never repeated")
	press(s, "p", "p")
	says(t, s, "1 of 11", "this is the first one")
	press(s, "esc")
	says(t, s, "by rule, 11 shown")
	press(s, "4", "j", "enter")
	says(t, s, "connection of frame 7", "server read more of the body")
	press(s, "n")
	says(t, s, "connection of frame 15")
	press(s, "esc", "3")
	says(t, s, "Two of 13 exchanges went wrong", "WAITS FOR AN ANSWER TO EXPECT")
	press(s, "?")
	says(t, s, "KEYS HERE")
	press(s, "?", "2")
	says(t, s, "Expect only, 11 shown")
	press(s, "a")
	says(t, s, "GET /plain", "12 shown")
}

// Every key of the table does something or is refused, wherever one is; nothing panics, and the screen stays on its grid.
func TestEveryKeyEverywhere(t *testing.T) {
	st := fixture()
	for _, walk := range walks {
		for _, b := range bindings() {
			for _, k := range b.keys {
				s := press(shown(st, 80, 24, darkLook), walk.keys...)
				press(s, k, k)
				onGrid(t, walk.name+", "+k, drawn(s), 80, 24)
			}
		}
	}
}

// On nothing no key does harm.
func TestEmpty(t *testing.T) {
	st := many(0)
	for _, tab := range []string{"1", "2", "3", "4"} {
		for _, b := range bindings() {
			for _, k := range b.keys {
				s := press(shown(st, 80, 24, darkLook), tab, k, k)
				onGrid(t, tab+k, drawn(s), 80, 24)
			}
		}
	}
	says(t, shown(st, 80, 24, darkLook), "No HTTP request")
}

func TestFilter(t *testing.T) {
	s := shown(fixture(), 80, 24, darkLook)
	for _, c := range []struct {
		typed string
		want  [tabs]int // rows in each list
	}{
		{"", [tabs]int{11, 11, 0, 11}},
		{"rule:417-no-retry", [tabs]int{1, 1, 0, 1}},
		{"rule:417-*", [tabs]int{2, 2, 0, 2}},
		{"severity:error", [tabs]int{1, 1, 0, 1}},
		{"status:4xx", [tabs]int{5, 3, 0, 2}},
		{"wasted>100kB", [tabs]int{1, 1, 0, 1}},
		{"wait>=1s", [tabs]int{5, 5, 0, 5}},
		{"-client:10.0.0.0/8", [tabs]int{1, 1, 0, 1}},
		{"server:10.0.0.3 retry:same-connection", [tabs]int{3, 1, 0, 1}},
		{"noexpect", [tabs]int{4, 2, 0, 1}},
	} {
		if err := s.setFilter(c.typed); err != nil {
			t.Fatal(err)
		}
		fresh(s)
		for _, tab := range []int{findingsTab, exchangesTab, connectionsTab} {
			if got := len(s.lists[tab].ix.rows); got != c.want[tab] {
				t.Errorf("%s: %d %s, want %d", c.typed, got, tabNames[tab], c.want[tab])
			}
		}
	}
	if err := s.setFilter("wasted>much"); err == nil || s.typed != "noexpect" {
		t.Errorf("a filter that cannot be read: %v, and %q holds", err, s.typed)
	}
	press(s, "esc")
	if s.typed != "" {
		t.Errorf("esc leaves the filter %q", s.typed)
	}
}

func TestCopy(t *testing.T) {
	s := shown(fixture(), 80, 24, darkLook)
	if a := s.key("y"); a.kind != actCopy || a.text != "frame.number in {8,9}" {
		t.Errorf("of a finding: %v", a)
	}
	if a := s.key("Y"); a.kind != actCopy || a.text != "7/1" {
		t.Errorf("the id: %v", a)
	}
	press(s, "2")
	if a := s.key("y"); a.kind != actCopy || a.text != "1/1" {
		t.Errorf("of an exchange without findings: %v", a)
	}
	press(s, "j")
	if a := s.key("e"); a.kind != actExtract || a.text != "7/1" {
		t.Errorf("extract: %v", a)
	}
}

// What is written is what is shown, in its order.
func TestWriteRows(t *testing.T) {
	s := press(shown(fixture(), 80, 24, darkLook), "2", "s", "s", "S")
	if a := s.key("o"); a.kind != actNone {
		t.Errorf("o did something before the format was chosen: %v", a)
	}
	if a := s.key("n"); a.kind != actWrite || a.text != "ndjson" {
		t.Fatalf("n: %v", a)
	}
	f, _ := report.ByName("ndjson")
	var out bytes.Buffer
	if err := s.rows()(f.New(&out, report.Options{})); err != nil {
		t.Fatal(err)
	}
	lines := slices.DeleteFunc(strings.Split(strings.TrimSpace(out.String()), "\n"), func(l string) bool { return strings.Contains(l, `"type":"finding"`) })
	if n := strings.Count(out.String(), `"type":"finding"`); n != s.snap.Findings.Len() {
		t.Errorf("%d findings are written", n)
	}
	if len(lines) != len(s.list().ix.rows) || !strings.Contains(lines[0], `"type":"exchange"`) {
		t.Errorf("%d lines, the first %q", len(lines), lines[0])
	}
	for i, pos := range s.list().ix.rows {
		if id := s.snap.Exchanges.At(int(pos)).ID; !strings.Contains(lines[i], `"id":"`+id+`"`) {
			t.Errorf("line %d is not of %s: %s", i, id, lines[i])
		}
	}
}

func TestMouse(t *testing.T) {
	s := shown(fixture(), 80, 24, darkLook)
	s.click(16, 1)
	if s.tab != exchangesTab {
		t.Fatalf("a click on the second tab shows %s", tabNames[s.tab])
	}
	fresh(s)
	s.click(9, 2)
	fresh(s)
	if l := s.list(); l.spec.sort < 0 || l.spec.kind.columns[l.spec.sort].title != "request" {
		t.Errorf("a click on a title sorts by column %d", l.spec.sort)
	}
	s.click(10, 5)
	if s.list().cursor != 2 {
		t.Errorf("a click selects line %d", s.list().cursor)
	}
	s.click(10, 5)
	if len(s.details) != 1 {
		t.Error("a second click does not open")
	}
	s.wheel(3)
	if s.details[0].top != 3 {
		t.Errorf("the wheel scrolls to %d", s.details[0].top)
	}
	s.click(0, 1)
	if s.tab != findingsTab || len(s.details) != 0 {
		t.Error("a click on a tab leaves the detail")
	}
}

// What an exchange led to, and what it is on the other side of a proxy, is named on its page and one key away.
func TestLinksAndHops(t *testing.T) {
	st := store.New()
	s := &script{at: epoch}
	s.connect("10.0.0.1:40000", "10.0.0.2:80").request("PUT", "/front", 1000, expect, curl).wait(time.Millisecond).answer(401, "Unauthorized", nginx)
	front := s.x
	s.connect("10.0.0.2:41000", "10.0.0.3:80").request("PUT", "/back", 1000, expect, curl).wait(time.Millisecond).answer(401, "Unauthorized", nginx)
	back := s.x
	s.connect("10.0.0.1:40001", "10.0.0.2:80").request("PUT", "/again", 1000, expect, curl).wait(time.Millisecond).answer(201, "Created", nginx)
	again := s.x
	front.Amend().Links = []analysis.Link{{Kind: analysis.LinkAuth, To: again.ID, Confidence: analysis.Likely}}
	front.Amend().Hops = []analysis.Hop{{Side: analysis.Behind, To: back.ID, Confidence: analysis.Likely, By: analysis.TieAddress | analysis.TieBody, Why: "no id"}}
	back.Amend().Hops = []analysis.Hop{{Side: analysis.InFront, To: front.ID, Confidence: analysis.Certain, By: analysis.TieTrace}}
	for _, x := range []*analysis.Exchange{front, back, again} {
		put(st, x, s.found("expect-tiny", "Tiny", analysis.Info, "A tiny body."))
	}
	st.Close(&analysis.Summary{}, false, nil)
	sc := newScreen("two.pcap", nil, darkLook)
	sc.snap = st.Snapshot()
	sc.resize(120, 40)
	sc.show(exchangesTab)
	sc.lists[exchangesTab].show(build(sc.snap, sc.want(exchangesTab)))
	want := func(key string, parts ...string) {
		t.Helper()
		sc.key(key)
		says(t, sc, parts...)
	}
	want("enter", "PUT /front", "led to    "+again.ID+" the challenge was answered, likely: r goes there", "behind    "+back.ID+" by address, body, likely: x goes there", "no id")
	want("x", "PUT /back", "in front  "+front.ID+" by trace: x goes there")
	want("x", "PUT /front")
	want("r", "PUT /again")
	want("x", "no other hop of this exchange is known")
}
