package decode

// Cisco's protocol types of GRE: mirror ports (draft-foschiano-erspan-03), and
// traffic that a router redirects to a web cache
// (draft-mclaggan-wccp-v2rev1-00, Section 4.12).
const (
	typeERSPAN  = 0x88be // types I and II
	typeERSPAN3 = 0x22eb
	typeWCCP    = 0x883e
)

// gre decodes what a GRE header carries (RFC 2784, with the key and sequence
// number of RFC 2890; NVGRE is RFC 7637; version 1 with its acknowledgment
// number is that of PPTP, RFC 2637, Section 4.1).
func (d *Decoder) gre(v view, s *Segment) Kind {
	const least, field = 4, 4
	const checksum, routing, key, sequence, acknowledged, version = 0x8000, 0x4000, 0x2000, 0x1000, 0x0080, 0x0007
	if len(v.data) < least {
		return v.short(least)
	}
	flags, t := be16(v.data), be16(v.data[2:])
	pptp := flags&version == 1
	if flags&version > 1 || flags&routing != 0 { // source routes of RFC 1701: nobody sends them
		return OtherIP
	}
	n := least
	for _, present := range [...]bool{flags&checksum != 0, flags&key != 0, flags&sequence != 0, pptp && flags&acknowledged != 0} {
		if present {
			n += field
		}
	}
	if len(v.data) < n {
		return v.short(n)
	}
	v = v.inner(n)
	switch t {
	case typeERSPAN:
		return d.erspan(flags&sequence != 0, v, s)
	case typeERSPAN3:
		return d.erspan3(v, s)
	case typeWCCP:
		return d.wccp(v, s)
	}
	return d.ethertype(t, v, s)
}

// erspan decodes a mirrored frame of type II, or of type I, which has neither
// a sequence number nor a header.
func (d *Decoder) erspan(two bool, v view, s *Segment) Kind {
	const head = 8
	if !two {
		return d.ethernet(v, s)
	}
	if len(v.data) < head {
		return v.short(head)
	}
	return d.ethernet(v.skip(head), s)
}

// erspan3 decodes a mirrored frame of type III: 12 octets, 8 more if the last
// bit of these says so, and 5 bits for what was mirrored.
func (d *Decoder) erspan3(v view, s *Segment) Kind {
	const head, platform = 12, 8
	if len(v.data) < head {
		return v.short(head)
	}
	n, frame := head, v.data[10]>>2&0x1f
	if v.data[11]&1 != 0 {
		n += platform
	}
	if len(v.data) < n {
		return v.short(n)
	}
	const ethernetFrame, ipPacket = 0, 2
	switch frame {
	case ethernetFrame:
		return d.ethernet(v.skip(n), s)
	case ipPacket:
		return d.ip(v.skip(n), s)
	}
	return NotIP
}

// wccp decodes a redirected packet. Version 2 has a header of 4 octets in
// front, version 1 none; the header's first octet is never that of an IPv4 header.
func (d *Decoder) wccp(v view, s *Segment) Kind {
	const head = 4
	if len(v.data) < head {
		return v.short(head)
	}
	if v.data[0]>>4 != 4 {
		v = v.skip(head)
	}
	return d.ipv4(v, s)
}
