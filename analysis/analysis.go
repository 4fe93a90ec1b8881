// Package analysis holds the words of HTTP Expect exchanges: [Exchange] and
// what it is made of, [Doubt], and the words of judgement, [Rule], [Case],
// [Verdict] and [Finding].
//
// Data flows one way. A protocol machine (analysis/http1, analysis/http2) tells [Events] to
// analysis/record, which builds exchanges; analysis/retry links attempts;
// analysis/rules judges a [Case] and says [Finding]; analysis/report writes
// them. analysis/engine puts them together. Everything here is plain data and
// pure functions of it: no clock, no I/O, no goroutine.
//
// The definitions of times, byte classes and knowledge by acknowledgement are
// in facts.go, once, for all rules.
package analysis

import (
	"strings"

	"expectscope/reassembly"
)

// State is how far an exchange has come. An open one still waits for bytes; a closed one
// has both messages whole, or its connection ended; a settled one can no longer
// change: what may follow it (a retry, the connection's end) has been seen or its time has passed.
type State uint8

// The states in the order an exchange goes through them.
const (
	Open State = iota
	Closed
	Settled
)

// An Exchange is one request with every response it got.
type Exchange struct {
	// ID is "<first packet of the connection>/<ordinal of the request>", with
	// "<input>:" in front when there are several inputs: the same in every run.
	ID   string
	Conn *reassembly.Conn
	// Client is the direction the request travelled in: Conn.Addr(Client) is
	// the HTTP client. It differs from reassembly.Forward only where no handshake was seen.
	Client reassembly.Dir
	// Stream is the ordinal of the request on the connection, from 1. In HTTP/2 it is the stream's identifier, plus
	// the number of requests before the connection became HTTP/2.
	Stream uint32
	// StreamID is the identifier of the HTTP/2 stream; 0 when no part of the exchange was HTTP/2.
	StreamID uint32
	State    State
	// TLS is what the bytes were decrypted from, nil when they were in the clear.
	TLS *TLS

	Request Message
	// Interim holds every 1xx response but 101, in order (RFC 9110, Section 15.2).
	Interim []Message
	// Final is the final response, nil when there was none. 101 is one.
	Final *Message

	ReqBody  RequestBody
	RespBody Body

	// Ends is how each direction of the connection ended, as far as seen when the exchange settled; nil while neither had.
	// The exchanges of a connection share it, and it is not written any more.
	Ends *[2]reassembly.End
	// Ended says how the exchange itself ended; an HTTP/2 stream that was reset ends as a connection that was.
	Ended Ended
	// LastActivity is the mark of the last byte either side sent for this exchange.
	LastActivity reassembly.Mark
	// At is the capture time in nanoseconds since 1970 up to which the exchange was watched: the
	// capture's end, or the moment it settled.
	At int64

	// Owed is set when bytes followed where the rest of this request's body
	// belonged, and they looked like a new request.
	Owed *Owed
	// NextHead is the mark of the last byte of the next request head on the
	// connection, zero when there was none.
	NextHead reassembly.Mark
	// NextFirst is the mark of the first byte of that head.
	NextFirst reassembly.Mark
	// NextFinal is the mark of the first byte of the final response to that request, zero when there was none.
	NextFinal reassembly.Mark
	// HeadResent tells that a segment of the request head was retransmitted
	// before the first response to it; one that was captured twice was not.
	HeadResent bool
	// HeadHeard is when the server's host had acknowledged the whole request head without an answer and before the body's first byte,
	// in nanoseconds since 1970; 0: it is not known to have. What came later than that was late by the server, not by the network.
	HeadHeard int64

	// RetryOf is the ID of the refused exchange this one repeats, "" if none.
	RetryOf string
	// RetryDelay is the time in nanoseconds from the end of the refusal to the end of this
	// request's head; meaningful when RetryOf is set.
	RetryDelay int64

	Doubts []Doubt

	sequel *Sequel // nil for most; shared with copies, and not written any more
}

// TLS is what the handshake of a connection said (RFC 8446, RFC 5246), shared by its exchanges and not written any more.
// It holds nothing secret.
type TLS struct {
	// Version is 1.2 or 1.3 in words: "TLS 1.3".
	Version string
	// ALPN is the protocol the server chose (RFC 7301), "" when it chose none or that could not be read.
	ALPN string
	// SNI is the host name the client asked for (RFC 6066, Section 3), "" when it asked for none.
	SNI string
}

// TLSVersion is the version of TLS without its name, "no" when the bytes were in the clear.
func (x *Exchange) TLSVersion() string {
	if x.TLS == nil {
		return "no"
	}
	return strings.TrimPrefix(x.TLS.Version, "TLS ")
}

