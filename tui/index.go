package tui

import (
	"cmp"
	"iter"
	"slices"
	"strings"

	"expectscope/analysis"
	"expectscope/analysis/query"
	"expectscope/analysis/store"
)

// A row is what a line of a list is about: a finding and its exchange, an
// exchange, or a connection.
type row struct {
	x *store.Exchange
	f *store.Finding
	c *connection
}

// A connection is what is shown of one: its exchanges, in the order in which they settled.
type connection struct {
	x, last   *store.Exchange // the first and the last that settled
	exchanges []int32         // positions, in the order of their requests
	findings  int
	worst     *store.Finding // the gravest, nil when there is none
	wasted    int64
}

// A spec says what a list shows, and in which order.
type spec struct {
	kind   *kind
	filter query.Query
	typed  string // the filter as typed: specs are the same if it is
	all    bool   // exchanges without Expect too
	sort   int    // number of the column, -1 for the kind's own order
	desc   bool
	group  int // number of the grouping, 0 for none
}

func (s *spec) same(o *spec) bool {
	return s.kind == o.kind && s.typed == o.typed && s.all == o.all && s.sort == o.sort && s.desc == o.desc && s.group == o.group
}

// An index is the order of a list's rows. It holds positions, no records, and never changes.
type index struct {
	spec    spec
	version uint64 // of the snapshot it was made from
	conns   []connection
	rows    []int32
	groups  []group // ranges of rows; nil when not grouped
	total   sums
}

// A group is a run of rows with the same key.
type group struct {
	key      string
	first, n int32
	sums
	sample int32 // position of the row that stands for it: the gravest
}

// sums are the figures of a group. Bytes of an exchange count once, however many findings are on it.
type sums struct {
	wasted, saved, lost int64
	worst               analysis.Severity
}

// at is the row at a position of the kind's list.
func (ix *index) at(n store.Snapshot, pos int32) row { return ix.spec.kind.at(n, ix.conns, pos) }

// build makes the index of a snapshot. It takes time in proportion to the records: about a second for a million.
func build(n store.Snapshot, s spec) *index {
	ix := &index{spec: s, version: n.Version}
	count := s.kind.count(n)
	if s.kind.connections {
		ix.conns = connections(n)
		count = len(ix.conns)
	}
	picked := make([]sortable, 0, count)
	for i := range int32(count) {
		r := ix.at(n, i)
		if r.x == nil && r.c == nil || !s.shows(n, r) {
			continue
		}
		picked = append(picked, sortable{pos: i})
	}
	ix.arrange(n, picked)
	return ix
}

// shows tells whether the row is chosen.
func (s *spec) shows(n store.Snapshot, r row) bool {
	switch {
	case r.f != nil:
		return s.filter.MatchFinding(&r.x.Exchange, &r.f.Finding)
	case r.c != nil:
		return slices.ContainsFunc(r.c.exchanges, func(i int32) bool {
			x := n.Exchanges.At(int(i))
			return s.filter.Match(&x.Exchange, foundOn(x))
		})
	}
	return (s.all || concerned(r.x)) && s.filter.Match(&r.x.Exchange, foundOn(r.x))
}

// concerned tells whether an exchange has to do with Expect.
func concerned(x *store.Exchange) bool {
	_, expect := x.Request.Get("Expect")
	return expect || len(x.Interim) > 0 || len(x.Findings) > 0 || x.RetryOf != ""
}

// foundOn are the findings of an exchange.
func foundOn(x *store.Exchange) iter.Seq[*analysis.Finding] {
	return func(yield func(*analysis.Finding) bool) {
		for _, f := range x.Findings {
			if !yield(&f.Finding) {
				return
			}
		}
	}
}

// A sortable is a row with the beginning of what it is sorted by: most comparisons need no record.
type sortable struct {
	key uint64
	pos int32
}

// arrange sorts the rows and cuts them into groups.
func (ix *index) arrange(n store.Snapshot, picked []sortable) {
	s := &ix.spec
	col := s.kind.order
	if s.sort >= 0 {
		col = &s.kind.columns[s.sort]
	}
	for i := range picked {
		picked[i].key = col.prefix(ix.at(n, picked[i].pos))
	}
	sign := 1
	if s.desc {
		sign = -1
	}
	slices.SortFunc(picked, func(a, b sortable) int {
		c := cmp.Compare(a.key, b.key)
		if c == 0 && col.text != nil {
			c = strings.Compare(col.text(ix.at(n, a.pos)), col.text(ix.at(n, b.pos)))
		}
		return cmp.Or(sign*c, cmp.Compare(a.pos, b.pos))
	})
	ix.rows = make([]int32, len(picked))
	for i := range picked {
		ix.rows[i] = picked[i].pos
	}
	if s.group > 0 {
		ix.gather(n)
		return
	}
	ix.total = ix.sum(n, ix.rows, make(marks, marksFor(n)))
}

// gather puts rows of the same key together, in their order.
func (ix *index) gather(n store.Snapshot) {
	by := &ix.spec.kind.groupings[ix.spec.group]
	number := map[string]int32{}
	of := make([]int32, len(ix.rows))
	for i, pos := range ix.rows {
		key := by.key(ix.at(n, pos))
		g, ok := number[key]
		if !ok {
			g = int32(len(ix.groups))
			number[key] = g
			ix.groups = append(ix.groups, group{key: key})
		}
		of[i] = g
		ix.groups[g].n++
	}
	ix.layOut(of)
	seen := make(marks, marksFor(n))
	for i := range ix.groups {
		g := &ix.groups[i]
		members := ix.rows[g.first : g.first+g.n]
		g.sums, g.sample = ix.sum(n, members, seen), ix.gravest(n, members)
		ix.total.add(g.sums)
	}
	ix.rank(n, by.causes)
}

