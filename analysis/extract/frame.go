package extract

import (
	"encoding/binary"

	"expectscope/capture/decode"
)

// A hull is what is around the payload of a segment, in a frame or in a
// datagram that came in fragments.
type hull struct {
	octets []byte
	at     int // where the payload begins
	tcp    int // where the TCP header begins
}

// unwrap finds the payload of a segment in the octets it was decoded from; false
// when it is not a view of them.
func unwrap(octets []byte, s *decode.Segment) (hull, bool) {
	at := cap(octets) - cap(s.Payload)
	if at < 0 || at+len(s.Payload) > len(octets) {
		return hull{}, false
	}
	if at < len(octets) && &octets[at] != &s.Payload[:1][0] {
		return hull{}, false
	}
	if len(s.Payload) == 0 { // the header may be cut
		return hull{octets, at, 0}, true
	}
	tcp, ok := header(octets[:at], s)
	return hull{octets, at, tcp}, ok
}

// header finds the TCP header at the end of b by what was decoded of it (RFC 9293, Section 3.1).
func header(b []byte, s *decode.Segment) (at int, ok bool) {
	const least, most, word = 20, 60, 4
	for n := least; n <= most && n <= len(b); n += word {
		h := b[len(b)-n:]
		if int(h[12]>>4)*word == n && binary.BigEndian.Uint16(h) == s.Src.Port &&
			binary.BigEndian.Uint16(h[2:]) == s.Dst.Port && binary.BigEndian.Uint32(h[4:]) == s.Seq {
			return len(b) - n, true
		}
	}
	return 0, false
}

// amend corrects a checksum for a change of what it is of: by the sums before and
// after. One that was right stays right, and one that was wrong stays wrong (RFC 1624, Section 3).
func amend(sum []byte, before, after uint16) {
	c := uint32(^binary.BigEndian.Uint16(sum)) + uint32(^before) + uint32(after)
	c = c>>16 + c&0xffff
	c = c>>16 + c&0xffff
	binary.BigEndian.PutUint16(sum, ^uint16(c))
}

// ones is the sum in ones' complement of the 16-bit words of b (RFC 1071).
func ones(b []byte) uint16 {
	sum := uint64(0)
	for ; len(b) > 1; b = b[2:] {
		sum += uint64(binary.BigEndian.Uint16(b))
	}
	if len(b) == 1 {
		sum += uint64(b[0]) << 8
	}
	for sum > 0xffff {
		sum = sum>>16 + sum&0xffff
	}
	return uint16(sum)
}
