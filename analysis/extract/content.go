package extract

import (
	"bytes"
	"math"
	"slices"

	"expectscope/analysis"
)

// maxLine bounds a line of the chunked coding, as it does for analysis/http1.
const maxLine = 8 << 10

type step uint8

// What of a message's content comes next. Past: nothing, or nothing that is understood.
const (
	past step = iota
	chunkLine
	chunkData
	chunkEnd
	trailer
	plain
)

// A content reads what follows the head of a message, to learn which octets of
// it are framing (RFC 9112, Section 7.1) and which of the content are looked at
// by the analysis.
type content struct {
	step   step
	at     uint64 // offset of the octet that comes next
	left   uint64 // octets to go in chunkData and plain
	line   []byte
	begins begins
}

// begin enters the content of a message whose head ends at an offset.
func (c *content) begin(at uint64, request bool, h *analysis.Head) {
	*c = content{at: at, line: c.line[:0]}
	c.begins.of = request
	switch h.Framing {
	case analysis.FramingChunked:
		c.step = chunkLine
	case analysis.FramingLength:
		c.step, c.left = plain, uint64(max(h.Length, 0))
	case analysis.FramingClose:
		c.step, c.left = plain, math.MaxUint64
	}
}

// lose passes over n octets that are not there.
func (c *content) lose(n uint64) {
	c.begins.of = false
	c.at += n
	if (c.step != chunkData && c.step != plain) || c.left < n {
		c.step = past
		return
	}
	c.took(n)
}

func (c *content) took(n uint64) {
	if c.left -= n; c.left > 0 {
		return
	}
	if c.step == chunkData {
		c.step = chunkEnd
	} else {
		c.step = past
	}
}

// read goes on with b, which begins at an offset, and tells the half what may be
// seen of it.
func (c *content) read(off uint64, b []byte, h *half) {
	if off != c.at {
		c.step = past
	}
	for len(b) > 0 && c.step != past {
		n := 0
		if c.step == chunkData || c.step == plain {
			n = int(min(c.left, uint64(len(b))))
			c.begins.read(c.at, b[:n], h)
			c.took(uint64(n))
		} else {
			n = c.readLine(b, h)
		}
		c.at += uint64(n)
		b = b[n:]
	}
}

// readLine reads up to the end of a line and says how far it came.
func (c *content) readLine(b []byte, h *half) int {
	n := bytes.IndexByte(b, '\n') + 1
	whole := n > 0
	if !whole {
		n = len(b)
	}
	if len(c.line)+n > maxLine {
		c.step = past
		return n
	}
	c.line = append(c.line, b[:n]...)
	if whole {
		h.frame(c.at+uint64(n)-uint64(len(c.line)), c.understand(h.covers))
		c.line = c.line[:0]
	}
	return n
}

// understand takes the line that is complete, and gives what may be seen of it.
func (c *content) understand(v *covers) []byte {
	s := sheet{covers: v}
	text := bytes.TrimRight(c.line, "\r\n")
	switch {
	case c.step == trailer && len(text) > 0:
		s.lay(append([]byte{'\n'}, c.line...)) // behind a first line
		s.fields()
		return s.covered()[1:]
	case c.step == chunkLine:
		size, digits, ok := chunkSize(text)
		if !ok {
			c.step = past
			return wrong(c.line)
		}
		if c.step, c.left = chunkData, size; size == 0 {
			c.step = trailer
		}
		s.lay(c.line)
		s.show(0, digits)
		return s.covered()
	case len(text) > 0: // something else than the end of a chunk
		c.step = past
		return wrong(c.line)
	case c.step == trailer:
		c.step = past
	default:
		c.step = chunkLine
	}
	return bytes.Clone(c.line)
}

// wrong is a line that is not what has to come: where it ends is seen, so that it stays wrong.
func wrong(line []byte) []byte {
	out := bytes.Repeat([]byte{contentLetters[0]}, len(line))
	out[len(out)-1] = '\n'
	return out
}

