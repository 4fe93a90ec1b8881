package http1

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// requestHead opens an exchange; false when the head is no request.
func (m *Machine) requestHead(h *analysis.Head, f *fields) bool {
	var ok bool
	if h.Method, h.Target, h.Version, ok = splitRequest(trimLineEnd(h.Text[:f.lf])); !ok {
		return false
	}
	m.started = true
	h.Expect = f.expect
	h.Close = f.close || (h.Version[7] == '0' && !f.keep)
	h.Framing, h.Length = f.requestFraming()
	h.Odd = f.badLength || f.bothLengthAndCoded
	s := m.next
	m.next++
	m.rested(h)
	m.ev.Request(s, h)
	m.claimed(s, h.Last)
	if f.badLength || f.bothLengthAndCoded || (f.coded && !f.chunked) {
		m.ev.Doubt(s, analysis.DoubtFraming, analysis.PartReqBody, h.Last)
	}
	connect := string(h.Method) == "CONNECT"
	m.push(outstanding{
		stream: s, head: string(h.Method) == "HEAD", connect: connect, close: h.Close, acked: h.Last.Acked, h2c: f.upgrade && namesHTTP2(h.Text),
	}, h.Last)
	m.queued(s, h.Last)
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
func (m *Machine) responseHead(h *analysis.Head, f *fields) bool {
	var ok bool
	if h.Version, h.Status, h.Reason, ok = splitStatus(trimLineEnd(h.Text[:f.lf])); !ok {
		return false
	}
	m.started = true
	if m.resp.guess {
		m.align(h.First)
	}
	http2 := h.Status == 101 && f.upgrade && m.becomesHTTP2(h.Text)
	if h.Status < 200 && h.Status != 101 || http2 {
		h.Framing = analysis.FramingNone
		m.interim(h)
		m.resp.state = head
		if http2 {
			m.becomeHTTP2(h.Last)
		}
		return true
	}
	var o outstanding // an answer to nobody is read like one to GET
	if len(m.queue) > 0 {
		o = m.queue[0]
	}
	h.Framing, h.Length = f.responseFraming(o, h.Status)
	h.Close = f.close || (h.Version[7] == '0' && !f.keep) || h.Framing == analysis.FramingClose
	if o.stream == 0 {
		m.orphaned(h)
		m.anchored(h)
		m.resp.begin(0, h.Framing, h.Length, h.Last)
		return true
	}
	m.answered = o.stream
	m.ev.Response(o.stream, h)
	m.drifting(o.stream, h.First)
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
		m.opaque("upgraded", h.Last)
	case h.Framing == analysis.FramingTunnel:
		m.resp.stream = o.stream
		m.resp.over(analysis.EndedTunnel, h.Last)
		m.abandon(analysis.EndedTunnel, h.Last)
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
		m.orphaned(h)
		return
	}
	m.ev.Interim(m.queue[0].stream, h)
	m.drifting(m.queue[0].stream, h.First)
	m.answeredNext(m.queue[0].stream, h)
}

// orphaned tells of an answer to nobody.
func (m *Machine) orphaned(h *analysis.Head) {
	if m.orphan = h.First.Acked; m.orphan == reassembly.NoAck {
		m.orphan = 0
	}
	m.ev.Orphan(m.orphanOf(), h)
}

// claimed doubts the answers to a request where one to nobody, which came before it, acknowledges it: it was captured too early.
func (m *Machine) claimed(stream uint32, request reassembly.Mark) {
	if m.orphan >= request.Off {
		m.ev.Doubt(stream, analysis.DoubtGap, analysis.PartInterim|analysis.PartFinal, request)
	}
	m.orphan = 0
}

// orphanOf is the stream behind which an answer to nobody came; 0 when it may
// answer a request that was not seen.
func (m *Machine) orphanOf() uint32 {
	if m.missed.missed || m.unheard {
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

// cutHead opens or answers an exchange by a head of which only the beginning, with its first line, was captured.
// missing is how many bytes before mark at are not there.
func (h *half) cutHead(at reassembly.Mark, missing uint64, why analysis.DoubtKind) {
	m := h.m
	hd := h.room()
	*hd = analysis.Head{Text: h.buf, First: h.first, Last: at, TTL: h.ttl, Framing: analysis.FramingUnknown, Length: -1}
	hd.Last.Off -= missing
	line, _ := firstLine(h.buf)
	if h.dir == m.o.Client {
		m.cutRequest(hd, line, why)
	} else {
		m.cutResponse(hd, line, why)
	}
}

func (m *Machine) cutRequest(h *analysis.Head, line []byte, why analysis.DoubtKind) {
	var ok bool
	if h.Method, h.Target, h.Version, ok = splitRequest(line); !ok {
		return
	}
	var f fields
	f.scan(h.Text)
	h.Expect, m.started = f.expect, true
	s := m.next
	m.next++
	m.ev.Request(s, h)
	m.ev.Doubt(s, why, analysis.PartRequest|analysis.PartReqBody, h.Last)
	m.push(outstanding{stream: s, acked: h.Last.Acked, head: string(h.Method) == "HEAD"}, h.Last)
	m.unanswerable(h.Last)
	m.req.stream = s
}

func (m *Machine) cutResponse(h *analysis.Head, line []byte, why analysis.DoubtKind) {
	var ok bool
	if h.Version, h.Status, h.Reason, ok = splitStatus(line); !ok || len(m.queue) == 0 {
		return
	}
	m.started = true
	if m.resp.guess {
		m.align(h.First)
	}
	s := m.queue[0].stream
	if h.Status < 200 && h.Status != 101 {
		m.ev.Interim(s, h)
		return
	}
	m.answered = s
	m.ev.Response(s, h)
	m.ev.Doubt(s, why, analysis.PartFinal|analysis.PartRespBody, h.Last)
	m.resp.stream = s
}
