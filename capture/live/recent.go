package live

import (
	"iter"
	"unsafe"

	"expectscope/capture"
)

// packetSize is the size of packets that fill a Recent exactly: with smaller
// ones its list of packets is full before its bytes are.
const packetSize = 256

// A Recent remembers the last packets within a bound of memory, to write those
// around a finding. The zero value remembers nothing.
type Recent struct {
	// data is a ring of packets' data; none wraps around its end.
	data []byte
	free int // where the next data go, if there is room

	slots    []remembered
	first, n int // the oldest slot and how many follow it
}

// remembered is a packet, with its data as a place in the ring.
type remembered struct {
	num       capture.Num
	time      int64
	wire      int
	off, size int
	tap       uint16
	link      capture.LinkType
}

// NewRecent returns a Recent that uses about as many bytes as given.
func NewRecent(bytes int) *Recent {
	slots := max(1, bytes/packetSize)
	return &Recent{
		data:  make([]byte, max(0, bytes-slots*int(unsafe.Sizeof(remembered{})))),
		slots: make([]remembered, slots),
	}
}

// Add remembers a packet, with a copy of its data, in place of the oldest ones.
// A packet that is larger than all the memory is not remembered.
func (r *Recent) Add(p *capture.Packet) {
	size := max(1, len(p.Data)) // so that free is the place of the oldest only when all is full
	if size > len(r.data) {
		return
	}
	if r.n == len(r.slots) {
		r.forget()
	}
	off := r.room(size)
	copy(r.data[off:], p.Data)
	r.free = off + size
	*r.slot(r.n) = remembered{p.Num, p.Time, p.Len, off, len(p.Data), p.Tap, p.Link}
	r.n++
}

// slot is the i-th oldest packet's.
func (r *Recent) slot(i int) *remembered { return &r.slots[(r.first+i)%len(r.slots)] }

// forget takes the oldest packet away.
func (r *Recent) forget() {
	r.first = (r.first + 1) % len(r.slots)
	r.n--
}

// room finds a place for n bytes, and forgets what is there.
func (r *Recent) room(n int) int {
	for r.n > 0 {
		oldest := r.slot(0).off
		switch {
		case r.free > oldest && len(r.data)-r.free >= n: // in use: oldest to free
			return r.free
		case r.free > oldest && oldest >= n:
			return 0
		case r.free <= oldest && oldest-r.free >= n: // in use: from oldest to the end, and up to free
			return r.free
		}
		r.forget()
	}
	return 0
}

// Packets is how many packets are remembered.
func (r *Recent) Packets() int { return r.n }

// All gives the remembered packets in the order in which they were added: those
// between two times, both included (nanoseconds since 1970 UTC), for which match
// is true; match may be nil. A packet is valid until the next one is given, its
// Data until another is added.
func (r *Recent) All(from, to int64, match func(*capture.Packet) bool) iter.Seq[*capture.Packet] {
	return func(yield func(*capture.Packet) bool) {
		var p capture.Packet
		for i := range r.n {
			s := r.slot(i)
			if s.time < from || s.time > to {
				continue
			}
			p = capture.Packet{Num: s.num, Tap: s.tap, Time: s.time, Len: s.wire, Link: s.link, Data: r.data[s.off : s.off+s.size]}
			if (match == nil || match(&p)) && !yield(&p) {
				return
			}
		}
	}
}
