package http1

import (
	"bytes"

	"expectscope/analysis"
	"expectscope/reassembly"
)

type state uint8

const (
	head state = iota
	sized
	chunkLine
	chunkData
	chunkEnd
	trailer
	untilClose
	held
	lost
)

// inBody tells that content of a message is due.
func (s state) inBody() bool { return s >= sized && s <= untilClose }

// half is one direction.
type half struct {
	m      *Machine
	dir    reassembly.Dir
	state  state
	lineOK bool            // the first line of the partial head was found sound
	guess  bool            // the partial head was begun out of step: it may be nothing
	buf    []byte          // partial head, chunk line or trailer line
	first  reassembly.Mark // of buf's first byte
	torn   reassembly.Mark // of a segment that brought other bytes for the partial head; no packet: none did
	ttl    uint8
	stream uint32 // of the message whose content is due; 0: an answer without a request
	left   uint64 // content bytes to go in sized and chunkData
	got    uint64 // content bytes so far
	extra  int    // trailer bytes so far
}

// room is where the next head of this direction is put: events get a pointer, and one to the machine's own costs no allocation.
func (h *half) room() *analysis.Head {
	if h.dir == h.m.o.Client {
		return &h.m.o.Heads.request
	}
	return &h.m.o.Heads.response
}

// data reads a chunk to its end, or to where the machine stops reading.
func (h *half) data(c *reassembly.Chunk) {
	at := 0
	for at < len(c.Data) && !h.m.dead && !h.m.passesOn(h.dir) {
		at = h.step(c, at)
	}
	if h.m.inner != nil && at < len(c.Data) {
		rest := *c
		rest.Data = c.Data[at:]
		h.m.inner.Data(&rest)
	}
}

// step reads some bytes from index at on and says how far it came.
func (h *half) step(c *reassembly.Chunk, at int) int {
	switch h.state {
	case head:
		return h.head(c, at)
	case sized, chunkData:
		return h.content(c, at, int(min(h.left, uint64(len(c.Data)-at))))
	case untilClose:
		return h.content(c, at, len(c.Data)-at)
	case chunkLine, chunkEnd, trailer:
		return h.line(c, at)
	case held:
		if h.m.waiting.Len() < maxLine {
			h.m.waiting.Add(c, at)
		}
		return len(c.Data)
	}
	return h.resync(c, at)
}

// head collects a message head.
func (h *half) head(c *reassembly.Chunk, at int) int {
	data := c.Data
	if h.guess && at == 0 && h.begins(data) == yes {
		h.buf = h.buf[:0] // what was begun before was nothing
	}
	if len(h.buf) == 0 {
		for at < len(data) && (data[at] == '\r' || data[at] == '\n') { // RFC 9112, Section 2.2
			at++
		}
		if at == len(data) {
			return at
		}
		h.first, h.ttl, h.lineOK, h.torn = c.At(at+1), c.TTL, false, reassembly.Mark{}
		var f fields
		if end := f.scanHead(data, at); end >= 0 && end-at <= maxHead {
			return h.message(c, data[at:end], end, &f)
		}
	}
	old := len(h.buf)
	take := min(len(data)-at, maxHead-old)
	h.buf = append(h.buf, data[at:at+take]...)
	if end := headEnd(h.buf, max(0, old-2)); end >= 0 {
		text := h.buf[:end]
		h.buf = h.buf[:0]
		var f fields
		f.scan(text)
		return h.message(c, text, at+end-old, &f)
	}
	if !h.lineOK {
		switch h.begins(h.buf) {
		case no:
			return h.bad(c, old > 0)
		case yes:
			h.lineOK = true
		}
	}
	if len(h.buf) >= maxHead {
		return h.bad(c, false)
	}
	return len(data)
}

// begins says whether b begins like a message of this direction.
func (h *half) begins(b []byte) answer {
	if h.dir == h.m.o.Client {
		return looksLikeRequest(b, false, false)
	}
	return looksLikeStatus(b)
}

