package tui

import (
	"errors"
	"slices"
	"strconv"

	"expectscope/analysis/report"
	"expectscope/analysis/store"
)

func itoa(n int) string { return strconv.Itoa(n) }

// move moves the selection, or the page.
func (s *screen) move(by int) {
	switch {
	case s.helping:
		s.help.lines = s.bodyLines()
		s.help.move(by, len(s.helpLines(s.w)))
	case len(s.details) > 0:
		d := &s.details[len(s.details)-1]
		d.move(by, len(d.content(&s.theme, s.w, s.snap)))
	case s.conn != nil:
		s.conn.move(by, len(s.connContent()))
	case s.tab == overviewTab:
		s.overview.move(by, len(s.overview.content(&s.theme, s.w, s.figures)))
	default:
		s.list().move(by)
	}
}

// enter opens what is selected.
func (s *screen) enter() action {
	l := s.list()
	r, ok := l.selected(s.snap)
	if !ok {
		if !l.toggle(true) {
			l.toggle(false)
		}
		return action{}
	}
	pos := l.position(l.cursor)
	if r.c != nil {
		s.conn = &connectionDetail{pos: pos}
	} else {
		s.open(r, pos)
	}
	s.resize(s.w, s.h)
	return action{}
}

// open shows the detail of a row.
func (s *screen) open(r row, pos int32) {
	d := detail{pos: r.x.Pos, row: pos}
	if r.f != nil {
		d.rule = r.f.Rule
	}
	s.details = append(s.details, d)
}

// back leaves what is in front, or stops the load, or clears the filter.
func (s *screen) back() action {
	switch {
	case len(s.details) > 0:
		s.details = s.details[:len(s.details)-1]
	case s.conn != nil:
		s.conn = nil
	case s.canStop():
		s.stopping = true
		s.message = "stopping"
		return action{kind: actStop}
	case s.typed != "":
		_ = s.setFilter("") // the empty query can be read
	}
	return action{}
}

// sibling goes on in the list the detail was opened from.
func (s *screen) sibling(by int) {
	l := s.list()
	if s.conn != nil {
		s.conn.pos = l.step(s.conn.pos, by)
		s.conn.top = 0
		s.select1(s.conn.pos)
		return
	}
	d := s.details[0]
	next := l.step(d.row, by)
	if next == d.row && len(s.details) == 1 {
		s.message = map[bool]string{true: "this is the last one", false: "this is the first one"}[by > 0]
		return
	}
	r := l.ix.at(s.snap, next)
	if r.x == nil {
		return
	}
	s.details = s.details[:0]
	s.open(r, next)
	s.select1(next)
	s.resize(s.w, s.h)
}

// select1 makes the row the selected one.
func (s *screen) select1(pos int32) {
	l := s.list()
	if line := l.lineOf(pos); line >= 0 {
		l.jump(line)
	}
}

// follow goes to the exchange that the shown one led to, or that it repeats.
func (s *screen) follow() action {
	x := s.shown()
	if x == nil {
		return action{}
	}
	ids := []string{x.Retry().By}
	for _, l := range x.Sequel().Links {
		ids = append(ids, l.To)
	}
	return s.visit(append(ids, x.RetryOf, x.Retry().Near), "there is no repeat of this exchange")
}

// cross goes to the same exchange on the other side of a proxy.
func (s *screen) cross() action {
	x := s.shown()
	if x == nil {
		return action{}
	}
	var ids []string
	for _, h := range x.Sequel().Hops {
		ids = append(ids, h.To)
	}
	return s.visit(ids, "no other hop of this exchange is known")
}

// visit shows the first of the exchanges that is kept, over the one that is shown; back leads back. Where none is, it says so.
func (s *screen) visit(ids []string, none string) action {
	for _, id := range ids {
		if to := s.snap.Find(id); to != nil {
			if n := len(s.details); n > 1 && s.details[n-2].pos == to.Pos {
				s.details = s.details[:n-1] // there and back
				return action{}
			}
			s.details = append(s.details, detail{pos: to.Pos, row: s.details[0].row})
			s.resize(s.w, s.h)
			return action{}
		}
	}
	s.message = none
	return action{}
}

// regroup puts the findings together by the next property.
func (s *screen) regroup() action {
	l := s.list()
	l.spec.group = (l.spec.group + 1) % len(l.spec.kind.groupings)
	return action{}
}

func (s *screen) foldAll() action {
	s.list().toggleAll()
	return action{}
}

func (s *screen) toggleAll() action {
	l := s.list()
	l.spec.all = !l.spec.all
	return action{}
}

// resort sorts by the next column that is seen, and after the last in the list's own order.
func (s *screen) resort(by int) {
	l := s.list()
	p := l.pen(&s.theme, s.w)
	at := slices.Index(p.l.columns, l.spec.sort) + by
	if at < 0 || at >= len(p.l.columns) {
		l.spec.sort, l.spec.desc = -1, false
		return
	}
	s.sortBy(p.l.columns[at])
}

