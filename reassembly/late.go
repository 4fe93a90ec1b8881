package reassembly

import (
	"hash/maphash"
	"slices"

	"expectscope/capture/decode"
)

// A late is what a connection holds back: bytes beyond a hole, and what has to
// wait for the other direction. It exists only as long as there is any.
type late struct {
	conn       *conn
	prev, next *late // in the order in which they began to wait
	lane       [2]lane
	segments   int  // of the connection since then
	last       bool // nothing more is waited for
	reset      bool // an RST waits for what is missing before it, or may contradict it
	resetOdd   bool // only time can tell
	resetDir   Dir
	resetMark  Mark
	resetPeer  uint64 // what was captured of the other direction when it came
	resetGrace wait
}

// A wait is the time of grace of a hole.
type wait struct {
	on       bool
	hole     uint64
	since    int64 // tick
	segments int   // late.segments then
	by       Mark  // of the segment that revealed it
}

// wait starts the time of grace of a hole, if it does not run already.
func (a *Assembler) wait(l *late, w *wait, hole uint64) {
	if !w.on || w.hole != hole {
		*w = wait{true, hole, a.now, l.segments, Mark{Time: a.clock, Packet: a.packet, Acked: NoAck}}
	}
}

// over tells whether the time of grace is over.
func (a *Assembler) over(l *late, w *wait) bool {
	waited := a.now - w.since
	if !w.on || waited <= grace {
		return false
	}
	return l.segments-w.segments >= gracePackets || waited > graceSilent || l.closed()
}

// closed tells whether the ends of both directions are at hand: little follows.
func (l *late) closed() bool {
	h := &l.conn.half
	return l.reset || (h[0].ended || l.lane[0].fin) && (h[1].ended || l.lane[1].fin)
}

// A lateList is a list of what connections hold back, oldest first.
type lateList struct{ head, tail *late }

func (q *lateList) push(l *late) {
	l.prev = q.tail
	if q.tail == nil {
		q.head = l
	} else {
		q.tail.next = l
	}
	q.tail = l
}

func (q *lateList) remove(l *late) {
	if l.prev == nil {
		q.head = l.next
	} else {
		l.prev.next = l.next
	}
	if l.next == nil {
		q.tail = l.prev
	} else {
		l.next.prev = l.prev
	}
}

// top is the end of what was captured of direction d.
func (c *conn) top(d Dir) uint64 {
	if c.late != nil {
		if p := c.late.lane[d].pieces; len(p) > 0 {
			return p[len(p)-1].mark.Off
		}
	}
	return c.half[d].next
}

// hold takes a connection off the fast path.
func (a *Assembler) hold(c *conn) {
	if c.late != nil {
		return
	}
	if n := len(a.spare); n > 0 {
		c.late, a.spare = a.spare[n-1], a.spare[:n-1]
	} else {
		c.late = new(late)
	}
	c.late.conn = c
	a.waiting.push(c.late)
}

// release puts a connection back on the fast path; what is held is forgotten.
func (a *Assembler) release(c *conn) {
	l := c.late
	if l == nil {
		return
	}
	c.late, c.Ending = nil, [2]bool{}
	a.empty(&l.lane[Forward])
	a.empty(&l.lane[Reverse])
	a.waiting.remove(l)
	*l = late{}
	if len(a.spare) < 64 {
		a.spare = append(a.spare, l)
	}
}

// empty forgets what is held of a direction.
func (a *Assembler) empty(l *lane) {
	if l.episode != nil {
		a.pages.end(l.episode)
	}
	a.late -= l.bytes
	a.latePieces -= l.pages
	*l = lane{}
}

// divert takes a segment that is late, or has to wait, or meets what is held.
func (a *Assembler) divert(c *conn, d Dir, off uint64, s *decode.Segment, m Mark) {
	if off > c.half[d].next || c.blocked(d, m.Acked) { // else it is not held, and fills a hole
		a.makeRoom(c, d, len(s.Payload))
	}
	if c.dead || c.half[d].ended {
		return
	}
	a.hold(c)
	a.insert(c, d, off, s, m)
	if l := &c.late.lane[d]; s.Flags&decode.FIN != 0 && !c.dead {
		switch {
		case !l.fin:
			l.fin, l.finMark = true, m
		case m.Off != l.finMark.Off: // a stream ends once: the nearer one is its end
			a.stats.Strays++
			if m.Off < l.finMark.Off {
				l.finMark = m
			}
		}
	}
	a.settle(c)
}

// insert takes the bytes of a segment that are new, and reports the others.
func (a *Assembler) insert(c *conn, d Dir, off uint64, s *decode.Segment, m Mark) {
	h, l := &c.half[d], &c.late.lane[d]
	captured := off + uint64(len(s.Payload))
	for at, to := off, uint64(0); at < m.Off && !c.dead; at = to {
		to = m.Off
		if at < captured {
			to = captured
		}
		i := l.search(at)
		repeated := true
		var first *piece
		switch {
		case at < h.next:
			to = min(to, h.next)
		case i < len(l.pieces) && l.pieces[i].off <= at:
			first = &l.pieces[i]
			to = min(to, first.mark.Off)
		case i < len(l.pieces):
			to = min(to, l.pieces[i].off)
			repeated = false
		default:
			repeated = false
		}
		var b []byte
		if at < captured {
			b = s.Payload[at-off : to-off]
		}
		part := m
		part.Off = to
		if repeated {
			a.resend(c, d, to-at, part, b, a.differs(first, at, b))
		} else {
			a.keep(c, d, i, at, b, part, s.TTL)
		}
	}
}

