package pcapfile

import (
	"errors"
	"fmt"

	"expectscope/capture"
)

// Block types (draft-ietf-opsawg-pcapng, Section 11.1).
const (
	blockSection    = 0x0a0d0d0a // a palindrome, so that it is known before the byte order
	blockInterface  = 1
	blockPacket     = 2 // obsolete
	blockSimple     = 3
	blockStatistics = 5
	blockEnhanced   = 6
	blockJournal    = 9 // of systemd
	blockSecrets    = 10
	blockCustom     = 0x0bad
	copyBit         = 0x4000_0000 // set in custom blocks that must not be copied
)

const (
	byteOrderMagic = 0x1a2b3c4d
	secretsTLS     = 0x544c534b // "TLSK", a key log
)

// Bounds. A block is a frame and its options; a section has a few interfaces.
const (
	maxBlock      = maxFrame + 1<<20
	maxInterfaces = 1 << 16
	maxSecrets    = 16 << 20
)

// An ngReader reads pcapng.
type ngReader struct {
	win        *window
	big        bool  // the section's byte order
	at         int64 // where the current block starts
	skip       int64 // what is still to be skipped of it
	interfaces []networkInterface
	last       int64       // time of the latest packet, for those that have none
	secrets    int         // bytes kept
	others     capture.Num // blocks that Wireshark numbers like packets
}

// A networkInterface is what the packets of a section refer to.
type networkInterface struct {
	link    capture.LinkType
	snaplen uint32
	clock   clock
	drops   [2]uint64 // ifdrop, osdrop: what its latest statistics say
}

// newNgReader reads the start of the first section.
func newNgReader(w *window) (*ngReader, error) {
	r := &ngReader{win: w}
	return r, r.section()
}

func (r *ngReader) start() int64 { return r.at }

func (r *ngReader) next(p *capture.Packet, stat *capture.Input) error {
	for {
		if r.skip > 0 {
			var err error
			if r.skip, err = r.win.discard(r.skip); err != nil {
				return err
			}
		}
		r.at = r.win.offset()
		b, err := r.win.peek(12) // the shortest block
		if err != nil {
			return err
		}
		kind, total := load32(b, r.big), load32(b[4:], r.big)
		if kind == blockSection {
			if err := r.section(); err != nil {
				return err
			}
			continue
		}
		if total < 12 {
			return &corrupt{fmt.Errorf("a block cannot be %d bytes long", total)}
		}
		if kind >= uint32(len(blockReaders)) || blockReaders[kind].read == nil {
			r.skip = padded(total)
			if kind == blockJournal || kind&^copyBit == blockCustom {
				r.others++
			}
			continue
		}
		if b, err = r.block(total, blockReaders[kind].fixed); err != nil {
			return err
		}
		if err = blockReaders[kind].read(r, b, p, stat); err != errNoPacket {
			return err
		}
	}
}

// blockReaders holds how each kind of block is read: the length of its fixed
// part, and a function that fills p or returns errNoPacket. Other kinds are
// skipped.
var blockReaders = [...]struct {
	fixed int
	read  func(r *ngReader, b []byte, p *capture.Packet, stat *capture.Input) error
}{
	blockInterface:  {16, (*ngReader).describe},
	blockPacket:     {28, (*ngReader).packet},
	blockSimple:     {12, (*ngReader).simple},
	blockStatistics: {20, (*ngReader).statistics},
	blockEnhanced:   {28, (*ngReader).packet},
	blockSecrets:    {16, (*ngReader).keys},
}

// block takes a whole block out of the window, without the copy of its length
// at the end.
func (r *ngReader) block(total uint32, fixed int) ([]byte, error) {
	if total > maxBlock || int(total) < fixed+4 {
		return nil, &corrupt{fmt.Errorf("a block of its type cannot be %d bytes long", total)}
	}
	n := int(total)
	b, err := r.win.peek(n)
	if err != nil {
		return nil, err
	}
	// Some writers leave the padding out of the length, though not out of the
	// file: the copy of the length tells.
	if n%4 != 0 && load32(b[n-4:], r.big) != total {
		n = int(padded(total))
		if b, err = r.win.peek(n); err != nil {
			return nil, err
		}
	}
	r.win.consume(n)
	return b[:n-4], nil
}

func padded(n uint32) int64 { return (int64(n) + 3) &^ 3 }

// section starts a new section, whose byte order may be another one
// (Section 4.1).
func (r *ngReader) section() error {
	b, err := r.win.peek(16)
	if err != nil {
		return err
	}
	switch {
	case load32(b[8:], false) == byteOrderMagic:
		r.big = false
	case load32(b[8:], true) == byteOrderMagic:
		r.big = true
	default:
		return &corrupt{errors.New("a section without byte-order magic")}
	}
	total := load32(b[4:], r.big)
	if total < 28 {
		return &corrupt{fmt.Errorf("a section header cannot be %d bytes long", total)}
	}
	if major := load16(b[12:], r.big); major != 1 {
		return &corrupt{fmt.Errorf("version %d of pcapng is not known", major)}
	}
	r.skip = padded(total)
	r.interfaces = r.interfaces[:0]
	return nil
}

