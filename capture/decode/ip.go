package decode

import (
	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

// IP protocol numbers (IANA's "Protocol Numbers").
const (
	protoHopByHop = 0
	protoICMP     = 1
	protoIPv4     = 4
	protoTCP      = 6
	protoUDP      = 17
	protoIPv6     = 41
	protoRouting  = 43
	protoFragment = 44
	protoGRE      = 47
	protoAH       = 51
	protoICMPv6   = 58
	protoOptions  = 60
	protoEtherIP  = 97
	protoSCTP     = 132
	protoMPLS     = 137
)

// ipv4 decodes an IPv4 packet (RFC 791, Section 3.1). The header's checksum is
// not looked at: a router would have dropped the packet, an offloading network
// card fills it in later.
func (d *Decoder) ipv4(v view, s *Segment) Kind {
	const least = 20
	if v.depth > maxDepth {
		return Malformed
	}
	if len(v.data) < least {
		return v.short(least)
	}
	// gopacket fails on odd options and on lengths, which are judged below, but
	// has read every field by then. Its Length is 16 bits of the frame's length
	// when the header says 0.
	h := &d.v4
	_ = h.DecodeFromBytes(v.data, gopacket.NilDecodeFeedback)
	head, total := int(h.IHL)*4, int(be16(v.data[2:]))
	if total == 0 {
		total = v.wire
		d.stats.Offload++
	}
	if h.Version != 4 || head < least || total < head {
		return Malformed
	}
	v = v.limit(total)
	if len(v.data) < head {
		return Cut
	}
	v = v.skip(head)
	s.Src.Addr, s.Dst.Addr, s.TTL = mapped(h.SrcIP), mapped(h.DstIP), h.TTL
	protocol := uint8(h.Protocol)
	more := h.Flags&layers.IPv4MoreFragments != 0
	if more || h.FragOffset != 0 {
		key := datagramKey{tap: s.Tap, src: s.Src.Addr, dst: s.Dst.Addr, id: uint32(h.Id), protocol: protocol}
		var ok bool
		if _, v, ok = d.join(key, fragment{v, int(h.FragOffset) * 8, more, protocol}, s); !ok {
			return Fragment
		}
	}
	return d.transport(protocol, v, s)
}

// ipv6 decodes an IPv6 packet (RFC 8200, Section 3).
func (d *Decoder) ipv6(v view, s *Segment) Kind {
	const head = 40
	if v.depth > maxDepth {
		return Malformed
	}
	if len(v.data) < head {
		return v.short(head)
	}
	b, h := v.data, &d.v6
	length := int(be16(b[4:]))
	if length == 0 || b[6] == protoHopByHop {
		// gopacket refuses the length of BIG TCP and counts hop-by-hop options
		// twice; multicast reports have them, so this is no rare packet.
		h.Version, h.NextHeader, h.HopLimit = b[0]>>4, layers.IPProtocol(b[6]), b[7]
		h.SrcIP, h.DstIP = b[8:24], b[24:40]
	} else {
		_ = h.DecodeFromBytes(b, gopacket.NilDecodeFeedback) // has nothing left to fail on
	}
	if h.Version != 6 {
		return Malformed
	}
	v = v.skip(head)
	if length == 0 {
		// A jumbogram (RFC 2675) or one to be: its length does not fit.
		d.stats.Offload++
	} else {
		v = v.limit(length)
	}
	s.Src.Addr, s.Dst.Addr, s.TTL = [16]byte(h.SrcIP), [16]byte(h.DstIP), h.HopLimit
	return d.extensions(uint8(h.NextHeader), v, s)
}

// extensions walks IPv6 extension headers (RFC 8200, Section 4).
func (d *Decoder) extensions(next uint8, v view, s *Segment) Kind {
	const least = 8
	for {
		switch next {
		case protoHopByHop, protoRouting, protoOptions, protoFragment:
		default:
			return d.transport(next, v, s)
		}
		if len(v.data) < least {
			return v.short(least)
		}
		if next == protoFragment {
			offset, more, id := be16(v.data[2:]), v.data[3]&1 != 0, uint32(be16(v.data[4:]))<<16|uint32(be16(v.data[6:]))
			next, v = v.data[0], v.skip(least)
			if offset&^7 == 0 && !more {
				continue // an atomic fragment (RFC 6946): the whole datagram
			}
			key := datagramKey{tap: s.Tap, src: s.Src.Addr, dst: s.Dst.Addr, id: id, v6: true}
			var ok bool
			if next, v, ok = d.join(key, fragment{v, int(offset &^ 7), more, next}, s); !ok {
				return Fragment
			}
			continue
		}
		n := int(v.data[1])*8 + 8
		if len(v.data) < n {
			return v.short(n)
		}
		if next == protoRouting {
			route(v.data[:n], s)
		}
		next, v = v.data[0], v.skip(n)
	}
}

// route puts the final destination into s when routing header b says that the
// packet has not reached it: it is the one in the checksum, and the one that
// answers. Of types 0 and 2 (RFC 6275, Section 6.4) it is the last address, of
// a segment routing header (RFC 8754, Section 2) the first.
func route(b []byte, s *Segment) {
	const first, address = 8, 16
	kind, left := b[2], b[3]
	if left == 0 || len(b) < first+address {
		return
	}
	switch kind {
	case 0, 2:
		s.Dst.Addr = [16]byte(b[len(b)-address:])
	case 4:
		s.Dst.Addr = [16]byte(b[first:])
	}
}

// transport decodes what IP carries.
func (d *Decoder) transport(protocol uint8, v view, s *Segment) Kind {
	switch protocol {
	case protoTCP:
		return d.segment(v, s)
	case protoUDP:
		return d.datagram(v, s)
	case protoICMP, protoICMPv6:
		return ICMP
	case protoSCTP:
		return SCTP
	case protoIPv4:
		return d.ipv4(v.inner(0), s)
	case protoIPv6:
		return d.ipv6(v.inner(0), s)
	case protoGRE:
		return d.gre(v, s)
	case protoAH:
		return d.authenticated(v, s)
	case protoMPLS:
		return d.mpls(v, s)
	case protoEtherIP: // RFC 3378: 2 octets, then an Ethernet frame
		const head = 2
		if len(v.data) < head {
			return v.short(head)
		}
		return d.ethernet(v.inner(head), s)
	}
	return OtherIP
}

// authenticated decodes what an authentication header signs (RFC 4302,
// Section 2); it is not encrypted.
func (d *Decoder) authenticated(v view, s *Segment) Kind {
	const least = 12
	if v.depth > maxDepth {
		return Malformed
	}
	if len(v.data) < least {
		return v.short(least)
	}
	n := (int(v.data[1]) + 2) * 4
	if n < least {
		return Malformed
	}
	if len(v.data) < n {
		return v.short(n)
	}
	return d.extensions(v.data[0], v.inner(n), s)
}

// mapped is an IPv4 address in its IPv6-mapped form (RFC 4291, Section 2.5.5.2).
func mapped(b []byte) [16]byte {
	return [16]byte{10: 0xff, 11: 0xff, 12: b[0], 13: b[1], 14: b[2], 15: b[3]}
}
