package reassembly

import (
	"bytes"
	"hash/maphash"
	"slices"
)

// A lane is what is held back of one direction.
type lane struct {
	pieces  []piece // by offset, none overlaps
	episode *episode
	bytes   int
	pages   int // what its pieces cost, in pages
	fin     bool
	finMark Mark
	finNext bool   // everything before the FIN is there,
	finSeen uint64 // and how far the other side had acknowledged then
	grace   wait   // for the hole at the front, once the other side acknowledged past it
}

// A piece is the part of a segment that came first with its bytes. Their place
// is data once everything before them is there, and a page until then.
type piece struct {
	off     uint64
	mark    Mark // of its segment; Off is just past the piece
	data    []byte
	hash    uint64 // of the bytes, while they are in pages
	ttl     uint8
	snapped bool // there are no bytes: the capture cut them off
}

func (p *piece) ready() bool { return p.snapped || p.data != nil }

// cost is what n bytes cost in pages.
func cost(n int) int { return max(1, (n+pageOctets-1)/pageOctets) }

func (p *piece) size() (octets, pages int) {
	if p.snapped {
		return 0, 1
	}
	n := int(p.mark.Off - p.off)
	return n, cost(n)
}

// front is what lies first in a lane, where it starts, and whether there is any.
func (l *lane) front() (m Mark, off uint64, ok bool) {
	switch {
	case len(l.pieces) > 0:
		return l.pieces[0].mark, l.pieces[0].off, true
	case l.fin:
		return l.finMark, l.finMark.Off, true
	}
	return Mark{}, 0, false
}

// search is the place of the first piece that ends beyond off.
func (l *lane) search(off uint64) int {
	i, _ := slices.BinarySearchFunc(l.pieces, off, func(p piece, off uint64) int {
		if p.mark.Off <= off {
			return -1
		}
		return 1
	})
	return i
}

// differs tells whether bytes at offset at are known not to be those of the
// piece that came first with them. Those in pages are known by their hash only,
// and only as a whole.
func (a *Assembler) differs(p *piece, at uint64, b []byte) bool {
	switch {
	case p == nil || p.snapped || len(b) == 0:
		return false
	case p.data != nil:
		return !bytes.Equal(p.data[at-p.off:][:len(b)], b)
	}
	return at == p.off && at+uint64(len(b)) == p.mark.Off && maphash.Bytes(a.seed, b) != p.hash
}

func (a *Assembler) account(l *lane, p *piece, sign int) {
	n, pages := p.size()
	l.bytes += sign * n
	l.pages += sign * pages
	a.late += sign * n
	a.latePieces += sign * pages
}

// fetch takes a run of bytes out of the pages, for the first pieces that have none.
func (a *Assembler) fetch(l *lane) {
	i := slices.IndexFunc(l.pieces, func(p piece) bool { return !p.ready() })
	run := a.pages.take(l.episode)
	for ; len(run) > 0; i++ {
		p := &l.pieces[i]
		n := int(p.mark.Off - p.off)
		p.data, run = run[:n:n], run[n:]
	}
	if l.episode.held == 0 {
		a.pages.end(l.episode)
		l.episode = nil
	}
}

// recall takes all bytes out of the pages.
func (a *Assembler) recall(l *lane) {
	for l.episode != nil {
		a.fetch(l)
	}
}
