package decode

import (
	"encoding/binary"
	"slices"

	"expectscope/capture"
)

// A vector is a frame that carries the segment of get4 or get6, v6 tells which.
type vector struct {
	name  string
	link  capture.LinkType
	frame []byte
	v6    bool
	// guess: what the frame is shows only behind the headers, so that a cut one
	// may be taken for something else.
	guess bool
	// noOracle says why tshark may not see the segment.
	noOracle string
}

func vectors() []vector {
	return slices.Concat(linkVectors(), tagVectors(), ipVectors(), tunnelVectors())
}

func linkVectors() []vector {
	little := func(n uint32) []byte { return binary.LittleEndian.AppendUint32(nil, n) }
	sll := func(hardware, protocol int, b []byte) []byte {
		return join(u16(0), u16(hardware), u16(6), make([]byte, 8), u16(protocol), b)
	}
	sll2 := func(hardware, protocol int, b []byte) []byte {
		return join(u16(protocol), u16(0), u32(3), u16(hardware), []byte{0, 6}, make([]byte, 8), b)
	}
	attr := func(n, t int, b []byte) []byte {
		a := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16(nil, uint16(n)), uint16(t))
		return append(a, b...)
	}
	attrBig := func(n, t int, b []byte) []byte { return join(u16(n), u16(t), b) }
	pktap := append(join(little(108), little(1), little(1)), make([]byte, 96)...)
	session := func(b []byte) []byte { return join([]byte{0x11, 0, 0, 9}, u16(len(b)), b) }
	return []vector{
		{name: "ethernet ipv4", link: capture.LinkEthernet, frame: eth(0x0800, get4())},
		{name: "ethernet ipv6", link: capture.LinkEthernet, frame: eth(0x86dd, get6()), v6: true},
		{name: "cooked ipv4", link: capture.LinkSLL, frame: sll(1, 0x0800, get4())},
		{name: "cooked ipv6", link: capture.LinkSLL, frame: sll(772, 0x86dd, get6()), v6: true},
		{name: "cooked vlan", link: capture.LinkSLL, frame: sll(1, 0x8100, vlan(5, 0x0800, get4()))},
		{name: "cooked gre device", link: capture.LinkSLL, frame: sll(778, 0x0800, get4())},
		{name: "cooked llc", link: capture.LinkSLL, frame: sll(1, 4, join([]byte{0xaa, 0xaa, 3, 0, 0, 0}, u16(0x0800), get4()))},
		{name: "cooked2 ipv4", link: capture.LinkSLL2, frame: sll2(1, 0x0800, get4())},
		{name: "cooked2 ipv6", link: capture.LinkSLL2, frame: sll2(1, 0x86dd, get6()), v6: true},
		{name: "cooked2 vlan", link: capture.LinkSLL2, frame: sll2(1, 0x8100, vlan(5, 0x86dd, get6())), v6: true},
		{name: "null little", link: capture.LinkNull, frame: join(little(2), get4())},
		{name: "null big", link: capture.LinkNull, frame: join(u32(2), get4())},
		{name: "null linux v6", link: capture.LinkNull, frame: join(little(10), get6()), v6: true, noOracle: "4.0 has no such family"},
		{name: "null windows v6", link: capture.LinkNull, frame: join(little(23), get6()), v6: true, noOracle: "4.0 has no such family"},
		{name: "null netbsd v6", link: capture.LinkNull, frame: join(little(24), get6()), v6: true},
		{name: "null freebsd v6", link: capture.LinkNull, frame: join(little(28), get6()), v6: true},
		{name: "null macos v6", link: capture.LinkNull, frame: join(u32(30), get6()), v6: true},
		{name: "loop ipv4", link: capture.LinkLoop, frame: join(u32(2), get4())},
		{name: "loop ipv6", link: capture.LinkLoop, frame: join(u32(24), get6()), v6: true},
		{name: "enc", link: linkENC, frame: join(little(2), little(77), little(0), get4())},
		{name: "pflog", link: linkPFLOG, frame: join([]byte{61, 2, 0, 0}, make([]byte, 60), get4())},
		{name: "pktap", link: linkPKTAP, frame: join(pktap, eth(0x0800, get4()))},
		{name: "nflog", link: linkNFLOG, frame: join([]byte{2, 0, 0, 5}, attr(8, 1, u32(1)), attr(7, 10, []byte("in\x00\x00")), attr(4+len(get4()), 9, get4()))},
		{name: "nflog big", link: linkNFLOG, frame: join([]byte{10, 0, 0, 5}, attrBig(8, 1, u32(1)), attrBig(4+len(get6()), 9, get6())), v6: true, noOracle: "decodes in its own byte order"},
		{name: "infiniband", link: linkIPoIB, frame: join(make([]byte, 40), u16(0x0800), u16(0), get4())},
		{name: "raw ipv4", link: capture.LinkRaw, frame: get4()},
		{name: "raw ipv6", link: capture.LinkRaw, frame: get6(), v6: true},
		{name: "raw 12", link: 12, frame: get4()},
		{name: "raw 14", link: 14, frame: get6(), v6: true},
		{name: "ipv4", link: capture.LinkIPv4, frame: get4()},
		{name: "ipv6", link: capture.LinkIPv6, frame: get6(), v6: true},
		{name: "ppp", link: capture.LinkPPP, frame: join([]byte{0xff, 3}, u16(0x0021), get4())},
		{name: "ppp bare", link: capture.LinkPPP, frame: join(u16(0x0057), get6()), v6: true},
		{name: "ppp compressed", link: capture.LinkPPP, frame: join([]byte{0xff, 3, 0x21}, get4())},
		{name: "ppp mpls", link: capture.LinkPPP, frame: join([]byte{0xff, 3}, u16(0x0281), u32(16<<12|1<<8|9), get4()), guess: true},
		{name: "ppp hdlc", link: capture.LinkPPPHDLC, frame: join([]byte{0xff, 3}, u16(0x0021), get4())},
		{name: "ppp hdlc cisco", link: capture.LinkPPPHDLC, frame: join([]byte{0x0f, 0}, u16(0x0800), get4())},
		{name: "cisco hdlc", link: linkCHDLC, frame: join([]byte{0x8f, 0}, u16(0x86dd), get6()), v6: true},
		{name: "ppp direction", link: linkPPPDirection, frame: join([]byte{1, 0xff, 3}, u16(0x0021), get4())},
		{name: "pppoe", link: capture.LinkPPPoE, frame: session(join(u16(0x0021), get4()))},
		{name: "mpls link", link: linkMPLS, frame: join(u32(16<<12|1<<8|9), get4()), guess: true, noOracle: "4.0 has no such link type"},
		{name: "ethernet pppoe", link: capture.LinkEthernet, frame: eth(0x8864, session(join(u16(0x0057), get6()))), v6: true},
	}
}

