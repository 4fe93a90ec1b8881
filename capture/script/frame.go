package script

import (
	"encoding/binary"
	"math/bits"
	"net/netip"
)

// Flags of a TCP segment (RFC 9293, Section 3.1).
const (
	finFlag uint8 = 1 << iota
	synFlag
	rstFlag
	pshFlag
	ackFlag
)

const (
	etherIPv4 = 0x0800
	etherARP  = 0x0806
	etherIPv6 = 0x86dd
	protoTCP  = 6
	// scale is the window scale both sides announce: their window is 8 MiB, so
	// that no conversation fills it (RFC 7323, Section 2).
	scale  = 7
	window = 65535
)

// frame makes the Ethernet frame of a segment; id is its IPv4 identification.
func frame(s *segment, id uint16) []byte {
	if s.act.conn == nil {
		return arp()
	}
	src, dst := s.act.conn.addr[s.from], s.act.conn.addr[s.from.other()]
	ttl := s.act.conn.ttl[s.from]
	if s.act.mods.ttl > 0 {
		ttl = uint8(s.act.mods.ttl)
	}
	segment := tcpSegment(s, src, dst)
	b := make([]byte, 0, 14+40+len(segment))
	b = append(append(b, mac(dst.Addr())...), mac(src.Addr())...)
	if src.Addr().Is4() {
		b = binary.BigEndian.AppendUint16(b, etherIPv4)
		b = appendIPv4(b, src.Addr(), dst.Addr(), ttl, id, len(segment))
	} else {
		b = binary.BigEndian.AppendUint16(b, etherIPv6)
		b = appendIPv6(b, src.Addr(), dst.Addr(), ttl, len(segment))
	}
	return append(b, segment...)
}

// mac is a locally administered address that ends in the host's.
func mac(a netip.Addr) []byte {
	b := a.AsSlice()
	return append([]byte{2, 0}, b[len(b)-4:]...)
}

// appendIPv4 is RFC 791, Section 3.1, with Don't Fragment set.
func appendIPv4(b []byte, src, dst netip.Addr, ttl uint8, id uint16, n int) []byte {
	at := len(b)
	b = append(b, 0x45, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(20+n))
	b = binary.BigEndian.AppendUint16(b, id)
	b = append(b, 0x40, 0, ttl, protoTCP, 0, 0)
	b = append(append(b, src.AsSlice()...), dst.AsSlice()...)
	binary.BigEndian.PutUint16(b[at+10:], checksum(0, b[at:]))
	return b
}

// appendIPv6 is RFC 8200, Section 3.
func appendIPv6(b []byte, src, dst netip.Addr, hops uint8, n int) []byte {
	b = append(b, 0x60, 0, 0, 0)
	b = binary.BigEndian.AppendUint16(b, uint16(n))
	b = append(b, protoTCP, hops)
	return append(append(b, src.AsSlice()...), dst.AsSlice()...)
}

// tcpSegment is RFC 9293, Section 3.1.
func tcpSegment(s *segment, src, dst netip.AddrPort) []byte {
	var options []byte
	if s.flags&synFlag != 0 {
		options = binary.BigEndian.AppendUint16([]byte{2, 4}, uint16(s.act.conn.mss))
		options = append(options, 1, 3, 3, scale)
	}
	win := uint16(window)
	if s.flags&rstFlag != 0 {
		win = 0
	}
	b := make([]byte, 0, 20+len(options)+len(s.payload))
	b = binary.BigEndian.AppendUint16(b, src.Port())
	b = binary.BigEndian.AppendUint16(b, dst.Port())
	b = binary.BigEndian.AppendUint32(b, s.seq)
	b = binary.BigEndian.AppendUint32(b, s.ack)
	b = append(b, uint8(20+len(options))/4<<4, s.flags)
	b = binary.BigEndian.AppendUint16(b, win)
	b = append(b, 0, 0, 0, 0)
	b = append(append(b, options...), s.payload...)

	pseudo := append(src.Addr().AsSlice(), dst.Addr().AsSlice()...)
	sum := uint64(protoTCP) + uint64(len(b)) + sum16(pseudo)
	binary.BigEndian.PutUint16(b[16:], checksum(sum, b))
	return b
}

// checksum is RFC 1071: the complement of the one's complement sum.
func checksum(sum uint64, b []byte) uint16 {
	sum += sum16(b)
	for bits.Len64(sum) > 16 {
		sum = sum>>16 + sum&0xffff
	}
	return ^uint16(sum)
}

func sum16(b []byte) (sum uint64) {
	for ; len(b) > 1; b = b[2:] {
		sum += uint64(b[0])<<8 | uint64(b[1])
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	return sum
}

// arp is the frame of another host that ends a capture: 192.0.2.1 asks for
// 192.0.2.2 (RFC 826, with addresses of RFC 5737).
func arp() []byte {
	a, b := netip.AddrFrom4([4]byte{192, 0, 2, 1}), netip.AddrFrom4([4]byte{192, 0, 2, 2})
	f := append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, mac(a)...)
	f = binary.BigEndian.AppendUint16(f, etherARP)
	f = append(f, 0, 1, 8, 0, 6, 4, 0, 1)
	f = append(append(f, mac(a)...), a.AsSlice()...)
	return append(append(f, 0, 0, 0, 0, 0, 0), b.AsSlice()...)
}
