package reassembly

import (
	"hash/maphash"
	"time"

	"expectscope/capture"
	"expectscope/capture/decode"
)

// Times of the capture's clock. They pass on ticks, so that what is decided
// depends on the capture alone.
const (
	// grace is how long a hole may still be filled after the other side
	// acknowledged past it: a capture that took segments out of order shows
	// the acknowledgement first.
	grace = int64(time.Second)
	// gracePackets of the connection must have gone by as well: a second of
	// silence proves nothing. A minute of it does, or a second after the end.
	gracePackets = 16
	graceSilent  = int64(time.Minute)
	// closeWait is how long a closed connection stays to take in what is
	// retransmitted.
	closeWait = int64(2 * time.Second)
	// idle is the silence after which a connection without open work leaves.
	idle = int64(10 * time.Minute)
)

// maxWindow is the largest window TCP can announce, in octets (RFC 7323,
// Section 2.2): nothing of a connection lies further ahead.
const maxWindow = 1 << 30

// Options are the limits of an [Assembler]; what is zero gets its default.
// Over a limit the oldest goes, and is counted.
type Options struct {
	// Conns is how many connections are followed at once (65,536; each takes
	// 296 bytes and its place in a map).
	Conns int
	// HalfOpen is how many SYNs without an answer are remembered (262,144;
	// each takes 72 bytes and its place in a map).
	HalfOpen int
	// Bytes and Pieces bound what waits for missing bytes in all: 16 MiB and
	// 8,192 pieces of at most 1,900 octets.
	Bytes, Pieces int
	// DirBytes and DirPieces bound it for one direction of a connection: 4 MiB
	// and 4,096 pieces.
	DirBytes, DirPieces int
}

func (o Options) withDefaults() Options {
	for _, l := range []struct {
		limit *int
		value int
	}{
		{&o.Conns, 1 << 16},
		{&o.HalfOpen, 1 << 18},
		{&o.Bytes, 16 << 20},
		{&o.Pieces, 8192},
		{&o.DirBytes, 4 << 20},
		{&o.DirPieces, 4096},
	} {
		if *l.limit <= 0 {
			*l.limit = l.value
		}
	}
	return o
}

// Stats is what an [Assembler] counted.
type Stats struct {
	// Conns counts connections that carried data or whose SYN was answered.
	Conns uint64
	// LoneSYNs counts SYNs that nobody answered, so far.
	LoneSYNs uint64
	// Ghosts counts segments of no known connection that start none: they have
	// no payload and no SYN, or repeat bytes of a connection that was closed.
	Ghosts uint64
	// Strays counts segments that fit nowhere in their connection: no window
	// explains their number, they are a SYN while it is open, the stream goes on
	// at their FIN. StaleResets counts RSTs that the receiver would not take (RFC
	// 9293, Section 3.5.3), or that the traffic contradicted.
	Strays, StaleResets uint64
	// Gaps and GapBytes count what will never be delivered, by [Cause].
	Gaps, GapBytes [3]uint64
	// Conflicts counts retransmissions with other bytes than the first copy.
	Conflicts uint64
	// EvictedConns and EvictedSYNs count what left for Options.Conns and
	// Options.HalfOpen; late data that left for a limit is Gaps[Evicted].
	EvictedConns, EvictedSYNs uint64
	// Open is the number of connections followed now; LateBytes and LatePieces
	// are what they hold back.
	Open, LateBytes, LatePieces int
}

// An Assembler follows the TCP connections of a capture. It is used by one
// goroutine.
type Assembler struct {
	limits Options
	open   func(*Conn) Layer

	conns    map[key]*conn
	lastKey  key // of lastConn: most segments follow one of their own connection
	lastConn *conn
	young    connList // nothing was delivered yet
	active   connList
	closing  connList // ended, waiting for closeWait
	halfOpen halfOpenTable
	rivals   map[*conn]decode.Segment // of contested connections; without payload
	ghosts   ghostTable

	now    int64 // of the last tick
	clock  int64 // of the last segment
	packet capture.Num

	waiting          lateList // connections that hold something back, oldest first
	spare            []*late
	late, latePieces int
	pages            pageStore
	seed             maphash.Seed

	stats  Stats
	chunk  Chunk // what is handed to layers, reused
	gap    Gap
	resent Resent
	ending End
}

