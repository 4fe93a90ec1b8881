package reassembly

import "expectscope/capture/decode"

// This file is about segments that anybody on the way may have put in: an end
// that the traffic does not bear out. What it does is what the hosts do (RFC
// 9293, Section 3.10.7.4; RFC 5961): they take a FIN at its place only, and a
// SYN of a connection that is open not at all.

// nearSYN is how far behind its SYN the first segment of a connection that was captured may lie.
const nearSYN = 1 << 24

// ending tells that what lies first in a lane is a FIN.
func (l *lane) ending() bool { return l.fin && len(l.pieces) == 0 }

// probes tells whether a segment is the keep-alive probe of a host whose FIN waits: it has the FIN's number.
func (c *conn) probes(d Dir, off uint64, s *decode.Segment) bool {
	return c.late != nil && c.late.lane[d].ending() && off == c.late.lane[d].finMark.Off && keepAlive(s)
}

// confirmed tells whether the FIN that comes next in a direction is its end: the
// other side acknowledged it, or broke off at it. Until then it may be somebody
// else's, and the stream may go on in its place.
func (c *conn) confirmed(d Dir) bool {
	l, h := c.late, &c.half[d]
	if lane := &l.lane[d]; !lane.finNext {
		lane.finNext, lane.finSeen = true, c.seen(d)
	}
	return l.last || h.acked > h.next || l.reset && l.resetMark.Off <= c.half[l.resetDir].next
}

// unanswered tells whether the acknowledgement of a FIN is not waited for any
// more. Packets that go by prove nothing: they do not acknowledge it.
func (a *Assembler) unanswered(l *late, d Dir) bool {
	w := &l.lane[d].grace
	waited := a.now - w.since
	return w.on && (waited > graceSilent || waited > grace && (l.closed() || !l.conn.Seen[d.Other()]))
}

// deny counts a FIN, or bytes behind one, that contradict each other: both lie
// at the same place, and only one of them can have been its sender's.
func (a *Assembler) deny(c *conn, d Dir, m Mark) {
	a.stats.Strays++
	a.contradict(c, d, m)
}

// contradict reports an end that the traffic contradicts.
func (a *Assembler) contradict(c *conn, d Dir, m Mark) {
	c.Conflicts++
	if c.layer != nil {
		a.resent = Resent{Dir: d, At: m, Conflict: true}
		c.layer.Resent(&a.resent)
		a.mind(c)
	}
}

// odd tells that an RST looks like somebody else's: it came another way than what
// its sender sent before, or the host that it is for drops it, since its checksum
// is wrong and its sender's are right (RFC 9293, Section 3.1).
func (c *conn) odd(d Dir, s *decode.Segment) bool {
	h := &c.half[d]
	return s.Sum == decode.SumWrong && h.sum == decode.SumRight || h.ttl != 0 && s.TTL != h.ttl
}

// overrule forgets an RST that the traffic contradicts.
func (a *Assembler) overrule(c *conn) {
	l := c.late
	l.reset = false
	a.stats.StaleResets++
	a.contradict(c, l.resetDir, l.resetMark)
}

// alive overrules the RST of a host that acknowledges, later on, what it was sent since.
func (a *Assembler) alive(c *conn, d Dir, acked uint64) {
	if l := c.late; l != nil && l.reset && l.resetDir == d && acked != NoAck && acked > l.resetPeer {
		a.overrule(c)
	}
}

// contend takes in a SYN that fits no connection. On one that is over it starts
// a new one; on one that is open the receiver answers it with an acknowledgement
// and nothing else, unless it has forgotten the connection: so it is put aside
// until it is answered.
func (a *Assembler) contend(c *conn, k key, swapped bool, s *decode.Segment) *conn {
	if c.place == inClosing {
		return a.supplant(c, k, s)
	}
	if r, ok := a.rivals[c]; ok && c.yields(c.dir(swapped), &r, s) {
		if n := a.supplant(c, k, &r); n != nil {
			return a.greet(n, k, swapped, s)
		}
		return a.meet(k, swapped, s)
	}
	if old := a.rivals[c]; old.Seq != s.Seq || old.Src != s.Src { // else it is sent again
		a.stats.Strays++
	}
	r := *s
	r.Len, r.Payload = 0, nil // the host has not taken it (RFC 9293, Section 3.10.7.4)
	a.rivals[c], c.contested = r, true
	return nil
}

