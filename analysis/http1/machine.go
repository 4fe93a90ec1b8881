// Package http1 finds the messages of HTTP/1.x in the two streams of a
// connection (RFC 9112) and tells them as [analysis.Events].
//
// One [Machine] reads both directions, because neither can be framed alone: a
// response's length depends on the request's method, and what follows a
// refused request depends on the refusal. It is a [reassembly.Layer]; it keeps
// partial heads (bounded) and never content.
//
// Each direction is a half with a state:
//
//	head       -> a message head is due
//	sized      -> content, left bytes to go (Content-Length)
//	chunkLine, chunkData, chunkEnd, trailer -> the chunked coding
//	untilClose -> content to the end of the connection
//	held       -> behind CONNECT: waits for the answer
//	lost       -> out of step: a message is looked for where a segment begins
//
// The client's half has one decision more, in owed.go: after a final response
// bytes that belong to the refused body may be a new request.
//
// Nothing returns an error. Damage is a Doubt, a stream that never was HTTP is
// told to Options.Opaque, and then the machine is dead.
package http1

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// maxOutstanding bounds requests without an answer on one connection.
const maxOutstanding = 4096

// Options say how a machine begins.
type Options struct {
	// Client is the direction of the requests.
	Client reassembly.Dir
	// Next is the number of the first stream, 1 if 0.
	Next uint32
	// Joined: the streams begin in the middle; nothing is known until a message begins.
	Joined bool
	// Switch gives the layer for what a tunnel carries (RFC 9110, Section
	// 9.3.6); next is the number its first stream would have.
	Switch func(next uint32) reassembly.Layer
	// HTTP2 gives the layer for what follows when both sides agreed on HTTP/2: stream, the request that asked for it, is
	// stream 1 there. head: its method is HEAD.
	HTTP2 func(stream uint32, head bool) reassembly.Layer
	// Missed is told when bytes of the client went by that may hold a request which was not read; nil: nobody wants to know.
	Missed interface{ Overlooked() }
	// Torn: the beginning of the client's stream is missing from the capture, and Joined is set for that.
	Torn bool
	// Opaque is told once when the rest of the connection is not HTTP/1.x: "other" when it never was, "upgraded" after 101.
	Opaque func(kind string)
	// Heads is room for the heads that events show; machines that are used by turns may share it. Nil: the machine has its own.
	Heads *Heads
}

// Heads is room for one head of each direction: that of a request is shown while that of its answer is.
type Heads struct{ request, response analysis.Head }

// A Machine reads one connection.
type Machine struct {
	ev    analysis.Events
	o     Options
	next  uint32 // number of the next stream
	req   half
	resp  half
	queue []outstanding
	one   [1]outstanding // of which the queue is made: most clients wait for the answer

	answered uint32           // last stream that got its final response
	started  bool             // a message was seen
	inner    reassembly.Layer // the tunnel's
	waiting  reassembly.Held  // client bytes behind CONNECT
	gone     *reassembly.End  // end of the client's stream, when it came while waiting
	server   reassembly.Mark  // end of the server's stream, Packet 0 while open
	ending   analysis.Ended   // how it ended
	orphan   uint64           // what the last answer to nobody acknowledged, until a request comes; 0: nothing
	dead     bool
	upgrade
	missed
	owed
}

// outstanding is a request that waits for its final response.
type outstanding struct {
	stream        uint32
	head, connect bool // HEAD, CONNECT: they change how the answer ends
	close         bool // the request announced the end of the connection
	h2c           bool // the request asked for HTTP/2
	acked         uint64
}

// New returns a machine that tells ev.
func New(ev analysis.Events, o Options) *Machine {
	m := &Machine{ev: ev, o: o, next: max(o.Next, 1)}
	if o.Heads == nil {
		m.o.Heads = new(Heads)
	}
	m.queue = m.one[:0]
	m.req = half{m: m, dir: o.Client}
	m.resp = half{m: m, dir: o.Client.Other()}
	if o.Joined {
		m.missed = missed{missed: true, adrift: o.Torn, kind: analysis.DoubtGap}
		m.req.state, m.resp.state = lost, lost
	}
	return m
}

// Dead tells that nothing more will be read from the connection.
func (m *Machine) Dead() bool {
	if d, ok := m.inner.(interface{ Dead() bool }); ok {
		return d.Dead()
	}
	return m.dead
}

// Data reads a chunk.
func (m *Machine) Data(c *reassembly.Chunk) {
	switch {
	case m.passesOn(c.Dir):
		m.inner.Data(c)
	case m.dead:
	case c.Dir == m.o.Client:
		m.request(c)
	default:
		m.resp.data(c)
	}
}

