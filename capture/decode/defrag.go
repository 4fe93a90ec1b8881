package decode

import (
	"slices"
)

// A datagramKey tells the datagrams apart that fragments belong to (RFC 791,
// Section 3.2; RFC 8200, Section 4.5: there the protocol is not part of it).
// Tags and tunnels around it are not: a capture on several interfaces sees each
// fragment on each of them.
type datagramKey struct {
	src, dst [16]byte
	id       uint32
	tap      uint16
	protocol uint8
	v6       bool
}

// A fragment is one piece of a datagram's payload.
type fragment struct {
	view
	offset int   // octets; a multiple of 8
	more   bool  // not the last one
	next   uint8 // protocol of the payload; that of the first fragment holds
}

const (
	maxDatagram = 65535
	unit        = 8 // fragments begin at multiples of it
)

// A datagram is one whose fragments are being collected.
type datagram struct {
	key   datagramKey
	begun int64 // capture time of the fragment that came first
	next  uint8
	// data is the payload as far as known, have the units of 8 octets that came,
	// units how many these are, end the payload's length, -1 while it is unknown.
	data  []byte
	have  [(maxDatagram + 1) / unit / 64]uint64
	units int
	end   int
	// whole is how far data was captured: a capture that cuts frames leaves a
	// hole in each fragment, and what is behind the first one is of no use.
	whole int
	parts []Part
}

// A defragmenter puts fragmented datagrams together. Where fragments overlap,
// what came first stays. The order of waiting is that of age.
type defragmenter struct {
	limits  Limits
	stats   *FragmentStats
	waiting []*datagram
	bytes   int       // memory held by waiting
	fed     *datagram // that the last fragment became part of, or nil
}

// add takes a fragment. When the datagram is complete with it, it returns its
// payload, which is the caller's to keep, and the payload's protocol.
func (f *defragmenter) add(key datagramKey, p fragment, now int64) (next uint8, whole view, ok bool) {
	f.expire(now)
	f.fed = nil
	if p.more {
		p.view = p.limit(p.wire &^ (unit - 1)) // the rest cannot be followed by anything
	}
	if p.wire == 0 || p.offset+p.wire > maxDatagram {
		f.stats.Refused++
		return 0, view{}, false
	}
	g := f.find(key)
	if g == nil {
		g = &datagram{key: key, begun: now, next: p.next, end: -1, whole: maxDatagram}
		f.waiting = append(f.waiting, g)
		f.bytes += datagramCost
	}
	held := cap(g.data)
	fits, overlaps := g.put(p)
	f.fed = g
	f.bytes += cap(g.data) - held
	if !fits {
		f.stats.Refused++
		f.fed = nil
	}
	if overlaps {
		f.stats.Overlaps++
	}
	if g.complete() {
		f.drop(slices.Index(f.waiting, g))
		f.stats.Complete++
		return g.next, view{data: g.data[:min(g.whole, g.end)], wire: g.end, depth: p.depth}, true
	}
	f.evict()
	return 0, view{}, false
}

// find is the waiting datagram with that key, or nil. There are few: a search
// is cheaper than a map's upkeep.
func (f *defragmenter) find(key datagramKey) *datagram {
	for _, g := range f.waiting {
		if g.key == key {
			return g
		}
	}
	return nil
}

// expire gives up datagrams that have waited too long.
func (f *defragmenter) expire(now int64) {
	for len(f.waiting) > 0 && now-f.waiting[0].begun > int64(f.limits.Age) {
		f.drop(0)
		f.stats.Expired++
	}
}

// evict gives up the oldest datagrams while there are too many, but not the
// last one.
func (f *defragmenter) evict() {
	for len(f.waiting) > 1 && (len(f.waiting) > f.limits.Datagrams || f.bytes > f.limits.Bytes) {
		f.drop(0)
		f.stats.Evicted++
	}
	f.stats.Waiting = len(f.waiting)
}

// datagramCost is what a datagram takes besides its data, rounded.
const datagramCost = 1200

// drop forgets the datagram at i.
func (f *defragmenter) drop(i int) {
	f.bytes -= cap(f.waiting[i].data) + datagramCost
	f.waiting = slices.Delete(f.waiting, i, i+1)
	f.stats.Waiting = len(f.waiting)
}

// put adds a fragment. It tells whether it fits what is known, and whether some
// of it was there already.
func (g *datagram) put(p fragment) (fits, overlaps bool) {
	end := p.offset + p.wire
	switch {
	case g.end >= 0 && (end > g.end || !p.more && end < g.end):
		return false, false
	case !p.more && len(g.data) > end:
		return false, false
	case !p.more:
		g.end = end
	}
	if p.offset == 0 {
		g.next = p.next
	}
	if len(g.data) < end {
		g.data = slices.Grow(g.data, end-len(g.data))[:end]
	}
	for at := p.offset; at < end; at += unit {
		word, bit := &g.have[at/unit/64], uint64(1)<<(at/unit%64)
		if *word&bit != 0 {
			overlaps = true
			continue
		}
		*word |= bit
		g.units++
		if from := at - p.offset; from < len(p.data) {
			copy(g.data[at:end], p.data[from:min(from+unit, len(p.data))])
		}
		if captured := p.offset + len(p.data); captured < min(at+unit, end) {
			g.whole = min(g.whole, max(captured, at))
		}
	}
	return true, overlaps
}

// complete tells whether every octet came.
func (g *datagram) complete() bool { return g.end >= 0 && g.units == (g.end+unit-1)/unit }
