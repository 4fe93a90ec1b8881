// Package live captures from network interfaces of the machine it runs on.
//
// [Open] shares a ring of memory with the Linux kernel (AF_PACKET with
// TPACKET_V3, packet(7)): the kernel fills one block after the other, a
// [Handle] hands out the packets of a full one in place, and gives it back.
// There is no copy, no system call and no allocation a packet. What a kernel
// keeps beside a frame is put back: VLAN tags that it stripped, and the link
// header of what it delivers without one. On loopback each packet comes once,
// and so does one that crosses several interfaces while all are watched.
//
// What the kernel could not put into the ring is counted, never guessed.
// [Recorder] writes what is seen to pcapng files; [Recent] remembers the last
// packets, to write those around a finding.
//
// The package starts no goroutine. It captures on Linux only: on other systems
// Open says what to do instead. It does not decode, and does not compile
// filters (capture/filter does).
package live

import (
	"net/netip"

	"golang.org/x/net/bpf"

	"expectscope/capture"
)

// DefaultSnapLen is more than any frame but those of BIG TCP: also a frame that
// the kernel put together from many (GRO), or will take apart (GSO), is whole.
const DefaultSnapLen = 262144

// DefaultBuffer is the size of the ring in bytes.
const DefaultBuffer = 128 << 20

// Any is the name that stands for all interfaces.
const Any = "any"

// Options says what to capture. The zero value watches all interfaces.
type Options struct {
	// Interface is the name of one interface; "" and [Any] are all of them.
	// Frames of one interface have the link type [Interface.Link]; those of
	// all have [capture.LinkSLL2], with the index of the interface that each
	// came from.
	Interface string
	// SnapLen is how many bytes of a frame are kept at most; 0 is
	// [DefaultSnapLen].
	SnapLen int
	// Buffer is the size of the ring in bytes, rounded up to whole blocks of
	// 512 KiB, at least two; 0 is [DefaultBuffer]. The memory is the kernel's
	// and is never swapped.
	Buffer int
	// Promiscuous asks the interface for frames that are not for this machine.
	// It has no meaning for all interfaces.
	Promiscuous bool
	// Filter chooses packets in the kernel; nil chooses all. It sees a frame of
	// one interface as it will be handed out, but without the VLAN tag that was
	// stripped, and a frame with link type [capture.LinkSLL2] from its network
	// header on. No packet is captured before it is in force.
	Filter []bpf.RawInstruction
	// Notice, if not nil, is told when the interface goes down or comes back.
	// It is called by Next.
	Notice func(Notice)
}

// A Notice says that the state of the captured interface changed. While it is
// down nothing is seen of it, and nothing can be counted as missed.
type Notice struct {
	Interface string
	// Up tells whether the interface is back, or else gone.
	Up bool
	// Time is when it was noticed, in nanoseconds since 1970 UTC: at most 0.1
	// seconds after the interface went down, and at most a second after it
	// came back.
	Time int64
}

// An Interface is a network interface of this machine.
type Interface struct {
	Name  string
	Index int
	// Up tells whether it is configured to carry traffic, Running whether it
	// can (a cable is in).
	Up, Running bool
	Loopback    bool
	// Addrs are its addresses with the lengths of their networks.
	Addrs []netip.Prefix
	// Link is the link type of frames captured from it.
	Link capture.LinkType
}

// Counters is what a [Handle] counted beside [capture.Input].
type Counters struct {
	// Malformed counts records of the ring that cannot be right.
	Malformed uint64
	// Outages counts how often the interface went down.
	Outages uint64
}
