package tui

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"expectscope/analysis"
	"expectscope/analysis/store"
)

// arriving is a store that grows while it is looked at.
type arriving struct {
	st *store.Store
	s  script
	n  int
}

// add adds exchanges; every third has a finding, later ones graver.
func (a *arriving) add(n int) {
	for range n {
		a.n++
		a.s.wait(time.Millisecond).connect(fmt.Sprintf("10.0.%d.%d:4000", a.n/250, a.n%250), "10.0.0.2:80")
		a.s.request("PUT", fmt.Sprintf("/%d", a.n), 10, expect).answer(417, "Expectation Failed")
		if a.n%3 == 0 {
			v := analysis.Severity(min(a.n/30, 3))
			put(a.st, a.s.x, a.s.found(fmt.Sprintf("rule-%d", a.n%5), "Title", v, "found"))
		} else {
			put(a.st, a.s.x)
		}
	}
	a.st.Progress(int64(a.n), 0)
}

func (a *arriving) refresh(s *screen) {
	s.snap = a.st.Snapshot()
	fresh(s)
}

// Rows that arrive move neither the selected row nor its place on the screen, in any grouping and order.
func TestSelectionStays(t *testing.T) {
	for _, keys := range [][]string{{"z"}, {"b", "z"}, {"b", "b", "b", "b"}, {"b", "b", "b", "b", "s", "s"}, {"2"}, {"2", "s", "S"}, {"4"}} {
		a := &arriving{st: store.New(), s: script{at: epoch}}
		a.add(60)
		s := shown(a.st, 80, 24, darkLook)
		press(s, keys...)
		press(s, "G", "k", "k", "k")
		l := s.list()
		pos, offset := l.position(l.cursor), l.cursor-l.top
		for range 20 {
			a.add(9)
			a.refresh(s)
			if l.position(l.cursor) != pos {
				t.Fatalf("%v: the selection went from row %d to %d", keys, pos, l.position(l.cursor))
			}
			if got := l.cursor - l.top; got != offset && l.top > 0 && l.top+l.lines < l.len() {
				t.Fatalf("%v: the selected row went from line %d of the screen to %d", keys, offset, got)
			}
		}
	}
}

// Who has not moved sees the first rows.
func TestUntouchedStaysOnTop(t *testing.T) {
	a := &arriving{st: store.New(), s: script{at: epoch}}
	a.add(10)
	s := shown(a.st, 80, 24, darkLook)
	a.add(300)
	a.refresh(s)
	if l := s.list(); l.cursor != 0 || l.top != 0 {
		t.Errorf("the list is at %d, its top at %d", l.cursor, l.top)
	}
}

// Each line is a row or a group, each row is on one line, and lineOf is the inverse of position.
func TestLines(t *testing.T) {
	for _, keys := range [][]string{nil, {"z"}, {"j", "l"}, {"b"}, {"b", "z"}, {"b", "b", "z"}, {"b", "b", "b"}, {"b", "b", "b", "b"}} {
		a := &arriving{st: store.New(), s: script{at: epoch}}
		a.add(200)
		s := shown(a.st, 80, 24, darkLook)
		press(s, keys...)
		l := s.list()
		seen := map[int32]bool{}
		for line := range l.len() {
			pos := l.position(line)
			if pos < 0 {
				continue
			}
			if seen[pos] || l.lineOf(pos) != line {
				t.Fatalf("%v: row %d on line %d, lineOf says %d, seen %v", keys, pos, line, l.lineOf(pos), seen[pos])
			}
			seen[pos] = true
		}
		if len(l.ix.rows) != 66 {
			t.Errorf("%v: %d rows", keys, len(l.ix.rows))
		}
	}
}

// The order by a column is that of its values, and the same again backwards.
func TestSortOrder(t *testing.T) {
	st := many(3000)
	snap := st.Snapshot()
	for _, k := range []*kind{findingKind, exchangeKind, connectionKind} {
		for i := range k.columns {
			c := &k.columns[i]
			ix := build(snap, spec{kind: k, sort: i, all: true})
			sorted := slices.IsSortedFunc(ix.rows, func(a, b int32) int {
				x, y := ix.at(snap, a), ix.at(snap, b)
				if c.text != nil {
					return compareText(c.text(x), c.text(y))
				}
				return compareNum(c.num(x), c.num(y))
			})
			if !sorted {
				t.Errorf("%s are not sorted by %s", k.name, c.title)
			}
			back := build(snap, spec{kind: k, sort: i, all: true, desc: true})
			if len(back.rows) != len(ix.rows) {
				t.Errorf("%s: %d rows backwards, %d forwards", c.title, len(back.rows), len(ix.rows))
			}
		}
	}
}

