package decode

import "expectscope/capture"

// A Part is the share that one frame has in a datagram that came in fragments.
type Part struct {
	// Packet is the frame's.
	Packet capture.Num
	// Off is where in the datagram's payload the share begins, Len how many octets of it were captured.
	Off, Len int
	// At is where the share begins in the frame's Data; -1 when that frame does not hold it as it is, because it is a
	// fragment of a fragment.
	At int
}

// maxParts bounds the parts that are noted of a datagram: the smallest fragments that IPv4 makes
// (RFC 791, Section 3.2) of the largest datagram are fewer.
const maxParts = 1365

// Datagram is the payload of the IP datagram that holds the segment Decode found last, when it came in fragments, and
// the frames it came in, in the order of capture; nil when it came in one. The segment's Payload is a view of it. Both
// belong to the decoder, which needs them no more: they may be changed, and kept.
func (d *Decoder) Datagram() ([]byte, []Part) {
	if d.whole == nil {
		return nil, nil
	}
	return d.whole.data, d.whole.parts
}

// join adds a fragment to its datagram; see defragmenter.add.
func (d *Decoder) join(key datagramKey, p fragment, s *Segment) (next uint8, whole view, ok bool) {
	next, whole, ok = d.frags.add(key, p, s.Time)
	g := d.frags.fed
	if g == nil {
		return next, whole, ok
	}
	if len(g.parts) < maxParts {
		if p.more {
			p.view = p.limit(p.wire &^ (unit - 1)) // as add does
		}
		part := Part{Packet: s.Packet, Off: p.offset, Len: len(p.data), At: -1}
		if at := cap(d.frame) - cap(p.data); len(p.data) > 0 && 0 <= at && at < len(d.frame) && &d.frame[at] == &p.data[0] {
			part.At = at
		}
		g.parts = append(g.parts, part)
	}
	if ok {
		d.whole = g
	}
	return next, whole, ok
}
