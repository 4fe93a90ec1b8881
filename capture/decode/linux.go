package decode

import (
	"encoding/binary"

	"expectscope/capture"
)

const (
	linkNFLOG capture.LinkType = 239
	linkIPoIB capture.LinkType = 242
	arpNet                     = 824 // ARPHRD_NETLINK: the protocol field is a netlink family
	protoLLC                   = 4   // LINUX_SLL_P_802_2: an 802.2 header follows
)

var (
	_ = register(capture.LinkSLL, "Linux cooked", (*Decoder).sll)
	_ = register(capture.LinkSLL2, "Linux cooked v2", (*Decoder).sll2)
	_ = register(linkNFLOG, "NFLOG", (*Decoder).nflog)
	_ = register(linkIPoIB, "IP over InfiniBand", (*Decoder).infiniband)
)

// sll decodes what `tcpdump -i any` wrote before libpcap 1.10: packet type,
// ARPHRD type, address length, address (8 octets), protocol.
func (d *Decoder) sll(v view, s *Segment) Kind {
	const head = 16
	if len(v.data) < head {
		return v.short(head)
	}
	return d.cooked(be16(v.data[2:]), be16(v.data[14:]), v.skip(head), s)
}

// sll2 decodes what it writes since: protocol, reserved, interface index, ARPHRD
// type, packet type, address length, address (8 octets).
func (d *Decoder) sll2(v view, s *Segment) Kind {
	const head = 20
	if len(v.data) < head {
		return v.short(head)
	}
	return d.cooked(be16(v.data[8:]), be16(v.data), v.skip(head), s)
}

// cooked decodes the packet behind a cooked header.
func (d *Decoder) cooked(hardware, protocol uint16, v view, s *Segment) Kind {
	switch {
	case hardware == arpNet:
		return NotIP
	case protocol == protoLLC:
		return d.llc(v, s)
	case protocol < typeMin:
		return NotIP
	}
	return d.ethertype(protocol, v, s)
}

// nflog decodes a packet logged by netfilter: address family, version, resource,
// then attributes in the byte order of the host that wrote them, each with its
// length and type; the packet, from its IP header on, is the one of type 9.
func (d *Decoder) nflog(v view, s *Segment) Kind {
	const head, attribute, packet = 4, 4, 9
	if len(v.data) < head+attribute {
		return v.short(head + attribute)
	}
	v = v.skip(head)
	var order binary.ByteOrder = binary.LittleEndian
	if int(order.Uint16(v.data)) > v.wire {
		order = binary.BigEndian
	}
	for len(v.data) >= attribute {
		n, t := int(order.Uint16(v.data)), order.Uint16(v.data[2:])
		if n < attribute || n > v.wire {
			return Malformed
		}
		if t == packet {
			return d.ip(v.limit(n).skip(attribute), s)
		}
		n = (n + 3) &^ 3 // attributes are aligned to 4 octets
		if n > len(v.data) {
			return v.short(n)
		}
		v = v.skip(n)
	}
	if v.wire >= attribute {
		return Cut
	}
	return NotIP
}

// infiniband decodes a frame of an InfiniBand interface: the global routing
// header (40 octets), EtherType, reserved (RFC 4391, Section 6).
func (d *Decoder) infiniband(v view, s *Segment) Kind {
	const routing, head = 40, 44
	if len(v.data) < head {
		return v.short(head)
	}
	return d.ethertype(be16(v.data[routing:]), v.skip(head), s)
}
