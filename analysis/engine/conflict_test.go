package engine

import (
	"bytes"
	"io"
	"slices"
	"testing"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/capture/script"
)

// A tampered source repeats the first packet that holds some bytes, behind a number of packets more, with others in their place.
type tampered struct {
	packets []capture.Packet
	next    int
}

func tamper(t *testing.T, text, old, other string, behind int) *tampered {
	t.Helper()
	packets := parsed(t, text).Packets(script.Options{})
	i := slices.IndexFunc(packets, func(p capture.Packet) bool { return bytes.Contains(p.Data, []byte(old)) })
	if i < 0 || len(old) != len(other) {
		t.Fatalf("cannot make %q of %q", other, old)
	}
	p := packets[i]
	p.Data = bytes.Replace(p.Data, []byte(old), []byte(other), 1)
	p.Time = packets[i+behind].Time + 1
	packets = slices.Insert(packets, i+behind+1, p)
	for n := range packets {
		packets[n].Num = capture.Num(n + 1)
	}
	return &tampered{packets: packets}
}

func (s *tampered) Next(p *capture.Packet) error {
	if s.next == len(s.packets) {
		return io.EOF
	}
	*p = s.packets[s.next]
	s.next++
	return nil
}

func (s *tampered) Stats() *capture.Stats { return &capture.Stats{} }
func (s *tampered) Close() error          { return nil }

// A head of which two copies were captured that are not the same is in doubt, whichever came first; the same copy twice is not.
func TestConflictingHeads(t *testing.T) {
	const text = `@conn 10.0.0.1:40000 10.0.0.2:80
> PUT /up HTTP/1.1 | Host: a | Content-Length: 5 | Expect: 100-continue   [split 40]
+20ms < HTTP/1.1 417 Expectation Failed | Content-Length: 0
+60s @end
`
	for _, tc := range []struct {
		name, old, other string
		behind           int
		part             analysis.Part
	}{
		{"request, complete", "PUT /up", "GET /up", 1, analysis.PartRequest},
		{"request, its first part alone", "PUT /up", "GET /up", 0, analysis.PartRequest},
		{"request, the same", "PUT /up", "PUT /up", 1, 0},
		{"request, the same, its first part alone", "PUT /up", "PUT /up", 0, 0},
		{"response", "417 Exp", "200 Exp", 0, analysis.PartFinal},
		{"response, the same", "417 Exp", "417 Exp", 0, 0},
	} {
		l, _ := analyze(t, tamper(t, text, tc.old, tc.other, tc.behind), Options{Crash: true})
		x := l.find(t, "/1")
		doubted := slices.ContainsFunc(x.Doubts, func(d analysis.Doubt) bool {
			return d.Kind == analysis.DoubtConflict && d.Part&tc.part != 0
		})
		conflicts := slices.ContainsFunc(x.Doubts, func(d analysis.Doubt) bool { return d.Kind == analysis.DoubtConflict })
		if doubted != (tc.part != 0) || conflicts != doubted {
			t.Errorf("%s: doubts %+v", tc.name, x.Doubts)
		}
		if accused := l.accuses(); (len(accused) > 0) == (tc.part != 0) {
			t.Errorf("%s: certain are %v", tc.name, accused)
		}
	}
}

// What is taken for somebody else's is counted in the summary: a SYN on an open connection, and an RST that came another way and is
// followed by what it should have ended.
func TestIntrusionsAreCounted(t *testing.T) {
	const text = `@conn 10.0.0.1:40000 10.0.0.2:80
> PUT /up HTTP/1.1 | Host: a | Content-Length: 5
> "12345"
< HTTP/1.1 201 Created | Content-Length: 0
`
	const ttl, sequence, flags, syn, rst = 14 + 8, 14 + 20 + 4, 14 + 20 + 13, 2, 4
	insert := func(like int, change func(b []byte)) func(*tampered) {
		return func(s *tampered) {
			i := slices.IndexFunc(s.packets, func(p capture.Packet) bool { return bytes.Contains(p.Data, []byte("12345")) })
			p := s.packets[like]
			p.Time, p.Data = s.packets[i].Time, bytes.Clone(p.Data)
			change(p.Data)
			s.packets = slices.Insert(s.packets, i, p)
			for n := range s.packets {
				s.packets[n].Num = capture.Num(n + 1)
			}
		}
	}
	const handshake = 3 // packets
	for _, tc := range []struct {
		name           string
		put            func(*tampered)
		strays, resets uint64
	}{
		{"nothing", func(*tampered) {}, 0, 0},
		{"SYN", insert(0, func(b []byte) { b[sequence] ^= 1; b[flags] = syn }), 1, 0},
		{"RST", insert(handshake-1, func(b []byte) { b[ttl]--; b[flags] = rst }), 0, 1},
	} {
		src := &tampered{packets: parsed(t, text).Packets(script.Options{})}
		tc.put(src)
		_, sum := analyze(t, src, Options{Crash: true})
		if c := sum.Capture; c.Strays != tc.strays || c.IgnoredResets != tc.resets || sum.Exchanges != 1 {
			t.Errorf("%s put in: %d stray segments, %d ignored RSTs, %d exchanges", tc.name, c.Strays, c.IgnoredResets, sum.Exchanges)
		}
	}
}