// keep takes new bytes at place i of the lane: it delivers them if they
// are next, and holds them back otherwise. b is nil where the capture cut them off.
func (a *Assembler) keep(c *conn, d Dir, i int, at uint64, b []byte, m Mark, ttl uint8) {
	h, l := &c.half[d], &c.late.lane[d]
	if at == h.next && !c.blocked(d, m.Acked) {
		if b == nil {
			a.skip(c, d, m.Off-at, m, Snapped)
		} else {
			a.data(c, d, b, m, ttl)
		}
		return
	}
	p := piece{off: at, mark: m, ttl: ttl, snapped: b == nil}
	switch {
	case p.snapped:
	case at == h.next || i > 0 && l.pieces[i-1].mark.Off == at && l.pieces[i-1].ready():
		p.data = slices.Clone(b)
	default:
		p.hash = maphash.Bytes(a.seed, b)
		if l.episode != nil && m.Off-l.episode.origin > maxSpan {
			a.recall(l)
		}
		if l.episode == nil {
			l.episode = a.pages.begin(h.next)
		}
		a.pages.put(l.episode, at, b)
	}
	l.pieces = slices.Insert(l.pieces, i, p)
	a.account(l, &p, 1)
}

// settle delivers what can be delivered, and puts the connection back on the
// fast path when nothing is left.
func (a *Assembler) settle(c *conn) {
	a.drain(c)
	l := c.late
	if l.reset && !c.dead && l.idle() {
		switch h := &c.half[l.resetDir]; {
		case l.resetMark.Off < h.next && !h.ended:
			a.overrule(c) // the stream went on
		case !l.resetOdd && c.due(l.resetDir, l.resetMark):
			a.endBoth(c, l.resetDir, l.resetMark)
		}
	}
	if c.dead || l.idle() && !l.reset {
		a.release(c)
		return
	}
	for d := range Reverse + 1 {
		c.Ending[d] = l.lane[d].fin || l.reset && l.resetDir == d
		h, w := &c.half[d], &l.lane[d].grace
		_, off, ok := l.lane[d].front()
		missing := c.Seen[d] && !h.ended && h.acked > h.next && !(ok && off == h.next) && !(h.finLost && h.acked == h.next+1)
		if missing || l.lane[d].ending() && off == h.next {
			a.wait(l, w, h.next)
		} else {
			w.on = false
		}
	}
}

// idle tells that neither direction holds anything back.
func (l *late) idle() bool {
	_, _, f := l.lane[Forward].front()
	_, _, r := l.lane[Reverse].front()
	return !f && !r
}

// drain delivers everything that is next and waits for nothing.
func (a *Assembler) drain(c *conn) {
	for !c.dead {
		f, r := a.advance(c, Forward), a.advance(c, Reverse)
		if !f && !r && !a.uncross(c) {
			return
		}
	}
}

// advance delivers the front of direction d as far as it goes, and tells
// whether it went anywhere.
func (a *Assembler) advance(c *conn, d Dir) (moved bool) {
	h, l := &c.half[d], &c.late.lane[d]
	for !c.dead {
		m, off, ok := l.front()
		if ok && off < h.next { // a FIN behind which the stream went on
			l.fin, l.finNext = false, false
			a.deny(c, d, m)
			continue
		}
		if !ok || off != h.next || c.blocked(d, m.Acked) || l.ending() && !c.confirmed(d) {
			break
		}
		a.pop(c, d)
		moved = true
	}
	return moved
}

// uncross resolves two fronts that acknowledge each other. The later of the two
// was captured in a copy that was sent again, after its bytes had arrived:
// they come first.
func (a *Assembler) uncross(c *conn) bool {
	f, foff, fok := c.late.lane[Forward].front()
	r, roff, rok := c.late.lane[Reverse].front()
	if c.dead || !fok || !rok || foff != c.half[Forward].next || roff != c.half[Reverse].next {
		return false
	}
	if f.Packet > r.Packet {
		a.pop(c, Forward)
	} else {
		a.pop(c, Reverse)
	}
	return true
}

// pop delivers the front of direction d, which is next.
func (a *Assembler) pop(c *conn, d Dir) {
	l := &c.late.lane[d]
	if len(l.pieces) == 0 {
		l.fin = false
		a.end(c, d, FIN, l.finMark, false)
		return
	}
	if !l.pieces[0].ready() {
		a.fetch(l)
	}
	p := l.pieces[0]
	l.pieces[0].data = nil
	l.pieces = l.pieces[1:]
	a.account(l, &p, -1)
	if p.snapped {
		a.skip(c, d, p.mark.Off-p.off, p.mark, Snapped)
	} else {
		a.data(c, d, p.data, p.mark, p.ttl)
	}
}
