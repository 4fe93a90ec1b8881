package decode

import (
	"encoding/binary"

	"expectscope/capture"
)

const (
	linkENC   capture.LinkType = 109
	linkPFLOG capture.LinkType = 117
	linkPKTAP capture.LinkType = 258
)

var (
	_ = register(capture.LinkNull, "BSD loopback", (*Decoder).null)
	_ = register(capture.LinkLoop, "OpenBSD loopback", (*Decoder).null)
	_ = register(linkENC, "OpenBSD enc", (*Decoder).enc)
	_ = register(linkPFLOG, "OpenBSD pflog", (*Decoder).pflog)
	_ = register(linkPKTAP, "Apple PKTAP", (*Decoder).pktap)
)

// family decodes a packet whose address family is known. AF_INET is 2
// everywhere; AF_INET6 is 10 on Linux, 23 on Windows, 24 on NetBSD and OpenBSD,
// 28 on FreeBSD, 30 on macOS.
func (d *Decoder) family(af uint32, v view, s *Segment) Kind {
	switch af {
	case 2:
		return d.ipv4(v, s)
	case 10, 23, 24, 28, 30:
		return d.ipv6(v, s)
	}
	return NotIP
}

// null decodes a loopback frame: the address family in the byte order of the
// host that wrote it (NULL) or in network order (LOOP; some writers of one
// write the other). Families are small, so the order shows.
func (d *Decoder) null(v view, s *Segment) Kind {
	const head = 4
	if len(v.data) < head {
		return v.short(head)
	}
	return d.family(eitherOrder(v.data), v.skip(head), s)
}

// enc decodes a packet seen inside IPsec: family, security parameter index, flags.
func (d *Decoder) enc(v view, s *Segment) Kind {
	const head = 12
	if len(v.data) < head {
		return v.short(head)
	}
	return d.family(eitherOrder(v.data), v.skip(head), s)
}

// pflog decodes a packet logged by pf: the header's length, the family, and
// what pf did with it; padded to 4 octets.
func (d *Decoder) pflog(v view, s *Segment) Kind {
	const least = 4
	if len(v.data) < least {
		return v.short(least)
	}
	n := (int(v.data[0]) + 3) &^ 3
	if n < least {
		return Malformed
	}
	if len(v.data) < n {
		return v.short(n)
	}
	return d.family(uint32(v.data[1]), v.skip(n), s)
}

// pktap decodes what macOS writes for the pseudo interfaces pktap and all: the
// header's length, whether a packet follows (1), and its link type.
func (d *Decoder) pktap(v view, s *Segment) Kind {
	const least = 12
	if len(v.data) < least {
		return v.short(least)
	}
	n, record, link := binary.LittleEndian.Uint32(v.data), binary.LittleEndian.Uint32(v.data[4:]), binary.LittleEndian.Uint32(v.data[8:])
	switch {
	case record != 1:
		return NotIP
	case n < least || n > uint32(v.wire) || link > 0xffff || link == uint32(linkPKTAP):
		return Malformed
	case len(v.data) < int(n):
		return Cut
	}
	return d.link(capture.LinkType(link), v.skip(int(n)), s)
}

// eitherOrder reads a 32-bit field that holds a small number in an unknown byte
// order.
func eitherOrder(b []byte) uint32 {
	return min(binary.BigEndian.Uint32(b), binary.LittleEndian.Uint32(b))
}
