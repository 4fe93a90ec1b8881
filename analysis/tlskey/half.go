package tlskey

import (
	"encoding/binary"

	"expectscope/reassembly"
)

// The sizes of a record (RFC 5246, Section 6.2; in TLS 1.3 bodies are smaller).
const (
	headerSize = 5
	maxBody    = 1<<14 + 2048
)

// The types of records.
const (
	changeCipherSpec = 20
	alert            = 21
	handshake        = 22
	applicationData  = 23
	heartbeat        = 24
)

const (
	maxMessage = 64 << 10  // of a handshake message that is read
	maxEarly   = 256 << 10 // of early data that is held back
	maxBad     = 16        // records in a row that are not authentic, until the keys are taken for wrong
	tickets    = 8         // records of a server in which its session tickets may be (RFC 8446, Section 4.6.1)
)

// stage is how far the keys of a direction have come.
type stage uint8

const (
	inClear     stage = iota
	inEarly           // the client's data before the server answers
	handshaking       // of TLS 1.3
	running           // application data; in TLS 1.2 all behind ChangeCipherSpec
)

// A half is one direction of a Stream.
type half struct {
	s     *Stream
	dir   reassembly.Dir
	stage stage
	open  *opener // of the stage; nil: not made yet
	seq   uint64  // of the next record under it
	good  uint64  // records that were opened
	bad   int     // in a row that were not
	told  bool    // content was handed on

	buf     []byte // a record whose end is still to come
	acked   uint64 // Mark.Acked of the segment that began it
	last    reassembly.Mark
	skip    int     // octets of a damaged record still to come
	damaged [3]byte // its type and length
	hunt    *hunt   // nil: it is known where records begin
	miss    missing
	lenient bool // what cannot be opened is early data that the server did not take

	message  []byte // a handshake message whose end is still to come
	pass     int    // octets of one that is not read
	garbled  bool   // handshake messages are out of step
	searched uint64 // octets opened in vain since a record was good
}

// enter begins a stage.
func (h *half) enter(to stage) {
	h.stage, h.open, h.seq = to, nil, 0
	h.message, h.pass, h.garbled, h.lenient = nil, 0, false, false
	if to == running && !h.s.isClient(h.dir) {
		h.s.readEarly(false) // had it been taken, that would be known
	}
}

// release lets go of what is held.
func (h *half) release() {
	h.s.o.Keys.give(h.buf)
	h.buf, h.hunt, h.message, h.open = nil, nil, nil, nil
}

// sizeOf is how long the record is that begins with b, 0 if that is not known yet, -1 if b is none.
func sizeOf(b []byte) int {
	if len(b) > 0 && (b[0] < changeCipherSpec || b[0] > heartbeat) || len(b) > 1 && b[1] != 3 {
		return -1
	}
	if len(b) < headerSize {
		return 0
	}
	n := int(binary.BigEndian.Uint16(b[3:]))
	if n > maxBody {
		return -1
	}
	return headerSize + n
}

// data reads a chunk, and says how far it came.
func (h *half) data(c *reassembly.Chunk) (at int) {
	for at < len(c.Data) && !h.s.stopped() {
		switch {
		case h.skip > 0:
			n := min(h.skip, len(c.Data)-at)
			at, h.skip = at+n, h.skip-n
			h.miss.pass(n, c.At(at))
			if h.skip == 0 {
				h.passed()
			}
		case h.hunt != nil:
			h.hunt.add(c, at)
			at = len(c.Data)
			h.search()
		default:
			at = h.collect(c, at)
		}
	}
	return at
}

// collect takes a record, or some of one, from index at on.
func (h *half) collect(c *reassembly.Chunk, at int) int {
	b := c.Data[at:]
	if len(h.buf) == 0 {
		h.acked = c.Mark.Acked
		if n := sizeOf(b); n > 0 && n <= len(b) {
			h.whole(b[:n], c, at+n)
			return at + n
		}
		h.buf = h.s.o.Keys.take()
	}
	if n := headerSize - len(h.buf); n > 0 {
		n = min(n, len(b))
		h.buf = append(h.buf, b[:n]...)
		b, at = b[n:], at+n
	}
	n := sizeOf(h.buf)
	if n < 0 {
		h.astray(c, at)
		return at
	}
	if n == 0 {
		return at
	}
	n = min(n-len(h.buf), len(b))
	h.buf = append(h.buf, b[:n]...)
	at += n
	if len(h.buf) == sizeOf(h.buf) {
		record := h.buf
		h.buf = nil
		h.whole(record, c, at)
		h.s.o.Keys.give(record)
	}
	return at
}

// astray: what should begin a record does not.
func (h *half) astray(c *reassembly.Chunk, at int) {
	if h.good == 0 && h.stage == inClear {
		h.s.giveUp()
		return
	}
	h.miss.begin(c.At(at))
	h.miss.pass(len(h.buf), c.At(at))
	h.buf = h.buf[:0]
	h.hunt = &hunt{}
}

// whole takes a record that ends before index end of the chunk.
func (h *half) whole(record []byte, c *reassembly.Chunk, end int) {
	at := reassembly.Chunk{Dir: c.Dir, TTL: c.TTL, Sealed: true, Mark: c.At(end), Seen: c.Seen}
	at.Mark.Acked = h.acked // what was known when the record was made, or soon after
	h.last = at.Mark
	h.record(record, &at)
}

