package decode

import "expectscope/capture"

// A Kind is what a frame turned out to be. Every frame is of exactly one kind.
type Kind uint8

// The kinds. The one that counts a tunnelled frame is that of its innermost
// packet.
const (
	// TCP is a frame that gave a segment.
	TCP Kind = iota
	// Fragment is a frame whose datagram was not complete with it: the segment,
	// if it ever came, counts at the frame that completed it.
	Fragment
	// Cut is a frame of which the capture kept too little to find a TCP header.
	Cut
	// Malformed is a frame whose headers contradict themselves, or with more
	// than 8 tunnels inside one another.
	Malformed
	// UnknownLink is a frame of a link type that is not decoded; see
	// Stats.LinkTypes.
	UnknownLink
	// ARP, LLDP and NotIP are frames that carry no IP; NotIP is all others.
	ARP
	LLDP
	NotIP
	// QUIC is UDP to or from port 443 that begins with a long header
	// (RFC 9000, Section 17.2): HTTP/3, which has Expect too and which nobody
	// can read here. Short-header packets look like any UDP and count as UDP.
	QUIC
	// UDP, ICMP (of IPv4 and IPv6) and SCTP are those protocols; OtherIP is any
	// other that IP carries, ESP among them.
	UDP
	ICMP
	SCTP
	OtherIP

	kinds
)

var kindWords = [kinds]string{
	"tcp", "fragment", "cut", "malformed", "unsupported link type",
	"arp", "lldp", "not ip", "quic", "udp", "icmp", "sctp", "other ip",
}

// String is the word for the kind in the summary.
func (k Kind) String() string {
	if k < kinds {
		return kindWords[k]
	}
	return "unknown"
}

// Kinds lists all kinds, in the order in which a summary shows them.
func Kinds() []Kind {
	all := make([]Kind, kinds)
	for k := range all {
		all[k] = Kind(k)
	}
	return all
}

// Stats is what a decoder counted.
type Stats struct {
	// Kinds counts frames by [Kind]; their sum is the number of calls of Decode.
	Kinds [kinds]uint64
	// LinkTypes counts the frames of each link type that is not decoded;
	// [LinkName] names them.
	LinkTypes map[capture.LinkType]uint64
	// Checksums counts the segments whose TCP checksum was verified: those
	// captured whole among the first 4,096 segments of the run, then among one
	// in 64 and all RSTs. BadChecksums counts those of them where it was wrong (RFC 9293,
	// Section 3.1); mostly a sign of a capture taken on the sending host, where
	// the network card fills in the checksum later.
	Checksums, BadChecksums uint64
	// Offload counts IP headers without a length (0): frames captured before
	// the network card split them (TSO, BIG TCP). The frame's length is used.
	Offload uint64
	// Fragments tells what happened to fragmented datagrams.
	Fragments FragmentStats
}

// Frames is the number of frames decoded.
func (s *Stats) Frames() uint64 {
	var n uint64
	for _, k := range s.Kinds {
		n += k
	}
	return n
}

// FragmentStats counts fragmented IP datagrams (RFC 791, Section 3.2; RFC 8200,
// Section 4.5).
type FragmentStats struct {
	// Complete is how many datagrams were put together.
	Complete uint64
	// Overlaps counts fragments that carried octets which an earlier fragment
	// of their datagram had brought. The earlier ones were kept. Exact
	// duplicates are among them.
	Overlaps uint64
	// Refused counts fragments that fit no datagram: empty, beyond 65,535 octets,
	// or in contradiction to the datagram's known end.
	Refused uint64
	// Expired and Evicted count datagrams that were given up because of their
	// age, or because of the limits.
	Expired, Evicted uint64
	// Waiting is how many datagrams wait for more fragments now.
	Waiting int
}
