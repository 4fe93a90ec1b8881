package reassembly

import (
	"testing"

	"expectscope/capture"
	"expectscope/capture/decode"
)

// Traffic made to be expensive: single octets with a hole before each, forwards,
// backwards and on many connections. What is held stays within the limits, and
// so does the work: this takes a second where each octet costs one of the
// longest lists.
func TestScatteredOctets(t *testing.T) {
	const n = 30_000
	for _, tc := range []struct {
		name string
		at   func(i uint32) (port uint16, off uint32)
	}{
		{"forwards", func(i uint32) (uint16, uint32) { return 1, 1 + 2*i }},
		{"backwards", func(i uint32) (uint16, uint32) { return 1, 2 * (n - i) }},
		{"backwards on many connections", func(i uint32) (uint16, uint32) { return uint16(i % 1000), 2 * (n - i) }},
		{"jumping", func(i uint32) (uint16, uint32) { return 1, 1 + 2*(i*7919%n) }},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var layers []*tally
			a := New(Options{}, func(*Conn) Layer {
				layers = append(layers, &tally{})
				return layers[len(layers)-1]
			})
			s := decode.Segment{Src: modelClient, Dst: modelServer, Time: second, Payload: []byte("x"), Len: 1}
			for p := range uint16(1000) {
				s.Src.Port, s.Seq, s.Flags, s.Len = p, 99, decode.SYN, 0
				a.Segment(&s)
				s.Seq, s.Flags = 100, decode.ACK
				a.Segment(&s)
			}
			s.Len = 1
			for i := range uint32(n) {
				port, off := tc.at(i)
				s.Packet = capture.Num(i + 1)
				s.Src.Port, s.Seq = port, 100+off
				a.Segment(&s)
				if st := a.Stats(); st.LatePieces > 8192 {
					t.Fatalf("holds %+v", st)
				}
			}
			a.Close()
			for _, l := range layers {
				if l.wrong || l.data[0]+l.gaps[0] != l.end[0] {
					t.Fatalf("got %+v", l)
				}
			}
		})
	}
}
