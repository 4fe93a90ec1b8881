package pcapfile

import (
	"bytes"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"expectscope/capture"
)

// An order builds captures by hand, in the byte order of its writer.
type order struct{ binary.AppendByteOrder }

var (
	little = order{binary.LittleEndian}
	big    = order{binary.BigEndian}
)

// num appends numbers of 32 bits; uint16, uint64 and strings go as they are.
func (o order) num(b []byte, values ...any) []byte {
	for _, v := range values {
		switch v := v.(type) {
		case int:
			b = o.AppendUint32(b, uint32(v))
		case uint32:
			b = o.AppendUint32(b, v)
		case uint16:
			b = o.AppendUint16(b, v)
		case uint64:
			b = o.AppendUint64(b, v)
		case string:
			b = append(b, v...)
		case []byte:
			b = append(b, v...)
		}
	}
	return b
}

func (o order) pcap(magic uint32, link int, records ...[]byte) []byte {
	b := o.num(nil, magic, uint16(2), uint16(4), 0, 0, 65535, link)
	return append(b, bytes.Join(records, nil)...)
}

func (o order) record(sec, frac, length int, data string) []byte {
	return o.num(nil, sec, frac, len(data), length, data)
}

func pad(b []byte) []byte { return append(b, make([]byte, -len(b)&3)...) }

func (o order) block(kind int, fields ...any) []byte {
	body := pad(o.num(nil, fields...))
	return o.num(nil, kind, len(body)+12, body, len(body)+12)
}

func (o order) option(code int, value string) []byte {
	return pad(o.num(nil, uint16(code), uint16(len(value)), value))
}

func (o order) shb() []byte {
	return o.block(blockSection, byteOrderMagic, uint16(1), uint16(0), ^uint64(0))
}

func (o order) idb(link, snaplen int, options ...[]byte) []byte {
	return o.block(blockInterface, uint16(link), uint16(0), snaplen, bytes.Join(options, nil))
}

func (o order) epb(id int, stamp uint64, length int, data string, options ...[]byte) []byte {
	return o.block(blockEnhanced, id, uint32(stamp>>32), uint32(stamp), len(data), length, pad([]byte(data)), bytes.Join(options, nil))
}

func (o order) isb(id int, options ...[]byte) []byte {
	return o.block(blockStatistics, id, uint64(0), bytes.Join(options, nil))
}

func (o order) dsb(kind int, secrets string) []byte {
	return o.block(blockSecrets, kind, len(secrets), secrets)
}

func join(parts ...[]byte) []byte { return bytes.Join(parts, nil) }

// seen is a packet that came out of a source.
type seen struct {
	Num  capture.Num
	Tap  uint16
	Time int64
	Len  int
	Link capture.LinkType
	Data string
}

// drain reads a source to its end, which must be a clean io.EOF.
func drain(t interface{ Fatalf(string, ...any) }, s capture.Source) []seen {
	var all []seen
	var p capture.Packet
	for {
		switch err := s.Next(&p); err {
		case nil:
			all = append(all, seen{p.Num, p.Tap, p.Time, p.Len, p.Link, string(p.Data)})
		case io.EOF:
			return all
		case capture.ErrIdle:
		default:
			t.Fatalf("Next: %v", err)
		}
	}
}

// readStream reads one capture from a reader as standard input.
func readStream(t testing.TB, r io.Reader) ([]seen, *capture.Input, error) {
	t.Helper()
	s, err := Open([]string{"-"}, Options{Stdin: r})
	if err != nil {
		return nil, nil, err
	}
	defer s.Close()
	all := drain(t, s)
	return all, &s.Stats().Inputs[0], nil
}

// write puts captures into files of a new folder and returns their paths.
func write(t testing.TB, files ...[]byte) []string {
	t.Helper()
	dir := t.TempDir()
	var names []string
	for i, b := range files {
		name := filepath.Join(dir, string(rune('a'+i%26))+string(rune('a'+i/26%26))+string(rune('a'+i/676)))
		if err := os.WriteFile(name, b, 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}
