package decode

import (
	"encoding/binary"
	"math/bits"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
)

const (
	tcpHead   = 20
	flagsMask = FIN | SYN | RST | PSH | ACK | URG
	optionMSS = 2 // RFC 9293, Section 3.2
)

// segment decodes a TCP header (RFC 9293, Section 3.1). Its first 20 octets
// are enough: when the capture cut the options the segment has no payload but
// its length is known.
func (d *Decoder) segment(v view, s *Segment) Kind {
	if len(v.data) < tcpHead {
		return v.short(tcpHead)
	}
	// gopacket fails on damaged options, and has read every field by then; what
	// it read of the options is used, as receivers do.
	h := &d.tcp
	_ = h.DecodeFromBytes(v.data, gopacket.NilDecodeFeedback)
	head := int(h.DataOffset) * 4
	if head < tcpHead || head > v.wire {
		return Malformed
	}
	s.Src.Port, s.Dst.Port = uint16(h.SrcPort), uint16(h.DstPort)
	s.Seq, s.Ack = h.Seq, h.Ack
	s.Flags = v.data[13] & flagsMask
	s.MSS = 0
	if h.SYN {
		s.MSS = mss(h.Options)
	}
	s.Len = v.wire - head
	s.Payload = v.data[min(head, len(v.data)):]
	d.verify(v, s)
	return TCP
}

// mss is the maximum segment size among the options of a SYN, 0 if there is none.
func mss(options []layers.TCPOption) uint16 {
	for i := range options {
		if o := &options[i]; o.OptionType == layers.TCPOptionKindMSS && len(o.OptionData) == 2 {
			return be16(o.OptionData)
		}
	}
	return 0
}

// Verifying each segment costs a tenth of a second a gigabyte and tells nothing
// that a sample does not.
const (
	checkedFirst = 4096
	checkedOneIn = 64
)

// verify checks the checksum of segment v, which s holds the addresses of, if
// it is in the sample, or breaks a connection off, and all of it was captured.
func (d *Decoder) verify(v view, s *Segment) {
	s.Sum = SumUnknown
	if n := d.stats.Kinds[TCP]; n >= checkedFirst && n%checkedOneIn != 0 && s.Flags&RST == 0 {
		return
	}
	const beyond = 1 << 16 // a frame that long was never sent
	if len(v.data) < v.wire || v.wire >= beyond {
		return
	}
	d.stats.Checksums++
	// The pseudo header: addresses, protocol, length. The prefix of a mapped
	// IPv4 address is 0xffff, which is zero in ones' complement.
	sum := sum16(s.Src.Addr[:], protoTCP+uint64(v.wire))
	sum = sum16(s.Dst.Addr[:], sum)
	s.Sum = SumRight
	if sum = sum16(v.data, sum); sum != 0xffff {
		d.stats.BadChecksums++
		s.Sum = SumWrong
	}
}

// sum16 adds the 16-bit words of b to sum in ones' complement (RFC 1071), eight
// octets at a time. The result has 16 bits.
func sum16(b []byte, sum uint64) uint64 {
	var carry uint64
	for ; len(b) >= 32; b = b[32:] {
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b[8:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b[16:]), carry)
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b[24:]), carry)
	}
	for ; len(b) >= 8; b = b[8:] {
		sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(b), carry)
	}
	var tail [8]byte
	copy(tail[:], b)
	sum, carry = bits.Add64(sum, binary.BigEndian.Uint64(tail[:]), carry)
	sum, carry = bits.Add64(sum, 0, carry)
	sum += carry
	sum = sum>>32 + sum&0xffff_ffff
	sum = sum>>32 + sum&0xffff_ffff
	sum = sum>>16 + sum&0xffff
	sum = sum>>16 + sum&0xffff
	return sum
}