// Gap reads a hole.
func (m *Machine) Gap(g *reassembly.Gap) {
	switch {
	case m.passesOn(g.Dir):
		m.inner.Gap(g)
	case m.finishing:
		m.finishGap(g)
	case m.dead:
	case g.Dir == m.o.Client:
		m.owedGap(g)
		m.req.gap(g)
	default:
		m.resp.gap(g)
	}
}

// Resent notes other bytes for a head that is not complete; for framing it is of no concern.
func (m *Machine) Resent(r *reassembly.Resent) {
	switch {
	case m.inner != nil:
		m.inner.Resent(r)
	case r.Dir == m.o.Client:
		m.req.resent(r)
	default:
		m.resp.resent(r)
	}
}

// resent compares what was sent again with a partial head.
func (h *half) resent(r *reassembly.Resent) {
	if h.state != head || len(h.buf) == 0 {
		return
	}
	start, from := h.first.Off-1, r.At.Off-r.Len
	for at, to := max(start, from), min(start+uint64(len(h.buf)), from+uint64(len(r.Data))); at < to; at++ {
		if h.buf[at-start] != r.Data[at-from] {
			h.torn = r.At
			return
		}
	}
}

// End reads the end of a direction.
func (m *Machine) End(e *reassembly.End) {
	switch {
	case m.passesOn(e.Dir):
		m.inner.End(e)
	case m.finishing:
		m.finishEnd(e)
	case m.dead:
	case e.Dir == m.o.Client:
		m.owedEnd()
		if m.req.state == held || m.waiting.Len() > 0 { // the tunnel's layer, if there will be one, must hear of it
			end := *e
			m.gone = &end
		}
		m.req.end(e)
		if m.server.Packet != 0 || e.How != reassembly.FIN { // else an answer can still decide
			m.conclude(e.At)
		}
	default:
		m.server, m.ending = e.At, analysis.EndingOf(e.How)
		m.resp.end(e)
		m.owedEnd()
		m.conclude(e.At)
	}
}

// Busy tells that an exchange is open.
func (m *Machine) Busy() bool {
	if d, ok := m.inner.(interface{ Busy() bool }); ok {
		return d.Busy()
	}
	return len(m.queue) > 0 || m.req.state != head || len(m.req.buf) > 0
}

// opaque ends the reading.
func (m *Machine) opaque(kind string, at reassembly.Mark) {
	m.abandon(analysis.EndedUpgraded, at)
	m.dead = true
	m.req.buf, m.resp.buf = nil, nil
	if m.o.Opaque != nil {
		m.o.Opaque(kind)
	}
}

// abandon ends what is open: the connection carries something else from here on.
func (m *Machine) abandon(how analysis.Ended, at reassembly.Mark) {
	m.req.over(how, at)
	for len(m.queue) > 0 {
		m.pop(how, at)
	}
	m.conclude(at)
}

// tunnel hands the rest of the connection to another layer.
func (m *Machine) tunnel() {
	if m.o.Switch == nil {
		m.opaque("other", m.resp.first)
		return
	}
	m.inner = m.o.Switch(m.next)
	m.waiting.Replay(m.o.Client, m.inner.Data)
	if m.gone != nil {
		m.inner.End(m.gone)
	}
}

// push enters a request that waits for its answer.
func (m *Machine) push(o outstanding, at reassembly.Mark) {
	if len(m.queue) == maxOutstanding {
		m.ev.Doubt(m.queue[0].stream, analysis.DoubtEvicted, analysis.PartFinal|analysis.PartInterim, at)
		m.pop(analysis.EndedIdle, at)
	}
	m.queue = append(m.queue, o)
}

// pop takes the oldest request off the queue: its response is over.
func (m *Machine) pop(how analysis.Ended, at reassembly.Mark) {
	const long = 64 // from there on moving the others costs more than growing again
	s := m.queue[0].stream
	if len(m.queue) > long {
		m.queue = m.queue[1:]
	} else {
		m.queue = append(m.queue[:0], m.queue[1:]...)
	}
	m.ev.Done(s, m.resp.dir, how, at)
}

// align drops the requests whose answers went by in a hole of the server's
// stream: the client sent the next request after it had received more of that
// stream, yet not more than up to where this answer begins.
func (m *Machine) align(first reassembly.Mark) {
	for len(m.queue) > 1 {
		one, two := m.queue[0].acked, m.queue[1].acked
		if two == reassembly.NoAck || two <= one || two >= first.Off {
			return
		}
		m.pop(analysis.EndedNot, first)
	}
}
