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
