package analysis

import "expectscope/reassembly"

// A Head is one parsed message head: views into the machine's buffer, valid during the call.
type Head struct {
	// Text is the head as sent, from the first byte of its first line to the empty line.
	Text []byte
	// Method and Target of a request; Status and Reason of a response.
	Method, Target []byte
	Status         int
	Reason         []byte
	// Version is as sent: "HTTP/1.1".
	Version []byte
	// First and Last are the marks of the first and last byte of Text.
	First, Last reassembly.Mark
	TTL         uint8
	// Framing and Length say how the content is delimited; Length is -1 when unknown.
	Framing Framing
	Length  int64
	// Close tells that the message announces the end of the connection.
	Close bool
	// Expect tells that there is an Expect field.
	Expect bool
	// Odd tells of a request that its fields give no length that every receiver reads alike (RFC 9112, Section 6.3).
	Odd bool
	// Stream is the identifier of the HTTP/2 stream, 0 in HTTP/1.x. Text is then the fields written as lines of
	// HTTP/1.x, pseudo-header fields in front, since what is on the wire is compressed.
	Stream uint32
	// EndStream, of an interim response: it ends the stream, which it must not (RFC 9113, Section 8.1).
	EndStream bool
}

// Events is what a protocol machine tells analysis/record; http1 and http2 speak only this.
// Streams are numbered by the machine in the order of their requests, from 1; those of HTTP/2 by their identifiers.
type Events interface {
	// Request: a head is complete; the exchange opens here, not at the body's end.
	Request(stream uint32, h *Head)
	// Interim: any 1xx but 101. It never closes anything.
	Interim(stream uint32, h *Head)
	// Response: the final head (101 is one).
	Response(stream uint32, h *Head)
	// Orphan: a response head that answers no request seen; after is the last stream that was answered, 0 if none.
	Orphan(after uint32, h *Head)
	// Body: n content bytes, framing removed, end at m. b holds them, or is nil where they are not at hand (cut by the snap
	// length). sealed: TCP offsets do not count content. seen is Chunk.Seen.
	Body(stream uint32, d reassembly.Dir, b []byte, n uint64, m reassembly.Mark, seen uint64, sealed bool)
	// Frame: a DATA frame of HTTP/2 is over, of which content was told as Body: flow octets of payload, wire octets with its header.
	Frame(stream uint32, d reassembly.Dir, flow, wire uint64)
	// Reset: one side gave up the stream (RFC 9113, Section 6.4), or said that it will not be processed (Section 6.8).
	Reset(stream uint32, r StreamReset)
	// Lost: n content bytes are missing from the capture.
	Lost(stream uint32, d reassembly.Dir, n uint64, g *reassembly.Gap)
	// Owed: bytes where an owed body belongs look like a request: both readings, so far. The last call for a stream holds. When it says
	// that the client meant a body, the exchange next is taken back.
	Owed(stream uint32, next uint32, o Owed)
	// Done: the message in direction d is over, or will never be.
	Done(stream uint32, d reassembly.Dir, how Ended, m reassembly.Mark)
	// Doubt: claims about those parts of the exchange may not hold.
	Doubt(stream uint32, k DoubtKind, p Part, m reassembly.Mark)
}

// An Observer is shown what one connection is made of: its streams, as the layers get them and before they do, and
// what the layers made of them. It must not block, and keeps nothing of what it is shown; what it sees changes nothing.
type Observer interface {
	reassembly.Layer
	Events
	// Opaque: the rest of the connection cannot be read, and by which kind: "tls", "http2", "ssh", "upgraded", "other".
	Opaque(kind string)
}

// EndingOf is how an exchange ends when its connection does.
func EndingOf(e reassembly.Ending) Ended {
	switch e {
	case reassembly.FIN:
		return EndedFIN
	case reassembly.RST, reassembly.Reused:
		return EndedRST
	case reassembly.CaptureEnd:
		return EndedCapture
	}
	return EndedIdle
}

// DoubtOf is the doubt that missing bytes cast.
func DoubtOf(c reassembly.Cause) DoubtKind {
	switch c {
	case reassembly.Snapped:
		return DoubtSnapLen
	case reassembly.Evicted:
		return DoubtEvicted
	}
	return DoubtGap
}
