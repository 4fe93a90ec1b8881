// Package script turns written conversations into captures: a small language
// in which a test says who sent what and when, and a compiler that makes the
// Ethernet frames a capture of it would hold, with handshakes, sequence and
// acknowledgement numbers, checksums and pure ACKs.
//
// A text goes through three steps: [Parse] reads the lines and gives each its
// time, [Script.Packets] plays them on small TCP senders and receivers and puts
// the result in the order the tap saw, and a [capture.Source] or a pcap file
// hands it out. Nothing depends on a clock or on chance: the same text gives
// the same bytes.
//
// The package models what is on the wire, not a network: there is no loss that
// TCP would repair, no congestion window and no window to fill. Damage is what
// the text asks for.
//
// # The language
//
// One line is one act. Empty lines and lines that start with # are skipped; a
// comment may follow a line after two spaces.
//
//	@conn 10.0.0.1:40000 10.0.0.2:80
//	> PUT /up HTTP/1.1 | Host: a | Content-Length: 5 | Expect: 100-continue
//	+20ms < HTTP/1.1 417 Expectation Failed | Content-Length: 0
//	+60s @end
//
// A line may start with a time: "+20ms" counts from the end of the line before
// it, "@1.5s" from the start of the capture, which is [Start]. Without one it
// is +1ms, or half the connection's round trip when that is longer and the
// other side spoke last. On one connection time never goes back.
//
// "@conn [name] client server [option...]" opens a connection with a handshake.
// The tap sits halfway: SYN/ACK comes rtt/2 after SYN, ACK rtt/2 later. Options:
//
//	rtt=1ms           round-trip time
//	mss=1460          largest segment, announced by both sides
//	isn=1000,2000     initial sequence numbers, of client and server
//	ttl=64,64         time to live or hop limit of their packets
//	nosyn             the capture starts after the handshake
//	only=client       only what this side sent was captured (or server)
//
// "@end" ends the capture at its time: the frame of another host is captured
// then, and nothing later is.
//
// ">" is sent by the client, "<" by the server of the latest connection; "a>"
// and "a<" name one. What is sent:
//
//	GET / HTTP/1.1 | Host: a      a head: " | " separates lines, CRLF and the empty line are
//	                              added; what cannot be said so is sent as quoted bytes
//	body 5                        that many bytes of content, a fixed pattern
//	chunk 4096;ext=1              a chunk of that many bytes, framed; the extension may be absent
//	lastchunk | Name: value       the last chunk and its trailers, if any
//	"raw\r\n\x00"                 bytes in Go's quoting
//	fin, rst, ack                 a segment without data
//	h2 preface                    a frame of HTTP/2, below
//
// A frame of HTTP/2 (RFC 9113) is its type, its stream, and what it carries:
//
//	h2 preface                            the client's preface and SETTINGS
//	h2 HEADERS 1 END_STREAM | :path: /    fields, " | " before each; MORE: without END_HEADERS
//	h2 CONTINUATION 1 | a: b              more of them
//	h2 PUSH_PROMISE 1 2 | :path: /x       the promised stream behind the other
//	h2 DATA 1 500 END_STREAM pad=10       so many octets of content; pad= in HEADERS too
//	h2 RST_STREAM 1 CANCEL                error codes by their names
//	h2 GOAWAY 1 NO_ERROR                  the last stream that was processed
//	h2 SETTINGS ACK, h2 PING, h2 WINDOW_UPDATE 0 100, h2 PRIORITY 1
//
// Fields are literals that are not indexed (RFC 7541, Section 6.2.2); "+a: b" enters the dynamic table, "#62" is its
// newest entry.
//
// A side acknowledges all the other side sent on the lines before its own, and
// in between as stacks do: at once, half a round trip after the segment passed,
// for every two full segments and for a FIN; 40ms later for less. An ACK that is
// not due when the side sends data travels with the data.
//
// Modifiers in brackets at the end of a line, one a bracket:
//
//	[blind]           sent before the sender had received the other side's last
//	[blind 3]         line (its last 3): it does not acknowledge them
//	[ack 100]         acknowledges so many bytes of the other side's stream
//	[ack prev]        acknowledges no more than the side did before
//	[ack none]        has no ACK flag
//	[cork]            waits, and leaves in one piece with the side's next line
//	[seg 100]         cut into segments of so many bytes
//	[oneseg]          one segment, whatever its size (as after receive offload)
//	[split 3,10]      also cut at these offsets
//	[lost]            not captured, but received; [lost 2], [lost 2-4]: only these segments
//	[dup]             sent again after 200ms; [dup 30ms]: after that time
//	[late 3]          its first packet was captured 3 packets later
//	[snap 60]         captured only to so many bytes of the frame
//	[ttl 3]           time to live of these packets
//
// Segments of one line are 10µs apart, and so are lines of one connection at
// least: "+0s" means right behind.
package script