// message takes a whole head and its fields; the chunk's bytes up to end belong to it.
func (h *half) message(c *reassembly.Chunk, text []byte, end int, f *fields) int {
	hd := h.room()
	*hd = analysis.Head{Text: text, First: h.first, Last: c.At(end), TTL: h.ttl}
	ok := false
	if h.dir == h.m.o.Client {
		s := h.m.next
		ok = h.m.requestHead(hd, f)
		if ok && h.torn.Packet != 0 {
			h.m.ev.Doubt(s, analysis.DoubtConflict, analysis.PartRequest|analysis.PartReqBody, h.torn)
		}
	} else {
		if h.torn.Packet != 0 && len(h.m.queue) > 0 {
			h.m.ev.Doubt(h.m.queue[0].stream, analysis.DoubtConflict, analysis.PartInterim|analysis.PartFinal|analysis.PartRespBody, h.torn)
		}
		ok = h.m.responseHead(hd, f)
	}
	if !ok {
		return h.bad(c, false)
	}
	h.guess = false
	return end
}

// bad gives up the head that was being collected; again: the chunk itself was not looked at as a beginning.
func (h *half) bad(c *reassembly.Chunk, again bool) int {
	guess := h.guess
	h.buf, h.guess = h.buf[:0], false
	switch {
	case guess:
		h.state = lost
		if again {
			return h.resync(c, 0)
		}
	case !h.m.started:
		h.m.opaque("other", h.first)
	default:
		h.outOfStep(h.first, analysis.DoubtFraming)
	}
	return len(c.Data)
}

// resync looks for the beginning of a message where a segment begins.
func (h *half) resync(c *reassembly.Chunk, at int) int {
	found := at == 0 && h.begins(c.Data) != no
	if h.dir == h.m.o.Client {
		h.m.sought(found)
	}
	if !found {
		return len(c.Data)
	}
	h.state, h.guess = head, true
	return h.head(c, at)
}

// content counts n content bytes from index at on.
func (h *half) content(c *reassembly.Chunk, at, n int) int {
	if n > 0 && h.stream != 0 {
		h.m.ev.Body(h.stream, h.dir, c.Data[at:at+n], uint64(n), c.At(at+n), c.Seen, c.Sealed)
	}
	h.passed(uint64(n), c.At(at+n))
	return at + n
}

// passed moves on behind n content bytes that end at mark.
func (h *half) passed(n uint64, mark reassembly.Mark) {
	h.got += n
	switch h.state {
	case sized:
		if h.left -= n; h.left == 0 {
			h.finish(mark)
		}
	case chunkData:
		if h.left -= n; h.left == 0 {
			h.state = chunkEnd
		}
	}
}

// line reads a chunk-size line, the line end behind a chunk, or a trailer line (RFC 9112, Section 7.1).
func (h *half) line(c *reassembly.Chunk, at int) int {
	n := bytes.IndexByte(c.Data[at:], '\n')
	if n < 0 {
		h.buf = append(h.buf, c.Data[at:]...)
		if len(h.buf) > maxLine || (h.state == chunkEnd && len(h.buf) > 1) {
			h.outOfStep(c.Mark, analysis.DoubtFraming)
		}
		return len(c.Data)
	}
	text := c.Data[at : at+n]
	if len(h.buf) > 0 {
		h.buf = append(h.buf, text...)
		text = h.buf
		h.buf = h.buf[:0]
	}
	end := at + n + 1
	h.chunkedLine(bytes.TrimRight(text, "\r"), c.At(end))
	return end
}

func (h *half) chunkedLine(text []byte, mark reassembly.Mark) {
	switch h.state {
	case chunkEnd:
		if len(text) > 0 {
			h.outOfStep(mark, analysis.DoubtFraming)
			return
		}
		h.state = chunkLine
	case chunkLine:
		size, ok := chunkSize(text)
		switch {
		case !ok:
			h.outOfStep(mark, analysis.DoubtFraming)
		case size == 0:
			h.state, h.extra = trailer, 0
		default:
			h.state, h.left = chunkData, size
		}
	case trailer:
		h.extra += len(text)
		switch {
		case len(text) == 0:
			h.finish(mark)
		case h.extra > maxHead:
			h.outOfStep(mark, analysis.DoubtFraming)
		}
	}
}

