package reassembly

import (
	"encoding/binary"
	"runtime"
	"testing"
	"unsafe"

	"expectscope/capture"
	"expectscope/capture/decode"
)

// A tally is a layer that only counts.
type tally struct {
	data, gaps [2]uint64
	chunks     int
	end        [2]uint64
	wrong      bool
}

func (t *tally) Data(c *Chunk) {
	t.chunks++
	t.data[c.Dir] += uint64(len(c.Data))
	t.wrong = t.wrong || c.Mark.Off != t.data[c.Dir]+t.gaps[c.Dir]
}
func (t *tally) Gap(g *Gap)     { t.gaps[g.Dir] += g.Len }
func (t *tally) Resent(*Resent) {}
func (t *tally) End(e *End)     { t.end[e.Dir] = e.At.Off }

// upload opens a connection with a tally and returns the segment that carries
// it on; step moves it behind its payload.
func upload(a *Assembler, payload []byte) (s *decode.Segment, step func()) {
	s = &decode.Segment{Packet: 1, Time: second, Src: modelClient, Dst: modelServer, Seq: 4_000_000_000, Flags: decode.SYN}
	a.Segment(s)
	r := &decode.Segment{Packet: 2, Time: second, Src: modelServer, Dst: modelClient, Seq: 77, Ack: s.Seq + 1, Flags: decode.SYN | decode.ACK}
	a.Segment(r)
	s.Seq, s.Ack, s.Flags = s.Seq+1, 78, decode.ACK
	s.Payload, s.Len = payload, len(payload)
	return s, func() {
		s.Packet++
		s.Time += 1000
		s.Seq += uint32(len(payload))
	}
}

func TestInOrderAllocatesNothing(t *testing.T) {
	a := New(Options{}, func(*Conn) Layer { return &tally{} })
	s, step := upload(a, make([]byte, 1460))
	a.Segment(s)
	if n := testing.AllocsPerRun(1000, func() { step(); a.Segment(s) }); n != 0 {
		t.Errorf("%v allocations for a segment in order", n)
	}
	s.Payload, s.Len = nil, 0
	if n := testing.AllocsPerRun(1000, func() { a.Segment(s) }); n != 0 {
		t.Errorf("%v allocations for an acknowledgement", n)
	}
}

// A 5 GiB upload in 64 KiB segments crosses the end of the sequence space twice.
func TestLongConnection(t *testing.T) {
	count := &tally{}
	a := New(Options{}, func(*Conn) Layer { return count })
	payload := make([]byte, 1<<16-40)
	s, step := upload(a, payload)
	want := uint64(0)
	late := *s
	for i := 0; want < 5<<30; i++ {
		switch {
		case i%1000 == 1: // captured after the next one
			late = *s
		case i%1000 == 2:
			a.Segment(s)
			a.Segment(&late)
		default:
			a.Segment(s)
		}
		want += uint64(len(payload))
		step()
	}
	a.Close()
	if count.wrong || count.data[0] != want || count.end[0] != want || count.gaps[0] != 0 {
		t.Errorf("got %+v, want %d bytes", count, want)
	}
	if s := a.Stats(); s.Strays != 0 || s.Gaps != [3]uint64{} {
		t.Errorf("stats %+v", s)
	}
}

func TestSizes(t *testing.T) {
	if n := unsafe.Sizeof(halfOpen{}); n > 72 {
		t.Errorf("a SYN without an answer takes %d bytes", n)
	}
	if n := unsafe.Sizeof(conn{}); n > 296 {
		t.Errorf("a connection takes %d bytes", n)
	}
}

// scan sends n SYNs from as many endpoints.
func scan(a *Assembler, n int) {
	s := decode.Segment{Dst: modelServer, Flags: decode.SYN, MSS: 1460}
	for i := range n {
		s.Packet = capture.Num(i + 1)
		s.Time = second + int64(i)
		s.Seq = uint32(i) * 2654435761
		binary.BigEndian.PutUint32(s.Src.Addr[12:], uint32(i/60000))
		s.Src.Port = uint16(i % 60000)
		a.Segment(&s)
	}
}

func heap() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

func TestLoneSYNs(t *testing.T) {
	const n = 200_000
	a := New(Options{}, func(*Conn) Layer { t.Error("a SYN opened a layer"); return nil })
	before := heap()
	scan(a, n)
	each := float64(heap()-before) / n
	t.Logf("%.0f bytes for a SYN without an answer", each)
	if each > 90 {
		t.Errorf("%.0f bytes for each SYN", each)
	}
	if s := a.Stats(); s.LoneSYNs != n || s.Conns != 0 || s.Open != 0 {
		t.Errorf("stats %+v", s)
	}
	a.Tick(second + n + idle)
	if e := a.halfOpen.oldest(); e != nil || a.halfOpen.n != 0 {
		t.Errorf("%d SYNs left after %d s", a.halfOpen.n, idle/second)
	}
}

func TestLoneSYNLimit(t *testing.T) {
	a := New(Options{HalfOpen: 1000}, nil)
	scan(a, 5000)
	if s := a.Stats(); s.EvictedSYNs != 4000 || a.halfOpen.n != 1000 || a.halfOpen.used > 1000 {
		t.Errorf("stats %+v, %d in the table of %d", s, a.halfOpen.n, a.halfOpen.used)
	}
}

func BenchmarkInOrder(b *testing.B) {
	a := New(Options{}, func(*Conn) Layer { return &tally{} })
	s, step := upload(a, make([]byte, 1460))
	b.ReportAllocs()
	for b.Loop() {
		a.Segment(s)
		step()
	}
}

// BenchmarkManyConns spreads segments over 3,000 connections, so that each one
// has to be looked up.
func BenchmarkManyConns(b *testing.B) {
	a := New(Options{}, func(*Conn) Layer { return &tally{} })
	payload := make([]byte, 200)
	segs := make([]decode.Segment, 3000)
	for i := range segs {
		segs[i] = decode.Segment{Time: second, Src: modelClient, Dst: modelServer, Flags: decode.ACK, Payload: payload, Len: len(payload)}
		segs[i].Src.Port = uint16(i + 1)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		s := &segs[i%len(segs)]
		a.Segment(s)
		s.Seq += uint32(len(payload))
	}
}

// BenchmarkLate swaps every second pair of segments.
func BenchmarkLate(b *testing.B) {
	a := New(Options{}, func(*Conn) Layer { return &tally{} })
	s, step := upload(a, make([]byte, 1460))
	b.ReportAllocs()
	for b.Loop() {
		first := *s
		step()
		a.Segment(s)
		a.Segment(&first)
		step()
	}
}

func BenchmarkLoneSYN(b *testing.B) {
	a := New(Options{}, nil)
	b.ReportAllocs()
	for b.Loop() {
		scan(a, 1000)
		a.Close()
	}
}
