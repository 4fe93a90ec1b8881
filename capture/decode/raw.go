package decode

import "expectscope/capture"

var (
	_ = register(capture.LinkRaw, "raw IP", (*Decoder).ip)
	// DLT_RAW is 12 on most systems and 14 on OpenBSD: some programs write it
	// into the file instead of 101.
	_ = register(12, "raw IP (12)", (*Decoder).ip)
	_ = register(14, "raw IP (14)", (*Decoder).ip)
	_ = register(capture.LinkIPv4, "raw IPv4", (*Decoder).ipv4)
	_ = register(capture.LinkIPv6, "raw IPv6", (*Decoder).ipv6)
)

// ip decodes an IP packet of either version.
func (d *Decoder) ip(v view, s *Segment) Kind {
	if len(v.data) == 0 {
		return v.short(1)
	}
	switch v.data[0] >> 4 {
	case 4:
		return d.ipv4(v, s)
	case 6:
		return d.ipv6(v, s)
	}
	return NotIP
}