import (
	"net/netip"
	"time"
)

// Start is when every script starts, in nanoseconds since 1970 UTC:
// 2026-01-05T10:00:00Z.
const Start int64 = 1_767_607_200_000_000_000

// Bounds of one script: the largest line, all of it, and how far its time goes.
const (
	maxLine     = 16 << 20
	maxBytes    = 64 << 20
	maxSegments = 1 << 18
	maxTime     = 10_000 * time.Hour
	maxPayload  = 65_000
)

const (
	defaultStep  = time.Millisecond
	defaultRTT   = time.Millisecond
	defaultMSS   = 1460
	defaultTTL   = 64
	segmentGap   = 10 * time.Microsecond
	delayedACK   = 40 * time.Millisecond
	resendAfter  = 200 * time.Millisecond
	fullSegments = 2 // so many full segments are acknowledged at once: RFC 9293, Section 3.8.6.3
)

// A Script is a parsed conversation. It is immutable: Packets and Source may be
// asked for as often as one likes.
type Script struct {
	acts  []*act
	conns []*conn
}

// Options make variants of a script, so that one vector can run whole, byte by
// byte, and with each piece missing. Line times are the same in all of them.
type Options struct {
	// SegmentSize cuts every segment further into pieces of at most so many
	// bytes, which follow one another by nanoseconds; 0 leaves them whole.
	SegmentSize int
	// Drop leaves out one packet with data: the Drop-th that would have been
	// captured, counted from 1; 0 leaves out none. See [Script.DataPackets].
	Drop int
}

// side is one end of a connection.
type side int

const (
	client side = iota
	server
)

func (s side) other() side { return 1 - s }

// String is the word for it.
func (s side) String() string { return [...]string{"client", "server"}[s] }

// A conn is what an @conn line says.
type conn struct {
	name  string
	addr  [2]netip.AddrPort
	rtt   time.Duration
	mss   int
	isn   [2]uint32
	ttl   [2]uint8
	nosyn bool
	// only is set when one side alone was captured.
	only *side
}

// kind is what an act does.
type kind int

const (
	opening   kind = iota // handshake
	sending               // data
	finishing             // FIN
	resetting             // RST
	acking                // an ACK without data
	ending                // of the capture
)

// An act is one line that puts something on the wire.
type act struct {
	line int // of the text, 1-based
	kind kind
	conn *conn // nil when ending
	from side
	at   time.Duration // of its first packet, since Start
	data []byte
	// ends are the offsets in data at which its segments end: the last is
	// len(data).
	ends []int
	// hidden is the first act of the other side that the sender had not
	// received when it sent this one; nil when it had received all.
	hidden *act
	// hider is the last act sent without having received this one.
	hider *act
	mods  modifiers
}

// lasts is the time from an act's first segment to its last.
func (a *act) lasts() time.Duration {
	switch {
	case a.kind == opening && !a.conn.nosyn:
		return a.conn.rtt
	case len(a.ends) > 0:
		return time.Duration(len(a.ends)-1) * segmentGap
	}
	return 0
}

// modifiers are what the brackets say.
type modifiers struct {
	given     []string
	blind     int
	ack       ackMode
	ackOffset uint32
	cork      bool
	seg       int // 0: the connection's mss
	split     []int
	lost      span
	dup       time.Duration // 0: not sent again
	late      int
	snap      int // 0: whole
	ttl       int // 0: the side's own
}

// ackMode says which acknowledgement number an act's segments carry.
type ackMode int

const (
	ackAll ackMode = iota
	ackPrev
	ackAt
	ackNone
)

// span is a range of segments of one line, 1-based and inclusive; the zero span
// is empty.
type span struct{ first, last int }

func (s span) holds(n int) bool { return s.first <= n && n <= s.last && s.first > 0 }
