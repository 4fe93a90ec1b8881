package engine

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"testing"

	"expectscope/analysis"
	"expectscope/analysis/http1"
	"expectscope/analysis/sniff"
	"expectscope/capture"
	"expectscope/capture/decode"
	"expectscope/capture/pcapfile"
	"expectscope/capture/script"
	"expectscope/reassembly"
)

// deaf is a layer, and hears of events, and does nothing: what calls it is measured alone.
type deaf struct{}

func (deaf) Data(*reassembly.Chunk) {}

func (deaf) Gap(*reassembly.Gap) {}

func (deaf) End(*reassembly.End) {}

func (deaf) Resent(*reassembly.Resent) {}

func (deaf) Request(uint32, *analysis.Head) {}

func (deaf) Interim(uint32, *analysis.Head) {}

func (deaf) Response(uint32, *analysis.Head) {}

func (deaf) Orphan(uint32, *analysis.Head) {}

func (deaf) Body(uint32, reassembly.Dir, []byte, uint64, reassembly.Mark, uint64, bool) {}

func (deaf) Lost(uint32, reassembly.Dir, uint64, *reassembly.Gap) {}

func (deaf) Owed(uint32, uint32, analysis.Owed) {}

func (deaf) Done(uint32, reassembly.Dir, analysis.Ended, reassembly.Mark) {}

func (deaf) Frame(uint32, reassembly.Dir, uint64, uint64)                     {}
func (deaf) Reset(uint32, analysis.StreamReset)                               {}
func (deaf) Doubt(uint32, analysis.DoubtKind, analysis.Part, reassembly.Mark) {}

func (deaf) Exchange(*analysis.Exchange) {}

func (deaf) Finding(*analysis.Finding) {}

// stages are the pipeline cut off after each of its rooms: what one takes is the difference to the one before.
var stages = []struct {
	name string
	run  func(src capture.Source) error
}{
	{"read", func(src capture.Source) error {
		var p capture.Packet
		return each(src, &p, func() {})
	}},
	{"decode", func(src capture.Source) error {
		var p capture.Packet
		var s decode.Segment
		d := decode.New(decode.DefaultLimits())
		return each(src, &p, func() { d.Decode(&p, &s) })
	}},
	{"reassemble", func(src capture.Source) error {
		return assemble(src, func(*reassembly.Conn) reassembly.Layer { return deaf{} })
	}},
	{"http1", func(src capture.Source) error {
		heads := new(http1.Heads)
		return assemble(src, func(*reassembly.Conn) reassembly.Layer {
			return sniff.New(sniff.Options{
				Opaque: func(string) {},
				HTTP1: func(client reassembly.Dir) reassembly.Layer {
					return http1.New(deaf{}, http1.Options{Client: client, Heads: heads})
				},
			})
		})
	}},
	{"whole", func(src capture.Source) error {
		e := New(Options{}, deaf{})
		err := e.Read(src, func() bool { return true })
		e.Close(src)
		return err
	}},
}

func each(src capture.Source, p *capture.Packet, do func()) error {
	for {
		switch err := src.Next(p); {
		case err == nil:
			do()
		case errors.Is(err, io.EOF):
			return nil
		default:
			return err
		}
	}
}

func assemble(src capture.Source, open func(*reassembly.Conn) reassembly.Layer) error {
	var p capture.Packet
	var s decode.Segment
	d, a := decode.New(decode.DefaultLimits()), reassembly.New(reassembly.Options{}, open)
	defer a.Close()
	return each(src, &p, func() {
		if d.Decode(&p, &s) {
			a.Segment(&s)
		}
	})
}

// traffic is a capture of one block of generated traffic.
func traffic(tb testing.TB, profile script.Profile) []byte {
	tb.Helper()
	s, err := script.Parse(script.Traffic(profile, 1))
	if err != nil {
		tb.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.WritePcap(&b); err != nil {
		tb.Fatal(err)
	}
	return b.Bytes()
}

func open(tb testing.TB, b []byte) capture.Source {
	tb.Helper()
	src, err := pcapfile.Open([]string{"-"}, pcapfile.Options{Stdin: bytes.NewReader(b)})
	if err != nil {
		tb.Fatal(err)
	}
	return src
}

// BenchmarkStages is the pipeline up to each room; .ci/bench.txt holds what it took: make bench.
func BenchmarkStages(b *testing.B) {
	for _, profile := range script.Profiles {
		file := traffic(b, profile)
		for _, s := range stages {
			b.Run(string(profile)+"/"+s.name, func(b *testing.B) {
				b.SetBytes(int64(len(file)))
				b.ReportAllocs()
				for b.Loop() {
					if err := s.run(open(b, file)); err != nil {
						b.Fatal(err)
					}
				}
			})
		}
	}
}

// What the whole pipeline allocates, a packet, where connections come and go and findings are made: see .ci/bench.txt.
func TestAllocationsPerPacket(t *testing.T) {
	for profile, budget := range map[script.Profile]float64{script.Mix: 0.42, script.Small: 0.2, script.Upload: 0.7} {
		src := open(t, traffic(t, profile))
		e := New(Options{}, deaf{})
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := e.Read(src, func() bool { return true }); err != nil {
			t.Fatal(err)
		}
		e.Close(src)
		runtime.ReadMemStats(&after)
		if got := float64(after.Mallocs-before.Mallocs) / float64(src.Stats().Inputs[0].Packets); got > budget {
			t.Errorf("%s: %.2f allocations a packet, %.2f are allowed", profile, got, budget)
		} else {
			t.Logf("%s: %.2f allocations a packet", profile, got)
		}
	}
}
