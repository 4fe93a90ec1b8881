package reassembly

import (
	"strings"
	"testing"

	"expectscope/capture"
	"expectscope/capture/decode"
)

func TestConnTellsTheHandshake(t *testing.T) {
	w := newWire(Options{})
	began := w.now
	w.hello() // at 1, 2 and 3 ms
	w.send(">", 100, 200, "A", "req")
	w.now += 9e6
	w.send("<", 200, 103, "A", "resp") // 10 ms later
	w.now += 19e6
	w.send(">", 103, 204, "A", "")    // 20 ms later
	w.send(">", 103, 204, "A", "req") // timed
	w.send(">", 103, 204, "A", "req") // not any more: which copy is acknowledged?
	w.send("<", 204, 106, "A", "")
	c := w.log.conns[0]
	want := Conn{
		First: 1, Start: Handshake, Client: w.client.AddrPort(), Server: w.server.AddrPort(),
		SYN: began + 1e6, SYNACK: began + 2e6, ACK: began + 3e6,
		MinRTT: [2]int64{10e6, 20e6}, MSS: [2]uint16{1460, 1460}, Seen: [2]bool{true, true}, Heard: [2]int64{began + 37e6, began + 34e6},
	}
	if *c != want {
		t.Errorf("got  %+v\nwant %+v", *c, want)
	}
}

func TestConnWhenJoinedLater(t *testing.T) {
	w := newWire(Options{})
	w.send("<", 199, 100, "SA", "")
	w.send(">", 100, 200, "A", "req")
	c := w.log.conns[0]
	if c.Client != w.client.AddrPort() || c.Start != Handshake || c.SYN != 0 || c.SYNACK == 0 || c.ACK == 0 {
		t.Errorf("SYN missed: %+v", *c)
	}
	w.client.Port++
	w.send("<", 200, 100, "A", "resp")
	c = w.log.conns[1]
	if c.Client != w.server.AddrPort() || c.Start != MidStream || c.Seen != [2]bool{true, false} {
		t.Errorf("joined in the middle: %+v", *c)
	}
}

func TestConnCountsHolesAndConflicts(t *testing.T) {
	w := newWire(Options{})
	w.hello()
	w.send(">", 103, 200, "A", "def")
	w.send(">", 103, 200, "A", "DEF")
	w.send(">", 109, 200, "A", "j+9")
	w.a.Close()
	if c := w.log.conns[0]; c.Holes != 2 || c.Conflicts != 1 {
		t.Errorf("got %+v", *c)
	}
	if s := w.a.Stats(); s.Gaps != [3]uint64{2, 1, 0} || s.GapBytes != [3]uint64{6, 9, 0} || s.Conflicts != 1 || s.Conns != 1 {
		t.Errorf("got %+v", s)
	}
}

func TestTapsDoNotMix(t *testing.T) {
	w := newWire(Options{})
	for tap := range uint16(2) {
		s := decode.Segment{Packet: capture.Num(tap + 1), Tap: tap, Time: second, Src: w.client, Dst: w.server, Seq: 1, Flags: decode.ACK, Len: 3, Payload: []byte("req")}
		w.a.Segment(&s)
	}
	if len(w.log.conns) != 2 || w.log.conns[0].Tap != 0 || w.log.conns[1].Tap != 1 {
		t.Errorf("%d connections", len(w.log.conns))
	}
}

// fragile panics at the bytes "boom".
type fragile struct{ scribe }

func (f *fragile) Data(c *Chunk) {
	if string(c.Data) == "boom" {
		panic("boom")
	}
	f.scribe.Data(c)
}

func TestDropAfterPanic(t *testing.T) {
	w := newWire(Options{})
	w.a.open = func(c *Conn) Layer {
		w.log.conns = append(w.log.conns, c)
		return &fragile{scribe{w.log, len(w.log.conns)}}
	}
	survive := func(send func()) {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
			w.a.Drop(w.log.conns[len(w.log.conns)-1])
		}()
		send()
	}
	w.hello()
	survive(func() { w.send(">", 100, 200, "A", "boom") })
	w.client.Port++
	w.hello()
	w.send(">", 104, 200, "A", "held")
	w.send(">", 110, 200, "A", "held")
	survive(func() { w.send(">", 100, 200, "A", "boom") })
	w.client.Port++
	w.hello()
	w.send(">", 104, 200, "A", "boom")
	w.send("<", 200, 300, "A", "waits")
	survive(func() { w.send(">", 100, 200, "A", "late") })
	if s := w.a.Stats(); s.Open != 0 || s.LateBytes != 0 || s.LatePieces != 0 || w.a.pages.open != 0 || w.a.waiting.head != nil {
		t.Errorf("not empty: %+v", s)
	}
	w.client.Port++
	w.hello()
	w.send(">", 105, 200, "A", "world")
	w.send(">", 100, 200, "A", "hello")
	w.a.Drop(w.log.conns[0]) // long gone
	w.a.Close()
	got := strings.Join(w.log.lines, "\n")
	want := strings.Join([]string{
		"3 > late to 4 ack 0 #16",
		"4 > hello to 5 ack 0 #21",
		"4 > world to 10 ack 0 #20",
		"4 > end capture-end at 10 acked 0 #0",
		"4 < end capture-end at 0 acked 0 #0",
	}, "\n")
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// An episode that never comes to rest meets the end of the sequence numbers
// gopacket is given: what it holds is taken back and it begins anew.
func TestEpisodeWithoutEnd(t *testing.T) {
	count := &tally{}
	a := New(Options{}, func(*Conn) Layer { return count })
	payload := make([]byte, 1<<16-40)
	s, _ := upload(a, payload)
	first := s.Seq
	send := func(i int) {
		s.Packet++
		s.Seq = first + uint32(i)*uint32(len(payload))
		a.Segment(s)
	}
	const segments = (maxSpan + maxSpan/2) / (1 << 16) &^ 1
	send(1)
	for i := 0; i < segments; i += 2 {
		if i+3 < segments {
			send(i + 3) // so something is left when the hole at i closes
		}
		send(i)
	}
	made := a.pages.made
	a.Close()
	if count.wrong || count.data[0] != segments*uint64(len(payload)) || count.gaps[0] != 0 {
		t.Errorf("got %+v, want %d segments", count, segments)
	}
	if made != 2 {
		t.Errorf("%d episodes", made)
	}
}

// After a burst of late data gopacket's pool is not kept.
func TestPagesAreGivenBack(t *testing.T) {
	w := newWire(Options{})
	w.hello()
	late := strings.Repeat("x", 1000)
	for i := range uint32(pagesKept + 100) {
		w.send(">", 101+i*1000, 200, "A", late)
	}
	if s := w.a.Stats(); s.LateBytes != (pagesKept+100)*1000 || s.LatePieces != pagesKept+100 {
		t.Errorf("held %+v", s)
	}
	w.send(">", 100, 200, "A", "y")
	if w.a.pages.asm != nil {
		t.Error("the pool is kept")
	}
	w.send(">", 101+(pagesKept+101)*1000, 200, "A", "z")
	w.a.Close()
	if s := w.a.Stats(); s.GapBytes[Lost] != 1000 || s.LatePieces != 0 {
		t.Errorf("in the end %+v", s)
	}
}
