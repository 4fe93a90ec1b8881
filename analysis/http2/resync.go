package http2

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// gap reads a hole in this direction. One inside a frame's payload leaves the frames in step.
func (h *half) gap(g *reassembly.Gap) {
	n, at := g.Len, g.At
	at.Off -= n
	for n > 0 && h.left > 0 && h.state >= padding && h.state <= skip {
		k := min(n, uint64(h.left))
		switch h.state {
		case padding: // how much of the frame is padding stays unknown: none, mostly
			h.state, k = content, 1
		case content:
			k = min(k, uint64(h.left-h.pad))
			h.missing(g, k, at.Off+k)
		case block:
			h.fields.cut(analysis.DoubtOf(g.Why))
		case short:
			h.state = skip
		}
		at.Off += k
		n -= k
		h.pass(uint32(k), at)
	}
	if n > 0 && h.state != lost && h.state != ended {
		h.outOfStep(g.At, analysis.DoubtOf(g.Why))
	}
}

// missing tells of n octets of content that end at an offset and are not there.
func (h *half) missing(g *reassembly.Gap, n, off uint64) {
	at := *g
	at.Len, at.At.Off = n, off
	if g.Why == reassembly.Snapped {
		h.m.ev.Body(h.m.number(h.of.id), h.dir, nil, n, at.At, 0, true)
		return
	}
	h.m.ev.Lost(h.m.number(h.of.id), h.dir, n, &at)
}

// outOfStep: where the next frame begins is not known any more, nor what the peer's compression refers to.
func (h *half) outOfStep(at reassembly.Mark, why analysis.DoubtKind) {
	h.broken(at, why)
	h.fields.table.Lose()
	h.state, h.buf, h.m.missed = lost, h.buf[:0], true
	parts := analysis.PartReqBody
	if h.dir != h.m.o.Client {
		parts = analysis.PartInterim | analysis.PartFinal | analysis.PartRespBody
	}
	for _, s := range h.m.open {
		if !s.done[h.dir] {
			h.m.ev.Doubt(h.m.number(s.id), why, parts, at)
		}
	}
}

// broken ends the frame and the field block at hand, which will not be whole.
func (h *half) broken(at reassembly.Mark, why analysis.DoubtKind) {
	if h.of != nil {
		h.dataOver(at)
	}
	if h.fields.open {
		h.fields.cut(why)
		h.message(at, true)
	}
}

// resync looks for frames where a segment begins, and for the next frame of a body that is under way.
func (h *half) resync(c *reassembly.Chunk, at int) int {
	if at == 0 && Looks(c.Data) {
		h.state = header
		return h.step(c, 0)
	}
	for i := at; i+headerLen <= len(c.Data); i++ {
		if h.goesOn(c.Data[i:]) {
			h.state = header
			return h.step(c, i)
		}
	}
	return len(c.Data)
}

// goesOn tells whether b begins with the header of a DATA frame of ordinary size on a stream whose body is under way.
func (h *half) goesOn(b []byte) bool {
	if b[0] != 0 || b[3] != frameData || b[1] < 1 || b[1] > 0x40 || b[4] > flagEndStream || b[5]&0x80 != 0 {
		return false
	}
	s := h.m.find(parseFrame(b).stream)
	return s != nil && !s.done[h.dir] && !s.connect && (h.dir == h.m.o.Client || s.final)
}

// Side tells of octets that begin a segment in the middle of a stream whether they are frames ([Looks]), and whether their
// sender is the client: a field block that begins with a pseudo-header field from the static table says so (RFC 7541, Appendix A).
func Side(b []byte) (client, ok bool) {
	if !Looks(b) {
		return false, false
	}
	for len(b) > headerLen {
		f := parseFrame(b)
		b = b[headerLen:]
		if f.typ == frameHeaders {
			p := fieldBlock{f: f, b: append([]byte(nil), b[:min(int(f.length), len(b))]...)}
			p.strip()
			if client, ok = sideOf(p.b); ok {
				return client, true
			}
		}
		b = b[min(int(f.length), len(b)):]
	}
	return false, false
}

func sideOf(block []byte) (client, ok bool) {
	for len(block) > 0 && block[0]&0xe0 == 0x20 && block[0]&0x1f < 0x1f { // a small change of the table's size
		block = block[1:]
	}
	if len(block) == 0 {
		return false, false
	}
	n := block[0]
	switch {
	case n&0x80 != 0:
		n &= 0x7f
	case n&0x40 != 0:
		n &= 0x3f
	default:
		n &= 0x0f
	}
	return n <= lastOfRequest, n > 0 && n <= lastPseudo
}

// Where the pseudo-header fields of requests, and those of all messages, end in the static table.
const lastOfRequest, lastPseudo = 7, 14
