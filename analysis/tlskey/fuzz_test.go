package tlskey

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"expectscope/reassembly"
)

// sink is a layer that counts.
type sink struct {
	octets [2]uint64
	ends   [2]int
	t      testing.TB
}

func (s *sink) Data(c *reassembly.Chunk) {
	if len(c.Data) == 0 || !c.Sealed {
		s.t.Fatalf("a chunk of %d octets, sealed %v", len(c.Data), c.Sealed)
	}
	s.octets[c.Dir] += uint64(len(c.Data))
}

func (s *sink) Gap(g *reassembly.Gap) {
	if g.Len == 0 {
		s.t.Fatal("an empty gap")
	}
	s.octets[g.Dir] += g.Len
}
func (s *sink) Resent(*reassembly.Resent) {}
func (s *sink) End(e *reassembly.End)     { s.ends[e.Dir]++ }

// sessionOf is a ClientHello, a ServerHello and the log of a session in which all secrets are the same.
func sessionOf(version, suite uint16) (client, server []byte, log string) {
	random := bytes.Repeat([]byte{7}, sizeOfRandom)
	message := func(kind byte, body []byte) []byte {
		m := append([]byte{kind, 0, byte(len(body) >> 8), byte(len(body))}, body...)
		return append([]byte{handshake, 3, 3, byte(len(m) >> 8), byte(len(m))}, m...)
	}
	body := append(append([]byte{3, 3}, random...), 0, 0, 2, byte(suite>>8), byte(suite), 1, 0, 0, 0)
	client = message(clientHello, body)
	body = append(append([]byte{3, 3}, random...), 0, byte(suite>>8), byte(suite), 0)
	if version == versionTLS13 {
		body = append(body, 0, 6, 0, extVersions, 0, 2, 3, 4)
	} else {
		body = append(body, 0, 0)
	}
	server = message(serverHello, body)
	hexRandom, size := strings.Repeat("07", sizeOfRandom), 32
	if suites[suite].hash().Size() == 48 {
		size = 48
	}
	for l, name := range labelNames {
		n := size
		if label(l) == master {
			n = 48
		}
		log += name + " " + hexRandom + " " + strings.Repeat("05", n) + "\n"
	}
	return client, server, log
}

// FuzzTLSRecord plays two directions: each piece is a byte of flags, its length in two octets, and what was sent, or is missing.
func FuzzTLSRecord(f *testing.F) {
	pieces := func(ps ...any) (b []byte) {
		for i := 0; i < len(ps); i += 2 {
			data := ps[i+1].([]byte)
			b = append(binary.BigEndian.AppendUint16(append(b, byte(ps[i].(int))), uint16(len(data))), data...)
		}
		return b
	}
	record := func(n int) []byte {
		return append([]byte{applicationData, 3, 3, byte(n >> 8), byte(n)}, bytes.Repeat([]byte{0x17, 3, 3, 0}, n/4+1)[:n]...)
	}
	for _, s := range []struct{ version, suite uint16 }{{versionTLS13, 0x1301}, {versionTLS13, 0x1302}, {versionTLS13, 0x1303}, {versionTLS12, 0xc02f}, {versionTLS12, 0xcca8}, {versionTLS12, 0x002f}} {
		c, sv, _ := sessionOf(s.version, s.suite)
		ccs := []byte{changeCipherSpec, 3, 3, 0, 1, 1}
		f.Add(pieces(0, c, 1, sv, 0, ccs, 1, ccs, 0, record(64), 1, record(900)), uint8(s.suite))
		f.Add(pieces(0, c, 1, sv, 0, ccs, 2, []byte("lost"), 0, record(64), 0, record(40), 3, []byte("more"), 1, record(70)), uint8(s.suite))
	}
	f.Fuzz(func(t *testing.T, b []byte, suite uint8) {
		k := NewKeys()
		_, _, log := sessionOf(versionTLS13, 0x1301+uint16(suite%3))
		k.Add([]byte(log))
		inner := &sink{t: t}
		opaque, opened := 0, 0
		s := New(Options{
			Keys: k, More: func() bool { return suite > 250 },
			Inner:  func(*Hello) reassembly.Layer { opened++; return inner },
			Opaque: func(*Hello) { opaque++ },
		})
		var off [2]uint64
		for n := int64(1); len(b) >= 3; n++ {
			d, size := reassembly.Dir(b[0]&1), int(binary.BigEndian.Uint16(b[1:]))
			lost := b[0]&2 != 0
			b = b[3:]
			data := b[:min(size, len(b))]
			b = b[len(data):]
			off[d] += uint64(len(data))
			m := reassembly.Mark{Time: n * 1e6, Off: off[d]}
			if lost && len(data) > 0 {
				s.Gap(&reassembly.Gap{Dir: d, At: m, Len: uint64(len(data))})
			} else {
				s.Data(&reassembly.Chunk{Dir: d, Mark: m, Data: data})
			}
			for d := range s.half {
				if h := &s.half[d]; len(h.buf)+h.hunt.held() > 2*(headerSize+maxBody)+1<<16 || len(h.message) > maxMessage+maxBody {
					t.Fatalf("%d octets are held, %d of a message", len(h.buf)+h.hunt.held(), len(h.message))
				}
			}
		}
		for d := range off {
			s.End(&reassembly.End{Dir: reassembly.Dir(d), At: reassembly.Mark{Off: off[d]}})
		}
		if opaque > 1 || opened > 1 || opened == 1 && inner.ends != [2]int{1, 1} || k.held != 0 {
			t.Fatalf("opaque %d, opened %d, ends %v, held %d", opaque, opened, inner.ends, k.held)
		}
		for d := range off {
			if inner.octets[d] > off[d]+2 {
				t.Fatalf("%d octets came of %d", inner.octets[d], off[d])
			}
		}
	})
}

// FuzzKeyLog: a key log says the same whole and in pieces, and what it says can be written and read again.
func FuzzKeyLog(f *testing.F) {
	_, _, log := sessionOf(versionTLS13, 0x1302)
	f.Add([]byte(log), 7)
	f.Add([]byte("# a comment\r\n\n"+log+"CLIENT_RANDOM 00 11\n"+strings.Repeat("x", maxLine+1)+"\n"+log[:200]), 100)
	f.Add([]byte("CLIENT_RANDOM "+strings.Repeat("0A", 32)+"  "+strings.Repeat("Bc", 48)), 1)
	f.Fuzz(func(t *testing.T, log []byte, cut int) {
		whole, pieces := NewKeys(), NewKeys()
		whole.Add(log)
		whole.Finish()
		for b := log; len(b) > 0; {
			n := min(len(b), max(1, cut))
			pieces.Add(b[:n])
			b = b[n:]
		}
		pieces.Finish()
		again := NewKeys()
		for _, r := range whole.order {
			again.Add(whole.Log(nil, &Hello{client: r}))
		}
		for _, other := range []*Keys{pieces, again} {
			if len(other.order) != len(whole.order) || other.version != whole.version && other == pieces {
				t.Fatalf("%d sessions, and %d", len(whole.order), len(other.order))
			}
			for r, s := range whole.sessions {
				for l := range s {
					if o := other.sessions[r]; o == nil || !bytes.Equal(o[l], s[l]) {
						t.Fatalf("%x: %s differs", r, labelNames[l])
					}
				}
			}
		}
	})
}
