package filter

import (
	"encoding/binary"
	"math/rand/v2"
	"slices"

	"expectscope/capture"
)

// frameCount is how many frames of each link type expressions are tried on.
const frameCount = 2400

// generate makes frames of a link type, the same on every run. Addresses and
// ports come from small sets, so that expressions about them match some. Where
// cut is set, some of the frames are cut short.
func generate(link capture.LinkType, cut bool) []capture.Packet {
	g := &generator{rand.New(rand.NewPCG(uint64(link), 4))}
	ps := make([]capture.Packet, frameCount)
	for i := range ps {
		data := g.frame(link)
		ps[i] = capture.Packet{Link: link, Len: len(data), Data: data}
		if cut && g.chance(4) {
			ps[i].Data = data[:g.IntN(len(data))]
		}
	}
	return ps
}

type generator struct{ *rand.Rand }

func (g *generator) chance(in int) bool { return g.IntN(in) == 0 }

func pick[T any](g *generator, from ...T) T { return from[g.IntN(len(from))] }

func be16(n int) []byte { return binary.BigEndian.AppendUint16(nil, uint16(n)) }

func be32(n uint32) []byte { return binary.BigEndian.AppendUint32(nil, n) }

func (g *generator) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(g.Uint32())
	}
	return b
}

// frame makes a frame of any of the link types.
func (g *generator) frame(link capture.LinkType) []byte {
	kind, packet := g.packet()
	switch link {
	case capture.LinkEthernet:
		return g.ethernet(kind, packet)
	case capture.LinkSLL:
		return slices.Concat(be16(g.IntN(5)), be16(1), be16(6), g.bytes(8), be16(kind), packet)
	case capture.LinkSLL2:
		return slices.Concat(be16(kind), be16(0), be32(uint32(1+g.IntN(4))), be16(1), []byte{byte(g.IntN(5)), 6}, g.bytes(8), packet)
	case capture.LinkNull, capture.LinkLoop:
		family := map[int]uint32{typeIPv4: 2, typeIPv6: pick[uint32](g, 24, 28, 30)}[kind]
		if link == capture.LinkNull {
			return append(binary.LittleEndian.AppendUint32(nil, family), packet...)
		}
		return append(be32(family), packet...)
	}
	for link == capture.LinkIPv4 && kind != typeIPv4 || link == capture.LinkIPv6 && kind != typeIPv6 {
		kind, packet = g.packet()
	}
	return packet
}

func (g *generator) mac() []byte {
	switch g.IntN(6) {
	case 0:
		return []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}
	case 1:
		return []byte{1, 0, 0x5e, 0, 0, byte(g.IntN(3))}
	}
	return []byte{2, 0, 0, 0, 0, byte(1 + g.IntN(4))}
}

func (g *generator) ethernet(kind int, packet []byte) []byte {
	head := slices.Concat(g.mac(), g.mac())
	switch g.IntN(16) {
	case 0: // 802.2: a length, not an Ethertype
		return slices.Concat(head, be16(len(packet)+3), []byte{0x42, 0x42, 3}, packet)
	case 1, 2:
		return slices.Concat(head, g.tag(), be16(kind), packet)
	case 3:
		return slices.Concat(head, g.tag(), g.tag(), be16(kind), packet)
	case 4:
		return slices.Concat(head, be16(typeMPLS), g.labels(), packet)
	case 5:
		return slices.Concat(head, g.session(kind), packet)
	case 6:
		if g.chance(2) {
			return slices.Concat(head, g.tag(), be16(typeMPLS), g.labels(), packet)
		}
		return slices.Concat(head, g.tag(), g.session(kind), packet)
	}
	return slices.Concat(head, be16(kind), packet)
}

func (g *generator) tag() []byte {
	return slices.Concat(be16(pick(g, typeVLAN, typeVLAN, typeQinQ, typeOldQinQ)), be16(g.IntN(8)<<13|1+g.IntN(4)))
}

func (g *generator) labels() []byte {
	var ls []byte
	for n := g.IntN(3); n > 0; n-- {
		ls = append(ls, be32(uint32(1+g.IntN(4))<<12|64)...)
	}
	return append(ls, be32(uint32(1+g.IntN(4))<<12|1<<8|64)...)
}

func (g *generator) session(kind int) []byte {
	if g.chance(4) {
		return slices.Concat(be16(typePPPoED), g.bytes(6))
	}
	ppp := map[int]int{typeIPv4: 0x21, typeIPv6: 0x57}[kind]
	return slices.Concat(be16(typePPPoES), []byte{0x11, 0}, be16(1+g.IntN(4)), be16(40), be16(ppp))
}