// contest looks whether a segment of an open connection answers the SYN that was
// put aside, or refuses it. It returns the connection that the segment is of.
func (a *Assembler) contest(c *conn, k key, swapped bool, s *decode.Segment) *conn {
	r := a.rivals[c]
	switch d := c.dir(swapped); {
	case c.place == inClosing || c.explains(d, s) && !c.leaps(d, &r, s):
	case s.Flags&decode.RST != 0:
		if e := (halfOpen{src: r.Src, isn: r.Seq}); e.resetBy(s) {
			a.settleRivalry(c)
			return nil
		}
	case c.yields(d, &r, s):
		a.supplant(c, k, &r)
		n := a.find(k)
		if n == nil {
			return a.meet(k, swapped, s)
		}
		n.Seen[Reverse] = true // what was put aside was a SYN/ACK
		n.acknowledge(Reverse, &r)
		return n
	}
	return c
}

// settleRivalry forgets the SYN that a connection put aside.
func (a *Assembler) settleRivalry(c *conn) {
	if c.contested {
		delete(a.rivals, c)
		c.contested = false
	}
}

// supplant ends a connection for the SYN that takes its addresses, and returns
// what that starts.
func (a *Assembler) supplant(c *conn, k key, syn *decode.Segment) *conn {
	if r, ok := a.rivals[c]; ok && r.Seq == syn.Seq {
		a.stats.Strays--
	}
	a.finish(c, Reused, Lost, Mark{Time: syn.Time, Packet: syn.Packet, Acked: NoAck})
	a.remove(c)
	return a.begin(k, syn)
}

// yields tells whether a segment of direction d shows that a SYN which was put
// aside has made a new connection: the SYN of its peer acknowledges it, or what
// does not lie where the connection is follows it, which is needed where its
// peer was not captured.
func (c *conn) yields(d Dir, syn, s *decode.Segment) bool {
	same := s.Src == syn.Src
	switch {
	case s.Flags&decode.SYN != 0:
		return !same && syn.Flags&decode.ACK == 0 && s.Flags&decode.ACK != 0 && s.Ack-syn.Seq <= 1
	case c.explains(d, s) && !c.leaps(d, syn, s):
		return false
	case same:
		return s.Seq-(syn.Seq+1) < nearSYN
	}
	return s.Flags&decode.ACK != 0 && s.Ack-(syn.Seq+1) < nearSYN
}

// leaps tells whether a segment that lies about where the connection is lies at the beginning of the one that its sender's SYN asked for
// all the same: behind the end of its direction, or just there behind a hole. Numbers of two connections between the same ports are
// near one another when the second soon follows (RFC 9293, Section 3.4.1).
func (c *conn) leaps(d Dir, syn, s *decode.Segment) bool {
	h := &c.half[d]
	off, ok := h.offset(s.Seq)
	if !ok || s.Src != syn.Src || s.Seq-(syn.Seq+1) >= nearSYN {
		return false
	}
	end, ended := h.next, h.ended
	if l := c.late; l != nil && l.lane[d].fin {
		end, ended = l.lane[d].finMark.Off, true
	}
	return ended && off > end+1 || s.Seq == syn.Seq+1 && off > c.top(d)
}

// explains tells whether both numbers of a segment lie about where the connection is.
func (c *conn) explains(d Dir, s *decode.Segment) bool {
	o := d.Other()
	return c.about(d, s.Seq) && (s.Flags&decode.ACK == 0 || !c.half[o].known || c.about(o, s.Ack))
}

// about tells whether a sequence number lies near what was captured of a direction.
func (c *conn) about(d Dir, seq uint32) bool {
	h := &c.half[d]
	at := int64(int32(seq - h.base - uint32(h.next)))
	return h.known && at >= -resetWindow && at <= int64(c.top(d)-h.next)+resetWindow
}
