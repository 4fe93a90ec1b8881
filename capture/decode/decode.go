// Package decode turns a captured frame into the TCP segment inside it.
//
// A [Decoder] takes one [capture.Packet] at a time, strips the link layer, tags
// and tunnels, puts fragmented datagrams together, and fills a [Segment] with
// what the innermost TCP header says; its payload is a view of the frame. The
// headers are read by github.com/google/gopacket's layers where these are sound
// (Ethernet, 802.1Q, IPv4, IPv6, UDP, VXLAN, TCP), each into a structure that is
// kept from frame to frame; the frames that make up nearly all traffic take a
// direct path (direct.go) that must give the same answer. What gopacket v1.1.19
// reads wrongly or cannot read without a panic or an allocation is read here:
// MPLS, PPP and PPPoE (packet builders only), GRE and ERSPAN (panic on short
// headers), GENEVE (keeps every option it ever saw), GTP-U (prints to standard
// output), Linux cooked (panics on a long address), IPv6 hop-by-hop options
// (allocate, and let padding into the payload).
//
// Nothing here returns an error. A frame that holds no segment is counted by
// what it was ([Kind]); a frame that the capture cut gives a segment whose
// payload is shorter than its length says. A quotation of TCP inside an ICMP
// error is not a segment. Checksums are looked at in a sample and never make a
// segment unusable: captures on the sending host are full of unfinished ones.
package decode

import (
	"encoding/binary"
	"time"

	"github.com/google/gopacket/layers"

	"expectscope/capture"
)

// maxDepth is how many tunnels may be inside one another. Real nesting is two
// or three; the bound is for frames made to exhaust the stack.
const maxDepth = 8

// Limits bounds what a decoder keeps while it waits for the missing fragments of
// IP datagrams. A field that is zero has the value of [DefaultLimits].
type Limits struct {
	// Datagrams is how many unfinished datagrams are kept, Bytes how many octets
	// of memory their contents take in all. Beyond either the oldest goes.
	Datagrams, Bytes int
	// Age is how long, in capture time, a datagram waits after its first fragment.
	Age time.Duration
}

// DefaultLimits are the limits for an ordinary run. The age is that of the
// reassembly timer of Linux; RFC 8200, Section 4.5 has 60 seconds, RFC 791 at
// least 15.
func DefaultLimits() Limits {
	return Limits{Datagrams: 256, Bytes: 4 << 20, Age: 30 * time.Second}
}

// A Decoder decodes the frames of one run, in the order they were captured. It
// is not safe for concurrent use. [New] makes one.
type Decoder struct {
	stats Stats
	frags defragmenter
	frame []byte    // of the packet at hand
	whole *datagram // that came in fragments and holds the segment at hand, or nil

	// One structure for each header that gopacket reads; a header of the same
	// kind deeper in the frame overwrites it, so a step takes what it needs
	// before it goes on.
	eth   layers.Ethernet
	dot1q layers.Dot1Q
	v4    layers.IPv4
	v6    layers.IPv6
	udp   layers.UDP
	vxlan layers.VXLAN
	tcp   layers.TCP
}

// New returns a decoder that keeps to the limits.
func New(l Limits) *Decoder {
	def := DefaultLimits()
	if l.Datagrams <= 0 {
		l.Datagrams = def.Datagrams
	}
	if l.Bytes <= 0 {
		l.Bytes = def.Bytes
	}
	if l.Age <= 0 {
		l.Age = def.Age
	}
	d := &Decoder{}
	d.stats.LinkTypes = map[capture.LinkType]uint64{}
	d.frags = defragmenter{limits: l, stats: &d.stats.Fragments}
	return d
}

// Stats is what was counted so far. It belongs to the decoder and changes with
// the next call of Decode.
func (d *Decoder) Stats() *Stats { return &d.stats }

// Decode finds the TCP segment in p and fills s with it. When it returns false
// there is none (yet), and what s holds means nothing. It does not allocate,
// except for fragments, damaged headers and link types it does not know.
func (d *Decoder) Decode(p *capture.Packet, s *Segment) bool {
	d.whole = nil
	if d.direct(p, s) {
		d.stats.Kinds[TCP]++
		return true
	}
	kind := d.layered(p, s)
	d.stats.Kinds[kind]++
	return kind == TCP
}

// layered decodes any frame, header by header.
func (d *Decoder) layered(p *capture.Packet, s *Segment) Kind {
	s.Packet, s.Tap, s.Time = p.Num, p.Tap, p.Time
	d.frame = p.Data
	return d.link(p.Link, view{data: p.Data, wire: max(p.Len, len(p.Data))}, s)
}

// A step decodes what is left of a frame, v, from the outermost header there to
// the segment, and tells what it found. Only when that is TCP does s hold a
// segment.
type step = func(d *Decoder, v view, s *Segment) Kind

// A view is what is left of a frame below the headers read so far.
type view struct {
	// data is what was captured, wire how many octets were sent: at least
	// len(data), more when the capture cut the frame.
	data []byte
	wire int
	// depth counts the tunnels around it.
	depth int
}

// skip leaves out the first n octets, which must have been captured.
func (v view) skip(n int) view {
	v.data, v.wire = v.data[n:], v.wire-n
	return v
}

// inner is skip into a tunnel.
func (v view) inner(n int) view {
	v.depth++
	return v.skip(n)
}

// limit sets the length on the wire to n, because a header says so: what
// follows is padding or a trailer. A length beyond the frame is believed, and
// the rest counts as not captured.
func (v view) limit(n int) view {
	v.data, v.wire = v.data[:min(n, len(v.data))], n
	return v
}

// within is limit for headers whose lengths are not trusted beyond the frame.
func (v view) within(n int) view { return v.limit(min(n, v.wire)) }

// short says why the n octets of a header are not in v.
func (v view) short(n int) Kind {
	if v.wire >= n {
		return Cut
	}
	return Malformed
}

// be16 reads a big-endian 16-bit field.
func be16(b []byte) uint16 { return binary.BigEndian.Uint16(b) }
