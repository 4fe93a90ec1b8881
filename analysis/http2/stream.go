package http2

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// Error codes that matter (RFC 9113, Section 7).
const refusedStream = 0x7

// request is a field block of the client: a request, or the trailers of one.
func (m *Machine) request(id uint32, end bool, at reassembly.Mark) {
	l := &m.list
	if s := m.find(id); s != nil || id <= m.newest || id%2 == 0 {
		if s != nil && end {
			m.done(s, m.o.Client, analysis.EndedComplete, at)
		}
		return
	}
	if !l.pseudo && (l.fields > 0 || m.missed) { // of a request that was not seen
		return
	}
	if len(m.open) == maxStreams {
		m.giveUp(at)
	}
	s := m.enter(id)
	h := &m.hd
	l.request(h)
	s.head, s.connect = string(h.Method) == "HEAD", string(h.Method) == "CONNECT" && !l.extended
	switch {
	case end || s.connect:
		h.Framing, h.Length = analysis.FramingNone, 0
	default:
		h.Framing, h.Length = analysis.FramingH2, l.length
	}
	m.ev.Request(m.number(id), h)
	m.doubts(s, analysis.PartRequest|analysis.PartReqBody)
	if m.o.Unread != nil && (len(h.Method) == 0 || len(h.Target) == 0) {
		m.o.Unread(h.Last)
	}
	switch {
	case m.goaway.set && id > m.goaway.last:
		m.notProcessed(s)
		return
	case end:
		m.done(s, m.o.Client, analysis.EndedComplete, at)
	}
	if m.server.Packet != 0 {
		m.done(s, m.o.Client.Other(), m.ending, at)
	}
}

// response is a field block of the server.
func (m *Machine) response(id uint32, end bool, at reassembly.Mark) {
	l, h := &m.list, &m.hd
	s := m.find(id)
	switch {
	case id%2 == 0: // pushed
		return
	case s == nil:
		if l.status >= 100 && (m.missed || id > m.newest) {
			l.response(h)
			m.ev.Orphan(0, h)
		}
		return
	case s.done[m.o.Client.Other()]:
		return
	case s.final: // trailers
		if end {
			m.done(s, m.o.Client.Other(), analysis.EndedComplete, at)
		}
		return
	}
	l.response(h)
	h.EndStream = end
	switch {
	case l.status < 100:
		m.doubts(s, analysis.PartInterim|analysis.PartFinal)
		if end {
			m.done(s, m.o.Client.Other(), analysis.EndedNot, at)
		}
	case l.status < 200: // 101 too: it means nothing here (RFC 9113, Section 8.6)
		m.ev.Interim(m.number(id), h)
		m.doubts(s, analysis.PartInterim)
	default:
		m.answer(s, end, at)
	}
}

// answer is the final response to a stream.
func (m *Machine) answer(s *stream, end bool, at reassembly.Mark) {
	h := &m.hd
	s.final = true
	switch {
	case s.connect && h.Status < 300:
		h.Framing, h.Length = analysis.FramingTunnel, 0
	case end || s.head || h.Status == 204 || h.Status == 304:
		h.Framing, h.Length = analysis.FramingNone, 0
	default:
		h.Framing, h.Length = analysis.FramingH2, m.list.length
	}
	m.ev.Response(m.number(s.id), h)
	m.doubts(s, analysis.PartFinal|analysis.PartRespBody)
	switch {
	case h.Framing == analysis.FramingTunnel: // what follows on the stream is somebody else's
		m.done(s, m.o.Client, analysis.EndedTunnel, at)
		m.done(s, m.o.Client.Other(), analysis.EndedTunnel, at)
	case end:
		m.done(s, m.o.Client.Other(), analysis.EndedComplete, at)
	}
}

// doubts tells why the message at hand may not be what it was.
func (m *Machine) doubts(s *stream, parts analysis.Part) {
	for k := analysis.DoubtKind(0); m.list.doubts>>k != 0; k++ {
		if m.list.doubts>>k&1 != 0 {
			m.ev.Doubt(m.number(s.id), k, parts, m.hd.Last)
		}
	}
}

// resetStream is a RST_STREAM frame of a direction. The other goes on until its sender can have known.
func (m *Machine) resetStream(d reassembly.Dir, id, code uint32, first, at reassembly.Mark) {
	s := m.find(id)
	if s == nil || s.reset[d] != 0 {
		return
	}
	r := analysis.StreamReset{Dir: d, Code: code, At: at, NotProcessed: code == refusedStream && d != m.o.Client}
	m.ev.Reset(m.number(id), r)
	if s.reset == [2]int64{} {
		m.lingering++
	}
	s.reset[d] = max(first.Time, 1)
	if s.reset[d.Other()] != 0 || r.NotProcessed {
		m.done(s, d.Other(), analysis.EndedRST, at)
	}
	m.done(s, d, analysis.EndedRST, at)
}

// letGo ends the streams whose reset is so long ago that nothing can be on its way any more.
func (m *Machine) letGo(now int64) {
	for i := len(m.open) - 1; i >= 0; i-- {
		s := m.open[i]
		for d, t := range s.reset {
			if t != 0 && now-t > analysis.CloseWait {
				m.done(s, reassembly.Dir(d).Other(), analysis.EndedRST, reassembly.Mark{Time: now, Acked: reassembly.NoAck})
				break
			}
		}
	}
}

// goAway is a GOAWAY frame of the server: streams above the last one were not and will not be processed (RFC 9113, Section 6.8).
func (m *Machine) goAway(last, code uint32, at reassembly.Mark) {
	m.goaway.set, m.goaway.last, m.goaway.code, m.goaway.at = true, last, code, at
	for i := len(m.open) - 1; i >= 0 && m.open[i].id > last; i-- {
		m.notProcessed(m.open[i])
	}
}

func (m *Machine) notProcessed(s *stream) {
	at := m.goaway.at
	m.ev.Reset(m.number(s.id), analysis.StreamReset{
		Dir: m.o.Client.Other(), Code: m.goaway.code, At: at, NotProcessed: true, GoAway: true,
	})
	m.done(s, m.o.Client, analysis.EndedRST, at)
	m.done(s, m.o.Client.Other(), analysis.EndedRST, at)
}

// giveUp ends an open stream to make room: one that was reset, else the oldest.
func (m *Machine) giveUp(at reassembly.Mark) {
	m.limit("HTTP/2 streams")
	s, how := m.open[0], analysis.EndedIdle
	for _, o := range m.open {
		if o.reset != [2]int64{} {
			s, how = o, analysis.EndedRST
			break
		}
	}
	if how == analysis.EndedIdle {
		m.ev.Doubt(m.number(s.id), analysis.DoubtEvicted, analysis.PartFinal|analysis.PartInterim|analysis.PartReqBody, at)
	}
	m.done(s, m.o.Client, how, at)
	m.done(s, m.o.Client.Other(), how, at)
}