// New makes an assembler. It calls open for each connection when its first byte
// is about to be delivered. A nil Layer, or one with a method Dead() bool that
// reports true after a call, is not called again and costs nothing more. One
// with a method Busy() bool that reports true keeps its connection when it is
// silent for long.
func New(o Options, open func(*Conn) Layer) *Assembler {
	return &Assembler{
		limits: o.withDefaults(),
		open:   open,
		conns:  make(map[key]*conn),
		rivals: make(map[*conn]decode.Segment),
		seed:   maphash.MakeSeed(),
	}
}

// Segment takes the next segment in the order of capture. It keeps nothing of s.
func (a *Assembler) Segment(s *decode.Segment) {
	a.clock, a.packet = s.Time, s.Packet
	if a.now == 0 {
		a.now = s.Time - s.Time%int64(time.Second)
	}
	k, swapped := keyOf(s)
	c := a.find(k)
	switch {
	case c == nil:
		c = a.meet(k, swapped, s)
	case s.Flags&decode.SYN != 0:
		c = a.greet(c, k, swapped, s)
	case c.contested:
		c = a.contest(c, k, swapped, s)
	}
	if c == nil || c.place == inClosing {
		return // nobody's, or what comes after the end
	}
	d := c.dir(swapped)
	c.Seen[d] = true
	a.touch(c)
	if c.late != nil {
		c.late.segments++
	}
	switch {
	case s.Flags&decode.RST != 0:
		a.reset(c, d, s)
	case c.dead:
		a.track(c, d, s)
	default:
		a.stream(c, d, s)
	}
}

// Tick lets capture time pass: now is in nanoseconds since 1970 and does not
// go back. It is called at whole seconds of capture time, before the segment
// that is the first of its second: every time-out of an Assembler ends at a tick.
func (a *Assembler) Tick(now int64) {
	a.now = now
	for l := a.waiting.head; l != nil; {
		next := l.next
		a.expire(l.conn)
		l = next
	}
	for c := a.closing.head; c != nil && now-c.last >= closeWait; c = a.closing.head {
		a.remove(c)
	}
	a.retire(&a.young)
	a.retire(&a.active)
	for e := a.halfOpen.oldest(); e != nil && now-e.time >= idle; e = a.halfOpen.oldest() {
		a.halfOpen.remove(e)
	}
}

// retire ends the connections of a list that were silent for too long.
func (a *Assembler) retire(l *connList) {
	for c := l.head; c != nil && a.now-c.last >= idle; c = l.head {
		if b, ok := c.layer.(interface{ Busy() bool }); ok && b.Busy() {
			c.last = a.now // asked again when it is the oldest again
			a.relist(c, c.place)
			continue
		}
		a.finish(c, Idle, Lost, Mark{Time: a.now, Acked: NoAck})
		a.remove(c)
	}
}

// Close ends the capture: what is held back is delivered, and every open
// direction ends with [CaptureEnd]. The assembler is empty afterwards.
func (a *Assembler) Close() {
	for _, l := range []*connList{&a.young, &a.active, &a.closing} {
		for c := l.head; c != nil; c = l.head {
			a.finish(c, CaptureEnd, Lost, Mark{Time: a.clock, Acked: NoAck})
			a.remove(c)
		}
	}
	a.halfOpen = halfOpenTable{}
	a.ghosts = ghostTable{}
}

// Drop forgets a connection without a word to its layer, which may have
// panicked: the assembler stays usable.
func (a *Assembler) Drop(conn *Conn) {
	if c := a.conns[conn.key()]; c != nil && &c.Conn == conn {
		a.remove(c)
	}
}

// Stats tells what was counted so far.
func (a *Assembler) Stats() Stats {
	s := a.stats
	s.Open = len(a.conns)
	s.LateBytes, s.LatePieces = a.late, a.latePieces
	return s
}