// A Message is the head of a request or response (RFC 9112, Section 2.1).
type Message struct {
	// Method and Target are set for requests, Status and Reason for responses.
	Method, Target string
	Status         int
	Reason         string
	// Version is as sent: "HTTP/1.1".
	Version string
	// Fields are the field lines in order, Value without surrounding SP and HTAB; a fold is kept as sent. nil where they are still to
	// be read from Head, as in analysis/store, which keeps text once: Lines are them in any case.
	Fields []Field
	// Head is the head as sent, to the empty line, at most 64 KiB.
	Head string
	// First is the mark of the segment that carried the head's first byte (its Off is
	// just past that byte), Last that of the last byte.
	First, Last reassembly.Mark
	// TTL of the IP header that carried the head's first byte.
	TTL uint8
	// Close tells that the message announces the end of the connection:
	// Connection: close, or HTTP/1.0 without keep-alive (RFC 9112, Section 9.3).
	Close bool
	// EndStream, of an interim response: it ends the HTTP/2 stream, which it must not.
	EndStream bool
}

// A Field is one field line (RFC 9110, Section 5).
type Field struct {
	Name, Value string
	// Spaced tells that white space stood between name and colon, which RFC 9112, Section 5.1 forbids.
	Spaced bool
}

// Framing is how a message's content is delimited (RFC 9112, Section 6.3).
type Framing uint8

// The ways content ends. Tunnel: after 101 or a 2xx to CONNECT the bytes are no
// content. Unknown: the head was cut by the snap length before it said.
const (
	FramingNone Framing = iota
	FramingLength
	FramingChunked
	FramingClose
	FramingH2
	FramingTunnel
	FramingUnknown
)

// String is the word for it in the output contract.
func (f Framing) String() string {
	return [...]string{"none", "content-length", "chunked", "close", "h2", "tunnel", ""}[f]
}

// A Body accounts for content bytes (framing removed); it never stores them.
type Body struct {
	Framing Framing
	// Complete tells that the body was seen to its end.
	Complete bool
	// Declared is the announced content length, -1 when it is not known beforehand.
	Declared int64
	// Sent counts unique content bytes that were on the wire: captured, cut by
	// the snap length, or missing from the capture but acknowledged. Lost is the
	// part of it that is missing from the capture.
	Sent, Lost int64
	// Flow and Wire count what carried the content in HTTP/2, as far as it was captured: payload of DATA frames with
	// their padding, which is what flow control counts (RFC 9113, Section 5.2), and that with their headers. 0 in HTTP/1.x.
	Flow, Wire int64
	// First and Last are marks of the first and of the last content byte; zero when Sent is 0.
	First, Last reassembly.Mark
	// End is the mark of the message's last byte, which behind chunked content is that of the trailer section; zero
	// while it was not seen to its end.
	End reassembly.Mark
}

// A RequestBody accounts for a request's content by who knew what when it was sent: Sent = Early+Invited+Tail, and of
// a request whose final response is known, Sent = Read+Crossing+Tail.
type RequestBody struct {
	Body
	// Early, Invited and Tail split Sent by what the client's host had received
	// when it sent them: nothing yet, a 100, the final response.
	Early, Invited, Tail int64
	// Read and Crossing split what is not Tail by what the server's host had received when it
	// sent the final response. Both are 0 while there is no final response.
	Read, Crossing int64
	// Resent counts retransmitted stream bytes while the body was being sent; they are in no other count.
	Resent int64
	// Inner is the method of the HTTP/1.x request that the content begins with: a
	// request line and a field line; "" when it begins otherwise, or was not at hand.
	Inner string
	// Prefix holds hashes of the first 64, 512 and 4,096 content bytes, 0
	// where fewer were captured whole.
	Prefix [3]uint32
}

// Ended says how an exchange ended.
type Ended uint8

// How an exchange ends: both messages whole; its connection closed or reset; dropped after long silence or for a limit; still open
// at the capture's end; switched to another protocol; became a tunnel.
const (
	EndedNot Ended = iota
	EndedComplete
	EndedFIN
	EndedRST
	EndedIdle
	EndedCapture
	EndedUpgraded
	EndedTunnel
)

// String is the word for it in the output contract.
func (e Ended) String() string {
	return [...]string{"", "complete", "fin", "rst", "idle", "capture-end", "upgraded", "tunnel"}[e]
}

// Reading is what one side took the bytes for that came where an owed body belongs (RFC 9112, Section 6.3).
type Reading uint8

