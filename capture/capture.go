// Package capture holds the words every source of packets shares: what a
// packet is, what a source of packets promises, and what it counted.
//
// A [Source] fills one [Packet] at a time; the decoder turns it into a TCP
// segment before the next one is asked for, so no packet is ever copied.
// capture/pcapfile reads files and pipes, capture/live an interface,
// capture/script written conversations. This package does no I/O.
package capture

import (
	"errors"
	"io"
)

// LinkType is the kind of frame a capture holds: a LINKTYPE_ value as
// registered at tcpdump.org, 16 bits wide.
type LinkType uint16

// The link types expectscope names in messages; capture/decode says which ones
// it decodes.
const (
	LinkNull     LinkType = 0
	LinkEthernet LinkType = 1
	LinkPPP      LinkType = 9
	LinkPPPHDLC  LinkType = 50
	LinkPPPoE    LinkType = 51
	LinkRaw      LinkType = 101
	LinkLoop     LinkType = 108
	LinkSLL      LinkType = 113
	LinkIPv4     LinkType = 228
	LinkIPv6     LinkType = 229
	LinkSLL2     LinkType = 276
)

// A Packet is one captured frame.
type Packet struct {
	// Num names the packet for the whole run: see [Num].
	Num Num
	// Tap tells captures apart that saw the same time from different places:
	// connections of different taps never mix. Files that continue one another
	// share a tap.
	Tap uint16
	// Time is when the frame was captured, in nanoseconds since 1970 UTC.
	Time int64
	// Len is the frame's length on the wire in bytes; len(Data) is less when
	// the capture cut it (snap length).
	Len int
	// Link is the kind of frame.
	Link LinkType
	// Data is the frame. The source owns it: it is valid until the next call
	// of Next.
	Data []byte
}

// A Num names a packet: the input it came from and its 1-based frame number
// there, as Wireshark counts. Within one tap later packets have larger numbers.
// Zero names no packet.
type Num uint64

const frameBits = 48

// MakeNum names frame number frame of input number input (both 1-based).
func MakeNum(input int, frame uint64) Num {
	return Num(uint64(input)<<frameBits | frame&(1<<frameBits-1))
}

// Input is the 1-based number of the input the packet came from, in the order
// in which the inputs are listed in [Stats].
func (n Num) Input() int { return int(n >> frameBits) }

// Frame is the packet's 1-based number in its input.
func (n Num) Frame() uint64 { return uint64(n) & (1<<frameBits - 1) }

// A Source hands out packets in the order they were captured.
type Source interface {
	// Next fills p with the next packet. It returns [io.EOF] at the end,
	// [ErrIdle] when a second went by without a packet, and any other error
	// when the source broke: everything before it was handed out, and
	// Stats().Inputs says where it broke.
	Next(p *Packet) error
	// Stats tells what was read so far. It may be called at any time from the
	// goroutine that calls Next.
	Stats() *Stats
	io.Closer
}

// ErrIdle is returned by Next when no packet came for a second: the caller can
// let time pass and call Next again.
var ErrIdle = errors.New("no packet for a second")

// Stats is what a source counted.
type Stats struct {
	Inputs []Input
	// Read and Total are bytes of input, for a progress bar: Total is 0 when
	// it is not known (a pipe).
	Read, Total int64
}

// An Input is one file, pipe or interface.
type Input struct {
	// Name is the path as the user gave it, or "-".
	Name string
	// Packets and Bytes count whole records, and their lengths on the wire.
	Packets, Bytes uint64
	// First and Last are the smallest and largest time stamps seen, in
	// nanoseconds since 1970 UTC; both 0 while Packets is 0.
	First, Last int64
	// Drops is what the capturing program says it missed (pcapng
	// interface statistics: isb_ifdrop plus isb_osdrop; live: the kernel's
	// counter). Known tells whether it says anything.
	Drops      uint64
	DropsKnown bool
	// Freezes counts how often the kernel's buffer was full (live), and Copies
	// packets that were left out because they are others seen on one more
	// interface (live, on all interfaces).
	Freezes, Copies uint64
	// Snapped counts packets that the capture cut short.
	Snapped uint64
	// Secrets holds decryption secrets found in the input (pcapng DSB, type
	// TLS key log), in order of appearance.
	Secrets [][]byte
	// Err says why the input could not be read to its end; nil when it was.
	Err error
}
