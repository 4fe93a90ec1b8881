// Package reassembly turns TCP segments into two ordered streams of bytes that
// know when and where each byte was first seen.
//
// Segments go into an [Assembler]; for each connection that carries data it
// opens a [Layer] and calls it with [Chunk], [Gap], [Resent] and [End], both
// directions in causal order: a chunk that acknowledges bytes of the other
// direction comes after those bytes. A segment that continues its stream is
// handed on without a copy; github.com/google/gopacket's reassembly orders what
// is late (episode.go is the only file that knows it).
//
// Nothing here returns an error: a hole is a Gap, a broken end is an End that
// says so, a limit that was hit is counted.
package reassembly

import (
	"net/netip"

	"expectscope/capture"
)

// Dir is one of the two directions of a connection.
type Dir uint8

// The initiator of a connection sends the SYN without ACK. When no SYN was
// seen, Forward is the direction of the first segment seen.
const (
	Forward Dir = iota // from Conn.Client to Conn.Server
	Reverse            // from Conn.Server to Conn.Client
)

// Other is the opposite direction.
func (d Dir) Other() Dir { return d ^ 1 }

// NoAck is the Acked of a mark that acknowledges nothing that can be compared:
// its segment had no ACK, or nothing is known of the other direction's numbers
// yet. A number says nothing of what was captured: see Conn.Seen.
const NoAck = ^uint64(0)

// A Mark is when and where something was seen on the wire. It is always in TCP
// terms, whatever layer reports it, so marks of different layers compare. It
// holds no pointers.
type Mark struct {
	// Time is when the segment that first carried the bytes was captured, in
	// nanoseconds since 1970 UTC; a retransmission does not change it.
	Time int64
	// Packet is the number of that segment's frame (of a TLS record, of the
	// frame that completed it).
	Packet capture.Num
	// Off is the offset in its direction's stream just past the marked bytes:
	// 0 is the first byte after the SYN. In a connection joined in the middle,
	// offsets start at an arbitrary base of 1<<32.
	Off uint64
	// Acked is the offset of the opposite direction up to which the segment
	// acknowledged, or NoAck. It may exceed what was captured.
	Acked uint64
}

// A Chunk is a run of bytes that continues its direction's stream: the new
// bytes of one segment, or the plaintext of one TLS record. The chunk and Data
// are valid during the call only.
type Chunk struct {
	Dir Dir
	// TTL of the IP header that carried it.
	TTL uint8
	// Sealed means Data is not the TCP payload itself but was decrypted from
	// it: offsets inside the chunk do not map to TCP offsets.
	Sealed bool
	// Mark is for the whole chunk: Off is just past its last byte.
	Mark Mark
	// Seen is how far the other side had acknowledged this direction when the
	// chunk is delivered: an acknowledgement of bytes below it has been seen, so they need no history.
	Seen uint64
	// Base is the sequence number of offset 0 of the direction: that of offset o is Base plus o, modulo 2^32. It is
	// known of chunks that come from the assembler, not of those made of them.
	Base uint32
	Data []byte
}

// At is the mark just past Data[:n].
func (c *Chunk) At(n int) Mark {
	m := c.Mark
	if !c.Sealed {
		m.Off -= uint64(len(c.Data) - n)
	}
	return m
}

// Cause says why bytes are missing.
type Cause uint8

// Lost: never captured. Snapped: cut by the capture's snap length, so they were
// on the wire. Evicted: a limit of ours was hit.
const (
	Lost Cause = iota
	Snapped
	Evicted
)

// String is the word for it in the output contract.
func (c Cause) String() string { return [...]string{"lost", "snapped", "evicted"}[c] }

// A Gap is a run of bytes that will not be delivered; the stream goes on behind it.
type Gap struct {
	Dir Dir
	// At is where the gap was noticed: Off is just past the missing bytes. Of a
	// Snapped gap it is the mark of the segment that was cut, of a lost one the
	// time, packet and acknowledgement are those of what revealed the loss (the
	// first bytes behind the hole, or the acknowledgement beyond it).
	At Mark
	// Len is how many bytes are missing.
	Len uint64
	Why Cause
	// Acked tells that the other side acknowledged all of them: they were sent and they arrived.
	Acked bool
	// Inexact tells that Len is an estimate: what is missing was sealed, and how much was in it is not known.
	Inexact bool
}