// record reads a record.
func (h *half) record(record []byte, at *reassembly.Chunk) {
	s := h.s
	switch kind := record[0]; {
	case kind == changeCipherSpec:
		if s.hello.settled && s.hello.Version == versionTLS12 {
			h.enter(running)
		}
	case h.stage == inEarly && kind == applicationData && h.open == nil:
		h.holdEarly(record, at)
	case h.stage == inClear || h.stage == inEarly && kind != applicationData:
		switch kind {
		case handshake:
			h.messages(record[headerSize:])
		case applicationData: // what came before is missing
			h.protected(record, at)
		}
	case s.hello.Version == versionTLS13 && kind != applicationData: // an alert of a side that has no keys yet
	default:
		h.protected(record, at)
	}
}

// holdEarly keeps early data until it is known what becomes of it.
func (h *half) holdEarly(record []byte, at *reassembly.Chunk) {
	n := 0
	for i := range h.s.early {
		n += len(h.s.early[i].record)
	}
	if n+len(record) > maxEarly {
		h.s.giveUp()
		return
	}
	h.s.early = append(h.s.early, sealed{append([]byte(nil), record...), *at})
}

// protected opens a record and reads it.
func (h *half) protected(record []byte, at *reassembly.Chunk) {
	if h.open == nil && !h.ready() {
		h.s.wait(h, record, at)
		return
	}
	out := h.s.o.Keys.take()
	defer h.s.o.Keys.give(out)
	if h.open != nil {
		if plain, kind, ok := h.open.open(out, h.seq, record); ok {
			h.seq++
			h.good++
			h.bad, h.lenient = 0, false
			if h.miss.octets > 0 && h.stage != handshaking { // what is missing was no record of these keys
				h.tell(h.miss.octets, false)
			}
			h.miss = missing{}
			h.content(kind, plain, at)
			return
		}
	}
	if plain, kind, ok := h.try(out, record); ok {
		h.content(kind, plain, at)
		return
	}
	if h.lenient {
		return
	}
	h.miss.begin(at.Mark)
	h.miss.pass(len(record), at.Mark)
	if h.bad++; h.bad > maxBad {
		h.s.giveUp()
	}
}

// ready makes the opener of the stage, if it can; false: its key may still come.
func (h *half) ready() bool {
	if h.stage < handshaking {
		return true
	}
	if h.open = h.opener(h.stage, h.s.suite); h.open != nil {
		return true
	}
	more := h.s.more()
	h.open = h.opener(h.stage, h.s.suite)
	return h.open != nil || !more
}

// opener makes the opener of a stage, nil if its secret is not known.
func (h *half) opener(of stage, s *suite) *opener {
	k := h.s.secrets()
	if k == nil || s == nil {
		return nil
	}
	client := h.s.isClient(h.dir)
	if h.s.hello.Version == versionTLS12 {
		if k[master] == nil {
			return nil
		}
		return newOpener12(s, k[master], &h.s.hello, client)
	}
	if secret := k[trafficOf(of, client)]; secret != nil && len(secret) == s.hash().Size() {
		return newOpener13(s, secret)
	}
	return nil
}

// trafficOf names the secret of a stage.
func trafficOf(of stage, client bool) label {
	l := clientTraffic
	if of == handshaking {
		l = clientHandshake
	}
	if !client {
		l++
	}
	return l
}

// content reads what was in a record.
func (h *half) content(kind byte, plain []byte, at *reassembly.Chunk) {
	switch {
	case kind == applicationData && len(plain) > 0:
		h.s.deliver(h, plain, at)
	case kind == handshake && !h.garbled:
		h.messages(plain)
	}
}

// messages reads handshake messages; those of no concern are passed over.
func (h *half) messages(b []byte) {
	h.message = append(h.message, b...)
	for !h.s.dead {
		n := min(h.pass, len(h.message))
		h.message, h.pass = h.message[n:], h.pass-n
		if len(h.message) < 4 {
			return
		}
		size := 4 + uint24(h.message[1:])
		switch kind := h.message[0]; {
		case size > maxMessage || kind != clientHello && kind != serverHello && kind != encryptedExts &&
			kind != endOfEarlyData && kind != finished && kind != keyUpdate:
			h.pass = size
		case len(h.message) < size:
			return
		default:
			body := h.message[4:size]
			h.message = h.message[size:]
			h.handshake(kind, body)
		}
	}
}

// handshake reads a handshake message.
func (h *half) handshake(kind byte, body []byte) {
	tls13 := h.s.hello.Version == versionTLS13
	switch {
	case kind == clientHello:
		h.s.readClient(h, body)
	case kind == serverHello:
		h.s.readServer(h, body)
	case !tls13:
	case kind == encryptedExts:
		h.s.readEarly(h.s.hello.readEncrypted(body))
	case kind == endOfEarlyData && h.stage == inEarly:
		h.enter(handshaking)
	case kind == finished && h.stage == handshaking:
		h.enter(running)
	case kind == keyUpdate && h.stage == running:
		h.open, h.seq = h.open.next(), 0
	}
}

// end reads the end of the direction: a record that has not ended is missing, and was sent.
func (h *half) end() {
	if n := len(h.buf) + h.hunt.held(); n > 0 {
		h.miss.begin(h.last)
		h.miss.pass(n, h.last)
	}
	if h.miss.octets > headerSize && h.stage == running && h.s.inner != nil {
		h.tell(h.miss.octets, false)
	}
	h.release()
}
