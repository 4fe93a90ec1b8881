package http2

import (
	"bytes"
	"math"
	"strconv"

	"expectscope/analysis"
	"expectscope/analysis/http2/hpack"
	"expectscope/reassembly"
)

// A fieldBlock is what HEADERS or PUSH_PROMISE and CONTINUATION frames carry together (RFC 9113, Section 4.3).
type fieldBlock struct {
	table *hpack.Decoder
	open  bool            // its end has not been seen
	f     frame           // the frame that began it
	first reassembly.Mark // of that frame's first octet
	ttl   uint8
	b     []byte
	whole bool // the first frame's payload is in b without its padding
	torn  bool // something of it is missing, and why
	why   analysis.DoubtKind
}

func (p *fieldBlock) init(joined bool) { p.table = hpack.New(joined) }

func (p *fieldBlock) begin(f frame, first reassembly.Mark, ttl uint8) {
	p.open, p.f, p.first, p.ttl = true, f, first, ttl
	p.b, p.whole, p.torn = p.b[:0], false, false
}

// next goes on with a CONTINUATION frame.
func (p *fieldBlock) next(f frame) {
	p.strip()
	p.f.flags |= f.flags & flagEndHeaders
}

func (p *fieldBlock) add(b []byte) {
	switch {
	case p.torn:
	case len(p.b)+len(b) > maxBlock:
		p.cut(analysis.DoubtEvicted)
	default:
		p.b = append(p.b, b...)
	}
}

// cut takes note that what follows is missing.
func (p *fieldBlock) cut(why analysis.DoubtKind) {
	if !p.torn {
		p.torn, p.why = true, why
	}
}

// strip takes padding, priority and the promised stream off the first frame's payload (RFC 9113, Sections 6.2 and 6.6).
func (p *fieldBlock) strip() {
	if p.whole {
		return
	}
	p.whole = true
	whole := len(p.b) == int(p.f.length)
	front, back := 0, 0
	if p.f.flags&flagPadded != 0 && len(p.b) > 0 {
		front, back = 1, int(p.b[0])
	}
	switch {
	case p.f.typ == framePush:
		front += 4
	case p.f.flags&flagPriority != 0:
		front += 5
	}
	if !whole { // the padding stands behind what is missing
		back = 0
	}
	if front+back > len(p.b) {
		p.cut(analysis.DoubtFraming)
		front, back = len(p.b), 0
	}
	p.b = append(p.b[:0], p.b[front:len(p.b)-back]...)
}

// message reads the field block that is over, or broken off, and hands it to its stream.
func (h *half) message(at reassembly.Mark, broken bool) {
	p, m := &h.fields, h.m
	p.open = false
	p.strip()
	l := &m.list
	l.begin()
	capped := p.table.Capped()
	how := p.table.Decode(p.b, l.field)
	switch {
	case p.torn:
		l.doubt(p.why)
	case how != hpack.Whole:
		l.doubt(analysis.DoubtFraming)
	}
	if p.torn || how != hpack.Whole {
		p.table.Lose()
	}
	if p.torn && p.why == analysis.DoubtEvicted || l.over {
		m.limit("HTTP/2 field lists")
	}
	if !capped && p.table.Capped() {
		m.limit("HTTP/2 field tables")
	}
	client := h.dir == m.o.Client
	if p.f.typ == framePush || broken && client && p.why == analysis.DoubtCaptureEnd { // half a request is none
		return
	}
	m.hd = analysis.Head{First: p.first, Last: at, TTL: p.ttl, Stream: p.f.stream, Version: version}
	end := p.f.flags&flagEndStream != 0
	if client {
		m.request(p.f.stream, end, at)
	} else {
		m.response(p.f.stream, end, at)
	}
}

var version = []byte("HTTP/2")

// A list is the fields of one message, written as lines.
type list struct {
	field func(*hpack.Field) // add, once made
	lines []byte             // the fields
	text  []byte             // start line, pseudo-header fields and lines

	method, path, scheme, authority, protocol []byte

	status   int   // 0: none, or none known
	length   int64 // Content-Length, -1 when absent or no number
	fields   int   // that were there, known or not
	pseudo   bool  // the first was a pseudo-header field, or may have been
	expect   bool
	extended bool   // CONNECT with a protocol (RFC 8441, Section 4)
	over     bool   // longer than what is kept
	doubts   uint32 // a bit for each DoubtKind
}

func (l *list) begin() {
	*l = list{
		field: l.field, lines: l.lines[:0], text: l.text[:0], length: -1,
		method: l.method[:0], path: l.path[:0], scheme: l.scheme[:0], authority: l.authority[:0], protocol: l.protocol[:0],
	}
}

func (l *list) doubt(k analysis.DoubtKind) { l.doubts |= 1 << k }