// describe reads an interface description (Section 4.2).
func (r *ngReader) describe(b []byte, _ *capture.Packet, _ *capture.Input) error {
	if len(r.interfaces) == maxInterfaces {
		return &corrupt{fmt.Errorf("a section with more than %d interfaces", maxInterfaces)}
	}
	i := networkInterface{
		link:    capture.LinkType(load16(b[8:], r.big)),
		snaplen: load32(b[12:], r.big),
	}
	resolution, offset := byte(6), int64(0)
	r.options(b[16:], func(code uint16, v []byte) {
		switch {
		case code == 9 && len(v) >= 1: // if_tsresol
			resolution = v[0]
		case code == 14 && len(v) >= 8: // if_tsoffset
			offset = int64(r.load64(v))
		}
	})
	i.clock = newClock(resolution, offset)
	r.interfaces = append(r.interfaces, i)
	return errNoPacket
}

// packet reads an enhanced packet block (Section 4.3), or the obsolete packet
// block (Appendix A), which differs only in that its interface has 16 bits.
func (r *ngReader) packet(b []byte, p *capture.Packet, _ *capture.Input) error {
	id := load32(b[8:], r.big)
	if load32(b, r.big) == blockPacket {
		id = uint32(load16(b[8:], r.big))
	}
	if uint64(id) >= uint64(len(r.interfaces)) {
		return &corrupt{fmt.Errorf("a packet of interface %d, of which there is no description", id)}
	}
	caplen := load32(b[20:], r.big)
	if uint64(caplen) > uint64(len(b)-28) {
		return &corrupt{fmt.Errorf("a packet of %d bytes in a block of %d", caplen, len(b)+4)}
	}
	i := &r.interfaces[id]
	p.Num = r.others
	p.Time = i.clock.time(uint64(load32(b[12:], r.big))<<32 | uint64(load32(b[16:], r.big)))
	p.Len = int(load32(b[24:], r.big))
	p.Link = i.link
	p.Data = b[28 : 28+caplen : 28+caplen]
	r.last = p.Time
	return nil
}

// simple reads a simple packet block (Section 4.4). It belongs to the first
// interface, whose snaplen says how much of the frame is there, and has no time
// of its own: it gets that of the packet before it.
func (r *ngReader) simple(b []byte, p *capture.Packet, _ *capture.Input) error {
	if len(r.interfaces) == 0 {
		return &corrupt{errors.New("a packet before any interface description")}
	}
	i := &r.interfaces[0]
	n := load32(b[8:], r.big)
	caplen := min(n, uint32(len(b)-12))
	if i.snaplen != 0 {
		caplen = min(caplen, i.snaplen)
	}
	p.Num = r.others
	p.Time = r.last
	p.Len = int(n)
	p.Link = i.link
	p.Data = b[12 : 12+caplen : 12+caplen]
	return nil
}

// statistics reads what the capturing program says it missed (Section 4.6).
// The counters run from the start of the capture, so the latest replaces the
// one before; all ones means not known.
func (r *ngReader) statistics(b []byte, _ *capture.Packet, stat *capture.Input) error {
	id := load32(b[8:], r.big)
	if uint64(id) >= uint64(len(r.interfaces)) {
		return errNoPacket
	}
	i := &r.interfaces[id]
	r.options(b[20:], func(code uint16, v []byte) {
		var kind int
		switch code {
		case 5: // isb_ifdrop
		case 7: // isb_osdrop
			kind = 1
		default:
			return
		}
		if len(v) < 8 {
			return
		}
		if n := r.load64(v); n != ^uint64(0) {
			stat.Drops += n - i.drops[kind]
			stat.DropsKnown = true
			i.drops[kind] = n
		}
	})
	return errNoPacket
}

// keys reads decryption secrets (Section 4.7). Those that go beyond the bound
// are left out: 16 MiB are the keys of about 90,000 connections.
func (r *ngReader) keys(b []byte, _ *capture.Packet, stat *capture.Input) error {
	n := load32(b[12:], r.big)
	if uint64(n) > uint64(len(b)-16) {
		return &corrupt{fmt.Errorf("secrets of %d bytes in a block of %d", n, len(b)+4)}
	}
	if load32(b[8:], r.big) == secretsTLS && n > 0 && r.secrets+int(n) <= maxSecrets {
		r.secrets += int(n)
		stat.Secrets = append(stat.Secrets, append([]byte(nil), b[16:16+n]...))
	}
	return errNoPacket
}

// options calls f for each option in b (Section 3.5). What is malformed ends
// them: nothing that is counted on stands behind.
func (r *ngReader) options(b []byte, f func(code uint16, value []byte)) {
	for len(b) >= 4 {
		code, n := load16(b, r.big), int(load16(b[2:], r.big))
		if code == 0 || n > len(b)-4 {
			return
		}
		f(code, b[4:4+n])
		b = b[min(4+int(padded(uint32(n))), len(b)):]
	}
}

// load64 reads a number in the section's byte order.
func (r *ngReader) load64(b []byte) uint64 {
	lo, hi := load32(b, r.big), load32(b[4:], r.big)
	if r.big {
		lo, hi = hi, lo
	}
	return uint64(hi)<<32 | uint64(lo)
}

// errNoPacket is returned for blocks that hold something else.
var errNoPacket = errors.New("no packet in this block")
