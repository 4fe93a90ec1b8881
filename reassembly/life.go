package reassembly

import "expectscope/capture/decode"

// resetWindow is how far beyond what was captured an RST may lie and still be
// believed: a capture may have lost the segments before it.
const resetWindow = 4 << 20

func (a *Assembler) find(k key) *conn {
	if a.lastConn != nil && a.lastKey == k {
		return a.lastConn
	}
	c := a.conns[k]
	if c != nil {
		a.lastKey, a.lastConn = k, c
	}
	return c
}

// touch notes that a connection is not silent. Its list is ordered by ticks:
// nearer than a second nobody needs to know.
func (a *Assembler) touch(c *conn) {
	if c.last != a.now {
		c.last = a.now
		a.relist(c, c.place)
	}
}

func (a *Assembler) list(p place) *connList {
	switch p {
	case inYoung:
		return &a.young
	case inActive:
		return &a.active
	}
	return &a.closing
}

// relist puts a connection at the end of a list.
func (a *Assembler) relist(c *conn, p place) {
	a.list(c.place).remove(c)
	c.place = p
	a.list(p).push(c)
}

// admit makes a connection. The room of one that is closed, or else that never
// carried data, or else that was silent longest, is taken when there is none.
func (a *Assembler) admit(k key, s *decode.Segment, client Dir, start Start) *conn {
	for len(a.conns) >= a.limits.Conns {
		if l := a.waiting.head; l != nil && a.closing.head == nil && l.closed() {
			a.flush(l.conn, Evicted) // both ends are at hand, and wait for what may contradict them
		}
		old := a.closing.head
		if old == nil {
			if old = a.young.head; old == nil {
				old = a.active.head
			}
			a.stats.EvictedConns++
			a.finish(old, Idle, Evicted, Mark{Time: a.clock, Acked: NoAck})
		}
		a.remove(old)
	}
	a.stats.Conns++
	a.ghosts.forget(k)
	src, dst := s.Src, s.Dst
	if client == Reverse {
		src, dst = dst, src
	}
	c := &conn{last: a.now, swapped: src == k.high && src != k.low}
	c.Conn = Conn{First: s.Packet, Tap: s.Tap, Start: start, Client: src.AddrPort(), Server: dst.AddrPort()}
	a.conns[k] = c
	a.lastKey, a.lastConn = k, c
	a.young.push(c)
	return c
}

// meet finds the connection that a segment of an unknown key starts; nil: none.
func (a *Assembler) meet(k key, swapped bool, s *decode.Segment) *conn {
	e := a.halfOpen.find(k)
	switch {
	case s.Flags&decode.RST != 0:
		if e != nil && e.resetBy(s) {
			a.halfOpen.remove(e)
		} else {
			a.stats.Ghosts++
		}
		return nil
	case e != nil && e.fits(s):
		return a.promote(k, e, s)
	case e != nil && s.Flags&(decode.SYN|decode.ACK) == decode.SYN && e.src == s.Src && e.isn == s.Seq && s.Len == 0:
		return nil // sent again
	}
	if s.Flags&decode.SYN == 0 && (s.Len == 0 || a.ghosts.repeats(k, swapped, s) || keepAlive(s)) {
		a.stats.Ghosts++
		return nil
	}
	if e != nil {
		a.halfOpen.remove(e)
	}
	if s.Flags&decode.SYN != 0 {
		return a.begin(k, s)
	}
	c := a.admit(k, s, Forward, MidStream)
	c.half[Forward].join(s.Seq)
	return c
}

// begin starts a connection with its first SYN or SYN/ACK.
func (a *Assembler) begin(k key, s *decode.Segment) *conn {
	if s.Flags&decode.ACK != 0 { // the SYN was missed: its sender is the peer
		c := a.admit(k, s, Reverse, Handshake)
		c.half[Forward].syn(s.Ack - 1)
		c.half[Reverse].syn(s.Seq)
		c.SYNACK, c.MSS[Reverse] = s.Time, s.MSS
		return c
	}
	if s.Len == 0 && s.Flags&decode.FIN == 0 {
		a.stats.LoneSYNs++
		if a.halfOpen.n >= a.limits.HalfOpen {
			a.stats.EvictedSYNs++
			a.halfOpen.remove(a.halfOpen.oldest())
		}
		a.halfOpen.add(k, s)
		return nil
	}
	c := a.admit(k, s, Forward, Handshake) // data on the SYN (RFC 7413)
	c.half[Forward].syn(s.Seq)
	c.SYN, c.MSS[Forward] = s.Time, s.MSS
	return c
}