// Unknown: not decided. AsBody: the rest of the body. AsNext: a new request.
const (
	ReadUnknown Reading = iota
	ReadAsBody
	ReadAsNext
)

// String is the word for it in the output contract.
func (r Reading) String() string { return [...]string{"unknown", "body", "next"}[r] }

// An Owed records a request head seen where the rest of a body was due.
type Owed struct {
	// At is the mark of the first byte of that head.
	At reassembly.Mark
	// Bytes is how many content bytes were still owed there; -1 when unknown (chunked).
	Bytes int64
	// Client is what the client meant, Server what the server took it for.
	Client, Server         Reading
	ClientSure, ServerSure Confidence
	// Next is the ID of the exchange that head opened, "" when it was taken back.
	Next string
}

// RetryOutcome is what became of a refused expectation.
type RetryOutcome uint8

// NotAsked: the exchange was not refused. Unknown: the capture cannot tell.
const (
	RetryNotAsked RetryOutcome = iota
	RetryNone
	RetrySameConn
	RetryNewConn
	RetryUnknown
)

// String is the word for it in the output contract.
func (r RetryOutcome) String() string {
	return [...]string{"", "none", "same-connection", "new-connection", "unknown"}[r]
}

// Tier is how strongly a retry is tied to the refused request, best first.
type Tier uint8

// The tiers: same connection; an equal digest, idempotency key or trace id; the same
// Cookie or Authorization; the same User-Agent; only the address.
const (
	TierNone Tier = iota
	TierConn
	TierKey
	TierCredential
	TierAgent
	TierAddress
)

// Retry is what analysis/retry found out about a refused exchange.
type Retry struct {
	Outcome RetryOutcome
	// By is the ID of the exchange that repeats this one, "" if none.
	By         string
	Tier       Tier
	Confidence Confidence
	// Near is the ID of a follow-up that is not the same request, and Differs says in what:
	// "method", "target", "length", or "address" (within one IPv6 /64). Only set when there is no exact one.
	Near, Differs string
	// Why says, of an unknown outcome or a lowered confidence, what could not be seen.
	Why string
	// Blind tells that the outcome is unknown because something in the window was out of sight,
	// and not because the capture ends in it.
	Blind bool
}

// DoubtKind names a reason why a claim may not hold.
type DoubtKind uint8

// The kinds of doubt.
const (
	DoubtGap DoubtKind = iota
	DoubtMidStream
	DoubtOneSided
	DoubtSnapLen
	DoubtCaptureEnd
	DoubtFraming
	DoubtEvicted
	DoubtConflict
	DoubtClock
	DoubtDrops
	DoubtInternal
	// DoubtHPACK: fields are unknown, because their compression refers to what was not captured (RFC 7541).
	DoubtHPACK
)

// String is the word for it in the output contract.
func (k DoubtKind) String() string {
	return [...]string{
		"gap", "mid-stream", "one-sided", "snaplen", "capture-end", "ambiguous-framing",
		"evicted", "conflict", "clock", "drops", "internal", "field-compression",
	}[k]
}

// Part is a set of parts of an exchange: what a doubt touches, what a rule reads.
type Part uint16

// The parts. Ending: how and when the connection ended. Following: other requests of the client
// in the retry window. Handshake: the round-trip time. Timing: the times of messages.
const (
	PartRequest Part = 1 << iota
	PartReqBody
	PartInterim
	PartFinal
	PartRespBody
	PartEnding
	PartFollowing
	PartHandshake
	PartTiming

	PartAll Part = 1<<iota - 1
)

// A Doubt is a reason why claims about some parts of an exchange may not hold.
type Doubt struct {
	Kind DoubtKind
	Part Part
	At   reassembly.Mark
}

// End is how the direction d of the connection ended, as far as seen when the exchange settled.
func (x *Exchange) End(d reassembly.Dir) reassembly.End {
	if x.Ends == nil {
		return reassembly.End{}
	}
	return x.Ends[d]
}

// AddDoubt notes a doubt once for each kind and part.
func (x *Exchange) AddDoubt(k DoubtKind, p Part, at reassembly.Mark) {
	for i := range x.Doubts {
		if d := &x.Doubts[i]; d.Kind == k {
			d.Part |= p
			return
		}
	}
	x.Doubts = append(x.Doubts, Doubt{k, p, at})
}

// Doubtful returns the doubts that touch any of the parts.
func (x *Exchange) Doubtful(p Part) []Doubt {
	var ds []Doubt
	for _, d := range x.Doubts {
		if d.Part&p != 0 {
			ds = append(ds, d)
		}
	}
	return ds
}
