package tlskey

import (
	"bytes"

	"expectscope/reassembly"
)

// Bounds on finding the way again: numbers that are tried under one key, and octets that are opened in vain.
const (
	maxSeek   = 4096
	maxSearch = 64 << 20
)

// missing is what could not be read of a direction since the last record that could.
type missing struct {
	any    bool
	octets uint64 // of records, not told yet
	all    uint64 // told or not
	at     reassembly.Mark
	from   int64
	why    reassembly.Cause
	acked  bool
}

// begin notes that something is missing from a mark on.
func (m *missing) begin(at reassembly.Mark) {
	if !m.any {
		*m = missing{any: true, at: at, from: at.Time, acked: true}
	}
}

// pass counts octets that were captured and cannot be read.
func (m *missing) pass(n int, end reassembly.Mark) {
	m.octets += uint64(n)
	m.all += uint64(n)
	m.at.Off = end.Off
}

// gap counts octets that were not captured.
func (m *missing) gap(g *reassembly.Gap) {
	if !m.any {
		*m = missing{any: true, from: g.At.Time, why: g.Why, acked: true}
	}
	m.at = g.At
	m.octets += g.Len
	m.all += g.Len
	m.acked = m.acked && g.Acked
	if g.Why != reassembly.Snapped {
		m.why = g.Why
	}
}

// gap reads a hole.
func (h *half) gap(g *reassembly.Gap) {
	if !h.s.hello.hasClient { // nobody can say whose keys these are
		h.s.giveUp()
		return
	}
	left := h.skip
	held := len(h.buf) + h.hunt.held()
	if h.hunt == nil && len(h.buf) >= headerSize {
		left = sizeOf(h.buf) - len(h.buf)
		h.damaged = [3]byte{h.buf[0], h.buf[3], h.buf[4]}
	}
	if held > 0 {
		h.miss.begin(h.last)
		h.miss.pass(held, g.At)
		h.buf = h.buf[:0]
	}
	h.miss.gap(g)
	if left > 0 && g.Len <= uint64(left) && !g.Inexact {
		if h.skip = left - int(g.Len); h.skip == 0 {
			h.passed()
		}
		return
	}
	h.skip, h.hunt = 0, &hunt{}
	h.garbled = true
}

// passed: the damaged record is over, and the next one begins.
func (h *half) passed() {
	kind, n := h.damaged[0], int(h.damaged[1])<<8|int(h.damaged[2])
	switch {
	case h.stage == inClear && kind == handshake && h.pass >= n && len(h.message) == 0:
		h.pass -= n // it was in the middle of a message of no concern
		h.miss = missing{}
	case h.stage == inClear || h.stage == inEarly:
		h.hunt, h.garbled = &hunt{}, true
	case h.stage == handshaking || h.open == nil || h.miss.all != uint64(headerSize+n):
		h.garbled = true // the next record says what it was
	case h.open.tls13 || kind == applicationData:
		lost := uint64(max(0, n-h.open.least()))
		h.tell(lost, h.certain())
		h.miss, h.seq = missing{}, h.seq+1
	default: // of TLS 1.2, and no content
		h.miss, h.seq = missing{}, h.seq+1
	}
}

// certain tells whether how much content is missing follows from how many records are.
func (h *half) certain() bool {
	return h.open.exact() && !(h.open.tls13 && !h.s.isClient(h.dir) && h.seq < tickets)
}

// tell hands a hole on.
func (h *half) tell(n uint64, exact bool) {
	m := &h.miss
	h.s.unread(m.from, h.s.last)
	m.octets = 0
	if n == 0 {
		return
	}
	at := m.at
	h.s.open().Gap(&reassembly.Gap{Dir: h.dir, At: at, Len: n, Why: m.why, Acked: m.acked, Inexact: !exact})
}

// A hunt looks for where records begin. It keeps octets until a record is whole.
type hunt struct {
	bytes  []byte
	pieces []piece
}

// A piece is where a chunk ends in the octets of a hunt.
type piece struct {
	end   int
	chunk reassembly.Chunk // without Data
}

func (u *hunt) held() int {
	if u == nil {
		return 0
	}
	return len(u.bytes)
}

func (u *hunt) add(c *reassembly.Chunk, from int) {
	u.bytes = append(u.bytes, c.Data[from:]...)
	bare := *c
	bare.Data = nil
	u.pieces = append(u.pieces, piece{len(u.bytes), bare})
}

// drop forgets the first n octets.
func (u *hunt) drop(n int) {
	u.bytes = append(u.bytes[:0], u.bytes[n:]...)
	k := 0
	for _, p := range u.pieces {
		if p.end -= n; p.end > 0 {
			u.pieces[k] = p
			k++
		}
	}
	u.pieces = u.pieces[:k]
}

// replay calls f with the octets from index from up to to, in the chunks they came in.
func (u *hunt) replay(from, to int, f func(*reassembly.Chunk)) {
	start := 0
	for _, p := range u.pieces {
		if a, b := max(start, from), min(p.end, to); a < b {
			c := p.chunk
			c.Data = u.bytes[start:p.end]
			c.Mark, c.Data = c.At(b-start), u.bytes[a:b]
			f(&c)
		}
		start = p.end
	}
}

// search looks for a record that proves itself. What is in front of it is missing.
func (h *half) search() {
	u := h.hunt
	for from := 0; ; from++ {
		i := nextRecord(u.bytes[from:])
		from += i
		rest := u.bytes[from:]
		n := sizeOf(rest)
		if n <= 0 || n > len(rest) { // it may be one, or begin one
			h.miss.begin(h.last)
			h.miss.pass(from, h.markAt(from))
			u.drop(from)
			return
		}
		if h.found(from, n) || h.s.stopped() {
			return
		}
	}
}

