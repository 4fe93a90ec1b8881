package http1

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// requestHead opens an exchange; false when the head is no request.
func (m *Machine) requestHead(h *analysis.Head) bool {
	line, _ := firstLine(h.Text)
	var ok bool
	if h.Method, h.Target, h.Version, ok = splitRequest(line); !ok {
		return false
	}
	m.started = true
	var f fields
	f.scan(h.Text)
	h.Expect = f.expect
	h.Close = f.close || (h.Version[7] == '0' && !f.keep)
	h.Framing, h.Length = f.requestFraming()
	s := m.next
	m.next++
	m.ev.Request(s, h)
	if f.badLength || f.bothLengthAndCoded || (f.coded && !f.chunked) {
		m.ev.Doubt(s, analysis.DoubtFraming, analysis.PartReqBody, h.Last)
	}
	connect := string(h.Method) == "CONNECT"
	m.push(outstanding{
		stream: s, head: string(h.Method) == "HEAD", connect: connect, close: h.Close, acked: h.Last.Acked,
	}, h.Last)
	m.req.begin(s, h.Framing, h.Length, h.Last)
	if connect && m.req.state == head {
		m.req.state = held
	}
	m.unanswerable(h.Last)
	return true
}

// unanswerable ends the requests that come when the server's stream has ended.
func (m *Machine) unanswerable(at reassembly.Mark) {
	for m.server.Packet != 0 && len(m.queue) > 0 {
		m.pop(m.ending, at)
	}
}

// requestFraming is how a request's content ends (RFC 9112, Section 6.3).
func (f *fields) requestFraming() (analysis.Framing, int64) {
	switch {
	case f.chunked:
		return analysis.FramingChunked, -1
	case f.length >= 0:
		return analysis.FramingLength, f.length
	}
	return analysis.FramingNone, 0
}

// responseHead answers a request, or nobody; false when the head is no response.
func (m *Machine) responseHead(h *analysis.Head) bool {
	line, _ := firstLine(h.Text)
	var ok bool
	if h.Version, h.Status, h.Reason, ok = splitStatus(line); !ok {
		return false
	}
	m.started = true
	if m.resp.guess {
		m.align(h.First)
	}
	var f fields
	f.scan(h.Text)
	if h.Status < 200 && h.Status != 101 {
		h.Framing = analysis.FramingNone
		m.interim(h)
		m.resp.state = head
		return true
	}
	var o outstanding // an answer to nobody is read like one to GET
	if len(m.queue) > 0 {
		o = m.queue[0]
	}
	h.Framing, h.Length = f.responseFraming(o, h.Status)
	h.Close = f.close || (h.Version[7] == '0' && !f.keep) || h.Framing == analysis.FramingClose
	if o.stream == 0 {
		m.ev.Orphan(m.orphanOf(), h)
		m.resp.begin(0, h.Framing, h.Length, h.Last)
		return true
	}
	m.answered = o.stream
	m.ev.Response(o.stream, h)
	m.answeredNext(o.stream, h)
	m.refused(o, h)
	m.after(o, h)
	return true
}

// after enters what follows a final response head.
func (m *Machine) after(o outstanding, h *analysis.Head) {
	switch {
	case h.Status == 101:
		m.resp.stream = o.stream
		m.resp.over(analysis.EndedUpgraded, h.Last)
		m.opaque("upgraded")
	case h.Framing == analysis.FramingTunnel:
		m.resp.stream = o.stream
		m.resp.over(analysis.EndedTunnel, h.Last)
		m.resp.state, m.req.state = head, head
		m.tunnel()
	default:
		m.resp.begin(o.stream, h.Framing, h.Length, h.Last)
		if o.connect && m.req.state == held {
			m.req.state = head
			m.waiting.Replay(m.req.dir, m.req.data)
		}
	}
}

func (m *Machine) interim(h *analysis.Head) {
	if len(m.queue) == 0 {
		m.ev.Orphan(m.orphanOf(), h)
		return
	}
	m.ev.Interim(m.queue[0].stream, h)
	m.answeredNext(m.queue[0].stream, h)
}

// orphanOf is the stream behind which an answer to nobody came; 0 when it may
// answer a request that was not seen.
func (m *Machine) orphanOf() uint32 {
	if m.missed {
		return 0
	}
	return m.answered
}

// responseFraming is how a response's content ends (RFC 9112, Section 6.3).
func (f *fields) responseFraming(o outstanding, status int) (analysis.Framing, int64) {
	switch {
	case o.connect && status >= 200 && status < 300:
		return analysis.FramingTunnel, 0
	case o.head || status == 204 || status == 304 || status == 101:
		return analysis.FramingNone, 0
	case f.chunked:
		return analysis.FramingChunked, -1
	case f.coded:
		return analysis.FramingClose, -1
	case f.length >= 0:
		return analysis.FramingLength, f.length
	}
	return analysis.FramingClose, -1
}

// cutHead opens or answers an exchange by a head that the snap length cut behind its first line.
func (h *half) cutHead(g *reassembly.Gap) {
	m := h.m
	hd := analysis.Head{Text: h.buf, First: h.first, Last: g.At, TTL: h.ttl, Framing: analysis.FramingUnknown, Length: -1}
	hd.Last.Off -= g.Len // what is known of it
	line, _ := firstLine(h.buf)
	ok := false
	var f fields
	f.scan(h.buf)
	if h.dir == m.o.Client {
		if hd.Method, hd.Target, hd.Version, ok = splitRequest(line); ok {
			hd.Expect, m.started = f.expect, true
			s := m.next
			m.next++
			m.ev.Request(s, &hd)
			m.ev.Doubt(s, analysis.DoubtSnapLen, analysis.PartRequest|analysis.PartReqBody, g.At)
			m.push(outstanding{stream: s, acked: hd.Last.Acked, head: string(hd.Method) == "HEAD"}, hd.Last)
			m.unanswerable(hd.Last)
			h.stream = s
		}
		return
	}
	if hd.Version, hd.Status, hd.Reason, ok = splitStatus(line); !ok || len(m.queue) == 0 {
		return
	}
	m.started = true
	if h.guess {
		m.align(hd.First)
	}
	s := m.queue[0].stream
	if hd.Status < 200 && hd.Status != 101 {
		m.ev.Interim(s, &hd)
		return
	}
	m.answered = s
	m.ev.Response(s, &hd)
	m.ev.Doubt(s, analysis.DoubtSnapLen, analysis.PartFinal|analysis.PartRespBody, g.At)
	h.stream = s
}
