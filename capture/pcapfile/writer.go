package pcapfile

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"unicode/utf8"

	"expectscope/capture"
)

// writeSize is how much a writer gathers before it writes.
const writeSize = 64 << 10

// A PcapWriter writes classic pcap with nanosecond time stamps. It has one
// link type and no room for comments.
type PcapWriter struct {
	buf  *bufio.Writer
	link capture.LinkType
	head [recordHeader]byte
}

// NewPcapWriter returns a writer of packets of one link type. snaplen is the
// length that no packet's Data exceeds. The header is written at once, or at
// the latest by Flush; so are its errors.
func NewPcapWriter(w io.Writer, link capture.LinkType, snaplen uint32) *PcapWriter {
	p := &PcapWriter{buf: bufio.NewWriterSize(w, writeSize), link: link}
	var b [pcapHeader]byte
	put := binary.LittleEndian
	put.PutUint32(b[0:], magicNano)
	put.PutUint16(b[4:], 2) // version 2.4
	put.PutUint16(b[6:], 4)
	put.PutUint32(b[16:], snaplen)
	put.PutUint32(b[20:], uint32(link))
	p.buf.Write(b[:]) // the error stays in buf
	return p
}

// WritePacket writes Time, Len and Data of p. The comment is dropped: the
// format has no place for it. Times before 1970 become 1970.
func (w *PcapWriter) WritePacket(p *capture.Packet, _ string) error {
	if p.Link != w.link {
		return fmt.Errorf("a pcap file has one link type: it is %d, the packet's is %d; write pcapng", w.link, p.Link)
	}
	t := max(p.Time, 0)
	put := binary.LittleEndian
	put.PutUint32(w.head[0:], uint32(t/1e9))
	put.PutUint32(w.head[4:], uint32(t%1e9))
	put.PutUint32(w.head[8:], uint32(len(p.Data)))
	put.PutUint32(w.head[12:], uint32(p.Len))
	w.buf.Write(w.head[:])
	_, err := w.buf.Write(p.Data)
	return err
}

// Flush writes what was gathered. It returns the first error of all writing.
func (w *PcapWriter) Flush() error { return w.buf.Flush() }

// An NgWriter writes pcapng: one section with an interface for each link type,
// nanosecond time stamps, and a comment on packets that have one.
type NgWriter struct {
	buf        *bufio.Writer
	interfaces map[capture.LinkType]uint32
	block      []byte // the block being built, without its data
}

// NewNgWriter returns a writer. The section header is written at once, or at
// the latest by Flush; so are its errors.
func NewNgWriter(w io.Writer) *NgWriter {
	n := &NgWriter{buf: bufio.NewWriterSize(w, writeSize), interfaces: map[capture.LinkType]uint32{}}
	n.begin(blockSection, byteOrderMagic, 1) // version 1.0
	n.block = append(n.block, "\xff\xff\xff\xff\xff\xff\xff\xff"...)
	n.option(4, "expectscope") // shb_userappl
	n.option(0, "")
	n.end(nil) // the error stays in buf
	return n
}

// WritePacket writes Time, Len, Link and Data of p, and a comment unless it is
// empty. A comment longer than an option (65,535 bytes) is cut. Times before
// 1970 become 1970.
func (w *NgWriter) WritePacket(p *capture.Packet, comment string) error {
	id := w.describe(p.Link)
	t := uint64(max(p.Time, 0))
	w.begin(blockEnhanced, id, uint32(t>>32), uint32(t), uint32(len(p.Data)), uint32(p.Len))
	fixed := len(w.block)
	if comment != "" {
		w.option(1, comment) // opt_comment
		w.option(0, "")
	}
	return w.endData(fixed, p.Data)
}

// WriteDrops says how many packets of a link type the capturing program missed
// since the start of the file, up to a time (isb_ifdrop, Section 4.6). A later
// one replaces it.
func (w *NgWriter) WriteDrops(link capture.LinkType, until int64, n uint64) error {
	t := uint64(max(until, 0))
	w.begin(blockStatistics, w.describe(link), uint32(t>>32), uint32(t))
	w.option(5, string(binary.LittleEndian.AppendUint64(nil, n)))
	w.option(0, "")
	return w.end(nil)
}

// describe is the interface of a link type; it is written when it is new.
func (w *NgWriter) describe(link capture.LinkType) uint32 {
	id, ok := w.interfaces[link]
	if !ok {
		id = uint32(len(w.interfaces))
		w.interfaces[link] = id
		w.begin(blockInterface, uint32(link), 0) // no limit of length
		w.option(9, "\x09")                      // if_tsresol: nanoseconds
		w.option(0, "")
		w.end(nil)
	}
	return id
}

// WriteSecrets writes a TLS key log (SSLKEYLOGFILE lines). It is to be written
// before the packets that it opens.
func (w *NgWriter) WriteSecrets(keys []byte) error {
	w.begin(blockSecrets, secretsTLS, uint32(len(keys)))
	return w.end(keys)
}

// Flush writes what was gathered. It returns the first error of all writing.
func (w *NgWriter) Flush() error { return w.buf.Flush() }

// begin starts a block; its length is filled in at the end.
func (w *NgWriter) begin(kind uint32, fields ...uint32) {
	w.block = binary.LittleEndian.AppendUint32(w.block[:0], kind)
	w.block = append(w.block, 0, 0, 0, 0)
	for _, f := range fields {
		w.block = binary.LittleEndian.AppendUint32(w.block, f)
	}
}

// option adds an option to the block; the empty option 0 ends them.
func (w *NgWriter) option(code uint16, value string) {
	if len(value) > 1<<16-1 {
		n := 1<<16 - 1
		for !utf8.RuneStart(value[n]) {
			n--
		}
		value = value[:n]
	}
	w.block = binary.LittleEndian.AppendUint16(w.block, code)
	w.block = binary.LittleEndian.AppendUint16(w.block, uint16(len(value)))
	w.block = append(w.block, value...)
	w.block = append(w.block, padding(len(value))...)
}

// end writes the block, with data behind all that is in it.
func (w *NgWriter) end(data []byte) error { return w.endData(len(w.block), data) }

// endData writes the block with data between its fixed part and its options.
func (w *NgWriter) endData(fixed int, data []byte) error {
	options := w.block[fixed:]
	total := uint32(len(w.block) + len(data) + len(padding(len(data))) + 4)
	binary.LittleEndian.PutUint32(w.block[4:], total)
	w.buf.Write(w.block[:fixed])
	w.buf.Write(data)
	w.buf.WriteString(padding(len(data)))
	w.buf.Write(options)
	w.block = binary.LittleEndian.AppendUint32(w.block, total)
	_, err := w.buf.Write(w.block[len(w.block)-4:])
	return err
}

// padding fills n bytes up to a multiple of four.
func padding(n int) string { return "\x00\x00\x00"[:-n&3] }
