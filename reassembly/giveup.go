package reassembly

// expire gives up the holes of a connection whose time of grace is over.
func (a *Assembler) expire(c *conn) {
	l := c.late
	if l.reset && a.over(l, &l.resetGrace) {
		a.flush(c, Lost)
		return
	}
	for d := range Reverse + 1 {
		lane := &l.lane[d]
		if _, off, _ := lane.front(); lane.ending() && off == c.half[d].next {
			if !c.dead && a.unanswered(l, d) && !c.blocked(d, lane.finMark.Acked) {
				a.pop(c, d)
				a.drain(c)
			}
			continue
		}
		if c.dead || !a.over(l, &lane.grace) && !a.uncaptured(c, d) {
			continue
		}
		to, by := c.half[d].acked, lane.grace.by
		if m, off, ok := lane.front(); ok && off <= to {
			to, by = off, m
		}
		lane.grace.on = false
		a.giveUp(c, d, to, by, Lost)
		a.drain(c)
	}
	a.settle(c)
}

// uncaptured tells whether all that is missing of direction d is one octet, for a second: a FIN, as far as can be told. Nothing is
// lost by not waiting for it any longer.
func (a *Assembler) uncaptured(c *conn, d Dir) bool {
	lane, h := &c.late.lane[d], &c.half[d]
	_, _, ok := lane.front()
	return !ok && lane.grace.on && a.now-lane.grace.since > grace && h.acked == h.next+1
}

// obstacle is what keeps a connection's held bytes from being delivered: the
// missing bytes of direction d up to offset to, revealed by a mark.
func (c *conn) obstacle() (d Dir, to uint64, by Mark, ok bool) {
	for d := range Reverse + 1 {
		if m, off, ok := c.late.lane[d].front(); ok && off > c.half[d].next {
			return d, off, m, true
		}
	}
	for d := range Reverse + 1 { // what is next there waits for the other side
		if m, _, ok := c.late.lane[d].front(); ok && c.blocked(d, m.Acked) {
			return d.Other(), m.Acked, Mark{Time: m.Time, Packet: m.Packet, Acked: NoAck}, true
		}
	}
	return 0, 0, Mark{}, false
}

// giveUp declares bytes of direction d missing, up to offset to. A single one
// that only an acknowledgement speaks of was a FIN that was not captured.
func (a *Assembler) giveUp(c *conn, d Dir, to uint64, by Mark, why Cause) {
	h := &c.half[d]
	if _, _, ok := c.late.lane[d].front(); !ok && to == h.next+1 {
		h.finLost = true
		return
	}
	a.skip(c, d, to-h.next, by, why)
}

// flush delivers everything a connection holds back, and gives up what is
// missing before it.
func (a *Assembler) flush(c *conn, why Cause) {
	if c.late == nil {
		return
	}
	c.late.last = true
	a.drain(c)
	for !c.dead && a.step(c, why) {
	}
	if l := c.late; l.reset && !c.dead {
		a.endBoth(c, l.resetDir, l.resetMark)
	}
	a.release(c)
}

// step gives up the first hole of a connection; false: there is none.
func (a *Assembler) step(c *conn, why Cause) bool {
	d, to, by, ok := c.obstacle()
	if ok {
		a.giveUp(c, d, to, by, why)
		a.drain(c)
	}
	return ok
}

// makeRoom gives up holes until n more bytes of direction d may be held back.
func (a *Assembler) makeRoom(c *conn, d Dir, n int) {
	pages := cost(n)
	if c.late != nil {
		l := &c.late.lane[d]
		for !c.dead && len(l.pieces) > 0 && (l.bytes+n > a.limits.DirBytes || l.pages+pages > a.limits.DirPieces) {
			if !a.step(c, Evicted) {
				break
			}
		}
	}
	for a.waiting.head != nil && (a.late+n > a.limits.Bytes || a.latePieces+pages > a.limits.Pieces) {
		a.flush(a.waiting.head.conn, Evicted)
	}
	if c.late != nil {
		a.settle(c)
	}
}
