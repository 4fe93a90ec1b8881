package reassembly

import (
	"encoding/binary"
	"testing"

	"expectscope/capture"
	"expectscope/capture/decode"
)

// An auditor checks what every layer may rely on: each direction is a run of
// chunks and gaps without holes or overlaps, and ends once, where it got to.
type auditor struct {
	t     *testing.T
	began [2]bool
	next  [2]uint64
	ended [2]bool
	calls int
}

func (x *auditor) run(d Dir, to, n uint64) {
	x.calls++
	if x.ended[d] {
		x.t.Errorf("dir %d: %d bytes to %d after the end", d, n, to)
	}
	if n == 0 || x.began[d] && to-n != x.next[d] {
		x.t.Errorf("dir %d: %d bytes to %d, expected from %d", d, n, to, x.next[d])
	}
	x.began[d], x.next[d] = true, to
}

func (x *auditor) Data(c *Chunk) { x.run(c.Dir, c.Mark.Off, uint64(len(c.Data))) }
func (x *auditor) Gap(g *Gap)    { x.run(g.Dir, g.At.Off, g.Len) }

func (x *auditor) Resent(r *Resent) {
	if r.Len == 0 && r.Conflict {
		return // an end that the traffic contradicts, be it told already
	}
	if x.ended[r.Dir] || r.Len == 0 {
		x.t.Errorf("resent %+v, ended %v", *r, x.ended)
	}
}

func (x *auditor) End(e *End) {
	if x.ended[e.Dir] || x.began[e.Dir] && e.At.Off != x.next[e.Dir] {
		x.t.Errorf("end %+v, ended %v at %d", *e, x.ended, x.next)
	}
	x.ended[e.Dir] = true
}

// Dead makes some layers lose interest.
func (x *auditor) Dead() bool { return x.calls > 200 }

// opSize is how many octets of fuzz input make a segment.
const opSize = 6

// segmentOf makes a segment of six octets: flags with direction and connection,
// distances of sequence and acknowledgement number, length, and time passed.
func segmentOf(op []byte, next *[2]uint32) (s decode.Segment) {
	s.Src, s.Dst = modelClient, modelServer
	s.Flags = op[0] & (decode.FIN | decode.SYN | decode.RST | decode.ACK)
	d := op[0] >> 5 & 1
	if d == 1 {
		s.Src, s.Dst = s.Dst, s.Src
	}
	s.Tap = uint16(op[0] >> 7)
	n := int(op[4])
	if op[5]&1 != 0 {
		n *= 40
	}
	s.Seq = next[d] + uint32(int32(int8(op[1])))*uint32(1+n/4)
	s.Ack = next[d^1] + uint32(int32(int8(op[2])))
	if op[3] == 255 {
		s.Seq += 1 << 31
	}
	s.Len = n
	s.Payload = make([]byte, n-n*int(op[3]&3)/4)
	for i := range s.Payload {
		s.Payload[i] = op[3]
	}
	if op[1] == 0 {
		next[d] += uint32(n)
	}
	return s
}

func FuzzAssembler(f *testing.F) {
	const syn, ack, back = decode.SYN, decode.ACK, 1 << 5
	hello := []byte{syn, 0, 0, 0, 0, 0, syn | ack | back, 0, 1, 0, 0, 0}
	f.Add(append(hello, ack, 1, 1, 0, 10, 0, ack|back, 1, 10, 0, 20, 0))
	f.Add(append(hello, ack, 5, 1, 0, 10, 0, ack, 9, 1, 1, 10, 1, ack, 1, 1, 0, 10, 0))
	f.Add(append(hello, ack, 1, 50, 3, 200, 1, ack|back, 1, 0, 0, 20, 64, ack|decode.RST, 20, 0, 0, 0, 0))
	f.Add([]byte{ack, 0, 0, 7, 9, 0, ack | back, 250, 30, 0, 9, 0, ack, 0, 90, 255, 9, 128, ack | decode.FIN, 3, 0, 0, 0, 255})
	f.Fuzz(func(t *testing.T, input []byte) {
		limits := Options{Conns: 2, HalfOpen: 1, Bytes: 20_000, Pieces: 16, DirBytes: 8_000, DirPieces: 9}
		var layers []*auditor
		a := New(limits, func(*Conn) Layer {
			x := &auditor{t: t}
			layers = append(layers, x)
			return x
		})
		now := second
		var next [2]uint32
		if len(input) > 4 {
			next[0] = binary.LittleEndian.Uint32(input)
		}
		for i := 0; i+opSize <= len(input); i += opSize {
			s := segmentOf(input[i:], &next)
			s.Packet = capture.Num(i + 1)
			if step := int64(input[i+5] >> 6); step > 0 {
				now += step * step * 10 * second
				a.Tick(now)
			}
			s.Time = now
			a.Segment(&s)
			if st := a.Stats(); st.LateBytes > limits.Bytes+len(s.Payload) || st.LatePieces > limits.Pieces+6 || st.Open > limits.Conns {
				t.Errorf("over the limits: %+v", st)
			}
		}
		a.Close()
		for i, x := range layers {
			if x.ended != [2]bool{true, true} && !x.Dead() {
				t.Errorf("layer %d has no end: %v", i, x.ended)
			}
		}
		if st := a.Stats(); st.Open != 0 || st.LateBytes != 0 || st.LatePieces != 0 || a.pages.open != 0 || a.waiting.head != nil {
			t.Errorf("not empty after Close: %+v", st)
		}
	})
}