// promote makes a connection of a SYN and the first segment that fits it.
func (a *Assembler) promote(k key, e *halfOpen, s *decode.Segment) *conn {
	first := *e
	a.halfOpen.remove(e)
	a.stats.LoneSYNs--
	client := Forward
	if first.src != s.Src {
		client = Reverse
	}
	c := a.admit(k, s, client, Handshake)
	c.First, c.SYN, c.MSS[Forward] = first.first, first.time, first.mss
	c.Seen[Forward] = true
	c.half[Forward].syn(first.isn)
	d := client // Forward: s comes from the client; Reverse: from the server
	if d == Reverse && s.Flags&decode.SYN != 0 {
		c.answer(s)
	} else if d == Reverse {
		c.half[Reverse].join(s.Seq)
	}
	return c
}

// answer takes in the SYN of the server: a SYN/ACK, or the SYN of a
// simultaneous open (RFC 9293, Section 3.5).
func (c *conn) answer(s *decode.Segment) {
	c.half[Reverse].syn(s.Seq)
	c.half[Reverse].ttl, c.half[Reverse].sum = s.TTL, s.Sum
	c.MSS[Reverse] = s.MSS
	if s.Flags&decode.ACK != 0 {
		c.SYNACK = s.Time
	}
}

// fits tells whether a segment belongs to the connection a SYN asked for.
func (e *halfOpen) fits(s *decode.Segment) bool {
	if s.Src == e.src {
		if s.Flags&decode.SYN != 0 {
			return s.Seq == e.isn && s.Len > 0 && s.Flags&decode.ACK == 0
		}
		return s.Seq-(e.isn+1) < nearSYN
	}
	if s.Flags&decode.ACK == 0 {
		return s.Flags&decode.SYN != 0 // simultaneous open
	}
	if s.Flags&decode.SYN != 0 {
		// A forged handshake may not count the SYN; its octet is the SYN's all
		// the same (RFC 9293, Section 3.4), and its sender says where it stands.
		return s.Ack-e.isn <= 1
	}
	return s.Ack-(e.isn+1) < nearSYN
}

// resetBy tells whether an RST refuses or takes back a SYN.
func (e *halfOpen) resetBy(s *decode.Segment) bool {
	if s.Src == e.src {
		return s.Seq == e.isn || s.Seq == e.isn+1
	}
	return s.Flags&decode.ACK != 0 && s.Ack == e.isn+1
}

// keepAlive tells a keep-alive probe with its octet of garbage (RFC 9293,
// Section 3.8.4) from the data of a connection joined in the middle.
func keepAlive(s *decode.Segment) bool {
	return s.Len == 1 && len(s.Payload) == 1 && s.Payload[0] == 0
}

// greet takes in the SYN of a known connection: one of its own, or that of a
// new connection with the same addresses, which it then returns.
func (a *Assembler) greet(c *conn, k key, swapped bool, s *decode.Segment) *conn {
	d := c.dir(swapped)
	h, o := &c.half[d], &c.half[d.Other()]
	answered := s.Flags&decode.ACK != 0
	own := h.known && h.base == s.Seq+1
	switch {
	case own && answered && d == Reverse:
		c.SYNACK = earlier(c.SYNACK, s.Time)
	case own:
		c.SYN = earlier(c.SYN, s.Time)
	case !h.known && d == Reverse && c.place != inClosing && (c.place == inYoung || c.ackOffset(d, s) <= o.next):
		c.answer(s)
		return c
	case answered && o.known && s.Ack == o.base && c.place != inClosing:
		if h.started {
			a.stats.Strays++
			return nil
		}
		h.base, h.known = s.Seq+1, true // it was guessed from an acknowledgement
		c.SYNACK = earlier(c.SYNACK, s.Time)
	default:
		return a.contend(c, k, swapped, s)
	}
	if c.MSS[d] == 0 {
		c.MSS[d] = s.MSS
	}
	return c
}

func earlier(have, seen int64) int64 {
	if have == 0 {
		return seen
	}
	return have
}

