package reassembly

import (
	"encoding/binary"
	"net/netip"

	"expectscope/capture"
	"expectscope/capture/decode"
)

// A key names a connection whichever side sends: its two endpoints in order,
// and the tap, since one connection seen at two places is two connections.
type key struct {
	low, high decode.Endpoint
	tap       uint16
}

// keyOf is the key of a segment, and whether its sender is the high endpoint.
func keyOf(s *decode.Segment) (k key, swapped bool) {
	if less(&s.Dst, &s.Src) {
		return key{s.Dst, s.Src, s.Tap}, true
	}
	return key{s.Src, s.Dst, s.Tap}, false
}

func less(a, b *decode.Endpoint) bool {
	for i := 0; i < len(a.Addr); i += 8 {
		x, y := binary.BigEndian.Uint64(a.Addr[i:]), binary.BigEndian.Uint64(b.Addr[i:])
		if x != y {
			return x < y
		}
	}
	return a.Port < b.Port
}

func (c *Conn) key() key {
	k, _ := keyOf(&decode.Segment{Src: endpoint(c.Client), Dst: endpoint(c.Server), Tap: c.Tap})
	return k
}

func endpoint(a netip.AddrPort) decode.Endpoint {
	return decode.Endpoint{Addr: a.Addr().As16(), Port: a.Port()}
}

// A connList is a list of connections, the one that was silent longest first.
type connList struct{ head, tail *conn }

func (l *connList) push(c *conn) {
	c.prev, c.next = l.tail, nil
	if l.tail == nil {
		l.head = c
	} else {
		l.tail.next = c
	}
	l.tail = c
}

func (l *connList) remove(c *conn) {
	if c.prev == nil {
		l.head = c.next
	} else {
		c.prev.next = c.next
	}
	if c.next == nil {
		l.tail = c.prev
	} else {
		c.next.prev = c.prev
	}
	c.prev, c.next = nil, nil
}

// A halfOpen is a SYN that nobody answered yet: all that a scan leaves behind,
// so it is kept small (72 bytes) and out of the reach of the garbage collector.
type halfOpen struct {
	src, dst   decode.Endpoint
	tap, mss   uint16
	isn        uint32
	prev, next uint32 // places in the table, counted from 1
	time       int64
	first      capture.Num
}

func (e *halfOpen) key() key {
	k, _ := keyOf(&decode.Segment{Src: e.src, Dst: e.dst, Tap: e.tap})
	return k
}

const halfOpenBlock = 1024

// A halfOpenTable holds the half-open connections in the order of their SYNs.
type halfOpenTable struct {
	index      map[key]uint32
	blocks     []*[halfOpenBlock]halfOpen
	used       uint32 // places ever used
	free       uint32 // first free place, chained by next; 0: none
	head, tail uint32
}

func (t *halfOpenTable) at(i uint32) *halfOpen {
	return &t.blocks[(i-1)/halfOpenBlock][(i-1)%halfOpenBlock]
}

func (t *halfOpenTable) find(k key) *halfOpen {
	if i := t.index[k]; i != 0 {
		return t.at(i)
	}
	return nil
}

func (t *halfOpenTable) oldest() *halfOpen {
	if t.head == 0 {
		return nil
	}
	return t.at(t.head)
}

func (t *halfOpenTable) add(k key, s *decode.Segment) {
	if t.index == nil {
		t.index = make(map[key]uint32)
	}
	i := t.free
	if i != 0 {
		t.free = t.at(i).next
	} else {
		if int(t.used) == len(t.blocks)*halfOpenBlock {
			t.blocks = append(t.blocks, new([halfOpenBlock]halfOpen))
		}
		t.used++
		i = t.used
	}
	*t.at(i) = halfOpen{
		src: s.Src, dst: s.Dst, tap: s.Tap, mss: s.MSS,
		isn: s.Seq, time: s.Time, first: s.Packet, prev: t.tail,
	}
	if t.tail == 0 {
		t.head = i
	} else {
		t.at(t.tail).next = i
	}
	t.tail = i
	t.index[k] = i
}

func (t *halfOpenTable) remove(k key) {
	i := t.index[k]
	if i == 0 {
		return
	}
	delete(t.index, k)
	e := t.at(i)
	if e.prev == 0 {
		t.head = e.next
	} else {
		t.at(e.prev).next = e.next
	}
	if e.next == 0 {
		t.tail = e.prev
	} else {
		t.at(e.next).prev = e.prev
	}
	e.next = t.free
	t.free = i
}

// ghostsKept is how many closed connections are remembered.
const ghostsKept = 4096

// A ghost is what is remembered of a closed connection: the sequence numbers
// just past its two streams, that of the low endpoint first.
type ghost struct {
	key key
	end [2]uint32
}

// A ghostTable remembers the connections that closed last, so that what is
// retransmitted after the end does not pass for a new connection.
type ghostTable struct {
	index map[key]uint16
	ring  []ghost
	next  int
}

func (t *ghostTable) add(g ghost) {
	if t.index == nil {
		t.index = make(map[key]uint16)
	}
	if len(t.ring) < ghostsKept {
		t.ring = append(t.ring, g)
	} else {
		old := t.ring[t.next].key
		if int(t.index[old]) == t.next {
			delete(t.index, old)
		}
		t.ring[t.next] = g
	}
	t.index[g.key] = uint16(t.next)
	t.next = (t.next + 1) % ghostsKept
}

// repeats tells whether a segment from the low or high (swapped) endpoint
// brings nothing that the closed connection did not have.
func (t *ghostTable) repeats(k key, swapped bool, s *decode.Segment) bool {
	i, ok := t.index[k]
	if !ok {
		return false
	}
	side := 0
	if swapped {
		side = 1
	}
	behind := t.ring[i].end[side] - (s.Seq + uint32(s.Len))
	return behind < resetWindow
}

// forget makes room for a new connection with the same addresses.
func (t *ghostTable) forget(k key) { delete(t.index, k) }