func tagVectors() []vector {
	const inner, bottom = 16<<12 | 9, 17<<12 | 1<<8 | 9
	snap := join([]byte{0xaa, 0xaa, 3, 0, 0, 0}, u16(0x0800), get4())
	all := []vector{
		{name: "vlan", frame: eth(0x8100, vlan(0x6005, 0x0800, get4()))},
		{name: "vlan ipv6", frame: eth(0x8100, vlan(5, 0x86dd, get6())), v6: true},
		{name: "qinq", frame: eth(0x88a8, vlan(5, 0x8100, vlan(6, 0x0800, get4())))},
		{name: "qinq 9100", frame: eth(0x9100, vlan(5, 0x8100, vlan(6, 0x0800, get4())))},
		{name: "qinq 8100", frame: eth(0x8100, vlan(5, 0x8100, vlan(6, 0x86dd, get6()))), v6: true},
		{name: "vntag", frame: eth(0x8926, join(u32(1), u16(0x8100), vlan(6, 0x0800, get4())))},
		{name: "pbb", frame: eth(0x88e7, join(u32(77), eth(0x0800, get4())))},
		{name: "mpls", frame: eth(0x8847, join(u32(inner), u32(bottom), get4())), guess: true},
		{name: "mpls ipv6", frame: eth(0x8848, join(u32(bottom), get6())), v6: true, guess: true},
		{name: "pseudowire control", frame: eth(0x8847, join(u32(bottom), u32(0), eth(0x0800, get4()))), guess: true},
		{name: "pseudowire bare", frame: eth(0x8847, join(u32(bottom), eth(0x86dd, get6()))), v6: true, guess: true},
		{name: "snap", frame: eth(len(snap), snap)},
		{name: "nsh ipv4", frame: eth(0x894f, join([]byte{0, 6, 1, 1}, u32(0x1ff), make([]byte, 16), get4()))},
		{name: "nsh ethernet", frame: eth(0x894f, join([]byte{0, 2, 2, 3}, u32(0x1ff), eth(0x86dd, get6()))), v6: true},
	}
	for i := range all {
		all[i].link = capture.LinkEthernet
	}
	return all
}

func ipVectors() []vector {
	options := get4()
	options = join([]byte{0x47}, options[1:2], u16(len(options)+8), options[4:20], []byte{0x94, 4, 0, 0, 1, 1, 1, 0}, options[20:])
	get := tcp(client6, server6, 0x18, nil, testText)
	skip := func(next byte) []byte { return []byte{next, 0, 1, 4, 0, 0, 0, 0} }
	auth := func(next byte) []byte { return join([]byte{next, 4, 0, 0}, u32(1), u32(2), make([]byte, 12)) }
	via := join([]byte{protoTCP, 2, 4, 1}, u32(0), server6.Addr().AsSlice())
	mobile := join([]byte{protoTCP, 2, 2, 1}, u32(0), server6.Addr().AsSlice())
	all := []vector{
		{name: "ipv4 options", frame: eth(0x0800, options)},
		{name: "ipv6 hop by hop", frame: eth(0x86dd, ip6(client6, server6, 0, join(skip(protoTCP), get))), v6: true},
		{name: "ipv6 all extensions", frame: eth(0x86dd, ip6(client6, server6, 0, join(skip(60), skip(43), skip(44), []byte{51, 0, 0, 0, 0, 0, 0, 1}, auth(60), skip(6), get))), v6: true},
		{name: "ipv6 segment routing", frame: eth(0x86dd, ip6(client6, mirror6, 43, join(via, get))), v6: true},
		{name: "ipv6 mobile", frame: eth(0x86dd, ip6(client6, mirror6, 43, join(mobile, get))), v6: true},
		{name: "ipv4 ah", frame: eth(0x0800, ip4(client4, server4, 51, join(auth(6), tcp(client4, server4, 0x18, nil, testText))))},
	}
	for i := range all {
		all[i].link = capture.LinkEthernet
	}
	return all
}

