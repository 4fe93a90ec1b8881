// Package http2 finds the messages of HTTP/2 (RFC 9113) in the two streams of a
// TCP connection and tells them as [analysis.Events], as analysis/http1 does.
//
// One [Machine] reads both directions: frames (frame.go), field blocks
// (block.go, and package hpack below), and the streams they belong to
// (stream.go). It is a [reassembly.Layer]; it keeps field blocks that are not
// complete (bounded) and never content.
//
// What is told of a stream is what is on the wire. A stream that one side reset
// goes on in the other direction until that side can have known (RFC 9113,
// Section 5.4.2), so that content in flight is counted. Pushed streams are
// passed over.
//
// Nothing returns an error. A hole that leaves the frames out of step is a Doubt
// on every open stream, and frames are looked for where a segment begins;
// fields whose compression refers to what was not captured are left out, and
// the message is in doubt.
package http2

import (
	"cmp"
	"slices"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// Limits on what one connection can make us keep. They are named when they are hit (Options.Limit).
const (
	// maxStreams bounds open streams; ten times what servers allow (RFC 9113, Section 6.5.2).
	maxStreams = 1000
	// maxBlock bounds a field block as it is on the wire, maxList the fields it stands for as text.
	maxBlock = 128 << 10
	maxList  = 64 << 10
)

// Options say how a machine begins.
type Options struct {
	// Client is the direction of the requests.
	Client reassembly.Dir
	// Base is added to a stream's identifier to number its exchange: how many
	// requests the connection carried before it became HTTP/2.
	Base uint32
	// Joined: the streams begin in the middle, without the preface and with field compression under way.
	Joined bool
	// Upgraded: stream 1 is the request of HTTP/1.1 that asked for HTTP/2
	// (RFC 7540, Section 3.2). Head tells that its method is HEAD.
	Upgraded, Head bool
	// Opaque is told once when the connection turns out not to be HTTP/2.
	Opaque func(kind string)
	// Unread is told of a request of which the target or the method is not known.
	Unread func(at reassembly.Mark)
	// Limit is told the name of a limit that was hit.
	Limit func(name string)
}

// A Machine reads one connection.
type Machine struct {
	ev        analysis.Events
	o         Options
	req, resp half
	open      []*stream // by identifier
	free      []*stream
	newest    uint32 // the largest identifier of a client's stream
	lingering int    // how many of open were reset
	goaway    struct {
		set  bool
		last uint32
		code uint32
		at   reassembly.Mark
	}
	missed bool            // requests may have gone unseen
	server reassembly.Mark // end of the server's stream, Packet 0 while open
	ending analysis.Ended  // how it ended
	dead   bool
	list   list
	hd     analysis.Head // told by pointer: one that lives here costs no allocation
}

// New returns a machine that tells ev.
func New(ev analysis.Events, o Options) *Machine {
	m := &Machine{ev: ev, o: o, missed: o.Joined}
	m.list.field = m.list.add
	m.req.init(m, o.Client)
	m.resp.init(m, o.Client.Other())
	if !o.Joined {
		m.req.state = preface
	}
	if o.Upgraded {
		s := m.enter(1)
		s.done[o.Client], s.head = true, o.Head
	}
	return m
}

// Dead tells that nothing more will be read from the connection.
func (m *Machine) Dead() bool { return m.dead }

// Busy tells that an exchange is open.
func (m *Machine) Busy() bool { return len(m.open) > 0 }

func (m *Machine) half(d reassembly.Dir) *half {
	if d == m.o.Client {
		return &m.req
	}
	return &m.resp
}

// Data reads a chunk.
func (m *Machine) Data(c *reassembly.Chunk) {
	if m.dead {
		return
	}
	if m.lingering > 0 {
		m.letGo(c.Mark.Time)
	}
	m.half(c.Dir).data(c)
}

// Gap reads a hole.
func (m *Machine) Gap(g *reassembly.Gap) {
	if !m.dead {
		m.half(g.Dir).gap(g)
	}
}

// Resent is of no concern for framing.
func (m *Machine) Resent(*reassembly.Resent) {}

// End reads the end of a direction: what is open in it will not go on.
func (m *Machine) End(e *reassembly.End) {
	if m.dead {
		return
	}
	how := analysis.EndingOf(e.How)
	h := m.half(e.Dir)
	h.broken(e.At, analysis.DoubtCaptureEnd)
	h.state = ended
	for i := 0; i < len(m.open); {
		s := m.open[i]
		if s.reset[e.Dir.Other()] != 0 {
			m.done(s, e.Dir, analysis.EndedRST, e.At)
		} else {
			m.done(s, e.Dir, how, e.At)
		}
		if i < len(m.open) && m.open[i] == s {
			i++
		}
	}
	if e.Dir != m.o.Client {
		m.server, m.ending = e.At, how
	}
}

// opaque ends the reading: this is no HTTP/2.
func (m *Machine) opaque(at reassembly.Mark) {
	for len(m.open) > 0 {
		s := m.open[0]
		m.done(s, m.o.Client, analysis.EndedNot, at)
		m.done(s, m.o.Client.Other(), analysis.EndedNot, at)
	}
	m.dead = true
	if m.o.Opaque != nil {
		m.o.Opaque("other")
	}
}

func (m *Machine) limit(name string) {
	if m.o.Limit != nil {
		m.o.Limit(name)
	}
}

// A stream is an open request (RFC 9113, Section 5.1).
type stream struct {
	id            uint32
	head, connect bool
	final         bool // the final response's head was seen
	done          [2]bool
	reset         [2]int64 // when its sender reset it, in nanoseconds since 1970; 0: not
}

// find is the open stream with an identifier, nil if there is none.
func (m *Machine) find(id uint32) *stream {
	if n := len(m.open); n > 0 && m.open[n-1].id == id {
		return m.open[n-1]
	}
	if i, ok := m.index(id); ok {
		return m.open[i]
	}
	return nil
}

func (m *Machine) index(id uint32) (int, bool) {
	return slices.BinarySearchFunc(m.open, id, func(s *stream, id uint32) int { return cmp.Compare(s.id, id) })
}

// enter opens the stream with an identifier, which is larger than those before it.
func (m *Machine) enter(id uint32) *stream {
	var s *stream
	if n := len(m.free); n > 0 {
		s = m.free[n-1]
		m.free = m.free[:n-1]
	} else {
		s = new(stream)
	}
	*s = stream{id: id}
	m.open = append(m.open, s)
	m.newest = id
	return s
}

// number is what the exchange of a stream is called in events.
func (m *Machine) number(id uint32) uint32 { return m.o.Base + id }

// done: nothing more comes from a direction of a stream. When both are over the stream is.
func (m *Machine) done(s *stream, d reassembly.Dir, how analysis.Ended, at reassembly.Mark) {
	if s.done[d] {
		return
	}
	s.done[d] = true
	m.ev.Done(m.number(s.id), d, how, at)
	if !s.done[d.Other()] {
		return
	}
	if s.reset != [2]int64{} {
		m.lingering--
	}
	m.req.leave(s)
	m.resp.leave(s)
	i, ok := m.index(s.id)
	if !ok {
		return
	}
	m.open = slices.Delete(m.open, i, i+1)
	if len(m.free) < maxStreams {
		m.free = append(m.free, s)
	}
}
