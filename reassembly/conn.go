package reassembly

import "expectscope/capture/decode"

// midStream is the offset at which a direction starts whose SYN was not seen.
const midStream = uint64(1) << 32

// A place is the list a connection is in.
type place uint8

const (
	inYoung place = iota
	inActive
	inClosing
)

// A conn is a connection the assembler follows. The Conn its layer sees is part
// of it: one allocation, and nothing hangs on it once the connection is gone.
type conn struct {
	Conn
	prev, next *conn
	layer      Layer
	late       *late // what is held back; nil on the fast path
	early      *End  // of a direction that ended before the other one's first byte
	last       int64 // tick of the last segment, or of the end
	half       [2]half
	place      place
	swapped    bool // the client is the high endpoint of the key
	opened     bool // open was called
	dead       bool // nothing is delivered any more
	contested  bool // it has a rival
}

// A half is the state of one direction.
type half struct {
	next     uint64 // everything below was delivered or given up
	acked    uint64 // how far the other side acknowledged
	timedAt  int64  // when the segment that is timed was captured; 0: none is
	base     uint32 // sequence number of offset 0, and of midStream
	timedEnd uint32 // offset just past the timed segment, low bits
	known    bool   // base is known
	started  bool   // where the stream starts is certain: SYN or bytes seen
	ended    bool
	hasAck   bool       // the other side acknowledged something
	finLost  bool       // an acknowledgement of next+1 stands for a FIN never captured
	astray   uint8      // segments in a row that no window explains
	sum      decode.Sum // of what its sender sent last in order and was verified: where it is wrong, a card fills it in
	ttl      uint8      // time to live of what its sender sent last that was taken: a SYN or bytes; 0: nothing was
}

// syn sets the stream's start from the initial sequence number.
func (h *half) syn(isn uint32) {
	h.base, h.next, h.acked = isn+1, 0, 0
	h.known, h.started = true, true
}

// join sets the start of a stream whose SYN was not seen.
func (h *half) join(seq uint32) {
	h.base, h.next, h.acked = seq, midStream, midStream
	h.known = true
}

// offset turns a sequence number into an offset, the one nearest to next; ok is
// false before the start of the stream.
func (h *half) offset(seq uint32) (off uint64, ok bool) {
	n := int64(h.next) + int64(int32(seq-h.base-uint32(h.next)))
	return uint64(n), n >= 0
}

// dir is the direction of a segment sent by the low or high (swapped) endpoint.
func (c *conn) dir(swapped bool) Dir {
	if swapped == c.swapped {
		return Forward
	}
	return Reverse
}

// blocked tells whether something of direction d that acknowledges acked has to
// wait for the other direction.
func (c *conn) blocked(d Dir, acked uint64) bool {
	if acked == NoAck {
		return false
	}
	o := &c.half[d.Other()]
	if acked <= o.next || o.ended || !c.Seen[d.Other()] {
		return false
	}
	return !(o.finLost && acked == o.next+1)
}

// ackOffset is what a segment of direction d acknowledges, as an offset of the
// other direction (RFC 9293, Section 3.4).
func (c *conn) ackOffset(d Dir, s *decode.Segment) uint64 {
	o := &c.half[d.Other()]
	if s.Flags&decode.ACK == 0 || !o.known {
		return NoAck
	}
	off, ok := o.offset(s.Ack)
	if !ok || off > o.next+maxWindow {
		return NoAck
	}
	return off
}

// acknowledge takes in the acknowledgement of a segment of direction d.
func (c *conn) acknowledge(d Dir, s *decode.Segment) uint64 {
	o := &c.half[d.Other()]
	if !o.known && s.Flags&decode.ACK != 0 {
		if h := &c.half[d]; c.Start == Handshake && h.next == 0 && h.base == s.Seq {
			o.syn(s.Ack - 1) // the last segment of the handshake, or what carries its news
		} else {
			o.join(s.Ack)
		}
	}
	off := c.ackOffset(d, s)
	if off == NoAck {
		return off
	}
	o.hasAck = true
	if off > o.acked {
		o.acked = off
		if s.Len == 0 && off >= o.next {
			c.Heard[d.Other()] = s.Time
		}
	}
	c.Ahead[d.Other()] = o.acked > o.next
	if o.timedAt != 0 && int32(uint32(off)-o.timedEnd) >= 0 {
		rtt := max(s.Time-o.timedAt, 1)
		if least := &c.MinRTT[d.Other()]; *least == 0 || rtt < *least {
			*least = rtt
		}
		o.timedAt = 0
	}
	if d == Forward && c.ACK == 0 && c.SYNACK != 0 && s.Flags&decode.SYN == 0 {
		c.ACK = s.Time
	}
	return off
}

// seen is how far the other side acknowledged direction d, for an End.
func (c *conn) seen(d Dir) uint64 {
	h := &c.half[d]
	if !h.hasAck {
		return NoAck
	}
	return h.acked
}

// unseen is how many bytes of direction d the other side acknowledged although
// they were not captured. One byte more than the stream is taken for a FIN.
func (c *conn) unseen(d Dir) uint64 {
	h := &c.half[d]
	if h.ended || !c.Seen[d] || h.acked <= h.next+1 {
		return 0
	}
	return h.acked - h.next
}
