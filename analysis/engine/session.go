package engine

import (
	"net/netip"
	"strconv"

	"expectscope/analysis"
	"expectscope/analysis/http1"
	"expectscope/analysis/http2"
	"expectscope/analysis/record"
	"expectscope/analysis/sniff"
	"expectscope/reassembly"
)

var noAddr netip.Addr

// session is one connection: its layers and its recorder. It implements
// reassembly.Layer and record.Sink.
type session struct {
	e     *Engine
	conn  *reassembly.Conn
	layer reassembly.Layer
	rec   *record.Recorder
	watch analysis.Observer // nil: nobody looks on
	ends  [2]reassembly.End
	told  *[2]reassembly.End // a copy of ends that exchanges share; nil before the first
	from  netip.Addr         // the HTTP client's address
	tls   *analysis.TLS      // nil: what is read is in the clear
	last  int64              // when the last chunk was sent
	prev  int64              // and the one before
	dead  bool
}

// open begins a connection that carries data.
func (e *Engine) open(c *reassembly.Conn) reassembly.Layer {
	if len(e.shunned) > 0 && e.shunned[[2]netip.AddrPort{c.Client, c.Server}] {
		return nil
	}
	s := &session{e: e, conn: c, from: c.Client.Addr()}
	if c.Tap != 0 {
		e.hop.Tap()
	}
	if e.o.Observe != nil {
		s.watch = e.o.Observe(c)
	}
	return s
}

// sniffer looks at what begins: on the connection, in a tunnel through it, or in TLS.
func (s *session) sniffer(joined bool, next uint32) reassembly.Layer {
	var sn *sniff.Sniffer
	sn = sniff.New(sniff.Options{
		Joined: joined,
		Opaque: s.opaque,
		Missed: s,
		TLS:    func() reassembly.Layer { return s.decrypter(next) },
		HTTP1: func(client reassembly.Dir) reassembly.Layer {
			return s.http1(http1.Options{Client: client, Next: next, Joined: sn.Joined(), Torn: sn.Torn(client)})
		},
		HTTP2: func(client reassembly.Dir, joined bool) reassembly.Layer {
			s.record(client)
			return s.http2(http2.Options{Client: client, Base: next - 1, Joined: joined})
		},
		Frames: http2.Side,
	})
	return sn
}

// record begins to build exchanges, once it is known which direction the requests travel in.
func (s *session) record(client reassembly.Dir) {
	if s.rec == nil {
		s.from = s.conn.Addr(client).Addr()
		s.rec = record.New(s, &s.e.pool, s.conn, client, s.prefix(), s.e.o.All)
		s.rec.SetTLS(s.tls)
	}
}

// http1 reads HTTP/1.x.
func (s *session) http1(o http1.Options) reassembly.Layer {
	s.record(o.Client)
	o.Opaque, o.Missed, o.Heads = s.opaque, s, &s.e.heads
	o.Switch = func(next uint32) reassembly.Layer { return s.sniffer(false, next) }
	o.HTTP2 = func(stream uint32, head bool) reassembly.Layer {
		return s.http2(http2.Options{Client: o.Client, Base: stream - 1, Upgraded: true, Head: head})
	}
	return http1.New(s.events(), o)
}

// http2 reads HTTP/2. To who looks on it is opaque: what is told of it is not what is in the packets.
func (s *session) http2(o http2.Options) reassembly.Layer {
	o.Opaque, o.Limit = s.opaque, s.e.limit
	o.Unread = func(at reassembly.Mark) {
		s.blind(at.Time, at.Time, "a request's fields refer to what was not captured")
	}
	if s.watch != nil {
		s.watch.Opaque("http2")
	}
	return http2.New(s.rec, o)
}

func (s *session) prefix() string {
	if !s.e.o.Multi {
		return ""
	}
	return strconv.Itoa(s.conn.First.Input()) + ":"
}

// opaque notes that the rest of the connection cannot be read.
func (s *session) opaque(kind string) {
	s.e.sum.Capture.Opaque[kind]++
	if s.watch != nil {
		s.watch.Opaque(kind)
	}
	if kind == "tls" || kind == "http2" {
		s.blind(s.e.now, s.e.now, "a connection could not be read: "+kind)
	}
}

// blind tells retry that something of this client was not seen between two times.
func (s *session) blind(from, to int64, why string) {
	client, server := s.from, s.conn.Server.Addr()
	if client == server {
		server = s.conn.Client.Addr()
	}
	if s.e.retry.Wants(client) {
		s.e.retry.Blind(client, server, from, to, why)
	}
}

// Overlooked notes that a request of this client may have gone by unread since the last chunk.
func (s *session) Overlooked() {
	s.blind(max(s.prev, s.conn.SYN), s.e.now, "a request may have gone by unread")
}

// Dead tells that nothing more will be read from the connection.
func (s *session) Dead() bool {
	if s.dead {
		return true
	}
	d, ok := s.layer.(interface{ Dead() bool })
	return ok && d.Dead()
}

// Busy tells that an exchange is open.
func (s *session) Busy() bool { return s.rec != nil && s.rec.Open() }

// Data reads a chunk.
func (s *session) Data(c *reassembly.Chunk) {
	s.e.running = s
	s.prev, s.last = s.last, c.Mark.Time
	if s.watch != nil {
		s.watch.Data(c)
	}
	if s.layer == nil {
		s.begin(c)
	}
	s.layer.Data(c)
	if sn, ok := s.layer.(*sniff.Sniffer); ok && sn.Next() != nil {
		s.layer = sn.Next() // it has done its work
	}
	s.e.running = nil
}

