package reassembly

import (
	"fmt"
	"math/rand"
	"net/netip"
	"testing"

	"expectscope/capture"
	"expectscope/capture/decode"
)

// A model is the plain truth about one random conversation: for each direction
// the bytes as they came first, copied into an array, and the packet that
// brought each of them. A layer that is the model itself compares.
type model struct {
	t     *testing.T
	name  string
	isn   [2]uint32
	bytes [2][]byte
	first [2][]int32     // packet that first brought the byte; 0: none did
	acks  [2]map[int]int // packet → what it acknowledged
	times map[int]int64
	top   [2]uint64 // end of what was captured
	seen  [2]bool   // a segment of the direction was captured
	next  [2]uint64 // delivered or given up
	gaps  [2]uint64
	ends  [2]int
	wrong int
	exact bool   // nothing was given up before the end: gaps hold no captured byte
	cross int    // chunks that came before what they acknowledge, for a reason
	base  uint64 // offset of the first byte: midStream when there is no SYN
}

func (m *model) errorf(format string, args ...any) {
	if m.wrong++; m.wrong < 4 {
		m.t.Errorf(m.name+": "+format, args...)
	}
}

func (m *model) Data(c *Chunk) {
	d := c.Dir
	c.Mark.Off, c.Mark.Acked, c.Seen = c.Mark.Off-m.base, c.Mark.Acked-m.base, c.Seen-m.base
	start := c.Mark.Off - uint64(len(c.Data))
	if start != m.next[d] || len(c.Data) == 0 {
		m.errorf("dir %d: chunk of %d at %d, want %d", d, len(c.Data), start, m.next[d])
		return
	}
	for i, b := range c.Data {
		at := start + uint64(i)
		if m.bytes[d][at] != b || m.first[d][at] != int32(c.Mark.Packet) {
			m.errorf("dir %d: byte %d is %d of packet %d, want %d of %d", d, at, b, c.Mark.Packet, m.bytes[d][at], m.first[d][at])
			break
		}
	}
	if acked := uint64(m.acks[d][int(c.Mark.Packet)]); c.Mark.Acked != acked || c.Mark.Time != m.times[int(c.Mark.Packet)] {
		m.errorf("dir %d: mark %+v, want ack %d", d, c.Mark, acked)
	}
	o := d.Other()
	fin := c.Mark.Acked == m.next[o]+1 && m.first[o][m.next[o]] == 0 // what nobody captured passes for a FIN
	if c.Mark.Acked > m.next[o] && m.ends[o] == 0 && m.seen[o] && !fin {
		// Only a copy that was sent again, after some of its bytes had been
		// acknowledged, may come before what it acknowledges.
		if m.cross++; c.Seen <= start {
			m.errorf("dir %d: chunk %d to %d acknowledges %d, delivered %d, seen %d", d, start, c.Mark.Off, c.Mark.Acked, m.next[o], c.Seen)
		}
	}
	m.next[d] = c.Mark.Off
}

func (m *model) Gap(g *Gap) {
	d := g.Dir
	g.At.Off -= m.base
	if g.At.Off-g.Len != m.next[d] || g.Len == 0 {
		m.errorf("dir %d: gap of %d to %d, want from %d", d, g.Len, g.At.Off, m.next[d])
	}
	for at := m.next[d]; m.exact && at < g.At.Off && at < uint64(len(m.first[d])); at++ {
		if m.first[d][at] != 0 {
			m.errorf("dir %d: gap over byte %d, which packet %d brought", d, at, m.first[d][at])
			break
		}
	}
	m.gaps[d] += g.Len
	m.next[d] = g.At.Off
}

func (m *model) Resent(r *Resent) {
	if r.Len == 0 || r.At.Off-m.base > uint64(len(m.bytes[r.Dir])) {
		m.errorf("dir %d: resent %+v", r.Dir, *r)
	}
}

func (m *model) End(e *End) {
	m.ends[e.Dir]++
	if e.At.Off-m.base != m.next[e.Dir] {
		m.errorf("dir %d: end at %d, want %d", e.Dir, e.At.Off-m.base, m.next[e.Dir])
	}
}