// packet makes what a link carries, and says which network protocol it is.
func (g *generator) packet() (kind int, packet []byte) {
	switch g.IntN(16) {
	case 0:
		return typeARP, g.arp()
	case 1:
		return typeRARP, g.arp()
	case 2:
		return pick(g, 0x9000, 0x88cc), g.bytes(46)
	case 3, 4, 5, 6, 7:
		return typeIPv6, g.ipv6()
	}
	return typeIPv4, g.ipv4()
}

func (g *generator) address4() []byte {
	return pick(g,
		[]byte{10, 0, 0, 1}, []byte{10, 0, 0, 2}, []byte{10, 1, 2, 3}, []byte{192, 168, 1, 1}, []byte{192, 168, 1, 77},
		[]byte{172, 16, 5, 4}, []byte{8, 8, 8, 8}, []byte{224, 0, 0, 251}, []byte{255, 255, 255, 255}, []byte{0, 0, 0, 0}, []byte{0, 0, 0, 80})
}

func (g *generator) address6() []byte {
	switch g.IntN(5) {
	case 0:
		return append(make([]byte, 15), 1)
	case 1:
		return slices.Concat([]byte{0xff, 2}, make([]byte, 13), []byte{0xfb})
	case 2:
		return slices.Concat([]byte{0xfe, 0x80}, make([]byte, 13), []byte{byte(1 + g.IntN(3))})
	}
	return slices.Concat([]byte{0x20, 1, 0xd, 0xb8}, make([]byte, 3), []byte{byte(g.IntN(3))}, make([]byte, 7), []byte{byte(1 + g.IntN(3))})
}

func (g *generator) arp() []byte {
	return slices.Concat([]byte{0, 1, 8, 0, 6, 4, 0, byte(1 + g.IntN(2))}, g.mac(), g.address4(), g.mac(), g.address4(), make([]byte, 18))
}

func (g *generator) ipv4() []byte {
	options := g.bytes(4 * pick(g, 0, 0, 0, 1, 3, 10))
	offset := pick(g, 0, 0, 0, 0, 0x4000, 0x4000, 0x2000, 0x2010, 0x0010)
	proto, payload := g.transport(pick(g, protoTCP, protoTCP, protoTCP, protoUDP, protoUDP, protoSCTP, protoICMP, 2, 9, 50, 51, 103, 112, 47))
	return slices.Concat([]byte{byte(0x45 + len(options)/4), 0}, be16(20+len(options)+len(payload)), g.bytes(2), be16(offset),
		[]byte{byte(pick(g, 1, 64, 255)), byte(proto)}, g.bytes(2), g.address4(), g.address4(), options, payload)
}

func (g *generator) ipv6() []byte {
	proto, payload := g.transport(pick(g, protoTCP, protoTCP, protoTCP, protoUDP, protoUDP, protoSCTP, protoICMPv6, protoICMPv6, 50, 51, 103, 59))
	first := proto
	switch g.IntN(6) {
	case 0:
		first, payload = protoFragment, slices.Concat([]byte{byte(proto), 0, 0, 1}, g.bytes(4), payload)
	case 1:
		first, payload = 0, slices.Concat([]byte{byte(proto), 0}, g.bytes(6), payload)
	}
	return slices.Concat([]byte{0x60, 0, 0, 0}, be16(len(payload)), []byte{byte(first), 64}, g.address6(), g.address6(), payload)
}

// transport makes what IP carries, with at least the ports of a protocol that
// has some.
func (g *generator) transport(proto int) (int, []byte) {
	ports := slices.Concat(be16(g.port()), be16(g.port()))
	content := g.bytes(g.IntN(60))
	switch proto {
	case protoTCP:
		if g.chance(3) {
			content = append([]byte(pick(g, "GET / HTTP/1.1\r\n", "PUT /a HTTP/1.1\r\n", "HTTP/1.1 100 Continue\r\n")), content...)
		}
		options := make([]byte, 4*pick(g, 0, 0, 3, 5))
		flags := pick[byte](g, 0x02, 0x12, 0x10, 0x18, 0x11, 0x04, 0x14, 0xc2)
		return proto, slices.Concat(ports, g.bytes(8), []byte{byte(0x50 + len(options)<<2), flags}, g.bytes(6), options, content)
	case protoUDP:
		return proto, slices.Concat(ports, be16(8+len(content)), g.bytes(2), content)
	case protoSCTP:
		return proto, slices.Concat(ports, g.bytes(8), content)
	case protoICMP:
		return proto, slices.Concat([]byte{byte(pick(g, 0, 3, 5, 8, 11)), byte(g.IntN(3))}, g.bytes(6), content)
	case protoICMPv6:
		return proto, slices.Concat([]byte{byte(pick(g, 1, 2, 128, 129, 135, 136)), 0}, g.bytes(6), content)
	}
	return proto, append(g.bytes(8), content...)
}

func (g *generator) port() int {
	return pick(g, 20, 22, 53, 80, 80, 443, 443, 8000, 8080, 8080, 8099, 8100, 40000+g.IntN(3), 65535)
}