// chunkSize reads a chunk-size line; shown is how far it may be seen: to its extensions.
func chunkSize(line []byte) (size uint64, shown int, ok bool) {
	number, _, extended := bytes.Cut(line, []byte{';'})
	if shown = len(number); extended {
		shown++
	}
	number = bytes.Trim(number, " \t")
	if len(number) == 0 || len(number) > 16 {
		return 0, 0, false
	}
	for _, c := range number {
		switch {
		case digit(c):
			c -= '0'
		case 'a' <= c|0x20 && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, 0, false
		}
		size = size<<4 | uint64(c)
	}
	return size, shown, size < 1<<62
}

// compared are the lengths at which the beginnings of two requests' contents are
// compared: those of [analysis.Body.Prefix].
var compared = [...]int{64, 512, 4096}

// A begins reads the beginning of a request's content and puts a number at each
// length that is compared, so that equal ones stay equal and others do not.
type begins struct {
	of   bool // it is of interest, and whole so far
	text []byte
	last [4]uint64 // offsets of the last octets
	offs []uint64  // of all, while they may be the beginning of a request
	ends int       // index at which the line ends that was shown; 0: none, or it did
}

func (p *begins) read(at uint64, b []byte, h *half) {
	const most = analysis.LookAt
	if p.of && len(p.text) == len(p.offs) {
		for i := range min(len(b), most-len(p.text)) {
			p.offs = append(p.offs, at+uint64(i))
		}
		defer p.request(h)
	}
	for i := 0; p.of && i < len(b) && len(p.text) < most; i++ {
		p.end(at+uint64(i), h)
		p.text = append(p.text, b[i])
		copy(p.last[:], p.last[1:])
		p.last[len(p.last)-1] = at + uint64(i)
		for _, n := range compared {
			if len(p.text) == n {
				p.mark(h)
			}
		}
	}
}

// mark writes the number of what was read at its last octets.
func (p *begins) mark(h *half) {
	n := h.covers.number(p.text, true)
	for i := len(p.last) - 1; i >= 0 && n > 0; i-- {
		h.frame(p.last[i], []byte{contentLetters[n%len(contentLetters)]})
		n /= len(contentLetters)
	}
}

// request shows of a content that begins like a request what makes it one: the method, if it is a known one, the version, and that a
// field follows. See [analysis.Body.Inner].
func (p *begins) request(h *half) {
	method, more := analysis.BeginsRequest(p.text)
	if more && len(p.text) < analysis.LookAt {
		return
	}
	offs := p.offs
	p.offs = nil
	if method == "" {
		return
	}
	end := bytes.IndexByte(p.text, '\n')
	colon := end + bytes.IndexByte(p.text[end:], ':')
	version := bytes.LastIndexAny(bytes.TrimRight(p.text[:end], "\r \t"), " \t")
	s := sheet{covers: h.covers}
	s.lay(p.text[:colon+1])
	s.method(len(method))
	s.show(len(method), len(method)+1)
	s.show(version, end)
	s.show(colon, colon+1)
	var under []piece // of the target: a number may stand there
	for i, c := range s.covered() {
		if p := (piece{offs[i], []byte{c}}); i > len(method) && i < version {
			under = append(under, p)
		} else {
			h.frames = append(h.frames, p)
		}
	}
	h.frames = append(under, h.frames...)
	if p.ends = lineEnd(colon + 1); p.ends < len(offs) {
		h.frames = append(h.frames, piece{offs[p.ends], []byte{'\n'}})
	}
}

// end ends the line that was shown, if the octet at an offset is where it does.
func (p *begins) end(at uint64, h *half) {
	if p.ends > 0 && len(p.text) == p.ends {
		h.frames = append(h.frames, piece{at, []byte{'\n'}})
	}
}

// lineEnd is where the first field line that is shown of a content ends, at index i or as soon as no number stands there: what is
// covered behind it is no field line, as the lines between are not shown.
func lineEnd(i int) int {
	for slices.ContainsFunc(compared[:], func(n int) bool { return n-4 <= i && i < n }) {
		i++
	}
	return i
}
