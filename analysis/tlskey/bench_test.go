package tlskey_test

import (
	"crypto/tls"
	"strings"
	"testing"

	"expectscope/analysis/tlskey"
	"expectscope/reassembly"
)

// nobody is a layer that listens to nothing.
type nobody struct{ octets int }

func (n *nobody) Data(c *reassembly.Chunk) { n.octets += len(c.Data) }
func (*nobody) Gap(*reassembly.Gap)        {}
func (*nobody) Resent(*reassembly.Resent)  {}
func (*nobody) End(*reassembly.End)        {}
func chunkOf(p piece) *reassembly.Chunk    { return &reassembly.Chunk{Dir: p.dir, Data: p.data} }
func upload(t testing.TB, n int) []line    { return []line{{0, strings.Repeat("x", n)}, {1, "done"}} }

func streamOf(tk *talk) (*tlskey.Stream, *nobody) {
	k, n := tlskey.NewKeys(), &nobody{}
	k.Add(tk.keys)
	return tlskey.New(tlskey.Options{
		Keys:  k,
		Inner: func(*tlskey.Hello) reassembly.Layer { return n }, Opaque: func(*tlskey.Hello) {},
	}), n
}

// BenchmarkStream is an upload of 4 MB in segments.
func BenchmarkStream(b *testing.B) {
	const size = 4 << 20
	for _, s := range goSuites {
		b.Run(nameOf(s.version, s.suite), func(b *testing.B) {
			tk := goTalk(b, s.version, s.suite, upload(b, size)...)
			wire := join(tk.wire, 1460)
			b.SetBytes(size)
			b.ReportAllocs()
			for b.Loop() {
				st, n := streamOf(tk)
				for _, p := range wire {
					st.Data(chunkOf(p))
				}
				if n.octets != size+4 {
					b.Fatal(n.octets)
				}
			}
		})
	}
}

// A record costs no allocation: buffers come from those of records before it.
func TestAllocations(t *testing.T) {
	for _, s := range []struct{ version, suite uint16 }{{tls.VersionTLS13, 0}, {tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256}} {
		tk := goTalk(t, s.version, s.suite, upload(t, 1<<20)...)
		wire := join(tk.wire, 1460)
		half := len(wire) / 2
		st, _ := streamOf(tk)
		for _, p := range wire[:half] {
			st.Data(chunkOf(p))
		}
		at, c := half, &reassembly.Chunk{}
		if n := testing.AllocsPerRun(len(wire)/4, func() {
			c.Dir, c.Data = wire[at].dir, wire[at].data
			st.Data(c)
			at++
		}); n > 0.05 {
			t.Errorf("%s: %v allocations a segment", nameOf(s.version, s.suite), n)
		}
	}
}
