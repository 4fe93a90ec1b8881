package decode

import (
	"github.com/google/gopacket"

	"expectscope/capture"
)

var _ = register(capture.LinkEthernet, "Ethernet", (*Decoder).ethernet)

// EtherTypes as registered with IEEE (IANA's "IEEE 802 Numbers" lists them).
// Smaller values are lengths of an 802.3 frame.
const (
	typeMin       = 0x0600
	typeIPv4      = 0x0800
	typeARP       = 0x0806
	typeTEB       = 0x6558 // transparent Ethernet bridging: a whole Ethernet frame
	typeRARP      = 0x8035
	typeVLAN      = 0x8100
	typeIPv6      = 0x86dd
	typePPP       = 0x880b
	typeMPLS      = 0x8847
	typeMPLSMulti = 0x8848
	typePPPoE     = 0x8864
	typeQinQ      = 0x88a8
	typeLLDP      = 0x88cc
	typePBB       = 0x88e7 // provider backbone bridging, IEEE 802.1ah
	typeVNTag     = 0x8926 // IEEE 802.1BR's forerunner
	typeNSH       = 0x894f // network service header, RFC 8300
	typeQinQOld   = 0x9100 // before 802.1ad
	typeQinQOld2  = 0x9200
)

// ethernet decodes a frame that begins with MAC addresses.
func (d *Decoder) ethernet(v view, s *Segment) Kind {
	const head = 14
	if v.depth > maxDepth {
		return Malformed
	}
	if len(v.data) < head {
		return v.short(head)
	}
	_ = d.eth.DecodeFromBytes(v.data, gopacket.NilDecodeFeedback) // fails only on less than 14 octets
	return d.ethertype(be16(v.data[12:]), v.skip(head), s)
}

// ethertype decodes what follows an EtherType: tags, then a network protocol.
func (d *Decoder) ethertype(t uint16, v view, s *Segment) Kind {
	for {
		switch t {
		case typeIPv4:
			return d.ipv4(v, s)
		case typeIPv6:
			return d.ipv6(v, s)
		case typeVLAN, typeQinQ, typeQinQOld, typeQinQOld2:
			const tag = 4
			if len(v.data) < tag {
				return v.short(tag)
			}
			_ = d.dot1q.DecodeFromBytes(v.data, gopacket.NilDecodeFeedback) // fails only on less than 4 octets
			t, v = uint16(d.dot1q.Type), v.skip(tag)
			continue
		case typeVNTag:
			const tag = 6
			if len(v.data) < tag {
				return v.short(tag)
			}
			t, v = be16(v.data[4:]), v.skip(tag)
			continue
		case typePBB:
			const serviceTag = 4
			if len(v.data) < serviceTag {
				return v.short(serviceTag)
			}
			return d.ethernet(v.inner(serviceTag), s)
		case typeTEB:
			return d.ethernet(v.inner(0), s)
		case typeMPLS, typeMPLSMulti:
			return d.mpls(v, s)
		case typePPPoE:
			return d.pppoe(v, s)
		case typePPP:
			return d.ppp(v, s)
		case typeNSH:
			return d.nsh(v, s)
		case typeARP, typeRARP:
			return ARP
		case typeLLDP:
			return LLDP
		}
		if t >= typeMin {
			return NotIP
		}
		return d.llc(v.within(int(t)), s)
	}
}

// llc decodes an 802.3 frame: logical link control, which carries IP only
// behind a SNAP header of encapsulated Ethernet (RFC 1042).
func (d *Decoder) llc(v view, s *Segment) Kind {
	const head = 8
	if len(v.data) < head {
		if v.wire >= head {
			return Cut
		}
		return NotIP
	}
	snap := v.data[0] == 0xaa && v.data[1] == 0xaa && v.data[2] == 3 && v.data[3] == 0 && v.data[4] == 0 && v.data[5] == 0
	if t := be16(v.data[6:]); snap && t >= typeMin {
		return d.ethertype(t, v.skip(head), s)
	}
	return NotIP
}

// nsh decodes a network service header (RFC 8300, Section 2.2).
func (d *Decoder) nsh(v view, s *Segment) Kind {
	const head = 8
	if len(v.data) < head {
		return v.short(head)
	}
	n := int(v.data[1]&0x3f) * 4
	if n < head {
		return Malformed
	}
	if len(v.data) < n {
		return v.short(n)
	}
	switch v.data[3] {
	case 1:
		return d.ipv4(v.inner(n), s)
	case 2:
		return d.ipv6(v.inner(n), s)
	case 3:
		return d.ethernet(v.inner(n), s)
	}
	return NotIP
}
