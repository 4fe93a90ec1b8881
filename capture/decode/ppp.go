package decode

import "expectscope/capture"

const (
	linkCHDLC        capture.LinkType = 104
	linkPPPDirection capture.LinkType = 204
)

var (
	_ = register(capture.LinkPPP, "PPP", (*Decoder).hdlc)
	_ = register(capture.LinkPPPHDLC, "PPP in HDLC framing", (*Decoder).hdlc)
	_ = register(linkCHDLC, "Cisco HDLC", (*Decoder).hdlc)
	_ = register(linkPPPDirection, "PPP with direction", (*Decoder).pppDirection)
	_ = register(capture.LinkPPPoE, "PPPoE", (*Decoder).pppoe)
)

// hdlc decodes PPP, or Cisco's HDLC where its address octet (0x0f unicast, 0x8f
// broadcast) says so: routers write either under any of the three link types.
func (d *Decoder) hdlc(v view, s *Segment) Kind {
	const head = 4
	if len(v.data) < head {
		return v.short(head)
	}
	if v.data[0] == 0x0f || v.data[0] == 0x8f {
		return d.ethertype(be16(v.data[2:]), v.skip(head), s)
	}
	return d.ppp(v, s)
}

// pppDirection decodes PPP behind an octet that is zero for received frames.
func (d *Decoder) pppDirection(v view, s *Segment) Kind {
	if len(v.data) == 0 {
		return v.short(1)
	}
	return d.ppp(v.skip(1), s)
}

// ppp decodes a PPP frame (RFC 1661, Section 2): address and control (0xff 0x03)
// may be left out, and the protocol may be one octet, which then is odd.
func (d *Decoder) ppp(v view, s *Segment) Kind {
	if len(v.data) >= 2 && v.data[0] == 0xff && v.data[1] == 3 {
		v = v.skip(2)
	}
	if len(v.data) < 2 {
		return v.short(2)
	}
	protocol, n := be16(v.data), 2
	if v.data[0]&1 != 0 {
		protocol, n = uint16(v.data[0]), 1
	}
	switch v = v.skip(n); protocol {
	case 0x0021:
		return d.ipv4(v, s)
	case 0x0057:
		return d.ipv6(v, s)
	case 0x0281, 0x0283:
		return d.mpls(v, s)
	}
	return NotIP
}

// pppoe decodes a frame of a PPPoE session (RFC 2516, Section 4); discovery
// carries no IP.
func (d *Decoder) pppoe(v view, s *Segment) Kind {
	const head = 6
	if len(v.data) < head {
		return v.short(head)
	}
	const version1type1, session = 0x11, 0
	if v.data[0] != version1type1 || v.data[1] != session {
		return NotIP
	}
	n := int(be16(v.data[4:]))
	return d.ppp(v.skip(head).within(n), s)
}
