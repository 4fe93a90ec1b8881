package reassembly

import (
	"hash/maphash"

	"expectscope/capture"
	"expectscope/capture/decode"
)

// A halfOpen is a SYN that nobody answered yet: all that a scan leaves behind,
// so it is kept small (72 bytes) and out of the reach of the garbage collector.
type halfOpen struct {
	src, dst   decode.Endpoint
	tap, mss   uint16
	isn        uint32
	prev, next uint32 // places in the table, counted from 1: by time, or free
	chain      uint32 // next place with the same hash
	time       int64
	first      capture.Num
}

func (e *halfOpen) key() key {
	k, _ := keyOf(&decode.Segment{Src: e.src, Dst: e.dst, Tap: e.tap})
	return k
}

const halfOpenBlock = 1024

// A halfOpenTable holds the half-open connections, in the order of their SYNs
// and in a hash table: a map would take as much room again, and time for what
// comes and goes at its limit.
type halfOpenTable struct {
	blocks     []*[halfOpenBlock]halfOpen
	buckets    []uint32 // a power of two of them
	seed       maphash.Seed
	n          int    // entries
	used       uint32 // places ever used
	free       uint32 // first free place; 0: none
	head, tail uint32
}

func (t *halfOpenTable) at(i uint32) *halfOpen {
	return &t.blocks[(i-1)/halfOpenBlock][(i-1)%halfOpenBlock]
}

// bucket is where the chain of a key starts.
func (t *halfOpenTable) bucket(k key) *uint32 {
	return &t.buckets[maphash.Comparable(t.seed, k)&uint64(len(t.buckets)-1)]
}

func (t *halfOpenTable) find(k key) *halfOpen {
	if t.n == 0 {
		return nil
	}
	for i := *t.bucket(k); i != 0; {
		e := t.at(i)
		if e.key() == k {
			return e
		}
		i = e.chain
	}
	return nil
}

func (t *halfOpenTable) oldest() *halfOpen {
	if t.head == 0 {
		return nil
	}
	return t.at(t.head)
}

// add stores a SYN whose key is not in the table.
func (t *halfOpenTable) add(k key, s *decode.Segment) {
	if 2*t.n >= len(t.buckets) { // most chains are empty: a look at one costs a cache miss
		t.grow()
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
	bucket := t.bucket(k)
	*t.at(i) = halfOpen{
		src: s.Src, dst: s.Dst, tap: s.Tap, mss: s.MSS,
		isn: s.Seq, time: s.Time, first: s.Packet, prev: t.tail, chain: *bucket,
	}
	*bucket = i
	if t.tail == 0 {
		t.head = i
	} else {
		t.at(t.tail).next = i
	}
	t.tail = i
	t.n++
}

// grow doubles the buckets and chains every entry again.
func (t *halfOpenTable) grow() {
	if t.buckets == nil {
		t.seed = maphash.MakeSeed()
	}
	t.buckets = make([]uint32, max(halfOpenBlock, 2*len(t.buckets)))
	for i := t.head; i != 0; {
		e := t.at(i)
		bucket := t.bucket(e.key())
		e.chain, *bucket = *bucket, i
		i = e.next
	}
}

// remove takes an entry out; its place is used again.
func (t *halfOpenTable) remove(e *halfOpen) {
	link := t.bucket(e.key())
	for t.at(*link) != e {
		link = &t.at(*link).chain
	}
	i := *link
	*link = e.chain
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
	e.next, t.free = t.free, i
	t.n--
}