// A Resent reports bytes that were seen before in this direction: a
// retransmission. It is called when the segment is seen, which may be before
// earlier bytes are delivered. One without bytes and with Conflict set reports a
// FIN at whose place the stream went on, or bytes behind a FIN, which may come
// behind its End: one of the two is not the sender's.
type Resent struct {
	Dir Dir
	// At is the mark of the repeating segment; Off is just past the repeated bytes.
	At Mark
	// Len is how many bytes were repeated.
	Len uint64
	// Conflict tells that the repeated bytes differ from the first copy, where
	// that copy was still at hand. The first copy was, or will be, delivered.
	Conflict bool
	// Data are the repeated bytes from the first on, as many as were captured:
	// whoever still has the first copy can compare. Valid during the call.
	Data []byte
}

// Ending says how a direction ended.
type Ending uint8

// Open: it has not ended as far as seen. Idle: dropped by us after a long
// silence or for a limit. Reused: a new connection took its addresses.
const (
	Open Ending = iota
	FIN
	RST
	Idle
	Reused
	CaptureEnd
)

// String is the word for it in the output contract.
func (e Ending) String() string {
	return [...]string{"open", "fin", "rst", "idle", "reused", "capture-end"}[e]
}

// An End closes a direction: nothing of it follows. Each direction ends exactly
// once. An RST ends both: the side that sent it has Sender set.
type End struct {
	Dir Dir
	How Ending
	// Sender tells, of an RST, that this direction's sender sent it.
	Sender bool
	// At is the mark of the segment that ended it; its Off is the length of the stream.
	At Mark
	// Acked is how far the other side had acknowledged this direction, or NoAck.
	Acked uint64
}

// Start says how a connection came into view.
type Start uint8

// Handshake: its SYN was seen. MidStream: it was not.
const (
	Handshake Start = iota
	MidStream
)

// A Conn is a TCP connection. The assembler fills it as it learns; a Layer may
// keep the pointer and reads it at any time, but never writes.
type Conn struct {
	// First is the first packet of the connection, its SYN where one was seen.
	First capture.Num
	Tap   uint16
	Start Start
	// Ending tells whether a FIN or RST of each direction was captured that is not its End so far: bytes before it are missing,
	// nobody acknowledged it, or it came another way than the rest.
	Ending [2]bool
	// Client and Server are the initiator and its peer. Without a handshake
	// they are guesses: see Dir.
	Client, Server netip.AddrPort
	// SYN, SYNACK and ACK are the times of the handshake's three segments, in
	// nanoseconds since 1970; 0 where not seen.
	SYN, SYNACK, ACK int64
	// MinRTT is, for each direction, the smallest time in nanoseconds from a
	// data segment of it to the acknowledgement that covers it; 0 while unknown.
	MinRTT [2]int64
	// MSS is the maximum segment size each direction's sender announced it
	// accepts; 0 when not seen.
	MSS [2]uint16
	// Seen tells whether any segment of the direction was captured.
	Seen [2]bool
	// Ahead tells whether the last acknowledgement of a direction covers what was not captured, at least not before it: bytes, or a FIN
	// (of a direction that ended with one, it is that FIN).
	Ahead [2]bool
	// Heard is when an empty segment last acknowledged all that was delivered of a direction, and more than before, in
	// nanoseconds since 1970: its other side had it then, and had nothing to say yet. 0: none did.
	Heard [2]int64
	// Holes counts gaps that were lost or evicted, Conflicts retransmissions
	// with other bytes, so far.
	Holes, Conflicts uint32
}

// Addr is the endpoint that sends in direction d.
func (c *Conn) Addr(d Dir) netip.AddrPort {
	if d == Forward {
		return c.Client
	}
	return c.Server
}

// RTT is an estimate of the round-trip time between the two hosts in
// nanoseconds, and whether the handshake gave it: SYN to SYN/ACK plus SYN/ACK
// to ACK, or else the smallest acknowledgement delays. 0, false when nothing is known.
func (c *Conn) RTT() (ns int64, handshake bool) {
	if c.SYN != 0 && c.SYNACK != 0 && c.ACK != 0 {
		return c.ACK - c.SYN, true
	}
	return c.MinRTT[0] + c.MinRTT[1], false
}

// ServerRTT is the part of the round trip between the capture point and the
// server in nanoseconds: SYN to SYN/ACK, else the smallest delay of an
// acknowledgement of the client's data; 0 when unknown.
func (c *Conn) ServerRTT(client Dir) int64 {
	if client == Forward && c.SYN != 0 && c.SYNACK != 0 {
		return c.SYNACK - c.SYN
	}
	return c.MinRTT[client]
}

// A Layer consumes one connection, both directions, in causal order. It must
// not block, start goroutines, or keep a Chunk's Data.
type Layer interface {
	Data(*Chunk)
	Gap(*Gap)
	Resent(*Resent)
	End(*End)
}
