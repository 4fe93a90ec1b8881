package live

import (
	"bytes"
	"reflect"
	"testing"
	"unsafe"

	"pgregory.net/rapid"

	"expectscope/capture"
)

// A Recent holds the last of what was added: a list with the same bounds on
// packets agrees with it, but for at most what one gap at the end of its memory
// costs.
func TestRecentHoldsTheLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := NewRecent(rapid.SampledFrom([]int{0, 1, 300, 2000, 10_000}).Draw(t, "bytes"))
		var added []capture.Packet
		for i := range rapid.IntRange(0, 200).Draw(t, "packets") {
			data := bytes.Repeat([]byte{byte(i)}, rapid.IntRange(0, 700).Draw(t, "size"))
			p := capture.Packet{Num: capture.MakeNum(1, uint64(i+1)), Time: int64(i), Link: 1, Len: len(data) + i%2, Data: data}
			r.Add(&p)
			if max(1, len(data)) <= len(r.data) {
				added = append(added, p)
			}
		}
		if r.n > len(added) || r.n > len(r.slots) || len(added) > 0 && r.n == 0 {
			t.Fatalf("%d packets remembered of %d, in %d slots", r.n, len(added), len(r.slots))
		}
		size := 0
		for i, want := range added[len(added)-r.n:] {
			s := r.slot(i)
			if s.num != want.Num || s.wire != want.Len || !bytes.Equal(r.data[s.off:s.off+s.size], want.Data) {
				t.Fatalf("packet %d remembered as %+v", want.Num, *s)
			}
			size += s.size
		}
		if size > len(r.data) {
			t.Fatalf("%d bytes of %d", size, len(r.data))
		}
		if kept := len(added) - r.n; kept > 0 && r.n < len(r.slots) && size < len(r.data)-2*700 {
			t.Fatalf("only %d bytes of %d are used, and %d packets forgotten", size, len(r.data), kept)
		}
	})
}

func TestRecentBounds(t *testing.T) {
	const size = 1 << 20
	r := NewRecent(size)
	if used := len(r.data) + len(r.slots)*int(unsafe.Sizeof(remembered{})); used > size {
		t.Errorf("%d bytes used, %d allowed", used, size)
	}
	p := numbered(1)
	if n := testing.AllocsPerRun(1000, func() { r.Add(p) }); n != 0 {
		t.Errorf("%v allocations a packet, want none", n)
	}
	var none Recent
	none.Add(p)
	for p := range none.All(0, 1<<62, nil) {
		t.Errorf("the zero value remembers %v", p)
	}
}

func TestRecentAll(t *testing.T) {
	r := NewRecent(1 << 20)
	for i := range 100 {
		r.Add(numbered(i + 1))
	}
	even := func(p *capture.Packet) bool { return p.Num.Frame()%2 == 0 }
	n := 40
	for p := range r.All(numbered(40).Time, numbered(44).Time, even) {
		if want := numbered(n); !reflect.DeepEqual(p, want) {
			t.Errorf("packet %+v, want %+v", p, want)
		}
		n += 2
	}
	if n != 46 {
		t.Errorf("the packets before %d were given, want those before 46", n)
	}
	n = 0
	for range r.All(0, 1<<62, nil) {
		if n++; n == 99 {
			break
		}
	}
	if n != 99 {
		t.Errorf("%d packets without a choice, want 99 and an end", n)
	}
}

func BenchmarkRecentAdd(b *testing.B) {
	r := NewRecent(32 << 20)
	p := numbered(1)
	p.Data = make([]byte, 1500)
	b.ReportAllocs()
	for b.Loop() {
		r.Add(p)
	}
	if r.Packets() == 0 {
		b.Fatal("nothing remembered")
	}
}