// begin enters the content of a message whose head is complete.
func (h *half) begin(stream uint32, f analysis.Framing, length int64, mark reassembly.Mark) {
	h.stream, h.got, h.left = stream, 0, uint64(max(length, 0))
	switch {
	case f == analysis.FramingChunked:
		h.state = chunkLine
	case f == analysis.FramingClose:
		h.state = untilClose
	case f == analysis.FramingLength && length > 0:
		h.state = sized
	default:
		h.finish(mark)
	}
}

// finish: the message is whole.
func (h *half) finish(mark reassembly.Mark) {
	h.state = head
	h.over(analysis.EndedComplete, mark)
}

// over reports that the message whose content was due has ended.
func (h *half) over(how analysis.Ended, mark reassembly.Mark) {
	s := h.stream
	h.stream = 0
	switch {
	case s == 0:
	case h.dir == h.m.o.Client:
		h.m.bodyOver(s, how, mark)
	case len(h.m.queue) > 0 && h.m.queue[0].stream == s:
		h.m.pop(how, mark)
	}
}

// gap reads a hole in this direction.
func (h *half) gap(g *reassembly.Gap) {
	n, lax := g.Len, g.Inexact // then it is not known where the content goes on
	switch h.state {
	case sized, chunkData:
		n = min(n, h.left)
	case untilClose:
	default:
		if h.state == head && h.lineOK && len(h.buf) > 0 {
			h.cutHead(g.At, g.Len, analysis.DoubtOf(g.Why))
		}
		h.outOfStep(g.At, analysis.DoubtOf(g.Why))
		return
	}
	at := *g
	at.Len, at.At.Off = n, g.At.Off-(g.Len-n)
	switch {
	case h.stream == 0:
	case g.Why == reassembly.Snapped:
		h.m.ev.Body(h.stream, h.dir, nil, n, at.At, 0, true)
	default:
		h.m.ev.Lost(h.stream, h.dir, n, &at)
	}
	if lax = lax && h.state != untilClose; !lax {
		h.passed(n, at.At)
	}
	if lax || n < g.Len {
		h.outOfStep(g.At, analysis.DoubtOf(g.Why))
	}
}

// outOfStep: where the next message begins is not known any more.
func (h *half) outOfStep(at reassembly.Mark, k analysis.DoubtKind) {
	client := h.dir == h.m.o.Client
	if s := h.stream; s != 0 {
		part := analysis.PartRespBody
		if client {
			part = analysis.PartReqBody
		}
		h.m.ev.Doubt(s, k, part, at)
		h.over(analysis.EndedNot, at)
	}
	if client {
		h.m.unread(k)
	} else {
		h.m.unanswered(k)
		for _, o := range h.m.queue {
			h.m.ev.Doubt(o.stream, k, analysis.PartInterim|analysis.PartFinal, at)
		}
	}
	h.state, h.guess, h.buf = lost, false, h.buf[:0]
}

// cutByCapture tells whether a head without an end is worth a message: an
// answer always; a request only when what there is of it fills a segment of the smallest maximum size
// (RFC 9293, Section 3.7.1), so that the rest was sent and not captured. Half a request is none.
func (h *half) cutByCapture(e *reassembly.End) bool {
	const smallest = 536
	if h.dir != h.m.o.Client {
		return len(h.buf) > 0
	}
	return e.How == reassembly.CaptureEnd && len(h.buf) >= smallest
}

// end reads the end of this direction.
func (h *half) end(e *reassembly.End) {
	how := analysis.EndingOf(e.How)
	client := h.dir == h.m.o.Client
	if h.state == untilClose && e.How == reassembly.FIN {
		how = analysis.EndedComplete
	}
	if h.state == head && h.lineOK && h.cutByCapture(e) {
		why := analysis.DoubtFraming
		if e.How == reassembly.CaptureEnd {
			why = analysis.DoubtCaptureEnd
		}
		h.cutHead(e.At, 0, why)
	}
	if h.stream != 0 {
		h.over(how, e.At)
	}
	h.state, h.buf = lost, nil
	if client {
		return
	}
	for len(h.m.queue) > 0 {
		h.m.pop(h.m.ending, e.At)
	}
}
