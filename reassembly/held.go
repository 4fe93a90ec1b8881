package reassembly

// Held is a bounded copy of chunks of one direction that cannot be understood
// yet: bytes to look at, and the marks to hand them on with later. The zero value is empty.
type Held struct {
	bytes  []byte
	pieces []heldPiece
}

type heldPiece struct {
	mark   Mark
	seen   uint64
	n      int
	ttl    uint8
	sealed bool
}

// Add copies the chunk's data from index from on.
func (h *Held) Add(c *Chunk, from int) {
	h.bytes = append(h.bytes, c.Data[from:]...)
	h.pieces = append(h.pieces, heldPiece{c.Mark, c.Seen, len(c.Data) - from, c.TTL, c.Sealed})
}

// Len is how many bytes are held.
func (h *Held) Len() int { return len(h.bytes) }

// Bytes are the held bytes in order; they are h's own and change with Add and Replay.
func (h *Held) Bytes() []byte { return h.bytes }

// Cuts are the indexes below n in Bytes at which a later chunk begins.
func (h *Held) Cuts(n int) []int {
	var cuts []int
	at := 0
	for _, p := range h.pieces {
		if at >= n {
			break
		}
		if at > 0 {
			cuts = append(cuts, at)
		}
		at += p.n
	}
	return cuts
}

// First is the mark of the first held byte; meaningful when Len is not 0.
func (h *Held) First() Mark {
	p := h.pieces[0]
	c := Chunk{Mark: p.mark, Sealed: p.sealed, Data: h.bytes[:p.n]}
	return c.At(1)
}

// Replay empties h and hands its pieces to f as the chunks they came in.
func (h *Held) Replay(d Dir, f func(*Chunk)) {
	was := *h
	*h = Held{}
	at := 0
	for _, p := range was.pieces {
		f(&Chunk{Dir: d, TTL: p.ttl, Sealed: p.sealed, Mark: p.mark, Seen: p.seen, Data: was.bytes[at : at+p.n]})
		at += p.n
	}
}
