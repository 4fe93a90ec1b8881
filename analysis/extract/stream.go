package extract

import (
	"bytes"
	"cmp"
	"slices"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

// keep is how many of the last octets of a direction are at hand: a head may be
// told when some more were read, and what follows it has to be looked at again.
const keep = 128 << 10

// A stream learns what may be seen of a connection. It is an analysis.Observer:
// it hears which octets are message heads, and reads the chunked coding itself.
// What it was not told of stays covered.
type stream struct {
	covers *covers
	dirs   [2]half
	dir    reassembly.Dir // of the chunk at hand
	start  uint64         // and where it begins
	sealed bool
	// odd are copies that differ from what was captured first, by the frame.
	odd map[capture.Num][]run
}

// A run is a stretch of one direction.
type run struct {
	dir      reassembly.Dir
	from, to uint64
}

// A half is one direction of a stream.
type half struct {
	covers *covers
	known  bool   // a chunk came
	base   uint32 // sequence number of offset 0
	start  uint64 // offset of the first chunk
	recent []byte // the last octets, up to offset end
	end    uint64
	latest uint64 // offset of the last chunk
	behind uint64 // end of the last head, or start
	body   content
	// openings, frames and heads are what may be seen: the first octets of something known, framing, message heads.
	// The latter lie over the former.
	openings, frames, heads []piece
	sorted                  bool
}

// A piece is what is seen from an offset on, already covered where it has to be.
type piece struct {
	off  uint64
	text []byte
}

func (p piece) end() uint64 { return p.off + uint64(len(p.text)) }

// Data takes the next octets, before anybody reads them.
func (s *stream) Data(c *reassembly.Chunk) {
	h := &s.dirs[c.Dir]
	s.dir, s.start = c.Dir, c.Mark.Off-uint64(len(c.Data))
	if !h.known {
		h.known, h.covers = true, s.covers
		h.start, h.behind, h.end = s.start, s.start, s.start
	}
	h.base, h.latest = c.Base, s.start
	if h.end != s.start {
		h.recent = h.recent[:0]
	}
	if len(h.recent)+len(c.Data) > 2*keep {
		h.recent = append(h.recent[:0], h.recent[max(0, len(h.recent)-keep):]...)
	}
	h.recent, h.end = append(h.recent, c.Data...), c.Mark.Off
	h.body.read(s.start, c.Data, h)
}

// Gap passes over what is missing.
func (s *stream) Gap(g *reassembly.Gap) {
	h := &s.dirs[g.Dir]
	h.cut()
	h.body.lose(g.Len) // a head that ends here may still be told
}

// Resent notes a copy that is not what was captured first, so that it will differ still.
func (s *stream) Resent(r *reassembly.Resent) {
	if !r.Conflict || r.Len == 0 {
		return
	}
	if s.odd == nil {
		s.odd = map[capture.Num][]run{}
	}
	s.odd[r.At.Packet] = append(s.odd[r.At.Packet], run{r.Dir, r.At.Off - r.Len, r.At.Off})
}

// Request covers a head.
func (s *stream) Request(_ uint32, h *analysis.Head) { s.head(h, true) }

// Interim covers a head.
func (s *stream) Interim(_ uint32, h *analysis.Head) { s.head(h, false) }

// Response covers a head.
func (s *stream) Response(_ uint32, h *analysis.Head) { s.head(h, false) }

// Orphan covers a head.
func (s *stream) Orphan(_ uint32, h *analysis.Head) { s.head(h, false) }

// The rest of what is told follows from the heads.

// End looks at what is left.
func (s *stream) End(e *reassembly.End) { s.dirs[e.Dir].cut() }

// Lost needs nothing: see Gap.
func (s *stream) Lost(uint32, reassembly.Dir, uint64, *reassembly.Gap) {}

// Owed needs nothing: what was taken for a head is covered as one.
func (s *stream) Owed(uint32, uint32, analysis.Owed) {}

// Done needs nothing.
func (s *stream) Done(uint32, reassembly.Dir, analysis.Ended, reassembly.Mark) {}

// Frame needs nothing: HTTP/2 is covered whole.
func (s *stream) Frame(uint32, reassembly.Dir, uint64, uint64) {}

// Reset needs nothing: see Frame.
func (s *stream) Reset(uint32, analysis.StreamReset) {}

// Doubt needs nothing.
func (s *stream) Doubt(uint32, analysis.DoubtKind, analysis.Part, reassembly.Mark) {}

// Body takes note of content that was decrypted: what is in the packets is not it.
func (s *stream) Body(_ uint32, _ reassembly.Dir, b []byte, _ uint64, _ reassembly.Mark, _ uint64, sealed bool) {
	if sealed && b != nil {
		s.decrypted()
	}
}

// head covers a head that stands in a stream as it is told.
func (s *stream) head(head *analysis.Head, request bool) {
	from := head.First.Off - 1
	h := &s.dirs[s.dir]
	if !h.holds(from, head.Text) {
		if h = &s.dirs[s.dir.Other()]; !h.holds(from, head.Text) {
			s.decrypted()
			return
		}
	}
	h.opening()
	h.lineEnds(from)
	c := sheet{covers: s.covers}
	h.heads = append(h.heads, piece{from, c.head(head.Text, request)})
	h.behind = from + uint64(len(head.Text))
	h.body.begin(h.behind, request, head)
	h.body.read(h.behind, h.from(h.behind), h)
}

// decrypted: what is told is not what is in the packets.
func (s *stream) decrypted() {
	if !s.sealed {
		s.sealed = true
		s.Opaque("tls")
	}
}

// Opaque shows of what cannot be read the octets by which it is known.
func (s *stream) Opaque(kind string) {
	for d := range s.dirs {
		h := &s.dirs[d]
		h.opening()
		h.signature(kind, h.behind)
		if d == int(s.dir) {
			h.signature(kind, s.start)
		}
	}
}

// from are the octets at hand from an offset on; nil when they are not all there.
func (h *half) from(off uint64) []byte {
	if off > h.end || h.end-off > uint64(len(h.recent)) {
		return nil
	}
	return h.recent[uint64(len(h.recent))-(h.end-off):]
}

// holds tells whether text is at hand at an offset.
func (h *half) holds(off uint64, text []byte) bool { return bytes.HasPrefix(h.from(off), text) }

// lineEnds shows those in front of a head, which are passed over (RFC 9112, Section 2.2).
func (h *half) lineEnds(at uint64) {
	from := at
	for from > h.behind {
		b := h.from(from - 1)
		if len(b) == 0 || b[0] != '\r' && b[0] != '\n' {
			break
		}
		from--
	}
	if from < at {
		h.frame(from, bytes.Clone(h.from(from)[:at-from]))
	}
}

const (
	proxyV1 = "PROXY "
	proxyV2 = "\r\n\r\n\x00\r\nQUIT\n"
)

// cut covers as a head what is at the end of the octets at hand, where no content
// is due, begins with a segment, and is the beginning of one: nobody tells of a head
// that was cut off and says nothing.
func (h *half) cut() {
	text := h.from(h.latest)
	if !h.known || h.body.step != past || h.latest < h.behind || len(text) == 0 {
		return
	}
	c := sheet{covers: h.covers}
	line, _, whole := bytes.Cut(text, []byte{'\n'})
	switch line = bytes.TrimRight(line, "\r \t"); {
	case len(line) >= len("HTTP/1.1 200") && isVersion(line[:8]) && blank(line[8]):
		h.frame(h.latest, c.head(text, false))
	case whole && isVersion(line[bytes.LastIndexAny(line, " \t")+1:]):
		h.frame(h.latest, c.head(text, true))
	case !whole:
		if n := bytes.IndexAny(line, " \t"); n > 0 && analysis.IsMethod(string(line[:n])) {
			h.frame(h.latest, bytes.Clone(line[:n+1]))
		}
	}
}

// opening shows, once, by what a PROXY protocol header is known that the stream
// begins with; the addresses in it stay covered.
func (h *half) opening() {
	if !h.known || h.behind != h.start {
		return
	}
	b := h.from(h.start)
	switch {
	case bytes.HasPrefix(b, []byte(proxyV1)):
		if n := bytes.IndexByte(b, '\n'); n >= 0 {
			h.frame(h.start, bytes.Clone(b[:len(proxyV1)]))
			h.frame(h.start+uint64(n), []byte{'\n'})
			h.behind = h.start + uint64(n) + 1
		}
	case bytes.HasPrefix(b, []byte(proxyV2)) && len(b) >= 16:
		h.frame(h.start, bytes.Clone(b[:16]))
		h.behind = h.start + 16 + uint64(b[14])<<8 + uint64(b[15])
	}
}

// signature shows the octets at an offset by which a kind of stream is known, if they are those.
func (h *half) signature(kind string, at uint64) {
	b := h.from(at)
	n := 0
	switch {
	case kind == "tls" && len(b) >= 3 && 0x14 <= b[0] && b[0] <= 0x17 && b[1] == 3 && b[2] <= 4: // RFC 8446, Section 5.1
		n = 3
	case kind == "http2" && bytes.HasPrefix(b, []byte("PRI * HTTP/2.0")): // RFC 9113, Section 3.4
		n = len("PRI * HTTP/2.0")
	case kind == "ssh" && bytes.HasPrefix(b, []byte("SSH-")): // RFC 4253, Section 4.2
		n = len("SSH-")
	}
	if n > 0 {
		h.openings = append(h.openings, piece{at, bytes.Clone(b[:n])})
	}
}

// frame shows octets that are framing.
func (h *half) frame(off uint64, text []byte) {
	if k := len(h.frames) - 1; k >= 0 && h.frames[k].end() == off {
		h.frames[k].text = append(h.frames[k].text, text...)
	} else if len(text) > 0 {
		h.frames = append(h.frames, piece{off, text})
	}
}

// cover covers octets of one direction that begin with a sequence number; n is how
// many were sent, of which b was captured. Next is the offset of the direction
// that is expected now, and may be 0; what it will be is returned.
func (s *stream) cover(d reassembly.Dir, seq uint32, b []byte, n int, packet capture.Num, next uint64) uint64 {
	h := &s.dirs[d]
	for i := range b {
		b[i] = contentLetters[0]
	}
	if !h.known {
		return 0
	}
	if !h.sorted {
		h.sort()
	}
	next = max(next, h.start)
	off := next + uint64(int64(int32(seq-h.base-uint32(next))))
	if before := -off; before < uint64(len(b)) && before > 0 { // what lies before the stream's start is none of it
		b, off = b[before:], 0
		n -= int(before)
	}
	lay(b, off, h.openings)
	if !s.sealed {
		lay(b, off, h.frames)
		lay(b, off, h.heads)
	}
	for _, r := range s.odd[packet] {
		if r.dir == d {
			odd(b, off, r)
		}
	}
	if end := off + uint64(n); end > next && end-next < 1<<30 { // no window is larger (RFC 7323, Section 2.2)
		return end
	}
	return next
}

// sort puts the pieces in the order of their offsets; those of content were told late.
func (h *half) sort() {
	h.sorted = true
	h.recent = nil
	for _, ps := range [][]piece{h.openings, h.frames, h.heads} {
		slices.SortStableFunc(ps, func(a, b piece) int { return cmp.Compare(a.off, b.off) })
	}
}

// lay puts the pieces over b, which begins at an offset.
func lay(b []byte, off uint64, pieces []piece) {
	i, _ := slices.BinarySearchFunc(pieces, off, func(p piece, off uint64) int { return cmp.Compare(p.off, off) })
	for i = max(i-1, 0); i < len(pieces) && int64(pieces[i].off-off) < int64(len(b)); i++ {
		p := pieces[i]
		switch {
		case p.off >= off:
			copy(b[p.off-off:], p.text)
		case p.end() > off:
			copy(b, p.text[off-p.off:])
		}
	}
}

// odd makes a copy differ from what was captured first.
func odd(b []byte, off uint64, r run) {
	for i := range b {
		if at := off + uint64(i); r.from <= at && at < r.to {
			b[i] = oddLetter
		}
	}
}

// oddLetter is no letter of what covers text or content.
const oddLetter = '!'
