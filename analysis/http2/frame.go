package http2

import (
	"encoding/binary"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// Types of frames (RFC 9113, Section 6).
const (
	frameData = iota
	frameHeaders
	framePriority
	frameReset
	frameSettings
	framePush
	framePing
	frameGoAway
	frameWindow
	frameContinuation
)

// Flags of frames.
const (
	flagEndStream  = 0x1
	flagEndHeaders = 0x4
	flagPadded     = 0x8
	flagPriority   = 0x20
)

const (
	headerLen   = 9       // RFC 9113, Section 4.1
	maxExpected = 1 << 20 // a frame that is larger is not taken for one where frames are looked for
	clientMagic = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
)

// A frame is a frame's header.
type frame struct {
	length uint32
	typ    uint8
	flags  uint8
	stream uint32
}

func parseFrame(b []byte) frame {
	return frame{
		length: uint32(b[0])<<16 | uint32(b[1])<<8 | uint32(b[2]),
		typ:    b[3], flags: b[4],
		stream: binary.BigEndian.Uint32(b[5:]) & (1<<31 - 1),
	}
}

// plausible tells whether b begins with the header of a frame, where that is not known.
func plausible(b []byte) bool {
	f := parseFrame(b)
	if f.length > maxExpected || b[5]&0x80 != 0 {
		return false
	}
	switch f.typ {
	case frameData:
		return f.stream != 0 && f.flags&^(flagEndStream|flagPadded) == 0
	case frameHeaders:
		return f.stream != 0 && f.length > 0 && f.flags&^(flagEndStream|flagEndHeaders|flagPadded|flagPriority) == 0
	case framePriority:
		return f.stream != 0 && f.length == 5 && f.flags == 0
	case frameReset:
		return f.stream != 0 && f.length == 4 && f.flags == 0
	case frameSettings:
		return f.stream == 0 && f.length%6 == 0 && f.length <= 6*64 && (f.flags == 0 || f.flags == 1 && f.length == 0)
	case framePing:
		return f.stream == 0 && f.length == 8 && f.flags <= 1
	case frameGoAway:
		return f.stream == 0 && f.length >= 8 && f.flags == 0
	case frameWindow:
		return f.length == 4 && f.flags == 0
	}
	return false
}

// Looks says whether b, which begins a segment or a TLS record, begins with frames: with a whole one
// and the beginning of another, or with such that end where b ends.
func Looks(b []byte) bool {
	whole := 0
	for len(b) >= headerLen {
		if !plausible(b) {
			return false
		}
		f := parseFrame(b)
		n := headerLen + int(f.length)
		if n > len(b) {
			return whole > 0 && (f.typ == frameData || f.typ == frameHeaders)
		}
		b, whole = b[n:], whole+1
	}
	return whole > 0 && len(b) == 0 || whole > 1
}

type state uint8

const (
	preface state = iota // the client's magic is due
	header               // a frame's header
	padding              // the octet that says how much padding a DATA frame has
	content              // of a DATA frame
	block                // payload of HEADERS, PUSH_PROMISE or CONTINUATION
	short                // payload of a frame of which the first octets count
	skip                 // what is left of a payload
	lost                 // out of step
	ended
)

// half is one direction.
type half struct {
	m      *Machine
	dir    reassembly.Dir
	state  state
	buf    []byte          // what there is of the magic, a frame's header, a short payload
	first  reassembly.Mark // of the frame's first octet
	ttl    uint8
	f      frame  // the frame at hand
	left   uint32 // octets of its payload to come
	pad    uint32 // of which so many are padding
	unpad  uint32 // padding and its length that went by
	of     *stream
	passed uint64 // octets of the DATA frame that went by, with its header
	fields fieldBlock
}

func (h *half) init(m *Machine, d reassembly.Dir) {
	*h = half{m: m, dir: d, state: header, buf: make([]byte, 0, len(clientMagic))}
	h.fields.init(m.o.Joined)
	if m.o.Joined {
		h.state = lost
	}
}

// data reads a chunk to its end.
func (h *half) data(c *reassembly.Chunk) {
	at := 0
	for at < len(c.Data) && !h.m.dead {
		at = h.step(c, at)
	}
}

// step reads some octets from index at on and says how far it came.
func (h *half) step(c *reassembly.Chunk, at int) int {
	b := c.Data[at:]
	n := min(int(h.left), len(b))
	switch h.state {
	case preface:
		return h.magic(c, at)
	case header:
		return h.header(c, at)
	case padding:
		h.padLength(b[0])
		n = 1
	case content:
		n = min(int(h.left-h.pad), len(b))
		h.m.ev.Body(h.m.number(h.of.id), h.dir, b[:n], uint64(n), c.At(at+n), c.Seen, c.Sealed)
	case block:
		h.fields.add(b[:n])
	case short:
		n = min(n, cap(h.buf)-len(h.buf))
		h.buf = append(h.buf, b[:n]...)
	case lost:
		return h.resync(c, at)
	case ended:
		return len(c.Data)
	}
	h.pass(uint32(n), c.At(at+n))
	return at + n
}

// magic reads the client's preface (RFC 9113, Section 3.4).
func (h *half) magic(c *reassembly.Chunk, at int) int {
	n := min(len(clientMagic)-len(h.buf), len(c.Data)-at)
	h.buf = append(h.buf, c.Data[at:at+n]...)
	switch {
	case string(h.buf) != clientMagic[:len(h.buf)]:
		h.m.opaque(c.Mark)
	case len(h.buf) == len(clientMagic):
		h.state, h.buf = header, h.buf[:0]
	}
	return at + n
}

// header reads a frame's header, and enters its payload.
func (h *half) header(c *reassembly.Chunk, at int) int {
	b := c.Data[at:]
	if len(h.buf) == 0 {
		h.first, h.ttl = c.At(at+1), c.TTL
	}
	n := min(headerLen-len(h.buf), len(b))
	if n < headerLen {
		h.buf = append(h.buf, b[:n]...)
		if b = h.buf; len(b) < headerLen {
			return at + n
		}
	}
	h.f = parseFrame(b)
	h.buf = h.buf[:0]
	h.left, h.pad, h.unpad, h.of, h.passed = h.f.length, 0, 0, nil, headerLen
	h.enter(c.At(at + n))
	return at + n
}

// enter begins the payload of the frame at hand.
func (h *half) enter(at reassembly.Mark) {
	if h.fields.open && (h.f.typ != frameContinuation || h.f.stream != h.fields.f.stream) {
		h.broken(at, analysis.DoubtFraming) // RFC 9113, Section 4.3: nothing may come between
	}
	h.state = skip
	switch h.f.typ {
	case frameData:
		h.enterData()
	case frameHeaders, framePush:
		h.fields.begin(h.f, h.first, h.ttl)
		h.state = block
	case frameContinuation:
		if h.fields.open {
			h.fields.next(h.f)
			h.state = block
		}
	case frameReset, frameGoAway:
		h.state = short
	}
	if h.left == 0 {
		h.frameOver(at)
	}
}

// enterData begins a DATA frame (RFC 9113, Section 6.1).
func (h *half) enterData() {
	s := h.m.find(h.f.stream)
	if s == nil || s.done[h.dir] || s.connect || h.dir != h.m.o.Client && !s.final {
		return
	}
	h.of, h.state = s, content
	if h.f.flags&flagPadded != 0 && h.left > 0 {
		h.state = padding
	}
}

// padLength reads the pad length. More than there is room for is an error of the sender: then all is padding.
func (h *half) padLength(n byte) {
	h.pad = min(uint32(n), h.left-1)
	h.state = content
}

// pass moves on behind n octets of payload that end at mark.
func (h *half) pass(n uint32, at reassembly.Mark) {
	h.left -= n
	h.passed += uint64(n)
	switch {
	case h.left == 0:
		h.frameOver(at)
	case h.state == content && h.left <= h.pad:
		h.state = skip
	case h.state == short && len(h.buf) == cap(h.buf):
		h.state = skip
	}
}

// frameOver: the frame is whole; the next begins.
func (h *half) frameOver(at reassembly.Mark) {
	h.state = header
	switch h.f.typ {
	case frameData:
		h.dataOver(at)
	case frameHeaders, framePush, frameContinuation:
		if h.fields.open && h.f.flags&flagEndHeaders != 0 {
			h.message(at, false)
		}
	case frameReset:
		if len(h.buf) >= 4 {
			h.m.resetStream(h.dir, h.f.stream, binary.BigEndian.Uint32(h.buf), h.first, at)
		}
	case frameGoAway:
		if len(h.buf) >= 8 && h.dir != h.m.o.Client {
			h.m.goAway(binary.BigEndian.Uint32(h.buf)&(1<<31-1), binary.BigEndian.Uint32(h.buf[4:]), at)
		}
	}
	h.buf = h.buf[:0]
}

// leave: the stream is over, whatever of it is still to come.
func (h *half) leave(s *stream) {
	if h.of == s {
		h.of, h.state = nil, skip
	}
}

// dataOver counts a DATA frame, or what was captured of one, and ends the message if it says so.
func (h *half) dataOver(at reassembly.Mark) {
	s, how := h.of, analysis.EndedComplete
	h.of = nil
	if s != nil {
		h.m.ev.Frame(h.m.number(s.id), h.dir, h.passed-headerLen, h.passed)
	} else if s = h.m.find(h.f.stream); s == nil || s.connect {
		return
	} else {
		how = analysis.EndedNot // its head was not seen
	}
	if h.left == 0 && h.f.flags&flagEndStream != 0 {
		h.m.done(s, h.dir, how, at)
	}
}
