package http1

import (
	"bytes"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// owed is the desync point: a request was answered for good while the rest of
// its body was due, and the connection goes on. What the client sends next has
// two readings, the rest of the body or a new request, and honest clients send
// either. The law:
//
//   - A new request is thought of only where a segment begins that was sent
//     after its sender had received the whole final head, and whose bytes are a
//     request line with a field line, Host among the fields when part of the body was sent.
//   - It is read as a request then. Beside it the owed bytes are counted on: if
//     a request head stands where the body would end, behind the end of the
//     new request's own head, they were the body, and what was opened is taken back.
//   - An answer that comes before so many bytes arrived proves a new request.
//   - One that comes later does too, unless it is a 400, 408 or 501: then the
//     server took them for the body and stumbled over what followed.
//
// What the client meant decides which exchanges exist; what the server read is only recorded.
type owed struct {
	refusal uint64 // offset just past the final head, 0 while no body is owed
	closing bool   // the connection was announced to end: what follows is no request

	hold  reassembly.Held // bytes that may begin a request
	atEnd bool            // hold is where the body would end, not where a request may begin

	of     uint32 // the stream whose body was owed, 0 when nothing is open
	next   uint32 // the stream the new request opened
	record analysis.Owed
	before missed // what was known when the new request was opened
	left   uint64 // bytes up to where the body would end, 0 when that was looked at or is unknown
	end    uint64 // offset where the body would end
}

// refused notes a final response to a request whose body is not over.
func (m *Machine) refused(o outstanding, h *analysis.Head) {
	if m.req.stream != o.stream || !m.req.state.inBody() {
		return
	}
	m.refusal = h.Last.Off
	m.closing = h.Close || o.close
}

// request reads a chunk of the client.
func (m *Machine) request(c *reassembly.Chunk) {
	if m.hold.Len() > 0 {
		m.hold.Add(c, 0)
		m.decide(false)
		return
	}
	if m.left > 0 {
		n := uint64(len(c.Data))
		if m.left > n {
			m.left -= n
		} else {
			k := int(m.left)
			m.left = 0
			m.atBodyEnd(c, k)
			return
		}
	}
	m.read(c)
}

// atBodyEnd reads a chunk in which, at index k, the owed body would end.
func (m *Machine) atBodyEnd(c *reassembly.Chunk, k int) {
	before, behind := *c, *c
	before.Data, before.Mark = c.Data[:k], c.At(k)
	behind.Data = c.Data[k:]
	m.read(&before)
	m.atEnd = true
	if len(behind.Data) > 0 {
		m.hold.Add(&behind, 0)
		m.decide(false)
	}
}

// read reads a chunk by the reading that holds.
func (m *Machine) read(c *reassembly.Chunk) {
	if m.atEnd && m.of != 0 {
		m.hold.Add(c, 0)
		m.decide(false)
		return
	}
	if m.mayBegin(c) {
		m.looked = uint64(c.Mark.Packet)
		switch m.mayRead(c.Data, nil) {
		case yes:
			m.open(c.At(1))
			m.request(c)
			return
		case maybe:
			m.hold.Add(c, 0)
			return
		}
	}
	m.req.data(c)
}

// mayBegin tells whether a new request is thinkable at the beginning of the chunk.
func (m *Machine) mayBegin(c *reassembly.Chunk) bool {
	acked := c.Mark.Acked
	return m.refusal > 0 && !m.closing && m.req.state.inBody() && acked != reassembly.NoAck &&
		acked >= m.refusal && (m.server.Packet == 0 || acked <= m.server.Off)
}

// mayRead says whether b, where the owed body goes on, reads as a new request. cuts are the indexes in b where a
// segment begins. When the body ends or a segment begins inside the method, "xxGET / HTTP/1.1" is the end of a body and a GET.
func (m *Machine) mayRead(b []byte, cuts []int) answer {
	a := looksLikeRequest(b, true, m.req.got > 0)
	if a == no {
		return no
	}
	if m.req.state == sized && m.req.left < maxMethod {
		cuts = append(cuts, int(m.req.left))
	}
	n := bytes.IndexAny(b, " \t\n")
	if n < 0 || methods[string(b[:n])] {
		return a
	}
	for _, k := range cuts {
		if k < n && methods[string(b[k:n])] {
			return no
		}
	}
	return a
}

// decide looks at the held bytes again; final: no more will come.
func (m *Machine) decide(final bool) {
	a := no
	if !final && m.hold.Len() < maxLine {
		if a = looksLikeRequest(m.hold.Bytes(), true, false); !m.atEnd {
			a = m.mayRead(m.hold.Bytes(), m.hold.Cuts(maxMethod))
		}
	} else if final && m.atEnd {
		a = looksLikeRequest(m.hold.Bytes(), false, false)
	}
	if final && a == maybe {
		a = no
	}
	switch {
	case a == maybe:
	case m.atEnd:
		m.atEnd = false
		if a == yes && m.next > m.owed.next {
			m.takeBack(m.hold.First())
		} else {
			m.settleClient(analysis.Certain)
		}
		m.hold.Replay(m.req.dir, m.request)
	case a == yes:
		m.open(m.hold.First())
		m.hold.Replay(m.req.dir, m.request)
	default: // the first piece is content; a request may begin at the next, if more will come
		first := true
		m.hold.Replay(m.req.dir, func(c *reassembly.Chunk) {
			if first || final {
				first = false
				m.req.data(c)
				return
			}
			m.request(c)
		})
	}
}

// open reads what follows as a new request.
func (m *Machine) open(at reassembly.Mark) {
	m.conclude(at) // of an older one, if it is still open
	r := &m.req
	m.of, m.owed.next, m.before = r.stream, m.next, m.missed
	m.record = analysis.Owed{At: at, Bytes: -1, Client: analysis.ReadAsNext, ClientSure: analysis.Likely}
	switch {
	case r.state == sized:
		m.record.Bytes, m.left = int64(r.left), r.left
		m.end = at.Off - 1 + r.left
	case r.state == chunkLine:
		m.record.ClientSure = analysis.Certain // a request line is no chunk-size line
	}
	m.refusal = 0
	r.state, r.stream, r.buf = head, 0, r.buf[:0]
	m.ev.Owed(m.of, m.owed.next, m.record)
}

// takeBack: the client meant the rest of the body after all; it ends before mark at.
func (m *Machine) takeBack(at reassembly.Mark) {
	of, n := m.of, uint64(m.record.Bytes)
	m.record.Client, m.record.ClientSure = analysis.ReadAsBody, analysis.Certain
	m.record.Server, m.record.ServerSure = analysis.ReadAsBody, analysis.Likely
	m.ev.Owed(of, m.owed.next, m.record)
	for len(m.queue) > 0 && m.queue[len(m.queue)-1].stream >= m.owed.next {
		m.queue = m.queue[:len(m.queue)-1]
	}
	m.next, m.missed = m.owed.next, m.before
	m.req.state, m.req.stream, m.req.buf = head, 0, m.req.buf[:0]
	at.Off--
	m.ev.Body(of, m.req.dir, nil, n, at, 0, true)
	m.of, m.left = 0, 0
	m.ev.Done(of, m.req.dir, analysis.EndedComplete, at)
}

// settleClient: what the client meant is as sure as it gets.
func (m *Machine) settleClient(sure analysis.Confidence) {
	m.record.ClientSure = max(m.record.ClientSure, sure)
	m.ev.Owed(m.of, m.owed.next, m.record)
}

// answeredNext: a response came to a request; it may be the one that began in an owed body.
func (m *Machine) answeredNext(stream uint32, h *analysis.Head) {
	if m.of == 0 || stream != m.owed.next {
		return
	}
	r := &m.record
	early := m.end > 0 && h.First.Acked != reassembly.NoAck && h.First.Acked < m.end
	stumbled := h.Status == 400 || h.Status == 408 || h.Status == 501
	switch {
	case early || !stumbled:
		r.Server, r.ServerSure = analysis.ReadAsNext, analysis.Certain
		r.ClientSure = analysis.Certain
		if h.First.Acked == reassembly.NoAck {
			r.ServerSure = analysis.Likely
		}
	default:
		r.Server, r.ServerSure = analysis.ReadAsBody, analysis.Likely
	}
	m.ev.Owed(m.of, m.owed.next, *r)
	m.conclude(h.Last)
	if m.hold.Len() > 0 {
		m.hold.Replay(m.req.dir, m.request)
	}
}

// conclude ends the message whose body was owed: it was never finished. What
// is held then is no question any more.
func (m *Machine) conclude(at reassembly.Mark) {
	of := m.of
	m.of, m.left, m.end, m.atEnd = 0, 0, 0, false
	if of != 0 {
		m.ev.Done(of, m.req.dir, analysis.EndedNot, at)
	}
}

// bodyOver: the request's own content is over.
func (m *Machine) bodyOver(s uint32, how analysis.Ended, at reassembly.Mark) {
	m.refusal, m.finishing = 0, false
	m.ev.Done(s, m.req.dir, how, at)
}

// owedGap: bytes are missing where the two readings are weighed.
func (m *Machine) owedGap(g *reassembly.Gap) {
	held := m.hold.Len() > 0
	m.owedEnd()
	if m.mayHide(g, held) {
		m.ev.Doubt(m.req.stream, analysis.DoubtFraming, analysis.PartReqBody|analysis.PartFollowing, g.At)
		m.unread(analysis.DoubtOf(g.Why))
	}
	switch {
	case m.of == 0:
	case m.left > g.Len && !g.Inexact:
		m.left -= g.Len
	default:
		m.ev.Doubt(m.of, analysis.DoubtFraming, analysis.PartReqBody, g.At)
		m.conclude(g.At)
	}
}

// owedEnd: no more bytes will help to decide.
func (m *Machine) owedEnd() {
	if m.hold.Len() > 0 {
		m.decide(true)
	}
}
