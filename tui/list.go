package tui

import (
	"slices"
	"sort"

	"expectscope/analysis/store"
)

// A list is a pane of rows: findings, exchanges or connections. It draws only
// the lines that are seen, so that its cost does not depend on how many there are.
type list struct {
	spec spec
	ix   *index
	// open names the groups that are unfolded; the line of a group of one is its row's.
	open map[string]bool
	// starts is the line each group begins at, and behind the last one the number of lines.
	starts []int32
	// cursor is the selected line, top the first one on the screen, lines how many of them there is room for.
	cursor, top, lines int
	// told is the line the preview tells about: the cursor's, once it rests.
	told int
	memo memo
	// moved tells that the user chose a line. Until then the first one is shown, whatever arrives.
	moved bool
}

func newList(k *kind, group int) list {
	s := spec{kind: k, sort: -1, group: group}
	return list{spec: s, ix: &index{spec: s}, open: map[string]bool{}, lines: 1}
}

// place is a line of a list: a row, or the line of a group when item is -1.
type place struct{ group, item int }

// len is the number of lines.
func (l *list) len() int {
	if l.ix.groups == nil {
		return len(l.ix.rows)
	}
	return int(l.starts[len(l.ix.groups)])
}

// fold counts the lines anew after the groups, or which of them are folded, changed.
func (l *list) fold() {
	l.memo.rows, l.memo.preview = map[int]string{}, nil
	l.starts = slices.Grow(l.starts[:0], len(l.ix.groups)+1)
	at := int32(0)
	for i := range l.ix.groups {
		g := &l.ix.groups[i]
		l.starts = append(l.starts, at)
		at++
		if g.n > 1 && l.open[g.key] {
			at += g.n
		}
	}
	l.starts = append(l.starts, at)
}

// locate is what stands on a line.
func (l *list) locate(line int) place {
	if l.ix.groups == nil {
		return place{0, line}
	}
	g := sort.Search(len(l.ix.groups), func(i int) bool { return int(l.starts[i+1]) > line })
	if l.ix.groups[g].n == 1 {
		return place{g, 0}
	}
	return place{g, line - int(l.starts[g]) - 1}
}

// position is the position of the row on a line, -1 for a group's line or none.
func (l *list) position(line int) int32 {
	if line < 0 || line >= l.len() {
		return -1
	}
	p := l.locate(line)
	switch {
	case l.ix.groups == nil:
		return l.ix.rows[p.item]
	case p.item < 0:
		return -1
	}
	return l.ix.rows[int(l.ix.groups[p.group].first)+p.item]
}

// groupAt is the group of a line, nil where there are none.
func (l *list) groupAt(line int) *group {
	if l.ix.groups == nil || line < 0 || line >= l.len() {
		return nil
	}
	return &l.ix.groups[l.locate(line).group]
}

// lineOf is the line a row stands on, or that of its folded group; -1 when it is not in the list.
func (l *list) lineOf(pos int32) int {
	i := slices.Index(l.ix.rows, pos)
	if i < 0 || l.ix.groups == nil {
		return i
	}
	g := sort.Search(len(l.ix.groups), func(k int) bool {
		return int(l.ix.groups[k].first+l.ix.groups[k].n) > i
	})
	at := &l.ix.groups[g]
	if at.n == 1 || !l.open[at.key] {
		return int(l.starts[g])
	}
	return int(l.starts[g]) + 1 + i - int(at.first)
}

// show takes a new index. The selected row stays selected, on the same line of the screen.
func (l *list) show(ix *index) {
	pos, key, offset := l.position(l.cursor), "", l.cursor-l.top
	if g := l.groupAt(l.cursor); g != nil {
		key = g.key
	}
	same := l.ix.spec.same(&ix.spec)
	l.ix = ix
	l.fold()
	defer l.rest()
	if !l.moved {
		l.cursor, l.top = 0, 0
		return
	}
	line := -1
	if pos >= 0 {
		line = l.lineOf(pos)
	}
	if line < 0 && key != "" {
		line = slices.IndexFunc(ix.groups, func(g group) bool { return g.key == key })
		if line >= 0 {
			line = int(l.starts[line])
		}
	}
	if line < 0 && !same {
		l.cursor, l.top = 0, 0
		return
	}
	if line >= 0 {
		l.cursor, l.top = line, line-offset
	}
	l.settle()
}

// settle brings cursor and top into bounds, the cursor onto the screen.
func (l *list) settle() {
	n := l.len()
	l.cursor = max(0, min(l.cursor, n-1))
	l.top = max(0, min(l.top, n-l.lines))
	l.top = max(min(l.top, l.cursor), l.cursor-l.lines+1)
}

// resize says how many rows there is room for.
func (l *list) resize(lines int) {
	l.lines = max(1, lines)
	l.settle()
}

// move selects the line that many lines on.
func (l *list) move(by int) { l.jump(l.cursor + by) }

// jump selects a line.
func (l *list) jump(line int) {
	l.cursor, l.moved = line, true
	l.settle()
}

