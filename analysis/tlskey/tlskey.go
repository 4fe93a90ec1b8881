// Package tlskey decrypts TLS 1.2 and 1.3 (RFC 5246, RFC 8446) of connections
// whose keys are at hand: records go in, plaintext comes out.
//
// A [Stream] is a [reassembly.Layer] with a layer inside. Each direction is a
// half that cuts records, opens them and hands their content on, one chunk for
// a record, with the marks of the TCP segments that carried it: so what is
// inside counts and judges as if it had been in the clear. [Keys] are read from
// key logs by whoever has them, and may come while a Stream already waits.
//
// What is lost of a record loses the record. A half finds its way again (hunt.go)
// where a record proves itself: it is authentic under one of the numbers and
// keys it may have, and everything before it is a [reassembly.Gap].
//
// Nothing is sent, nothing is broken: without its key a connection is opaque.
// Nothing of a key is ever printed.
package tlskey

import "expectscope/reassembly"

// Options say where a Stream gets its keys and who gets what is in it.
type Options struct {
	// Keys are those that are known.
	Keys *Keys
	// More lets more keys be added to Keys, and tells whether some may still come later. Nil: none.
	More func() bool
	// Inner gives the layer for the plaintext. The Hello is valid during the call.
	Inner func(*Hello) reassembly.Layer
	// Opaque is told once when nothing more can be read. The Hello holds what was said in the clear, and is valid during the call.
	Opaque func(*Hello)
	// Unread is told of a span of time, in nanoseconds since 1970, in which something inside was not read. Nil: nobody.
	Unread func(from, to int64)
	// Waits is told when the Stream begins to hold back what it sees until a key comes. Nil: nobody.
	Waits func(*Stream)
}

// A Stream is one TLS connection.
type Stream struct {
	o     Options
	hello Hello
	suite *suite
	half  [2]half
	inner reassembly.Layer
	ended [2]*reassembly.End
	queue queue
	early []sealed // early data, until it is known whether the server took it
	last  int64    // time of what was seen last
	dead  bool
	deaf  int64 // since when the rest is not read, though the layer inside lives on; 0: it is
}

// New returns a Stream.
func New(o Options) *Stream {
	s := &Stream{o: o}
	for d := range s.half {
		s.half[d] = half{s: s, dir: reassembly.Dir(d)}
	}
	return s
}

// Dead tells that nothing more will be read.
func (s *Stream) Dead() bool {
	if d, ok := s.inner.(interface{ Dead() bool }); ok && s.queue.stuck == nil {
		return d.Dead()
	}
	return s.dead
}

// stopped tells that no record may be read now.
func (s *Stream) stopped() bool { return s.dead || s.deaf != 0 || s.queue.stuck != nil }

// Data reads a chunk.
func (s *Stream) Data(c *reassembly.Chunk) {
	s.last = c.Mark.Time
	if s.queue.stuck != nil {
		s.Retry(c.Mark.Time)
	}
	at := 0
	if !s.stopped() {
		at = s.half[c.Dir].data(c)
	}
	if s.queue.stuck != nil && at < len(c.Data) {
		s.queue.chunk(s, c, at)
	}
}

// Gap reads a hole.
func (s *Stream) Gap(g *reassembly.Gap) {
	s.last = g.At.Time
	switch {
	case s.queue.stuck != nil:
		s.queue.add(s, event{gap: new(*g)})
	case !s.stopped():
		s.half[g.Dir].gap(g)
	}
}

// Resent is of no concern: what is sent again is sealed, and counted where it is TCP's.
func (s *Stream) Resent(*reassembly.Resent) {}

// End reads the end of a direction.
func (s *Stream) End(e *reassembly.End) {
	s.last = e.At.Time
	if s.queue.stuck != nil {
		s.queue.add(s, event{end: new(*e)})
		if s.queue.ends == len(s.half) {
			s.Retry(e.At.Time)
			s.giveUp()
		}
		return
	}
	s.ended[e.Dir] = new(*e)
	if !s.stopped() {
		s.half[e.Dir].end()
	}
	if s.deaf != 0 {
		s.unread(s.deaf, e.At.Time)
	}
	switch other := s.ended[e.Dir.Other()]; {
	case s.inner != nil:
		s.inner.End(e)
	case other != nil && s.half[0].good+s.half[1].good == 0:
		s.giveUp()
	}
}

