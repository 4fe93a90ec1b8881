package reassembly

import (
	"encoding/binary"
	"net/netip"

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
