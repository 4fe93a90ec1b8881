package live

import (
	"encoding/binary"
	"fmt"
	"slices"
	"testing"
)

// drain reads what is in the ring.
func drain(r *ring) []string {
	var got []string
	var f frame
	for r.take() {
		for r.next(&f) {
			got = append(got, string(f.data()))
		}
	}
	return got
}

func TestRingGoesRound(t *testing.T) {
	r := ringOf(
		block(1024, record{data: "one"}, record{data: "two"}),
		block(1024), // the kernel may finish a block with nothing in it
		block(1024, record{data: "three"}),
	)
	if got, want := fmt.Sprint(drain(r)), "[one two three]"; got != want {
		t.Fatalf("%s, want %s", got, want)
	}
	if r.held || r.at != 0 || r.pending() {
		t.Fatalf("held %v, at %d, pending %v; all blocks should be the kernel's again", r.held, r.at, r.pending())
	}
	// The kernel is writing into the first block, and has not finished it.
	copy(r.mem, block(1024, record{data: "four"}))
	binary.NativeEndian.PutUint32(r.mem[blockStatus:], 0)
	if r.take() || !r.pending() {
		t.Fatal("an unfinished block was taken, or not seen")
	}
	binary.NativeEndian.PutUint32(r.mem[blockStatus:], blockIsOurs)
	if got := fmt.Sprint(drain(r)); got != "[four]" || r.at != 1024 {
		t.Fatalf("%s, at %d; want [four], at 1024", got, r.at)
	}
	if r.malformed != 0 {
		t.Errorf("%d records malformed", r.malformed)
	}
}

func TestRingHoldsABlockUntilItIsRead(t *testing.T) {
	r := ringOf(block(1024, record{data: "one"}))
	var f frame
	if !r.take() || !r.next(&f) || r.next(&f) {
		t.Fatal("the block has one record")
	}
	if binary.NativeEndian.Uint32(r.mem[blockStatus:]) != blockIsOurs {
		t.Fatal("the block was given back while its packet is in use")
	}
	if r.take() || binary.NativeEndian.Uint32(r.mem[blockStatus:]) != 0 {
		t.Fatal("the block was not given back")
	}
}

func TestRingReadsRecords(t *testing.T) {
	r := ringOf(block(1024, record{
		time: 1_700_000_000_123_456_789, data: "data", wire: 1500, tci: 5, protocol: 0x86dd,
		index: 7, hardware: 772, direction: 4, addr: "\x02\x00\x00\x00\x00\x01",
	}))
	var f frame
	if !r.take() || !r.next(&f) {
		t.Fatal("no record")
	}
	if f.time != 1_700_000_000_123_456_789 || string(f.data()) != "data" || f.wire != 1500 {
		t.Errorf("time %d, data %q of %d", f.time, f.data(), f.wire)
	}
	if !f.tag || f.tci != 5 || f.tpid != 0x8100 {
		t.Errorf("tag %v %#x %#x, want 5 of 0x8100", f.tag, f.tci, f.tpid)
	}
	if f.protocol != 0x86dd || f.index != 7 || f.hardware != 772 || f.direction != 4 || f.addrLen != 6 || f.addr != [8]byte{2, 0, 0, 0, 0, 1} {
		t.Errorf("link %+v", f)
	}
}

// What the kernel would not write is left out, and counted; what is sound
// before it is read.
func TestRingMalformed(t *testing.T) {
	three := []record{{data: "one"}, {data: "two"}, {data: "three"}}
	second := blockHeader + 112 // where the second record begins
	num := binary.NativeEndian
	for _, c := range []struct {
		name  string
		spoil func(b []byte)
		want  string
	}{
		{"first record beyond the block", func(b []byte) { num.PutUint32(b[blockFirst:], 1<<31) }, "[]"},
		{"first record in the header", func(b []byte) { num.PutUint32(b[blockFirst:], 8) }, "[]"},
		{"first record cut by the block's end", func(b []byte) { num.PutUint32(b[blockFirst:], 1024-recordEnd+1) }, "[]"},
		{"next record beyond the block", func(b []byte) { num.PutUint32(b[blockHeader+recordNext:], 5000) }, "[one]"},
		{"next record inside this one", func(b []byte) { num.PutUint32(b[blockHeader+recordNext:], 16) }, "[one]"},
		{"no next record though one is counted", func(b []byte) { num.PutUint32(b[second+recordNext:], 0) }, "[one two]"},
		{"data in the record's header", func(b []byte) { num.PutUint16(b[second+recordMAC:], recordEnd-1) }, "[one]"},
		{"data beyond the block", func(b []byte) { num.PutUint16(b[second+recordMAC:], 60000) }, "[one]"},
		{"data longer than the block", func(b []byte) { num.PutUint32(b[second+recordSnap:], 1<<32-1) }, "[one]"},
		{"more records counted than there are", func(b []byte) { num.PutUint32(b[blockCount:], 1<<31) }, "[one two three]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := block(1024, three...)
			c.spoil(b)
			r := ringOf(b, block(1024, record{data: "after"}))
			got := drain(r)
			if i := slices.Index(got, "after"); i != len(got)-1 || fmt.Sprint(got[:i]) != c.want {
				t.Errorf("%s, want %s and then after", got, c.want)
			}
			if r.malformed != 1 {
				t.Errorf("%d records malformed, want 1", r.malformed)
			}
		})
	}
}

// Any memory is read without a fault, and what is handed out lies in the block.
func FuzzRing(f *testing.F) {
	f.Add(block(1024, record{data: "one"}, record{data: "two", tci: 1, protocol: 0x0800}), true)
	f.Add(block(256, record{data: "one", room: 1, tci: 1}), false)
	f.Add(block(512), true)
	f.Fuzz(func(t *testing.T, b []byte, cooked bool) {
		if len(b) < 64 {
			return
		}
		b = b[:len(b)&^63]
		counted := binary.NativeEndian.Uint32(b[blockCount:])
		r := ringOf(b)
		s := shaper{link: 1}
		if cooked {
			s = shaper{link: 276, copies: newCopies()}
		}
		var fr frame
		n, bytes := uint32(0), 0
		if r.take() {
			for r.next(&fr) {
				n++
				bytes += len(fr.data())
				s.shape(&fr)
				if len(fr.data()) > fr.wire {
					t.Fatalf("%d bytes of %d on the wire", len(fr.data()), fr.wire)
				}
			}
			r.release()
		}
		if n > counted || bytes > len(b) || r.malformed > 1 {
			t.Fatalf("%d records of %d, %d bytes of %d, %d malformed", n, counted, bytes, len(b), r.malformed)
		}
	})
}

func TestNoAllocations(t *testing.T) {
	b := block(1024, record{data: ethernet + "one", hardware: 1}, record{data: packet4(packet{}), protocol: 0x0800, tci: 9})
	r := ringOf(b)
	var f frame
	for _, s := range []shaper{{link: 1}, {link: 276, copies: newCopies()}} {
		if n := testing.AllocsPerRun(100, func() {
			copy(r.mem, b)
			for r.take() {
				for r.next(&f) {
					s.shape(&f)
				}
			}
		}); n != 0 {
			t.Errorf("link type %d: %v allocations for two packets, want none", s.link, n)
		}
	}
}
