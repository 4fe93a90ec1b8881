package decode

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"testing"

	"expectscope/capture"
)

// The builders write headers octet by octet, from the RFCs, and know nothing of
// the code under test.

var (
	client4, server4 = netip.MustParseAddrPort("10.0.0.1:40000"), netip.MustParseAddrPort("10.0.0.2:8080")
	client6, server6 = netip.MustParseAddrPort("[2001:db8::1]:40000"), netip.MustParseAddrPort("[2001:db8::2]:8080")
	router4, router6 = netip.MustParseAddrPort("192.0.2.1:50000"), netip.MustParseAddrPort("[2001:db8:f::1]:50000")
	mirror4, mirror6 = netip.MustParseAddrPort("192.0.2.2:0"), netip.MustParseAddrPort("[2001:db8:f::2]:0")
)

const (
	testSeq  = 0x01020304
	testAck  = 0x05060708
	testTTL  = 61
	testText = "PUT /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n\r\n"
)

func join(parts ...[]byte) []byte { return slices.Concat(parts...) }

func u16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }

func u32(n int) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

// onesSum is the Internet checksum, word by word.
func onesSum(b []byte) uint16 {
	var sum uint32
	for i, c := range b {
		if i%2 == 0 {
			sum += uint32(c) << 8
		} else {
			sum += uint32(c)
		}
	}
	for sum>>16 != 0 {
		sum = sum&0xffff + sum>>16
	}
	return ^uint16(sum)
}

// tcp is a TCP segment with a right checksum; options are padded to 4 octets.
func tcp(src, dst netip.AddrPort, flags byte, options []byte, payload string) []byte {
	for len(options)%4 != 0 {
		options = append(slices.Clone(options), 1)
	}
	b := join(u16(int(src.Port())), u16(int(dst.Port())), u32(testSeq), u32(testAck),
		[]byte{byte(20+len(options)) << 2, flags, 0xff, 0xff, 0, 0, 0, 0}, options, []byte(payload))
	binary.BigEndian.PutUint16(b[16:], onesSum(join(src.Addr().AsSlice(), dst.Addr().AsSlice(), u32(len(b)), u32(protoTCP), b)))
	return b
}

func ip4(src, dst netip.AddrPort, protocol byte, payload []byte) []byte {
	b := join([]byte{0x45, 0}, u16(20+len(payload)), []byte{0, 1, 0x40, 0, testTTL, protocol, 0, 0}, src.Addr().AsSlice(), dst.Addr().AsSlice())
	binary.BigEndian.PutUint16(b[10:], onesSum(b))
	return join(b, payload)
}

func ip6(src, dst netip.AddrPort, next byte, payload []byte) []byte {
	return join([]byte{0x60, 0, 0, 0}, u16(len(payload)), []byte{next, testTTL}, src.Addr().AsSlice(), dst.Addr().AsSlice(), payload)
}

// fragment4 and fragment6 are one fragment, off octets into payload.
func fragment4(src, dst netip.AddrPort, protocol byte, id, off int, more bool, piece []byte) []byte {
	b := ip4(src, dst, protocol, piece)
	flags := off / 8
	if more {
		flags |= 0x2000
	}
	binary.BigEndian.PutUint16(b[4:], uint16(id))
	binary.BigEndian.PutUint16(b[6:], uint16(flags))
	return b
}

func fragment6(src, dst netip.AddrPort, next byte, id, off int, more bool, piece []byte) []byte {
	if more {
		off |= 1
	}
	return ip6(src, dst, protoFragment, join([]byte{next, 0}, u16(off), u32(id), piece))
}

func udp(port int, payload []byte) []byte {
	return join(u16(50000), u16(port), u16(8+len(payload)), u16(0), payload)
}

func eth(t int, payload []byte) []byte {
	return join([]byte{0, 0x14, 0x5e, 1, 2, 3, 0, 0x0f, 0x35, 4, 5, 6}, u16(t), payload)
}

func vlan(id, t int, payload []byte) []byte { return join(u16(id), u16(t), payload) }

func gre(flags, t int, payload ...[]byte) []byte { return join(u16(flags), u16(t), join(payload...)) }

// get4 and get6 are the packet that most vectors carry.
func get4() []byte {
	return ip4(client4, server4, protoTCP, tcp(client4, server4, 0x18, nil, testText))
}

func get6() []byte {
	return ip6(client6, server6, protoTCP, tcp(client6, server6, 0x18, nil, testText))
}

// outer4 is an IPv4 packet between routers, outer6 an IPv6 one.
func outer4(protocol byte, payload []byte) []byte { return ip4(router4, mirror4, protocol, payload) }

func outer6(next byte, payload []byte) []byte { return ip6(router6, mirror6, next, payload) }

func endpoint(a netip.AddrPort) Endpoint { return Endpoint{Addr: a.Addr().As16(), Port: a.Port()} }

func packet(l capture.LinkType, b []byte) *capture.Packet {
	return &capture.Packet{Num: capture.MakeNum(1, 7), Tap: 2, Time: 1e18, Len: len(b), Link: l, Data: b}
}

// decodeOne decodes one frame with a new decoder and checks that it is counted
// once.
func decodeOne(t *testing.T, p *capture.Packet) (Segment, Kind) {
	t.Helper()
	d, s := New(Limits{}), Segment{}
	ok := d.Decode(p, &s)
	if n := d.Stats().Frames(); n != 1 {
		t.Fatalf("one frame counted %d times: %v", n, d.Stats().Kinds)
	}
	k := Kind(slices.Index(d.Stats().Kinds[:], 1))
	if ok != (k == TCP) {
		t.Fatalf("Decode = %v, but counted as %q", ok, k)
	}
	return s, k
}