// A sent is a segment as its sender made it.
type sent struct {
	d       Dir
	off     int
	data    []byte
	ack     int
	fin     bool
	syn     bool
	skipped bool // the capture lost it
}

// converse makes a random conversation in the order in which it was sent: two
// streams in turns, each acknowledging what the other one has sent so far, with
// retransmissions cut otherwise, some with other bytes.
func converse(r *rand.Rand, total [2]int, segment int, loss, again, conflict float64) []sent {
	var out []sent
	var sentTo [2]int
	for sentTo[0] < total[0] || sentTo[1] < total[1] {
		d := Dir(r.Intn(2))
		for n := 1 + r.Intn(4); n > 0 && sentTo[d] < total[d]; n-- {
			n := min(1+r.Intn(segment), total[d]-sentTo[d])
			out = append(out, sent{d: d, off: sentTo[d], data: fill(d, sentTo[d], n), ack: sentTo[d^1], skipped: r.Float64() < loss})
			sentTo[d] += n
		}
		if r.Float64() < again && sentTo[d] > 0 {
			off := max(0, sentTo[d]-1-r.Intn(3*segment))
			n := min(1+r.Intn(2*segment), sentTo[d]-off)
			b := fill(d, off, n)
			if r.Float64() < conflict {
				for i := range b {
					b[i] ^= byte(r.Intn(256))
				}
			}
			out = append(out, sent{d: d, off: off, data: b, ack: sentTo[d^1]})
		}
	}
	for d := range Reverse + 1 {
		out = append(out, sent{d: d, off: sentTo[d], ack: sentTo[d^1], fin: true, skipped: r.Float64() < loss})
	}
	return out
}

func fill(d Dir, off, n int) []byte {
	b := make([]byte, n)
	for i := range b {
		at := uint32(off+i) * 2654435761
		b[i] = byte(at>>24) ^ byte(d)
	}
	return b
}

// shuffle lets segments be captured up to reach places out of order.
func shuffle(r *rand.Rand, s []sent, reach int) {
	for i := 0; i+reach <= len(s); i += reach {
		r.Shuffle(reach, func(x, y int) { s[i+x], s[i+y] = s[i+y], s[i+x] })
	}
}

func TestModel(t *testing.T) {
	streams := 12_000
	if testing.Short() {
		streams = 1_000
	}
	wrong, crossed, chunks := 0, 0, uint64(0)
	used := map[Options]*modelled{}
	for seed := range streams {
		m := runModel(t, used, int64(seed))
		if m.wrong > 0 {
			wrong++
		}
		crossed += m.cross
		chunks += m.next[0] + m.next[1]
		if wrong > 5 {
			t.FailNow()
		}
	}
	t.Logf("%d streams, %d bytes, %d chunks sent again and out of causal order", streams, chunks, crossed)
}

// A modelled assembler is used for many models, one after the other.
type modelled struct {
	*Assembler
	m *model
}

func (x *modelled) open(*Conn) Layer { return x.m }

// newModel draws a conversation: the segments in the order of capture.
func newModel(t *testing.T, r *rand.Rand, seed int64) (*model, []sent) {
	m := &model{t: t, name: fmt.Sprint("seed ", seed), times: map[int]int64{}, exact: seed%7 > 2}
	segment := []int{40, 40, 40, 300, 300, 6000}[r.Intn(6)]
	total := [2]int{1 + r.Intn(20*segment), 1 + r.Intn(20*segment)}
	loss, again, conflict := 0.0, 0.3, 0.0
	if seed%3 == 0 {
		loss = 0.1
	}
	if seed%5 == 0 {
		conflict = 0.5
	}
	segs := converse(r, total, segment, loss, again, conflict)
	if segs[0].d == Reverse { // the client speaks first
		for i := range segs {
			segs[i].d ^= 1
		}
		total[0], total[1] = total[1], total[0]
	}
	for d := range m.isn {
		m.isn[d] = r.Uint32()
		if seed%2 == 0 { // the numbers wrap within the stream
			m.isn[d] = -uint32(r.Intn(total[d] + 10))
		}
		m.bytes[d], m.first[d], m.acks[d] = make([]byte, total[d]), make([]int32, total[d]), map[int]int{}
	}
	shuffle(r, segs[1:], 1+r.Intn(8))
	if seed%11 == 0 && len(segs[0].data) > 1 { // joined in the middle
		m.base = midStream
		segs[0].skipped = false
	}
	return m, segs
}