// sortBy sorts by a column; again, the other way round.
func (s *screen) sortBy(column int) {
	l := s.list()
	if l.spec.sort == column {
		l.spec.desc = !l.spec.desc
		return
	}
	l.spec.sort, l.spec.desc = column, l.spec.kind.columns[column].falls
}

func (s *screen) reverse() action {
	l := s.list()
	l.spec.desc = !l.spec.desc
	return action{}
}

// shown is the exchange that is selected or shown, nil for none.
func (s *screen) shown() *store.Exchange {
	switch {
	case len(s.details) > 0:
		return s.snap.Exchanges.At(int(s.details[len(s.details)-1].pos))
	case s.conn != nil:
		if cs := s.list().ix.conns; int(s.conn.pos) < len(cs) {
			return cs[s.conn.pos].x
		}
		return nil
	}
	if r, ok := s.list().selected(s.snap); ok {
		return r.x
	}
	return nil
}

// proof is the finding that is selected or shown, nil for none.
func (s *screen) proof() *store.Finding {
	if n := len(s.details); n > 0 {
		d := &s.details[n-1]
		return d.finding(s.snap.Exchanges.At(int(d.pos)))
	}
	l := s.list()
	r, ok := l.selected(s.snap)
	switch {
	case ok && r.c != nil:
		return r.c.worst
	case ok && r.f == nil:
		return (&detail{}).finding(r.x)
	case ok:
		return r.f
	}
	if g := l.groupAt(l.cursor); g != nil {
		return l.ix.at(s.snap, g.sample).f
	}
	return nil
}

// copyProof copies the Wireshark filter of the finding, or the id where nothing was found.
func (s *screen) copyProof() action {
	f := s.proof()
	if f == nil {
		return s.copyID()
	}
	text := report.Proof(&f.Finding)
	s.message = "copied " + text
	return action{kind: actCopy, text: text}
}

func (s *screen) copyID() action {
	x := s.shown()
	if x == nil {
		s.message = "nothing is selected"
		return action{}
	}
	s.message = "copied " + safe(x.ID)
	return action{kind: actCopy, text: x.ID}
}

// extract asks for the packets of the selected exchange.
func (s *screen) extract() action {
	x := s.shown()
	if f := s.proof(); x == nil && f != nil {
		x = s.snap.On(f)
	}
	if x == nil {
		s.message = "nothing is selected"
		return action{}
	}
	s.message = "writing the packets of " + safe(x.ID)
	return action{kind: actExtract, text: x.ID}
}

func (s *screen) chooseFormat() action {
	s.choosing = true
	return action{}
}

// chosen takes the answer to the question for a format.
func (s *screen) chosen(k string) action {
	s.choosing = false
	formats := map[string]string{"n": "ndjson", "c": "csv"}
	if f, ok := formats[k]; ok {
		s.message = "writing"
		return action{kind: actWrite, text: f}
	}
	return action{}
}

// rows writes the list that is shown, in its order: findings, or exchanges (of connections, all on them) each with its findings.
func (s *screen) rows() Rows {
	ix, n := s.list().ix, s.snap
	return func(w report.Writer) error {
		for _, pos := range ix.rows {
			r := ix.at(n, pos)
			var err error
			switch {
			case r.f != nil:
				err = w.Finding(&r.f.Finding)
			case r.c != nil:
				for _, i := range r.c.exchanges {
					err = errors.Join(err, writeExchange(w, n.Exchanges.At(int(i))))
				}
			case r.x != nil:
				err = writeExchange(w, r.x)
			}
			if err != nil {
				return err
			}
		}
		return nil
	}
}

// writeExchange writes an exchange and what was found on it.
func writeExchange(w report.Writer, x *store.Exchange) error {
	err := w.Exchange(&x.Exchange)
	for f := range foundOn(x) {
		err = errors.Join(err, w.Finding(f))
	}
	return err
}

// click does what a click at a place of the screen does.
func (s *screen) click(x, y int) action {
	s.message = ""
	defer s.rest()
	if y == 1 {
		at := 0
		for i, name := range tabNames {
			if at += len(name) + 4; x < at {
				s.helping = false
				s.show(i)
				return action{}
			}
		}
		return action{}
	}
	if s.helping || s.here()&inLists == 0 {
		return action{}
	}
	l := s.list()
	line := l.top + y - 3
	switch {
	case y == 2:
		p := l.pen(&s.theme, s.w)
		if c := p.columnAt(x); c >= 0 {
			s.sortBy(c)
		}
	case y > 2 && y-3 < l.lines && line < l.len():
		if line == l.cursor && l.moved {
			return s.enter()
		}
		l.jump(line)
	}
	return action{}
}

// wheel scrolls.
func (s *screen) wheel(by int) {
	if !s.swift {
		defer s.rest()
	}
	if s.here()&inLists != 0 && !s.helping {
		s.list().scroll(by)
		return
	}
	s.move(by)
}
