package live

import (
	"encoding/binary"

	"expectscope/capture"
)

const (
	outgoing         = 4     // PACKET_OUTGOING
	hardwareEther    = 1     // ARPHRD_ETHER
	hardwareLoopback = 772   // ARPHRD_LOOPBACK
	hardwareRawIP    = 519   // ARPHRD_RAWIP
	hardwareNone     = 65534 // ARPHRD_NONE: a tunnel without a link header
)

// linkOf is the link type of frames of an interface's kind of hardware. Kinds
// of which the link header is not known are captured without it, as cooked
// frames.
func linkOf(hardware uint16) capture.LinkType {
	switch hardware {
	case hardwareEther, hardwareLoopback:
		return capture.LinkEthernet
	case hardwareRawIP, hardwareNone:
		return capture.LinkRaw
	}
	return capture.LinkSLL2
}

// A shaper makes packets of what is in the ring.
type shaper struct {
	link   capture.LinkType
	copies *copies // nil: one interface is captured
}

// shape makes f what a reader of link expects, in place. It is false for
// packets that are not to be handed out: the second of the two times that
// loopback shows each, and copies seen on another interface.
func (s *shaper) shape(f *frame) bool {
	if f.hardware == hardwareLoopback && f.direction == outgoing {
		return false
	}
	if s.link == capture.LinkSLL2 {
		f.innerTag()
	}
	if s.copies != nil && s.copies.seen(f) {
		return false
	}
	switch s.link {
	case capture.LinkEthernet:
		f.putTag()
	case capture.LinkSLL2:
		f.cook()
	}
	return true
}

// innerTag finds a second VLAN tag, which the kernel leaves in the data: since
// 6.10 it names the protocol behind the tag all the same. An IP packet begins
// with its version; where it does not, but would behind a tag, there is one.
func (f *frame) innerTag() {
	version := byte(4)
	switch f.protocol {
	case 0x0800:
	case 0x86dd:
		version = 6
	default:
		return
	}
	b := f.data()
	if f.tag && len(b) > 4 && b[0]>>4 != version && binary.BigEndian.Uint16(b[2:]) == f.protocol && b[4]>>4 == version {
		f.protocol = 0x8100
	}
}

// putTag puts the VLAN tag back behind the MAC addresses (IEEE 802.1Q).
func (f *frame) putTag() {
	const addrs, tag = 12, 4
	if !f.tag || f.start < tag {
		return
	}
	f.wire += tag
	if len(f.data()) < addrs { // snapped before the tag's place
		return
	}
	copy(f.mem[f.start-tag:], f.data()[:addrs])
	f.start -= tag
	binary.BigEndian.PutUint16(f.data()[addrs:], f.tpid)
	binary.BigEndian.PutUint16(f.data()[addrs+2:], f.tci)
}

// cook puts a LINUX_SLL2 header before the network header, with the VLAN tag
// between them: protocol, reserved, interface index, ARPHRD type, packet type,
// length of the address, address.
func (f *frame) cook() {
	const head, tag = 20, 4
	if f.start < head+tag {
		return
	}
	protocol := f.protocol
	if f.tag {
		f.start, f.wire = f.start-tag, f.wire+tag
		binary.BigEndian.PutUint16(f.data(), f.tci)
		binary.BigEndian.PutUint16(f.data()[2:], protocol)
		protocol = f.tpid
	}
	f.start, f.wire = f.start-head, f.wire+head
	b := f.data()
	binary.BigEndian.PutUint16(b, protocol)
	binary.BigEndian.PutUint16(b[2:], 0)
	binary.BigEndian.PutUint32(b[4:], f.index)
	binary.BigEndian.PutUint16(b[8:], f.hardware)
	b[10], b[11] = f.direction, f.addrLen
	copy(b[12:head], f.addr[:])
}
