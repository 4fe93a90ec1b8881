package decode

import (
	"net/netip"

	"expectscope/capture"
)

// Flags of a TCP segment (RFC 9293, Section 3.1), in their wire positions.
const (
	FIN uint8 = 1 << iota
	SYN
	RST
	PSH
	ACK
	URG
)

// An Endpoint is an address and a port, IPv4 in its IPv6-mapped form: comparable, 18 bytes.
type Endpoint struct {
	Addr [16]byte
	Port uint16
}

// AddrPort is the endpoint as the standard library knows it, IPv4 unmapped.
func (e Endpoint) AddrPort() netip.AddrPort {
	return netip.AddrPortFrom(netip.AddrFrom16(e.Addr).Unmap(), e.Port)
}

// A Sum is what is known of a segment's checksum (RFC 9293, Section 3.1). Wrong
// it is too where a network card was to fill it in.
type Sum uint8

// The checksum was not verified, or it was.
const (
	SumUnknown Sum = iota
	SumRight
	SumWrong
)

// A Segment is one TCP segment, stripped of everything around it. It is reused:
// a caller keeps copies of what it needs.
type Segment struct {
	// Packet, Tap and Time are those of the frame; of a datagram put together
	// from fragments, those of the frame that completed it.
	Packet capture.Num
	Tap    uint16
	Time   int64
	// Src and Dst are of the innermost IP header.
	Src, Dst Endpoint
	// Seq and Ack are sequence numbers as sent; Ack is meaningful only with
	// the ACK flag.
	Seq, Ack uint32
	Flags    uint8
	// TTL is the IPv4 time to live or IPv6 hop limit.
	TTL uint8
	// Sum is what is known of the checksum; Stats.Checksums says of which segments it is verified.
	Sum Sum
	// MSS is the maximum segment size option of a SYN; 0 when absent.
	MSS uint16
	// Len is the length of the payload on the wire in octets; len(Payload) is
	// less when the capture cut the frame.
	Len int
	// Payload points into the packet's data (or into the decoder's own buffer
	// for a defragmented datagram): valid until the next call of Decode.
	Payload []byte
}