func compareText(a, b string) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func compareNum(a, b uint64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

// Sums of groups add up to that of the list; the bytes of an exchange count once for a server, however much was found on it.
func TestSums(t *testing.T) {
	snap := fixture().Snapshot()
	want := int64(0)
	for i := range snap.Exchanges.Len() {
		want += wasted(snap.Exchanges.At(i))
	}
	for group := range findingKind.groupings {
		if findingKind.groupings[group].causes {
			continue
		}
		ix := build(snap, spec{kind: findingKind, sort: -1, group: group})
		if ix.total.wasted != want {
			t.Errorf("by %s: %d bytes wasted, want %d", findingKind.groupings[group].name, ix.total.wasted, want)
		}
	}
	byRule := build(snap, spec{kind: findingKind, sort: -1, group: 1})
	for i := range byRule.groups {
		if g := &byRule.groups[i]; g.key == "expect-timeout" && (g.n != 6 || g.lost != 11_353*ms) {
			t.Errorf("expect-timeout: %d findings, %d ns lost", g.n, g.lost)
		}
	}
}

// Two findings on one exchange do not make its bytes two times as many, in whatever group it is and without any.
func TestSumsCountOnce(t *testing.T) {
	s, st := &script{at: epoch}, store.New()
	for i := range 130 { // more than a word of marks
		s.connect(fmt.Sprintf("10.0.0.%d:1234", i%3+1), fmt.Sprintf("10.0.1.%d:80", i%2+1)).request("PUT", "/a", 9, expect).answer(417, "Expectation Failed").body(9, time.Millisecond)
		put(st, s.x, s.found("waste-rejected", "Title", analysis.Notice, "One."), s.found("417-late", "Title", analysis.Notice, "Two."))
	}
	st.Progress(1, 1)
	for group := range findingKind.groupings {
		if findingKind.groupings[group].causes {
			continue
		}
		ix := build(st.Snapshot(), spec{kind: findingKind, sort: -1, group: group})
		if want := int64(9 * 130); len(ix.rows) != 2*130 || ix.total.wasted != want {
			t.Errorf("by %s: %d rows with %d bytes, want %d", findingKind.groupings[group].name, len(ix.rows), ix.total.wasted, want)
		}
	}
}

// A consequence stands behind its cause, on the same exchange.
func TestCauseBeforeConsequence(t *testing.T) {
	snap := fixture().Snapshot()
	ix := build(snap, spec{kind: findingKind, sort: -1})
	at := map[string]int{}
	for i, pos := range ix.rows {
		at[snap.Findings.At(int(pos)).Rule] = i
	}
	if at["early-final-no-close"] != at["body-withheld-reuse"]+1 {
		t.Errorf("the order is %v", at)
	}
}

// Columns give way in their order, and a narrower terminal never has a column a wider one has not.
func TestColumnsGiveWay(t *testing.T) {
	for _, k := range []*kind{findingKind, exchangeKind, connectionKind} {
		last := len(k.columns)
		for w := 300; w >= minWidth; w-- {
			l := arrange(k, w, "")
			used := gutter - 1
			for _, n := range l.widths {
				used += n + 1
			}
			if used > w {
				t.Errorf("%s: %d columns used of %d", k.name, used, w)
			}
			if len(l.columns) > last {
				t.Errorf("%s: more columns at %d than at %d", k.name, w, w+1)
			}
			last = len(l.columns)
		}
		if last == len(k.columns) {
			t.Errorf("%s: nothing gives way at %d columns", k.name, minWidth)
		}
	}
}

// What a list remembers of lines it has drawn is what it would draw.
func TestMemo(t *testing.T) {
	s := shown(many(300), 120, 40, darkLook)
	fold := []string{"z", "j", "j", "pgdown", "k", "b", "pgdown", "z", "G", "k", "g"}
	for _, tab := range []string{"1", "2", "4"} {
		for _, k := range append([]string{tab}, append(fold, "s", "j", "s", "G", "2", "a", "pgdown", tab)...) {
			press(s, k)
			got := drawn(s)
			for i := range s.lists {
				s.lists[i].memo = memo{}
			}
			if want := drawn(s); got != want {
				t.Fatalf("after %s in %s:\n%s\nwant\n%s", k, tab, got, want)
			}
			s.key("down") // remembers again
			s.view(nil)
			s.key("up")
		}
	}
}