// nextRecord is the index of what may begin a record, or of where that cannot be said yet.
func nextRecord(b []byte) int {
	for i := 0; ; i++ {
		n := bytes.IndexByte(b[i:], 3) // the version stands behind the type
		if n < 0 {
			return max(0, len(b)-1)
		}
		if i += n; i > 0 && (b[i-1] == applicationData || b[i-1] == handshake || b[i-1] == alert) &&
			(i+1 == len(b) || b[i+1] == 3) && sizeOf(b[i-1:]) >= 0 {
			return i - 1
		}
	}
}

// markAt is the mark just past the first n octets of a hunt.
func (h *half) markAt(n int) reassembly.Mark {
	m := h.last
	h.hunt.replay(max(0, n-1), n, func(c *reassembly.Chunk) { m = c.Mark })
	return m
}

// found opens the record of n octets at index i, if it is one, and goes on behind it.
func (h *half) found(i, n int) bool {
	u := h.hunt
	var at reassembly.Chunk
	first := true
	u.replay(i, i+n, func(c *reassembly.Chunk) {
		acked := at.Mark.Acked
		at = *c
		if !first {
			at.Mark.Acked = acked
		}
		first = false
	})
	at.Data, at.Sealed = nil, true
	out := h.s.o.Keys.take()
	defer h.s.o.Keys.give(out)
	before := h.miss
	h.miss.begin(h.last)
	h.miss.pass(i, h.markAt(i))
	plain, kind, ok := h.try(out, u.bytes[i:i+n])
	if !ok {
		h.miss = before
		return false
	}
	h.hunt, h.last = nil, at.Mark
	h.content(kind, plain, &at)
	u.replay(i+n, len(u.bytes), func(c *reassembly.Chunk) { h.s.Data(c) })
	return true
}

// A candidate is a key under which a record may have been sealed, and the number it would have at least.
type candidate struct {
	open  *opener
	stage stage
	from  uint64
}

// candidates are the keys that may be in use by now.
func (h *half) candidates() []candidate {
	var cs []candidate
	add := func(o *opener, of stage, from uint64) {
		if o != nil {
			cs = append(cs, candidate{o, of, from})
		}
	}
	s := h.s
	if h.open == nil && h.stage >= handshaking { // the first record under these keys was not seen
		h.open = h.opener(h.stage, s.suite)
	}
	add(h.open, h.stage, h.seq)
	if s.hello.settled && s.hello.Version == versionTLS12 {
		if h.stage == inClear {
			add(h.opener(running, s.suite), running, 0)
		}
		return cs
	}
	if h.stage == running {
		for o := h.open; o != nil && len(cs) < 3; {
			o = o.next()
			add(o, running, 0)
		}
	}
	of := []*suite{s.suite}
	k := s.secrets()
	if s.suite == nil && k != nil {
		of = fitting(max(len(k[clientTraffic]), len(k[serverTraffic])))
	}
	for next := max(h.stage+1, handshaking); next <= running; next++ {
		for _, s := range of {
			add(h.opener(next, s), next, 0)
		}
	}
	return cs
}

// try looks for the key and the number under which a record is authentic, and goes on from there.
func (h *half) try(out, record []byte) (plain []byte, kind byte, ok bool) {
	cs := h.candidates()
	if len(cs) == 0 && !h.s.more() {
		h.s.giveUp()
		return nil, 0, false
	}
	for _, c := range cs {
		reach := min(h.miss.all/uint64(headerSize+c.open.least()), maxSeek)
		for seq := c.from; seq <= c.from+reach; seq++ {
			if c.open == h.open && seq == h.seq && h.hunt == nil {
				continue // that was tried
			}
			if plain, kind, ok = c.open.open(out, seq, record); ok {
				h.adopt(&c, seq)
				return plain, kind, true
			}
			if h.searched += uint64(len(record)); h.searched > maxSearch {
				h.s.giveUp()
				return nil, 0, false
			}
		}
	}
	return nil, 0, false
}

// adopt goes on with a key behind a number, and tells what is missing in front of it.
func (h *half) adopt(c *candidate, seq uint64) {
	m := &h.miss
	lost, exact := m.octets, false
	switch n := seq - c.from; {
	case c.open == h.open && (h.stage == handshaking || c.from == 0 && n > 0 && n <= h.before(c)):
		lost = 0
	case c.open == h.open:
		over := n * uint64(headerSize+c.open.least())
		exact = n > 0 && m.octets == m.all && over <= m.all && h.certain()
		lost -= min(lost, over)
	case h.stage == running: // the keys were changed in the dark
	case h.stage == inEarly:
	case c.stage != running || seq <= h.before(c):
		lost = 0
	}
	if m.octets > 0 {
		h.tell(lost, exact)
	}
	if c.stage != h.stage {
		h.enter(c.stage)
		h.garbled = c.stage == handshaking
	}
	if h.stage == running {
		h.message, h.pass, h.garbled = nil, 0, false
	}
	h.open, h.seq, h.miss = c.open, seq+1, missing{}
	h.good++
	h.bad, h.searched, h.lenient = 0, 0, false
	if c.open.tls13 && h.s.suite == nil {
		h.s.suite, h.s.hello.Version = c.open.suite, versionTLS13
	}
}

// before is how many records of a stage come before any content: the Finished of TLS 1.2.
func (h *half) before(c *candidate) uint64 {
	if c.open.tls13 {
		return 0
	}
	return 1
}
