package live

import (
	"bytes"
	"errors"
	"io"
	"os"
	"path/filepath"
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
	if n, err := none.Write(io.Discard, 0, 1<<62, nil, nil); n != 0 || err != nil {
		t.Errorf("the zero value wrote %d packets, %v", n, err)
	}
}

func TestRecentWrite(t *testing.T) {
	r := NewRecent(1 << 20)
	for i := range 100 {
		r.Add(numbered(i + 1))
	}
	path := filepath.Join(t.TempDir(), "evidence.pcapng")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	even := func(p *capture.Packet) bool { return p.Num.Frame()%2 == 0 }
	comment := func(n capture.Num) string {
		if n.Frame() == 42 {
			return "417-no-retry"
		}
		return ""
	}
	n, err := r.Write(f, numbered(40).Time, numbered(44).Time, even, comment)
	if n != 3 || err != nil {
		t.Fatalf("%d packets, %v; want 3", n, err)
	}
	got, in := readAll(t, path)
	if in[0].Err != nil || len(got) != 3 {
		t.Fatalf("%d packets in the file, %v", len(got), in[0].Err)
	}
	for i, p := range got {
		if want := numbered(40 + 2*i); string(p.Data) != string(want.Data) || p.Time != want.Time || p.Link != want.Link {
			t.Errorf("packet %d: %q at %d", i, p.Data, p.Time)
		}
	}
	raw, err := os.ReadFile(path)
	if err != nil || bytes.Count(raw, []byte("417-no-retry")) != 1 {
		t.Errorf("the comment is not there once (%v)", err)
	}
	if n, err := r.Write(io.Discard, 0, 1<<62, nil, nil); n != 100 || err != nil {
		t.Errorf("%d packets without a choice, %v; want all", n, err)
	}
}

// full is a disk without space.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestRecentWriteFails(t *testing.T) {
	r := NewRecent(4 << 20)
	for i := range 10_000 {
		r.Add(numbered(i + 1))
	}
	if n, err := r.Write(full{}, 0, 1<<62, nil, nil); !errors.Is(err, errFull) || n >= 10_000 {
		t.Errorf("%d packets written, %v; want %v", n, err, errFull)
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