// scroll moves the screen over the list; the cursor stays on it.
func (l *list) scroll(by int) {
	l.moved = true
	l.top = max(0, min(l.top+by, l.len()-l.lines))
	l.cursor = max(l.top, min(l.cursor, l.top+l.lines-1))
	l.settle()
}

// toggle unfolds or folds the group of the selected line; it tells whether there is one.
func (l *list) toggle(open bool) bool {
	g := l.groupAt(l.cursor)
	if g == nil || g.n == 1 || l.open[g.key] == open {
		return false
	}
	line := int(l.starts[l.locate(l.cursor).group])
	if open {
		l.open[g.key] = true
	} else {
		delete(l.open, g.key)
	}
	l.fold()
	l.jump(line)
	return true
}

// toggleAll unfolds all groups, or folds them if one is unfolded.
func (l *list) toggleAll() {
	g := l.groupAt(l.cursor)
	if g == nil {
		return
	}
	pos, key := l.position(l.cursor), g.key
	if len(l.open) > 0 {
		clear(l.open)
	} else {
		for i := range l.ix.groups {
			if l.ix.groups[i].n > 1 {
				l.open[l.ix.groups[i].key] = true
			}
		}
	}
	l.fold()
	line := int(l.starts[slices.IndexFunc(l.ix.groups, func(g group) bool { return g.key == key })])
	if pos >= 0 {
		line = l.lineOf(pos)
	}
	l.jump(line)
}

// rest lets the preview tell about the selected line.
func (l *list) rest() { l.told = l.cursor }

// selected is the row the cursor is on, and whether it is on one.
func (l *list) selected(n store.Snapshot) (row, bool) { return l.rowAt(n, l.cursor) }

// rowAt is the row on a line, and whether there is one.
func (l *list) rowAt(n store.Snapshot, line int) (row, bool) {
	pos := l.position(line)
	if pos < 0 {
		return row{}, false
	}
	r := l.ix.at(n, pos)
	return r, r.x != nil
}

// step is the position of the row that many rows behind the one at pos, in the order of the list; pos itself at either end.
func (l *list) step(pos int32, by int) int32 {
	i := slices.Index(l.ix.rows, pos)
	if i < 0 || i+by < 0 || i+by >= len(l.ix.rows) {
		return pos
	}
	return l.ix.rows[i+by]
}

// A memo is what a list remembers of what it drew: scrolling brings one line, not a screen of them.
type memo struct {
	rowsFor, previewFor drawnFor
	rows                map[int]string // by line; the selected one is drawn anew
	preview             []string
}

// drawnFor is what drawn lines depend on: they are the same as long as it is. An index never changes.
type drawnFor struct {
	ix      *index
	look    look
	w, h    int
	version uint64 // of the snapshot
	told    int    // the line the preview tells about
}

// remembered bounds the lines that are remembered.
const remembered = 500

// view draws the titles and the rows in w columns and h lines.
func (l *list) view(t *theme, w, h int, n store.Snapshot) []string {
	p := l.pen(t, w)
	if key := (drawnFor{ix: l.ix, look: t.look, w: w, version: n.Version}); l.memo.rowsFor != key || len(l.memo.rows) > remembered {
		l.memo.rowsFor, l.memo.rows = key, map[int]string{}
	}
	lines := append(make([]string, 0, h), p.titles(&l.spec))
	for line := l.top; len(lines) < h; line++ {
		switch drawn, ok := l.memo.rows[line]; {
		case line >= l.len():
			lines = append(lines, spaces(w))
		case line == l.cursor:
			lines = append(lines, l.line(&p, n, line))
		case ok:
			lines = append(lines, drawn)
		default:
			drawn = l.line(&p, n, line)
			l.memo.rows[line] = drawn
			lines = append(lines, drawn)
		}
	}
	return lines
}

// pen is what draws lines of w columns.
func (l *list) pen(t *theme, w int) pen {
	p := pen{theme: t, kind: l.spec.kind, w: w}
	if l.ix.groups != nil {
		p.inset = 2
	}
	p.l = arrange(l.spec.kind, w-p.inset, l.skipped())
	return p
}

// skipped is the column the grouping makes superfluous.
func (l *list) skipped() string {
	if l.ix.groups == nil {
		return ""
	}
	return l.spec.kind.groupings[l.ix.spec.group].column
}

func (l *list) line(p *pen, n store.Snapshot, line int) string {
	at := l.locate(line)
	selected := line == l.cursor
	if l.ix.groups == nil {
		return p.drawn(l.ix.at(n, l.ix.rows[at.item]), selected)
	}
	g := &l.ix.groups[at.group]
	if at.item < 0 || g.n == 1 {
		return p.group(n, l.ix, g, !l.open[g.key], selected)
	}
	return p.drawn(l.ix.at(n, l.ix.rows[int(g.first)+at.item]), selected)
}

// drawn is the line of a row, which may have been withdrawn since the index was made.
func (p *pen) drawn(r row, selected bool) string {
	if r.x == nil {
		return spaces(p.w)
	}
	return p.row(r, selected)
}