// add takes a field.
func (l *list) add(f *hpack.Field) {
	l.fields++
	if !f.Named || !f.Valued {
		l.doubt(analysis.DoubtHPACK)
		l.pseudo = l.pseudo || l.fields == 1 && !f.Named
	}
	switch {
	case !f.Named:
		return
	case len(f.Name) == 0: // RFC 9113, Section 8.2: it must have one
		l.doubt(analysis.DoubtFraming)
		return
	case f.Name[0] == ':':
		l.pseudoField(f)
		return
	case !f.Valued:
		return
	}
	if len(l.lines)+len(f.Name)+len(f.Value) > maxList {
		l.over = true
		l.doubt(analysis.DoubtEvicted)
		return
	}
	switch {
	case bytes.EqualFold(f.Name, []byte("expect")):
		l.expect = true
	case bytes.EqualFold(f.Name, []byte("content-length")):
		l.contentLength(f.Value)
	}
	l.lines = l.name(l.lines, f.Name)
	l.lines = append(l.lines, ": "...)
	l.lines = l.value(l.lines, f.Value)
	l.lines = append(l.lines, "\r\n"...)
}

// pseudoField takes a pseudo-header field (RFC 9113, Section 8.3).
func (l *list) pseudoField(f *hpack.Field) {
	l.pseudo = true
	if !f.Valued {
		return
	}
	v := f.Value[:min(len(f.Value), maxList)]
	switch string(f.Name) {
	case ":method":
		l.method = l.name(l.method[:0], v)
	case ":path":
		l.path = l.value(l.path[:0], v)
	case ":scheme":
		l.scheme = l.value(l.scheme[:0], v)
	case ":authority":
		l.authority = l.value(l.authority[:0], v)
	case ":protocol":
		l.protocol = l.value(l.protocol[:0], v)
	case ":status":
		l.status = statusOf(v)
	}
}

// statusOf is a status code (RFC 9110, Section 15), 0 when it is none.
func statusOf(v []byte) int {
	n := 0
	for _, c := range v {
		if c < '0' || c > '9' {
			return 0
		}
		n = n*10 + int(c-'0')
	}
	if len(v) != 3 || n < 100 {
		return 0
	}
	return n
}

// contentLength takes a value; what is no number, or another than before, counts for nothing.
func (l *list) contentLength(v []byte) {
	n := int64(0)
	for _, c := range v {
		if c < '0' || c > '9' || n > (math.MaxInt64-9)/10 {
			n = -1
			break
		}
		n = n*10 + int64(c-'0')
	}
	if len(v) == 0 || n < 0 || l.length >= 0 && n != l.length {
		l.doubt(analysis.DoubtFraming)
		return
	}
	l.length = n
}

// name appends a token; an octet that cannot stand in one (RFC 9113, Section 8.2.1) becomes a question mark.
func (l *list) name(to, b []byte) []byte {
	for _, c := range b {
		if c <= ' ' || c >= 0x7f || c == ':' {
			c = '?'
			l.doubt(analysis.DoubtFraming)
		}
		to = append(to, c)
	}
	return to
}

// value appends a value in which no line ends (RFC 9113, Section 8.2.1; RFC 9110, Section 5.5).
func (l *list) value(to, b []byte) []byte {
	for _, c := range b {
		if c == '\r' || c == '\n' || c == 0 {
			c = ' '
			l.doubt(analysis.DoubtFraming)
		}
		to = append(to, c)
	}
	return to
}

// request writes the text of a request and fills in its head.
func (l *list) request(h *analysis.Head) {
	l.extended = len(l.protocol) > 0
	target := l.path
	if string(l.method) == "CONNECT" && !l.extended { // RFC 9113, Section 8.5
		target = l.authority
	}
	t := append(l.text[:0], l.method...)
	t = append(t, ' ')
	t = append(t, target...)
	t = append(append(append(t, ' '), version...), "\r\n"...)
	t = pseudoLine(t, ":scheme: ", l.scheme)
	t = pseudoLine(t, ":authority: ", l.authority)
	t = pseudoLine(t, ":protocol: ", l.protocol)
	l.text = append(append(t, l.lines...), "\r\n"...)
	h.Text, h.Method, h.Target, h.Expect = l.text, l.method, target, l.expect
}

func pseudoLine(to []byte, name string, value []byte) []byte {
	if len(value) == 0 {
		return to
	}
	return append(append(append(to, name...), value...), "\r\n"...)
}

// response writes the text of a response and fills in its head.
func (l *list) response(h *analysis.Head) {
	t := append(append(l.text[:0], version...), ' ')
	t = strconv.AppendInt(t, int64(l.status), 10)
	t = append(t, "\r\n"...)
	l.text = append(append(t, l.lines...), "\r\n"...)
	h.Text, h.Status = l.text, l.status
}