// Gap reads a hole.
func (s *session) Gap(g *reassembly.Gap) {
	s.e.running = s
	if g.Why != reassembly.Snapped || s.rec == nil {
		s.blind(max(s.last, s.conn.SYN), g.At.Time, "bytes of a connection are missing from the capture")
	}
	if s.watch != nil {
		s.watch.Gap(g)
	}
	if s.layer == nil {
		s.begin(nil)
	}
	s.layer.Gap(g)
	s.e.running = nil
}

// Resent reads a retransmission.
func (s *session) Resent(r *reassembly.Resent) {
	s.e.running = s
	if s.watch != nil {
		s.watch.Resent(r)
	}
	if s.rec != nil {
		s.rec.Resent(r)
	}
	if s.layer != nil {
		s.layer.Resent(r)
	}
	s.e.running = nil
}

// End reads the end of a direction.
func (s *session) End(e *reassembly.End) {
	s.ends[e.Dir] = *e
	s.e.running = s
	if s.watch != nil {
		s.watch.End(e)
	}
	if s.layer == nil {
		s.begin(nil)
	}
	s.layer.End(e)
	s.e.running = nil
	if s.ends[e.Dir.Other()].How != reassembly.Open {
		s.over()
	}
}

// shareEnds is how the directions ended, in what exchanges may keep; nil while none has.
func (s *session) shareEnds() *[2]reassembly.End {
	if (s.told == nil && s.ends != [2]reassembly.End{}) || (s.told != nil && *s.told != s.ends) {
		ends := s.ends
		s.told = &ends
	}
	return s.told
}

// over lets go of what read the connection: exchanges that wait to be judged hold on to the session.
func (s *session) over() {
	s.dead, s.layer = true, nil
	if s.rec != nil {
		s.rec.Release()
		s.rec = nil
	}
}

// Wants tells whether a request may be the repeat of a refused one of this client, follow from another answer, or be another hop of
// one that is of interest.
func (s *session) Wants(h *analysis.Head) bool {
	if s.e.hop.Wants(h) {
		return true
	}
	awaited, passes := s.e.retry.Passes(s.conn, s.from, h)
	if !awaited {
		s.e.passed.add(s)
	}
	return !passes || s.e.links.Wants(s.from, h)
}

// Opened hears of a kept exchange.
func (s *session) Opened(x *analysis.Exchange) {
	if s.e.retry.Wants(s.from) {
		s.e.retry.Request(x)
	} else {
		s.e.passed.add(s)
	}
	s.e.links.Request(x)
	s.e.peers.Opened(x)
	s.e.hop.Opened(x)
	if _, ok := x.Request.Get("Expect"); ok {
		s.e.hops(x)
	}
	s.e.opened(s, x)
}

// Noted hears that an exchange has become of interest.
func (s *session) Noted(x *analysis.Exchange) {
	if s.e.hop.Noted(x) {
		s.e.hops(x)
	}
}

// Refused hears of a 417. It may come late, out of a hole: then a request
// that went by in between may have been its repeat.
func (s *session) Refused(x *analysis.Exchange) {
	s.e.retry.Refused(x)
	if t := x.Final.Last.Time; s.e.now > t && s.e.passed.since(s.from, t) {
		s.blind(t, s.e.now, "the 417 came to light after other requests of the client")
	}
}

// Rejected hears of a final response that may lead to another request.
func (s *session) Rejected(x *analysis.Exchange) { s.e.links.Rejected(x) }

// Revoked hears that an exchange never was one.
func (s *session) Revoked(x *analysis.Exchange) {
	s.e.retry.Revoked(x)
	s.e.links.Revoked(x)
	s.e.peers.Revoked(x)
	s.e.hop.Revoked(x)
	s.e.settle.drop(x)
}

// Closed hears that a kept exchange is over.
func (s *session) Closed(x *analysis.Exchange) {
	s.e.retry.Closed(x)
	s.e.links.Closed(x)
	s.e.hop.Closed(x)
	s.e.settle.add(s, x)
}

// Counted hears of every exchange that is over.
func (s *session) Counted(x *analysis.Exchange) {
	if x.Ended == analysis.EndedIdle && s.ends == [2]reassembly.End{} { // its connection goes on: too many waited for an answer
		s.e.limit("outstanding requests")
	}
	s.e.count(x)
}

// Orphan hears of a response head that answers no request.
func (s *session) Orphan(h *analysis.Head) {
	if h.Status >= 200 || h.Status == 101 {
		s.e.sum.Orphans++
		s.Overlooked()
	}
}

// passers remembers the last requests of clients without an open refused exchange, so that one that was
// wanted after all is found while it is open, and is known to have been missed when it is over.
type passers struct {
	n    int
	ring [64]struct {
		from netip.Addr
		time int64
		s    *session
	}
}

func (p *passers) add(s *session) {
	r := &p.ring[p.n%len(p.ring)]
	r.from, r.time, r.s = s.from, s.e.now, s
	p.n++
}

// since tells whether a request from that address may have gone by at or after t.
func (p *passers) since(from netip.Addr, t int64) bool {
	for i := range p.ring {
		if r := &p.ring[i]; r.time >= t && (r.from == from || p.n > len(p.ring) && i == p.n%len(p.ring)) {
			return true
		}
	}
	return false
}

// hops keeps those of the last requests that may be another hop of x.
func (e *Engine) hops(x *analysis.Exchange) {
	match := e.hop.Matches(x)
	for i := range e.passed.ring {
		// The oldest first; a session that passed several is searched as often, and its exchanges found once.
		if s := e.passed.ring[(e.passed.n+i)%len(e.passed.ring)].s; s != nil && s.rec != nil && s.conn != x.Conn {
			s.rec.Find(match, e.hop.Opened)
		}
	}
}