// capture writes down what a segment brings before anybody else.
func (m *model) capture(s sent, num int, now int64) {
	for i, b := range s.data {
		if at := s.off + i; m.first[s.d][at] == 0 {
			m.first[s.d][at], m.bytes[s.d][at] = int32(num), b
		}
	}
	m.acks[s.d][num], m.times[num] = s.ack, now
	m.top[s.d] = max(m.top[s.d], uint64(s.off+len(s.data)))
}

// runModel plays a random conversation. One of seven has little room in a
// direction, one little in all, and in one time passes: there, holes are given
// up early.
func runModel(t *testing.T, used map[Options]*modelled, seed int64) *model {
	r := rand.New(rand.NewSource(seed))
	m, segs := newModel(t, r, seed)
	o := []Options{{DirBytes: 200, DirPieces: 8}, {Bytes: 150, Pieces: 6}, {}, {}, {}, {}, {}}[seed%7]
	x := used[o]
	if x == nil {
		x = &modelled{}
		x.Assembler = New(o, x.open)
		used[o] = x
	}
	x.m = m
	a := x.Assembler
	before := a.Stats().Conns
	now := int64(1_700_000_000_000_000_000)
	a.Tick(now)
	if m.base == 0 {
		feed(a, m, sent{d: Forward, syn: true}, 1, now)
		feed(a, m, sent{d: Reverse, syn: true}, 2, now)
	}
	for i, s := range segs {
		now += r.Int63n(1e8)
		if seed%7 == 2 && i%7 == 0 {
			now += 2 * second
			a.Tick(now)
		}
		if !s.skipped {
			m.capture(s, i+3, now)
			feed(a, m, s, i+3, now)
		}
	}
	a.Close()
	for d := range Reverse + 1 {
		if m.ends[0]+m.ends[1] > 0 && (m.ends[d] != 1 || m.next[d] < m.top[d]) {
			m.errorf("dir %d: %d ends, %d of %d bytes", d, m.ends[d], m.next[d], m.top[d])
		}
	}
	if s := a.Stats(); s.Conns != before+1 || s.LateBytes != 0 || s.LatePieces != 0 || a.pages.open != 0 {
		m.errorf("stats %+v", s)
	}
	return m
}

func feed(a *Assembler, m *model, s sent, num int, now int64) {
	g := decode.Segment{Packet: capture.Num(num), Time: now, Seq: m.isn[s.d] + uint32(s.off), Ack: m.isn[s.d^1] + uint32(s.ack), Flags: decode.ACK}
	g.Src, g.Dst = modelClient, modelServer
	if s.d == Reverse {
		g.Src, g.Dst = g.Dst, g.Src
	}
	if s.syn {
		g.Flags, g.Seq, g.Ack = decode.SYN, g.Seq-1, 0
		if s.d == Reverse {
			g.Flags, g.Ack = decode.SYN|decode.ACK, m.isn[0]
		}
	}
	if s.fin {
		g.Flags |= decode.FIN
	}
	m.seen[s.d] = true
	// The assembler may look at the payload during the call only.
	buf := append([]byte(nil), s.data...)
	g.Payload, g.Len = buf, len(buf)
	a.Segment(&g)
	clear(buf)
}

var (
	modelClient = endpoint(netip.MustParseAddrPort("192.0.2.7:51515"))
	modelServer = endpoint(netip.MustParseAddrPort("[2001:db8::1]:8080"))
)
