package script

import (
	"encoding/binary"
	"fmt"
	"io"

	"expectscope/capture"
)

// Packets returns the frames of the conversation in the order in which the tap
// captured them, numbered from 1 as the only input, times in nanoseconds since
// 1970 UTC. The caller owns them.
func (s *Script) Packets(o Options) []capture.Packet {
	segments := s.play(o)
	packets := make([]capture.Packet, len(segments))
	var id [2]uint16
	for i := range segments {
		seg := &segments[i]
		id[seg.from]++
		b := frame(seg, id[seg.from])
		packets[i] = capture.Packet{
			Num:  capture.MakeNum(1, uint64(i+1)),
			Time: Start + int64(seg.at),
			Len:  len(b),
			Link: capture.LinkEthernet,
			Data: b,
		}
		if snap := seg.act.mods.snap; snap > 0 {
			packets[i].Data = b[:min(snap, len(b))]
		}
	}
	return packets
}

// DataPackets is the number of packets with data that Packets(o) returns when
// o.Drop is 0: the largest Drop that leaves something out.
func (s *Script) DataPackets(o Options) int {
	o.Drop = 0
	n := 0
	for _, seg := range s.play(o) {
		if len(seg.payload) > 0 {
			n++
		}
	}
	return n
}

// Source hands out the packets of Packets(o). Its one input is called "script".
func (s *Script) Source(o Options) capture.Source {
	return &source{
		packets: s.Packets(o),
		stats:   capture.Stats{Inputs: []capture.Input{{Name: "script"}}},
	}
}

type source struct {
	packets []capture.Packet // still to come
	stats   capture.Stats
}

// Next gives the next packet of the conversation; see [capture.Source].
func (s *source) Next(p *capture.Packet) error {
	if len(s.packets) == 0 {
		return io.EOF
	}
	*p, s.packets = s.packets[0], s.packets[1:]
	in := &s.stats.Inputs[0]
	if in.Packets == 0 {
		in.First = p.Time
	}
	in.Last = p.Time
	in.Packets++
	in.Bytes += uint64(p.Len)
	if len(p.Data) < p.Len {
		in.Snapped++
	}
	return nil
}

// Stats is what was handed out so far.
func (s *source) Stats() *capture.Stats { return &s.stats }

// Close does nothing.
func (s *source) Close() error {
	s.packets = nil
	return nil
}

// WritePcap writes the conversation as a classic pcap file: little-endian,
// nanosecond times, Ethernet.
func (s *Script) WritePcap(w io.Writer) error {
	const nanosecondMagic, snapLength = 0xa1b23c4d, 262144
	le := binary.LittleEndian
	b := le.AppendUint32(nil, nanosecondMagic)
	b = le.AppendUint16(b, 2)
	b = le.AppendUint16(b, 4)
	b = append(b, make([]byte, 8)...) // time zone and accuracy: always zero
	b = le.AppendUint32(b, snapLength)
	b = le.AppendUint32(b, uint32(capture.LinkEthernet))
	for _, p := range s.Packets(Options{}) {
		b = le.AppendUint32(b, uint32(p.Time/1e9))
		b = le.AppendUint32(b, uint32(p.Time%1e9))
		b = le.AppendUint32(b, uint32(len(p.Data)))
		b = le.AppendUint32(b, uint32(p.Len))
		b = append(b, p.Data...)
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("write pcap, packet %d: %w", p.Num.Frame(), err)
		}
		b = b[:0]
	}
	if len(b) > 0 {
		if _, err := w.Write(b); err != nil {
			return fmt.Errorf("write pcap header: %w", err)
		}
	}
	return nil
}
