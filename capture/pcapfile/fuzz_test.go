package pcapfile

import (
	"bytes"
	"errors"
	"io"
	"slices"
	"testing"
	"testing/iotest"

	"expectscope/capture"
)

// fuzzPackets bounds how far a compressed bomb is followed.
const fuzzPackets = 20_000

// Whatever the bytes are: no panic, memory bounded by what is there, packets
// that lie within the file, statistics that add up, an error with a place, and
// the same outcome however the bytes arrive.
func FuzzPcapFile(f *testing.F) {
	for _, v := range slices.Concat(pcapVectors, ngVectors) {
		if len(v.bytes) < 4096 {
			f.Add(v.bytes)
		}
	}
	for _, b := range [][]byte{gz(at(1, 2)), join(gz(at(1)), gz(aRecord)), zst(at(1, 2)), lz(at(1, 2)), oldLZ(at(1, 2)), bz(f), gz(gz(at(1)))} {
		f.Add(b)
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		packets, err := fuzzRead(t, b, bytes.NewReader(b))
		again, errAgain := fuzzRead(t, b, iotest.OneByteReader(bytes.NewReader(b)))
		if !slices.Equal(packets, again) {
			t.Errorf("%d packets at once, %d a byte at a time", len(packets), len(again))
		}
		var e, f *InputError
		if errors.As(err, &e) != errors.As(errAgain, &f) || e != nil && (e.Kind != f.Kind || e.Offset != f.Offset) {
			t.Errorf("error %v at once, %v a byte at a time", err, errAgain)
		}
	})
}

// fuzzRead reads b from r and checks what must hold of every capture.
func fuzzRead(t *testing.T, b []byte, r io.Reader) ([]seen, error) {
	s, err := Open([]string{"-"}, Options{Stdin: r})
	if err != nil {
		return nil, err
	}
	defer s.Close()
	src := s.(*source)
	in := src.active[0]
	stat := &s.Stats().Inputs[0]
	var packets []seen
	var p capture.Packet
	var wire, held uint64
	for len(packets) < fuzzPackets && err == nil {
		if err = s.Next(&p); err == nil {
			packets = append(packets, seen{p.Num, p.Tap, p.Time, p.Len, p.Link, string(p.Data)})
			wire += uint64(p.Len)
			held += uint64(len(p.Data))
			if p.Len < len(p.Data) || p.Num.Input() != 1 || p.Time < stat.First || p.Time > stat.Last {
				t.Errorf("packet %+v, statistics %+v", packets[len(packets)-1], stat)
			}
		}
	}
	if err != nil && err != io.EOF {
		t.Errorf("Next: %v", err)
	}
	if stat.Packets != uint64(len(packets)) || stat.Bytes != wire || stat.Snapped > stat.Packets {
		t.Errorf("%d packets of %d bytes, statistics %+v", len(packets), wire, stat)
	}
	keys := 0
	for _, k := range stat.Secrets {
		keys += len(k)
	}
	if in.compression == "" && held+uint64(keys) > uint64(len(b)) || keys > maxSecrets {
		t.Errorf("%d bytes of packets and %d of secrets from %d", held, keys, len(b))
	}
	if n := max(len(in.win.buf), len(src.spare)); in.compression == "" && n > max(blockSize, 2*len(b)) || n > 4*maxFrame {
		t.Errorf("the window has %d bytes for a file of %d", n, len(b))
	}
	var e *InputError
	if stat.Err != nil && (!errors.As(stat.Err, &e) || e.Kind < Unreadable || e.Offset < 0 || in.compression == "" && e.Offset > int64(len(b))) {
		t.Errorf("error %v", stat.Err)
	}
	return packets, stat.Err
}
