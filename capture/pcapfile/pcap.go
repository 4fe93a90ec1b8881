package pcapfile

import (
	"encoding/binary"
	"fmt"
	"io"
	"math/bits"

	"expectscope/capture"
)

// maxFrame bounds a frame. The largest that capturing programs write are
// 256 KiB, but some (USB, dpkt) go beyond what they promise in the header.
const (
	maxFrame   = 16 << 20
	usualFrame = 256 << 10
)

// The magic numbers of classic pcap, as the writer's byte order shows them.
const (
	magicMicro    = 0xa1b2c3d4
	magicNano     = 0xa1b23c4d // time stamps in nanoseconds
	magicModified = 0xa1b2cd34 // Kuznetzov's patch: 8 more bytes in each record header
)

const (
	pcapHeader     = 24
	recordHeader   = 16
	modifiedHeader = 24
)

// A pcapReader reads classic pcap (draft-ietf-opsawg-pcap, Sections 4 and 5).
type pcapReader struct {
	win     *window
	big     bool // the writer's byte order
	header  int  // length of a record header
	unit    int64
	link    capture.LinkType
	usual   uint32                               // a longer frame must prove that it is there
	lengths func(a, b uint32) (caplen, n uint32) // nil: in the order of the draft
}

// pcapMagic tells whether b starts a classic pcap.
func pcapMagic(b []byte) (magic uint32, big, ok bool) {
	for _, big := range []bool{false, true} {
		switch m := load32(b, big); m {
		case magicMicro, magicNano, magicModified:
			return m, big, true
		}
	}
	return 0, false, false
}

// newPcapReader reads the file header.
func newPcapReader(w *window) (*pcapReader, error) {
	b, err := w.peek(pcapHeader)
	if err != nil {
		return nil, err
	}
	magic, big, _ := pcapMagic(b)
	r := &pcapReader{win: w, big: big, header: recordHeader, unit: 1000}
	switch magic {
	case magicNano:
		r.unit = 1
	case magicModified:
		r.header = modifiedHeader
	}
	// The upper half holds the length of the frame check sequence, if any.
	r.link = capture.LinkType(load32(b[20:], big))
	r.usual = max(usualFrame, min(load32(b[16:], big), maxFrame))
	r.lengths = oldLengths(load16(b[4:], big), load16(b[6:], big))
	w.consume(pcapHeader)
	return r, nil
}

// oldLengths is for writers before version 2.4, which had the two lengths of a
// record the other way round: all before 2.3, some of 2.3, and a DG/UX tcpdump
// that calls itself 543.0 (libpcap's sf-pcap.c treats them so).
func oldLengths(major, minor uint16) func(a, b uint32) (caplen, n uint32) {
	switch {
	case major == 543, major == 2 && minor < 3:
		return func(a, b uint32) (uint32, uint32) { return b, a }
	case major == 2 && minor == 3:
		return func(a, b uint32) (uint32, uint32) { return min(a, b), max(a, b) }
	}
	return nil
}

func (r *pcapReader) next(p *capture.Packet, _ *capture.Input) error {
	b, err := r.win.peek(r.header)
	if err != nil {
		return err
	}
	sec, frac := load32(b, r.big), load32(b[4:], r.big)
	caplen, n := load32(b[8:], r.big), load32(b[12:], r.big)
	if r.lengths != nil {
		caplen, n = r.lengths(caplen, n)
	}
	if caplen > maxFrame {
		return tooLong(caplen)
	}
	b, err = r.win.peek(r.header + int(caplen))
	if err != nil {
		if err == io.ErrUnexpectedEOF && caplen > r.usual {
			return tooLong(caplen)
		}
		return err
	}
	r.win.consume(len(b))
	p.Num = 0
	p.Time = int64(sec)*1e9 + int64(frac)*r.unit
	p.Len = int(n)
	p.Link = r.link
	p.Data = b[r.header:]
	return nil
}

func tooLong(n uint32) error {
	return &corrupt{fmt.Errorf("a record cannot be %d bytes long", n)}
}

func (r *pcapReader) start() int64 { return r.win.offset() }

// load32 reads a number in the writer's byte order.
func load32(b []byte, big bool) uint32 {
	v := binary.LittleEndian.Uint32(b)
	if big {
		return bits.ReverseBytes32(v)
	}
	return v
}

// load16 reads a number in the writer's byte order.
func load16(b []byte, big bool) uint16 {
	v := binary.LittleEndian.Uint16(b)
	if big {
		return bits.ReverseBytes16(v)
	}
	return v
}
