package reassembly

import "expectscope/capture/decode"

// stream takes a segment of direction d apart. One that continues its stream
// and waits for nothing goes straight to the layer, without a copy.
func (a *Assembler) stream(c *conn, d Dir, s *decode.Segment) {
	acked := c.acknowledge(d, s)
	fin := s.Flags&decode.FIN != 0
	if s.Len == 0 && !fin {
		if c.late != nil {
			a.alive(c, d, acked)
			a.settle(c)
		}
		return
	}
	h := &c.half[d]
	seq := s.Seq
	if s.Flags&decode.SYN != 0 {
		seq++
	}
	if !h.known {
		h.join(seq)
	}
	off, ok := h.offset(seq)
	if before := -off; !ok && before < uint64(s.Len) { // what lies before the stream's start is none of it
		cut := *s
		cut.Seq, cut.Len, cut.Payload = s.Seq+uint32(before), s.Len-int(before), s.Payload[min(int(before), len(s.Payload)):]
		s, off, ok = &cut, 0, true
	}
	if off != h.next && !(ok && a.judge(c, d, off, s)) {
		return
	}
	m := Mark{Time: s.Time, Packet: s.Packet, Off: off + uint64(s.Len), Acked: acked}
	if h.ended || c.probes(d, off, s) { // nothing follows a FIN; what was before it is sent again
		if m.Off > h.next+1 {
			a.deny(c, d, m)
		}
		return
	}
	switch {
	case m.Off <= h.next && !fin && s.Len > 0:
		a.repeat(c, d, h.next-m.Off, off, s, m)
	case m.Off < h.next && fin:
		a.stats.Strays++ // the stream has gone on behind it
	case c.late != nil || off > h.next || c.blocked(d, acked):
		a.alive(c, d, acked)
		a.divert(c, d, off, s, m)
	default:
		a.straight(c, d, off, s, m)
	}
}

// judge looks at a segment that does not continue its stream; false: ignore it.
func (a *Assembler) judge(c *conn, d Dir, off uint64, s *decode.Segment) bool {
	h := &c.half[d]
	switch {
	case off > h.next && off-h.next > maxWindow:
		// Far beyond any window. One such segment is a stray, many are what
		// follows a very long loss.
		if h.astray++; h.astray < gracePackets || h.ended {
			a.stats.Strays++
			return false
		}
		a.flush(c, Lost)
		if !c.dead && !h.ended && off > h.next {
			a.skip(c, d, off-h.next, Mark{Time: s.Time, Packet: s.Packet, Off: off, Acked: NoAck}, Lost)
		}
		return !c.dead
	case off < h.next && !h.started && c.late == nil:
		// The start was guessed from an acknowledgement; these bytes were
		// captured after it.
		if s.Len > 1 && h.next-off < 1<<20 {
			h.next = off
		}
	}
	return true
}

// straight delivers a segment that continues its stream.
func (a *Assembler) straight(c *conn, d Dir, off uint64, s *decode.Segment, m Mark) {
	h := &c.half[d]
	if s.Sum != decode.SumUnknown {
		h.sum = s.Sum
	}
	b := s.Payload
	if cut := h.next - off; cut > 0 { // its front was delivered before
		at := m
		at.Off = h.next
		a.resend(c, d, cut, at, b[:min(cut, uint64(len(b)))], false)
		b = b[min(cut, uint64(len(b))):]
	} else if h.timedAt == 0 && s.Len > 0 {
		h.timedAt, h.timedEnd = s.Time, uint32(m.Off)
	}
	if len(b) > 0 {
		at := m
		at.Off = h.next + uint64(len(b))
		a.data(c, d, b, at, s.TTL)
	}
	if m.Off > h.next && !c.dead {
		a.skip(c, d, m.Off-h.next, m, Snapped)
	}
	if s.Flags&decode.FIN != 0 && !c.dead {
		a.hold(c)
		c.late.lane[d].fin, c.late.lane[d].finMark = true, m
		a.settle(c)
	}
}

// repeat reports a segment whose bytes were all delivered before; behind is how
// many follow it. A keep-alive probe repeats one octet and means nothing.
func (a *Assembler) repeat(c *conn, d Dir, behind, off uint64, s *decode.Segment, m Mark) {
	if s.Len == 1 && behind == 0 {
		return
	}
	a.resend(c, d, m.Off-off, m, s.Payload, false)
}

// attend is the layer of a connection, opened at its first byte; nil: nobody listens.
func (a *Assembler) attend(c *conn) Layer {
	if !c.opened {
		c.opened = true
		a.relist(c, inActive)
		c.layer = a.open(&c.Conn)
		switch {
		case c.layer == nil:
			c.dead = true
		case c.early != nil:
			a.tell(c, *c.early)
		}
		c.early = nil
	}
	return c.layer
}

// tell hands an end to the layer.
func (a *Assembler) tell(c *conn, e End) {
	a.ending = e
	c.layer.End(&a.ending)
	a.mind(c)
}

// mind asks a layer whether it wants more.
func (a *Assembler) mind(c *conn) {
	if m, ok := c.layer.(interface{ Dead() bool }); ok && m.Dead() {
		c.dead, c.layer = true, nil
	}
}

// data delivers the next bytes of direction d.
func (a *Assembler) data(c *conn, d Dir, b []byte, m Mark, ttl uint8) {
	h := &c.half[d]
	h.next = m.Off
	h.started, h.finLost, h.astray, h.ttl = true, false, 0, ttl
	if l := a.attend(c); l != nil {
		a.chunk = Chunk{Dir: d, TTL: ttl, Mark: m, Seen: h.acked, Base: h.base, Data: b}
		l.Data(&a.chunk)
		a.mind(c)
	}
}

// skip gives up the next n bytes of direction d.
func (a *Assembler) skip(c *conn, d Dir, n uint64, m Mark, why Cause) {
	h := &c.half[d]
	h.next += n
	h.started, h.finLost, h.astray = true, false, 0
	a.stats.Gaps[why]++
	a.stats.GapBytes[why] += n
	if why != Snapped {
		c.Holes++
	}
	if l := a.attend(c); l != nil {
		m.Off = h.next
		a.gap = Gap{Dir: d, At: m, Len: n, Why: why, Acked: h.hasAck && h.acked >= h.next}
		l.Gap(&a.gap)
		a.mind(c)
	}
}

// resend reports n repeated bytes of direction d, of which b were captured.
func (a *Assembler) resend(c *conn, d Dir, n uint64, m Mark, b []byte, conflict bool) {
	c.half[d].timedAt = 0 // which copy is acknowledged cannot be known (Karn)
	if conflict {
		c.Conflicts++
		a.stats.Conflicts++
	}
	if c.layer != nil {
		a.resent = Resent{Dir: d, At: m, Len: n, Conflict: conflict, Data: b}
		c.layer.Resent(&a.resent)
		a.mind(c)
	}
}
