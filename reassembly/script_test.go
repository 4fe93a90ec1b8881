package reassembly

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"expectscope/capture"
	"expectscope/capture/decode"
)

const second = int64(1e9)

// A wire makes the segments of scripts: numbered packets, a millisecond apart.
type wire struct {
	a      *Assembler
	now    int64
	num    capture.Num
	client decode.Endpoint
	server decode.Endpoint
	log    *journal
	forge  func(*decode.Segment) // of the segments to come
}

func newWire(o Options) *wire {
	w := &wire{
		now:    1_700_000_000 * second,
		client: endpoint(netip.MustParseAddrPort("10.0.0.1:40000")),
		server: endpoint(netip.MustParseAddrPort("10.0.0.2:80")),
		log:    &journal{},
	}
	w.a = New(o, w.log.open)
	return w
}

// send sends one segment: dir ">" from the client, flags among SAFR, and its
// payload; a payload "text+9" was cut by nine octets.
func (w *wire) send(dir string, seq, ack uint32, flags, payload string) {
	w.now += 1e6
	w.num++
	s := decode.Segment{Packet: w.num, Time: w.now, Src: w.client, Dst: w.server, Seq: seq, Ack: ack, TTL: 64, Sum: decode.SumRight}
	if dir == "<" {
		s.Src, s.Dst = w.server, w.client
	}
	for _, f := range flags {
		s.Flags |= map[rune]uint8{'S': decode.SYN, 'A': decode.ACK, 'F': decode.FIN, 'R': decode.RST}[f]
	}
	if s.Flags&decode.SYN != 0 {
		s.MSS = 1460
	}
	text, cut, _ := strings.Cut(payload, "+")
	s.Payload = []byte(text)
	s.Len = len(text)
	if cut != "" {
		var n int
		fmt.Sscan(cut, &n)
		s.Len += n
	}
	if w.forge != nil {
		w.forge(&s)
	}
	w.a.Segment(&s)
}

// put sends a segment that was tampered with.
func (w *wire) put(forge func(*decode.Segment), dir string, seq, ack uint32, flags, payload string) {
	w.forge = forge
	w.send(dir, seq, ack, flags, payload)
	w.forge = nil
}

// busy lets packets of the connection go by: acknowledgements of nothing new.
func (w *wire) busy(packets int) {
	for range packets {
		w.send("<", 199, 100, "A", "")
	}
}

// pass lets seconds of capture time go by.
func (w *wire) pass(seconds int) {
	for range seconds {
		w.now += second - w.now%second
		w.a.Tick(w.now)
	}
}

// hello opens the connection with the sequence numbers 99 and 199.
func (w *wire) hello() {
	w.send(">", 99, 0, "S", "")
	w.send("<", 199, 100, "SA", "")
	w.send(">", 100, 200, "A", "")
}

// A journal writes down what the layers are told.
type journal struct {
	lines []string
	conns []*Conn
	dead  bool // the layer wants nothing after its first call
	busy  bool
	none  bool // there is no layer
}

type scribe struct {
	j *journal
	n int
}

func (j *journal) open(c *Conn) Layer {
	j.conns = append(j.conns, c)
	if j.none {
		return nil
	}
	return &scribe{j, len(j.conns)}
}

func (s *scribe) write(format string, args ...any) {
	s.j.lines = append(s.j.lines, fmt.Sprintf("%d ", s.n)+fmt.Sprintf(format, args...))
}

func arrow(d Dir) string { return [...]string{">", "<"}[d] }

func off(o uint64) string {
	switch {
	case o == NoAck:
		return "-"
	case o >= midStream/2:
		return fmt.Sprintf("M%+d", int64(o-midStream))
	}
	return fmt.Sprint(o)
}

func (s *scribe) Data(c *Chunk) {
	s.write("%s %s to %s ack %s #%d", arrow(c.Dir), c.Data, off(c.Mark.Off), off(c.Mark.Acked), c.Mark.Packet)
}

func (s *scribe) Gap(g *Gap) {
	acked := ""
	if g.Acked {
		acked = " acked"
	}
	s.write("%s gap %d to %s %s%s #%d", arrow(g.Dir), g.Len, off(g.At.Off), g.Why, acked, g.At.Packet)
}

func (s *scribe) Resent(r *Resent) {
	conflict := ""
	if r.Conflict {
		conflict = " conflict"
	}
	s.write("%s resent %d to %s%s #%d", arrow(r.Dir), r.Len, off(r.At.Off), conflict, r.At.Packet)
}

func (s *scribe) End(e *End) {
	sender := ""
	if e.Sender {
		sender = " sender"
	}
	s.write("%s end %s%s at %s acked %s #%d", arrow(e.Dir), e.How, sender, off(e.At.Off), off(e.Acked), e.At.Packet)
}

func (s *scribe) Dead() bool { return s.j.dead }
func (s *scribe) Busy() bool { return s.j.busy }

// A script is the life of connections: what is on the wire, and what layers
// are told. Offsets M+n are those of a stream whose SYN was not seen; the last
// line holds the counters of the assembler that are not zero.
type script struct {
	name   string
	limits Options
	run    func(w *wire)
	want   string
}

func (tc *script) play() (*wire, string) {
	w := newWire(tc.limits)
	tc.run(w)
	w.a.Close()
	s := w.a.Stats()
	lines := w.log.lines
	var counts []string
	for _, c := range []struct {
		name string
		n    uint64
	}{
		{"lone SYN", s.LoneSYNs},
		{"ghost", s.Ghosts},
		{"stray", s.Strays},
		{"stale RST", s.StaleResets},
		{"conflict", s.Conflicts},
		{"evicted", s.EvictedConns},
		{"evicted SYN", s.EvictedSYNs},
	} {
		if c.n != 0 {
			counts = append(counts, fmt.Sprintf("%s %d", c.name, c.n))
		}
	}
	if len(counts) > 0 {
		lines = append(lines, "= "+strings.Join(counts, ", "))
	}
	return w, strings.Join(lines, "\n")
}

func TestScripts(t *testing.T) {
	for _, tc := range slices.Concat(startScripts, endScripts, lossScripts, limitScripts, evadeScripts) {
		t.Run(tc.name, func(t *testing.T) {
			w, got := tc.play()
			if want := strings.ReplaceAll(tc.want, "\n\t\t\t", "\n"); got != want {
				t.Errorf("got:\n%s\nwant:\n%s", got, want)
			}
			s := w.a.Stats()
			if s.Open != 0 || s.LateBytes != 0 || s.LatePieces != 0 || w.a.waiting.head != nil || w.a.pages.open != 0 {
				t.Errorf("not empty after Close: %+v", s)
			}
		})
	}
}