func tunnelVectors() []vector {
	const checksum, key, sequence = 0x8000, 0x2000, 0x1000
	vxlan := func(b []byte) []byte { return join([]byte{8, 0, 0, 0, 0, 0, 7, 0}, b) }
	gtp := func(flags byte, rest []byte) []byte { return join([]byte{flags, 255}, u16(len(rest)), u32(9), rest) }
	three := join(u16(0x2005), u16(0), u32(7), u16(0), u16(0))
	threeMore := join(u16(0x2005), u16(0), u32(7), u16(0), u16(2<<10|1), make([]byte, 8))
	v4 := func(name string, protocol byte, b []byte) vector {
		return vector{name: name, frame: eth(0x0800, outer4(protocol, b))}
	}
	v6in := func(v vector) vector { v.v6 = true; return v }
	all := []vector{
		v4("ipip", 4, get4()),
		v6in(v4("6in4", 41, get6())),
		{name: "4in6", frame: eth(0x86dd, outer6(4, get4()))},
		{name: "6in6", frame: eth(0x86dd, outer6(41, get6())), v6: true},
		v4("etherip", 97, join([]byte{0x30, 0}, eth(0x0800, get4()))),
		{name: "mpls in ip", frame: eth(0x0800, outer4(137, join(u32(1<<8|9), get4()))), guess: true},
		v4("gre", 47, gre(0, 0x0800, get4())),
		v6in(v4("gre all fields", 47, gre(checksum|key|sequence, 0x86dd, make([]byte, 12), get6()))),
		v4("nvgre", 47, gre(key, 0x6558, u32(0x123400), eth(0x0800, get4()))),
		v4("pptp", 47, gre(key|sequence|0x81, 0x880b, u32(len(get4())+4), u32(1), u32(2), []byte{0xff, 3, 0, 0x21}, get4())),
		v4("erspan 1", 47, gre(0, 0x88be, eth(0x0800, get4()))),
		v4("erspan 2", 47, gre(sequence, 0x88be, u32(1), join(u16(0x1005), u16(3), u32(7)), eth(0x8100, vlan(5, 0x0800, get4())))),
		v6in(v4("erspan 3", 47, gre(sequence, 0x22eb, u32(1), three, eth(0x86dd, get6())))),
		{name: "erspan 3 ip", frame: eth(0x0800, outer4(47, gre(sequence, 0x22eb, u32(1), threeMore, get4()))), noOracle: "4.0 shows a mirrored IP packet as data"},
		v4("wccp 2", 47, gre(0, 0x883e, []byte{5, 0x59, 0, 0x48}, get4())),
		v4("wccp 1", 47, gre(0, 0x883e, get4())),
		v4("gre in udp", 17, udp(4754, gre(0, 0x0800, get4()))),
		v4("vxlan", 17, udp(4789, vxlan(eth(0x0800, get4())))),
		{name: "vxlan linux", frame: eth(0x0800, outer4(17, udp(8472, vxlan(eth(0x86dd, get6()))))), v6: true, noOracle: "4.0 takes port 8472 for OTV"},
		{name: "vxlan over ipv6", frame: eth(0x86dd, outer6(17, udp(4789, vxlan(eth(0x8100, vlan(5, 0x0800, get4()))))))},
		v4("geneve", 17, udp(6081, join([]byte{2, 0}, u16(0x6558), u32(7<<8), u32(1), u32(2), eth(0x0800, get4())))),
		v6in(v4("geneve ipv6", 17, udp(6081, join([]byte{0, 0}, u16(0x86dd), u32(7<<8), get6())))),
		v4("gtp", 17, udp(2152, gtp(0x30, get4()))),
		v4("gtp sequence", 17, udp(2152, gtp(0x32, join(u16(1), []byte{0, 0}, get4())))),
		v6in(v4("gtp extensions", 17, udp(2152, gtp(0x34, join(u16(0), []byte{0, 0x85}, []byte{1, 0, 9, 0xc0}, []byte{2, 1, 2, 3, 4, 5, 6, 0}, get6()))))),
		v4("vxlan in gre in ipip", 4, outer4(47, gre(0, 0x0800, outer4(17, udp(4789, vxlan(eth(0x0800, get4()))))))),
	}
	for i := range all {
		all[i].link = capture.LinkEthernet
	}
	return all
}
