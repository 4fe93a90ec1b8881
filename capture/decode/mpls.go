package decode

import "expectscope/capture"

const linkMPLS capture.LinkType = 219

var _ = register(linkMPLS, "MPLS", (*Decoder).mpls)

// mpls decodes what follows a stack of labels (RFC 3032, Section 2.1). Nothing
// in the stack says what that is, so its first four bits are taken for an IP
// version, or for a pseudowire that carries Ethernet (RFC 4385, Section 3).
func (d *Decoder) mpls(v view, s *Segment) Kind {
	const label, bottom = 4, 1
	for last := false; !last; v = v.skip(label) {
		if len(v.data) < label {
			return v.short(label)
		}
		last = v.data[2]&bottom != 0
	}
	v = v.inner(0)
	if len(v.data) == 0 {
		return v.short(1)
	}
	switch v.data[0] >> 4 {
	case 4:
		return d.ipv4(v, s)
	case 6:
		return d.ipv6(v, s)
	case 1: // associated channel: maintenance, no user's traffic
		return NotIP
	}
	// A control word begins with 0000, but so do the MAC addresses of many
	// makers: it is one if an EtherType stands where that makes it stand.
	const control = 4
	if v.data[0]>>4 == 0 && etherAt(v.data, control) {
		return d.ethernet(v.skip(control), s)
	}
	if etherAt(v.data, 0) {
		return d.ethernet(v, s)
	}
	return NotIP
}

// etherAt tells whether b holds, n octets in, an Ethernet header in front of
// something that can lead to IP.
func etherAt(b []byte, n int) bool {
	if len(b) < n+14 {
		return false
	}
	switch be16(b[n+12:]) {
	case typeIPv4, typeIPv6, typeVLAN, typeQinQ, typeARP, typeMPLS, typePPPoE:
		return true
	}
	return false
}