// layOut puts the rows of each group together. of is the number of each row's group.
func (ix *index) layOut(of []int32) {
	first := int32(0)
	for i := range ix.groups {
		ix.groups[i].first, first = first, first+ix.groups[i].n
		ix.groups[i].n = 0
	}
	rows := make([]int32, len(ix.rows))
	for i, pos := range ix.rows {
		g := &ix.groups[of[i]]
		rows[g.first+g.n] = pos
		g.n++
	}
	ix.rows = rows
}

// rank orders the groups: the gravest first, causes before what is always a consequence, then by cost.
func (ix *index) rank(n store.Snapshot, causes bool) {
	roots := map[string]bool{}
	if causes {
		roots = ix.roots(n)
	}
	slices.SortStableFunc(ix.groups, func(a, b group) int {
		return cmp.Or(
			cmp.Compare(b.worst, a.worst),
			-compareBool(roots[a.key], roots[b.key]),
			cmp.Compare(b.wasted, a.wasted),
			cmp.Compare(b.n, a.n),
			strings.Compare(a.key, b.key))
	})
	rows := make([]int32, 0, len(ix.rows))
	for i := range ix.groups {
		g := &ix.groups[i]
		first := int32(len(rows))
		rows = append(rows, ix.rows[g.first:g.first+g.n]...)
		g.first = first
	}
	ix.rows = rows
}

func compareBool(a, b bool) int {
	switch {
	case a == b:
		return 0
	case a:
		return 1
	}
	return -1
}

// roots are the rules that are somewhere no consequence of another.
func (ix *index) roots(n store.Snapshot) map[string]bool {
	is := map[string]bool{}
	for _, pos := range ix.rows {
		if f := n.Findings.At(int(pos)); f.Cause == "" {
			is[f.Rule] = true
		}
	}
	return is
}

// gravest is the position of the row with the gravest finding, the first of several.
func (ix *index) gravest(n store.Snapshot, rows []int32) int32 {
	best, at := -1, rows[0]
	for _, pos := range rows {
		if f := ix.at(n, pos).f; f != nil && int(f.Severity)*4+int(f.Confidence) > best {
			best, at = int(f.Severity)*4+int(f.Confidence), pos
		}
	}
	return at
}

func (s *sums) add(o sums) {
	s.wasted += o.wasted
	s.saved += o.saved
	s.lost += o.lost
	s.worst = max(s.worst, o.worst)
}

// marks is a set of exchanges, a bit for each position.
type marks []uint64

func marksFor(n store.Snapshot) int { return n.Exchanges.Len()/64 + 1 }

func (m marks) has(pos int32) bool { return m[pos>>6]>>(pos&63)&1 != 0 }
func (m marks) add(pos int32)      { m[pos>>6] |= 1 << (pos & 63) }

// sum adds up rows. Of findings of one rule each names its own figures; of others, the exchange's count once. seen is what was
// counted: the findings of an exchange are all of one server, client and target, and so of one group.
func (ix *index) sum(n store.Snapshot, rows []int32, seen marks) sums {
	var s sums
	own := ix.spec.kind.findings && ix.spec.group > 0 && ix.spec.kind.groupings[ix.spec.group].causes
	for _, pos := range rows {
		r := ix.at(n, pos)
		switch {
		case r.c != nil:
			s.wasted += r.c.wasted
			if r.c.worst != nil {
				s.worst = max(s.worst, r.c.worst.Severity)
			}
			continue
		case r.f != nil:
			s.worst = max(s.worst, r.f.Severity)
			if own {
				s.wasted += r.f.Wasted
				s.saved += r.f.Saved
				s.lost += int64(r.f.Lost)
				continue
			}
			if seen.has(r.x.Pos) {
				continue
			}
			seen.add(r.x.Pos)
		}
		s.wasted += wasted(r.x)
		if y := n.Find(r.x.Retry().By); y != nil && len(y.Findings) == 0 {
			s.wasted += wasted(y) // nothing else speaks of what the repeat cost
		}
		s.saved += r.x.Saved()
		s.lost += r.x.WaitedForContinue()
	}
	return s
}

// wasted is what an exchange adds to the total of wasted bytes.
func wasted(x *store.Exchange) int64 {
	if n, ok := x.Wasted(); ok && x.Charged() {
		return n
	}
	return 0
}

// connections gathers the exchanges of each connection, in the order in which connections were first seen.
func connections(n store.Snapshot) []connection {
	var each []int32 // exchanges of each connection, by its number
	for i := range n.Exchanges.Len() {
		k := int(n.Exchanges.At(i).Connection)
		for len(each) <= k {
			each = append(each, 0)
		}
		each[k]++
	}
	cs, room := make([]connection, len(each)), make([]int32, n.Exchanges.Len())
	for k, m := range each {
		cs[k].exchanges, room = room[:0:m], room[m:]
	}
	for i := range n.Exchanges.Len() {
		x := n.Exchanges.At(i)
		c := &cs[x.Connection]
		if c.x == nil {
			c.x = x
		}
		c.last = x
		c.exchanges = append(c.exchanges, int32(i))
		c.findings += len(x.Findings)
		c.wasted += wasted(x)
		for _, f := range x.Findings {
			if c.worst == nil || f.Severity > c.worst.Severity {
				c.worst = f
			}
		}
	}
	for i := range cs {
		slices.SortFunc(cs[i].exchanges, func(a, b int32) int {
			return cmp.Compare(n.Exchanges.At(int(a)).Stream, n.Exchanges.At(int(b)).Stream)
		})
	}
	return cs
}
