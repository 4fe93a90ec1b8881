package decode

import "github.com/google/gopacket"

// tunnelOn is the tunnel that uses UDP port port, or nil (RFC 7348, Section 5; 8472
// is Linux's VXLAN port from before there was a number; GRE in UDP is RFC
// 8086, Section 3.3; RFC 8926, Section 3.3; 3GPP TS 29.281, Section 4.4.2).
func tunnelOn(port uint16) step {
	switch port {
	case 4789, 8472:
		return (*Decoder).vxlanFrame
	case 4754:
		return (*Decoder).gre
	case 6081:
		return (*Decoder).geneve
	case 2152:
		return (*Decoder).gtp
	}
	return nil
}

// datagram decodes a UDP datagram (RFC 768). A port is only a guess at a
// tunnel: what does not read as one is plain UDP.
func (d *Decoder) datagram(v view, s *Segment) Kind {
	const head = 8
	if len(v.data) < head {
		return v.short(head)
	}
	h := &d.udp
	_ = h.DecodeFromBytes(v.data, gopacket.NilDecodeFeedback) // fails on lengths below 8, which are ignored here
	if n := int(h.Length); n >= head {
		v = v.within(n)
	}
	v = v.skip(head)
	src, dst := uint16(h.SrcPort), uint16(h.DstPort)
	if tunnel := tunnelOn(dst); tunnel != nil {
		switch k := tunnel(d, v, s); k {
		case Malformed, NotIP, OtherIP:
		default:
			return k
		}
	}
	const https = 443
	if (src == https || dst == https) && quicLong(v.data) {
		return QUIC
	}
	return UDP
}

// quicLong tells whether b begins with a QUIC long header of some version
// (RFC 8999, Section 5.1; version 0 is a version negotiation).
func quicLong(b []byte) bool {
	return len(b) >= 5 && b[0]&0x80 != 0 && be16(b[1:])|be16(b[3:]) != 0
}

// vxlanFrame decodes the Ethernet frame behind a VXLAN header (RFC 7348,
// Section 5).
func (d *Decoder) vxlanFrame(v view, s *Segment) Kind {
	const head = 8
	if len(v.data) < head {
		return v.short(head)
	}
	_ = d.vxlan.DecodeFromBytes(v.data, gopacket.NilDecodeFeedback) // fails only on less than 8 octets
	if !d.vxlan.ValidIDFlag {
		return NotIP
	}
	return d.ethernet(v.inner(head), s)
}

// geneve decodes what a GENEVE header carries (RFC 8926, Section 3.4).
func (d *Decoder) geneve(v view, s *Segment) Kind {
	const least = 8
	if len(v.data) < least {
		return v.short(least)
	}
	if version := v.data[0] >> 6; version != 0 {
		return NotIP
	}
	n := least + int(v.data[0]&0x3f)*4
	if len(v.data) < n {
		return v.short(n)
	}
	return d.ethertype(be16(v.data[2:]), v.inner(n), s)
}

// gtp decodes the user's packet in a GTP-U message (3GPP TS 29.281, Section 5).
func (d *Decoder) gtp(v view, s *Segment) Kind {
	const least, options, version1, userPacket = 8, 4, 0b0011_0000, 255
	if len(v.data) < least {
		return v.short(least)
	}
	flags := v.data[0]
	if flags&0b1111_0000 != version1 || v.data[1] != userPacket {
		return NotIP
	}
	v = v.within(least + int(be16(v.data[2:])))
	n := least
	const extended, sequence, pdu = 4, 2, 1
	if flags&(extended|sequence|pdu) != 0 { // any of them brings the fields of all
		n += options
	}
	if len(v.data) < n {
		return v.short(n)
	}
	for more := flags&extended != 0 && v.data[n-1] != 0; more; more = v.data[n-1] != 0 {
		// Extension headers: length in units of 4 octets, content, next type.
		if len(v.data) <= n {
			return v.short(n + 1)
		}
		length := int(v.data[n]) * 4
		if length == 0 {
			return Malformed
		}
		if n += length; len(v.data) < n {
			return v.short(n)
		}
	}
	return d.ip(v.inner(n), s)
}
