// Package hpack reads the field blocks of HTTP/2 (RFC 7541) as one who looks on.
//
// A peer that cannot decode a block ends the connection. Who looks on may have
// joined late, or missed a packet, and then does not know what the dynamic
// table holds. But an entry's index counts from the newest, so whatever was
// inserted since is known, and only what points behind it is not: [Decoder]
// hands such a field on as unknown and goes on.
package hpack

import (
	"bytes"

	"golang.org/x/net/http2/hpack"
)

// Sizes of dynamic tables in octets (RFC 7541, Section 4.1: an entry counts 32 more than its text).
const (
	defaultSize = 4096
	// maxSize is the largest table that is kept, whatever the peers agreed on.
	maxSize  = 64 << 10
	perEntry = 32
)

// A Field is one field line of a block; the slices are valid during the call.
type Field struct {
	Name, Value []byte
	// Named and Valued tell whether name and value are known.
	Named, Valued bool
}

// An Outcome says how a block was read.
type Outcome uint8

// Whole: to its end. Cut: the block ends inside a field. Broken: it is no field block of the state known, and the table is given up.
const (
	Whole Outcome = iota
	Cut
	Broken
)

// A Decoder reads the field blocks of one direction. The zero value is not usable: see [New].
type Decoder struct {
	entries []entry // the dynamic table, oldest first
	size    int     // of entries
	limit   int     // the table's maximum size
	// whole: there is no older entry than those known. sized: limit is what the peers agreed on.
	whole, sized bool
	capped       bool
	name, value  bytes.Buffer // what Huffman codes stood for
	f            Field        // handed to emit: here it costs no allocation
}

type entry struct {
	name, value   []byte
	named, valued bool
}

func (e *entry) size() int { return len(e.name) + len(e.value) + perEntry }

// New returns a decoder; joined: blocks may have gone before.
func New(joined bool) *Decoder {
	return &Decoder{limit: defaultSize, whole: !joined, sized: !joined}
}

// Lose takes note that blocks were missed.
func (d *Decoder) Lose() {
	d.entries, d.size = d.entries[:0], 0
	d.whole, d.sized = false, false
}

// Knows tells whether the table is known whole.
func (d *Decoder) Knows() bool { return d.whole }

// Capped tells whether the peers agreed on a table that is larger than what is kept.
func (d *Decoder) Capped() bool { return d.capped }

// Decode reads a block and hands its fields to emit in order.
func (d *Decoder) Decode(block []byte, emit func(*Field)) Outcome {
	r := reader{b: block}
	first := true
	for len(r.b) > 0 && !r.cut && !r.bad {
		switch c := r.b[0]; {
		case c&0x80 != 0: // RFC 7541, Section 6.1
			e, ok := d.at(r.integer(7))
			if r.done() {
				break
			}
			if r.bad = !ok; ok {
				d.f = Field{e.name, e.value, e.named, e.valued}
				emit(&d.f)
			}
		case c&0xe0 == 0x20: // Section 6.3
			n := r.integer(5)
			if !r.done() {
				r.bad = !first // Section 4.2: at the beginning of a block
				d.resize(n)
			}
			continue
		case c&0x40 != 0: // Section 6.2.1
			d.literal(&r, 6, true, emit)
		default: // Sections 6.2.2, 6.2.3
			d.literal(&r, 4, false, emit)
		}
		first = false
	}
	switch {
	case r.bad:
		d.Lose()
		return Broken
	case r.cut:
		return Cut
	}
	return Whole
}

// literal reads a field whose value stands in the block.
func (d *Decoder) literal(r *reader, prefix uint, index bool, emit func(*Field)) {
	d.f = Field{Named: true, Valued: true}
	f := &d.f
	if n := r.integer(prefix); n > 0 {
		e, ok := d.at(n)
		if r.done() {
			return
		}
		if !ok {
			r.bad = true
			return
		}
		f.Name, f.Named = e.name, e.named
	} else {
		f.Name = r.text(&d.name)
	}
	f.Value = r.text(&d.value)
	if r.done() {
		return
	}
	emit(f)
	if index {
		d.insert(f)
	}
}