func (s *Stream) unread(from, to int64) {
	if s.o.Unread != nil {
		s.o.Unread(from, to)
	}
}

// open is the layer inside, made when there is something for it.
func (s *Stream) open() reassembly.Layer {
	if s.inner == nil {
		s.inner = s.o.Inner(&s.hello)
		for _, e := range s.ended {
			if e != nil {
				s.inner.End(e)
			}
		}
	}
	return s.inner
}

// deliver hands content on. What the other direction lacks is told first: this may answer it.
func (s *Stream) deliver(h *half, plain []byte, at *reassembly.Chunk) {
	if other := &s.half[h.dir.Other()]; other.miss.octets > 0 && other.skip == 0 && (other.stage == running || h.told) {
		other.tell(other.miss.octets, false)
	}
	h.told = true
	at.Data = plain
	s.open().Data(at)
}

// giveUp ends the reading. A layer inside hears that the rest is missing, and later of the ends.
func (s *Stream) giveUp() {
	if s.dead || s.deaf != 0 {
		return
	}
	if s.hello.hasClient {
		s.o.Keys.miss(s.hello.client)
	}
	s.queue.drop(s)
	s.early = nil
	for d := range s.half {
		h := &s.half[d]
		if s.inner != nil && s.ended[d] == nil {
			h.miss.begin(h.last)
			h.tell(max(h.miss.octets, 1), false)
		}
		h.release()
	}
	if s.inner == nil {
		s.dead = true
	} else {
		s.deaf = s.last
	}
	s.o.Opaque(&s.hello)
}

// readClient takes a ClientHello.
func (s *Stream) readClient(h *half, b []byte) {
	if !s.hello.readClient(b) {
		s.giveUp()
		return
	}
	s.hello.Client = h.dir
	if s.hello.early && h.stage == inClear {
		h.enter(inEarly)
	}
}

// readServer takes a ServerHello: from here on it is known what the records are.
func (s *Stream) readServer(h *half, b []byte) {
	c := &s.half[h.dir.Other()]
	switch {
	case !s.hello.hasClient || !s.hello.readServer(b):
		s.giveUp()
		return
	case !s.hello.settled: // a HelloRetryRequest
		s.early = nil
		c.enter(inClear)
		return
	}
	s.suite = suites[s.hello.suite]
	if s.suite == nil || s.hello.Version != versionTLS12 && s.hello.Version != versionTLS13 || tls13(s.hello.suite) != (s.hello.Version == versionTLS13) {
		s.giveUp()
		return
	}
	if more := s.more(); s.secrets() == nil && !more {
		s.giveUp()
		return
	}
	if s.hello.Version == versionTLS13 {
		h.enter(handshaking)
		if c.stage == inClear {
			c.enter(handshaking)
		}
	}
}

// secrets are those of this session, nil if there are none.
func (s *Stream) secrets() *secrets { return s.o.Keys.sessions[s.hello.client] }

// more looks for new keys, and tells whether it is worth to wait for others.
func (s *Stream) more() bool { return s.o.More != nil && s.o.More() && !s.queue.vain }

// isClient tells whether a direction is the client's.
func (s *Stream) isClient(d reassembly.Dir) bool { return d == s.hello.Client }

// readEarly opens the early data that was held back (RFC 8446, Section 4.2.10), or drops what the server did not take: it comes again.
func (s *Stream) readEarly(taken bool) {
	c := &s.half[s.hello.Client]
	if c.stage != inEarly {
		return
	}
	held := s.early
	s.early = nil
	if !taken {
		c.enter(handshaking)
		c.lenient = true
		return
	}
	if k := s.secrets(); k != nil && k[earlyTraffic] != nil {
		c.open = newOpener13(s.suite, k[earlyTraffic])
	}
	for i := range held {
		if s.stopped() {
			return
		}
		c.protected(held[i].record, &held[i].at)
	}
}

// A sealed record waits to be opened.
type sealed struct {
	record []byte
	at     reassembly.Chunk
}