// reset takes in an RST. It ends both directions once everything before it was
// delivered, and if it is odd when nothing has contradicted it for a second; one
// the receiver would not take is counted (RFC 9293, Section 3.5.3).
func (a *Assembler) reset(c *conn, d Dir, s *decode.Segment) {
	h := &c.half[d]
	off := h.next
	if h.known {
		at, ok := h.offset(s.Seq)
		if !ok || at < h.next || at > max(h.next, c.top(d))+resetWindow {
			a.stats.StaleResets++
			return
		}
		off = at
	}
	m := Mark{Time: s.Time, Packet: s.Packet, Off: off, Acked: c.ackOffset(d, s)}
	if o := &c.half[d.Other()]; m.Acked <= o.next {
		o.hasAck, o.acked = true, max(o.acked, m.Acked)
	}
	if off == h.next+1 && (h.ended || c.late != nil && c.late.lane[d].ending()) {
		m.Off = h.next // the FIN takes a number too
	}
	if c.dead || c.late == nil && c.due(d, m) && !c.odd(d, s) {
		a.endBoth(c, d, m)
		return
	}
	if l := c.late; l != nil && l.reset && (m.Off > h.next || l.resetMark.Off <= c.half[l.resetDir].next) {
		if m.Off <= h.next && !c.odd(d, s) { // the one that waits is no further off, and nothing can contradict it any more
			l.resetOdd = false
			a.settle(c)
		}
		return
	}
	a.hold(c)
	c.late.reset, c.late.resetDir, c.late.resetMark, c.late.resetPeer = true, d, m, c.top(d.Other())
	c.late.resetOdd = c.odd(d, s)
	a.wait(c.late, &c.late.resetGrace, off)
	a.settle(c)
}

// due tells whether nothing is missing before an RST of direction d.
func (c *conn) due(d Dir, m Mark) bool {
	return m.Off <= c.half[d].next && !c.blocked(d, m.Acked) && c.unseen(Forward) == 0 && c.unseen(Reverse) == 0
}

// endBoth ends what is open of both directions with the RST of direction d.
func (a *Assembler) endBoth(c *conn, d Dir, m Mark) {
	a.end(c, d, RST, m, true)
	m.Acked = NoAck // it is not an acknowledgement of the sender's own bytes
	a.end(c, d.Other(), RST, m, false)
}

// track follows a connection nobody listens to: only its end matters.
func (a *Assembler) track(c *conn, d Dir, s *decode.Segment) {
	h := &c.half[d]
	if !h.known {
		h.join(s.Seq)
	}
	seq := s.Seq
	if s.Flags&decode.SYN != 0 {
		seq++
	}
	off, ok := h.offset(seq)
	if end := off + uint64(s.Len); ok && end > h.next && end-h.next < maxWindow {
		h.next = end
	}
	if s.Flags&decode.FIN != 0 {
		a.end(c, d, FIN, Mark{}, false)
	}
}

// finish ends what is open of a connection, after what it holds back.
func (a *Assembler) finish(c *conn, how Ending, why Cause, m Mark) {
	if c.place == inClosing {
		return
	}
	a.flush(c, why)
	for d := range Reverse + 1 {
		a.end(c, d, how, m, false)
	}
}

// end ends direction d, and the connection with its second end. What the other
// side acknowledged beyond the stream is missing from it.
func (a *Assembler) end(c *conn, d Dir, how Ending, m Mark, sender bool) {
	h := &c.half[d]
	if h.ended {
		return
	}
	if n := c.unseen(d); n > 0 && how != FIN && !c.dead {
		at := m
		at.Acked = NoAck
		a.skip(c, d, n, at, Lost)
	}
	h.ended = true
	acked := c.seen(d)
	if c.late != nil {
		if lane := &c.late.lane[d]; how == FIN && lane.finNext { // what acknowledges it came later
			acked = lane.finSeen
		}
		a.empty(&c.late.lane[d])
	}
	m.Off = h.next
	e := End{Dir: d, At: m, How: how, Sender: sender, Acked: acked}
	switch {
	case c.layer != nil:
		a.tell(c, e)
	case !c.opened && (how == FIN || c.unseen(d.Other()) > 0): // a layer may still be opened
		c.early = new(End)
		*c.early = e
	}
	if c.half[d.Other()].ended && c.place != inClosing {
		c.dead, c.layer = true, nil
		c.last = a.now
		a.relist(c, inClosing)
	}
}

// remove takes a connection out of the table without a word to its layer.
func (a *Assembler) remove(c *conn) {
	k := c.Conn.key()
	if a.conns[k] != c {
		return
	}
	if c.place == inClosing {
		g := ghost{key: k}
		for d := range c.half {
			h := &c.half[d]
			side := d
			if c.swapped {
				side ^= 1
			}
			g.end[side] = h.base + uint32(h.next)
		}
		a.ghosts.add(g)
	}
	delete(a.conns, k)
	a.settleRivalry(c)
	if a.lastConn == c {
		a.lastConn = nil
	}
	a.list(c.place).remove(c)
	a.release(c)
	c.dead, c.layer = true, nil
}