// at is the entry with an index; ok is false when there is none.
func (d *Decoder) at(n uint64) (*entry, bool) {
	switch dynamic := n - uint64(len(static)); {
	case n == 0:
		return nil, false
	case n <= uint64(len(static)):
		return &static[n-1], true
	case dynamic <= uint64(len(d.entries)):
		return &d.entries[uint64(len(d.entries))-dynamic], true
	case d.whole || dynamic > maxSize/perEntry:
		return nil, false
	}
	return &unknown, true
}

var unknown entry

// insert enters a field as the newest.
func (d *Decoder) insert(f *Field) {
	text := make([]byte, 0, len(f.Name)+len(f.Value))
	text = append(append(text, f.Name...), f.Value...)
	k := len(f.Name)
	e := entry{text[:k:k], text[k:], f.Named, f.Valued}
	if d.whole && e.size() > d.limit { // Section 4.4
		d.evict(0)
		return
	}
	d.entries, d.size = append(d.entries, e), d.size+e.size()
	switch {
	case d.whole:
		d.evict(d.limit)
	case d.sized && d.size > d.limit && d.allKnown():
		d.whole = true // what was there before has no room any more
		d.evict(d.limit)
	default:
		d.evict(maxSize)
	}
}

// allKnown tells whether the sizes of all entries are known.
func (d *Decoder) allKnown() bool {
	for i := range d.entries {
		if e := &d.entries[i]; !e.named || !e.valued {
			return false
		}
	}
	return true
}

// resize is a change of the table's maximum size.
func (d *Decoder) resize(n uint64) {
	d.sized = true
	if d.limit = int(min(n, maxSize)); n > maxSize {
		d.capped, d.whole, d.sized = true, false, false
	}
	if d.limit == 0 {
		d.whole = true
	}
	if d.whole {
		d.evict(d.limit)
	}
}

// evict drops the oldest entries until the size is at most n (Section 4.3).
func (d *Decoder) evict(n int) {
	k := 0
	for k < len(d.entries) && d.size > n {
		d.size -= d.entries[k].size()
		k++
	}
	if k > 0 {
		left := copy(d.entries, d.entries[k:])
		clear(d.entries[left:])
		d.entries = d.entries[:left]
	}
}

// A reader takes a block apart.
type reader struct {
	b        []byte
	cut, bad bool
}

func (r *reader) done() bool { return r.cut || r.bad }

// integer reads a number whose first octet shares its place with flags (Section 5.1).
func (r *reader) integer(prefix uint) uint64 {
	if len(r.b) == 0 {
		r.cut = true
		return 0
	}
	most := byte(1)<<prefix - 1
	n := uint64(r.b[0] & most)
	r.b = r.b[1:]
	if n < uint64(most) {
		return n
	}
	for shift := uint(0); ; shift += 7 {
		switch {
		case len(r.b) == 0:
			r.cut = true
			return 0
		case shift > 28: // no length or index of a message that can be is so large
			r.bad = true
			return 0
		}
		c := r.b[0]
		r.b = r.b[1:]
		n += uint64(c&0x7f) << shift
		if c&0x80 == 0 {
			return n
		}
	}
}

// text reads a string (Section 5.2); what is Huffman-coded comes to lie in buf.
func (r *reader) text(buf *bytes.Buffer) []byte {
	if r.done() || len(r.b) == 0 {
		r.cut = true
		return nil
	}
	coded := r.b[0]&0x80 != 0
	n := r.integer(7)
	if n > uint64(len(r.b)) {
		r.cut = true
	}
	if r.done() {
		return nil
	}
	s := r.b[:n]
	r.b = r.b[n:]
	if !coded {
		return s
	}
	buf.Reset()
	if _, err := hpack.HuffmanDecode(buf, s); err != nil {
		r.bad = true
		return nil
	}
	return buf.Bytes()
}
