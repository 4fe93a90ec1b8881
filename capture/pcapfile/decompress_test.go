package pcapfile

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"expectscope/capture"
)

// squeeze compresses with a writer that is to be closed.
func squeeze(b []byte, open func(io.Writer) io.WriteCloser) []byte {
	var out bytes.Buffer
	w := open(&out)
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Close(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func gz(b []byte) []byte {
	return squeeze(b, func(w io.Writer) io.WriteCloser { return gzip.NewWriter(w) })
}

func zst(b []byte) []byte {
	return squeeze(b, func(w io.Writer) io.WriteCloser {
		z, err := zstd.NewWriter(w, zstd.WithEncoderConcurrency(1))
		if err != nil {
			panic(err)
		}
		return z
	})
}

// lz uses small blocks: a cut loses the block it is in, which is 4 MiB by
// default.
func lz(b []byte) []byte {
	return squeeze(b, func(w io.Writer) io.WriteCloser {
		z := lz4.NewWriter(w)
		if err := z.Apply(lz4.BlockSizeOption(lz4.Block64Kb)); err != nil {
			panic(err)
		}
		return z
	})
}

func oldLZ(b []byte) []byte {
	return squeeze(b, func(w io.Writer) io.WriteCloser {
		z := lz4.NewWriter(w)
		if err := z.Apply(lz4.LegacyOption(true)); err != nil {
			panic(err)
		}
		return z
	})
}

// bz is at(1, 2) through bzip2, which the library cannot write.
func bz(t testing.TB) []byte {
	t.Helper()
	b, err := base64.StdEncoding.DecodeString("QlpoOTFBWSZTWT/O8AIAABjIHv4AcAAgABAACAAEAAAAoAAhhQDR6hAAATu2LFBREFojeQxSB4O+kqfF3JFOFCQP87wAgA==")
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestCompressed(t *testing.T) {
	plain := at(1, 2)
	half := len(plain) / 2
	for name, b := range map[string][]byte{
		"gzip":               gz(plain),
		"gzip of members":    join(gz(plain[:half]), gz(nil), gz(plain[half:])),
		"zstd":               zst(plain),
		"zstd of frames":     join(zst(plain[:half]), little.num(nil, 0x184d2a50, 4, "skip"), zst(plain[half:])),
		"lz4":                lz(plain),
		"lz4 of frames":      join(lz(plain[:half]), lz(plain[half:])),
		"lz4, legacy":        oldLZ(plain),
		"bzip2":              bz(t),
		"zstd as pzstd does": join(little.num(nil, 0x184d2a50, 4, "skip"), zst(plain)),
	} {
		for how, open := range map[string]func() (capture.Source, error){
			"file":       func() (capture.Source, error) { return Open(write(t, b), Options{}) },
			"one of two": func() (capture.Source, error) { return Open(write(t, b, at()), Options{}) },
			"stream":     func() (capture.Source, error) { return Open([]string{"-"}, Options{Stdin: bytes.NewReader(b)}) },
			"a byte at a time": func() (capture.Source, error) {
				return Open([]string{"-"}, Options{Stdin: iotest.OneByteReader(bytes.NewReader(b))})
			},
		} {
			s, err := open()
			if err != nil {
				t.Errorf("%s, %s: %v", name, how, err)
				continue
			}
			if got, want := brief(drain(t, s)), "1.1:0@01 1.2:0@02"; got != want || s.Stats().Inputs[0].Err != nil {
				t.Errorf("%s, %s: packets %s, error %v, want %s", name, how, got, s.Stats().Inputs[0].Err, want)
			}
			if st := s.Stats(); st.Total != 0 && st.Read != st.Total {
				t.Errorf("%s, %s: read %d of %d bytes", name, how, st.Read, st.Total)
			}
			s.Close()
		}
	}
}

// A compressed capture that is cut gives packets before the cut, and always an
// error: also if what is missing holds no packet.
func TestCompressedCutAnywhere(t *testing.T) {
	var plain []byte
	for i := range 9 {
		plain = append(plain, little.record(i, 0, 90, strings.Repeat(fmt.Sprint(i*7919), 20))...)
	}
	plain = append(little.pcap(magicMicro, 1), plain...)
	whole, _, err := readStream(t, bytes.NewReader(plain))
	if err != nil {
		t.Fatal(err)
	}
	for name, b := range map[string][]byte{"gzip": gz(plain), "zstd": zst(plain), "lz4": lz(plain), "bzip2": bz(t)} {
		for n := 4; n < len(b); n++ {
			packets, in, err := readStream(t, bytes.NewReader(b[:n]))
			if in != nil {
				err = in.Err
			}
			var e *InputError
			if !errors.As(err, &e) || e.Kind != Cut || e.Compression != name {
				t.Fatalf("%s cut at %d of %d: error %v", name, n, len(b), err)
			}
			if name != "bzip2" && len(packets) > 0 && !cmp.Equal(packets, whole[:len(packets)]) {
				t.Fatalf("%s cut at %d: other packets", name, n)
			}
		}
	}
}

// The packets before a cut come out of a large capture.
func TestCompressedCutLate(t *testing.T) {
	plain := little.pcap(magicMicro, 1)
	noise := uint32(1)
	for i := range 5000 {
		data := make([]byte, 100)
		for j := range data {
			noise = noise*1664525 + 1013904223
			data[j] = byte(noise >> 24)
		}
		plain = append(plain, little.record(i, 0, 100, string(data))...)
	}
	for name, b := range map[string][]byte{"gzip": gz(plain), "zstd": zst(plain), "lz4": lz(plain)} {
		packets, in, err := readStream(t, bytes.NewReader(b[:len(b)*9/10]))
		if err != nil {
			t.Fatal(name, err)
		}
		if len(packets) < 2000 || len(packets) > 4600 {
			t.Errorf("%s: %d packets of 5000 before a cut at nine tenths", name, len(packets))
		}
		sameError(t, in.Err, &InputError{Kind: Cut, Offset: 24 + 116*int64(len(packets))})
	}
}

func TestDamagedCompression(t *testing.T) {
	b := gz(at(1, 2, 3))
	b[len(b)-6] ^= 1 // the checksum
	packets, in, err := readStream(t, bytes.NewReader(b))
	if err != nil || len(packets) != 3 {
		t.Fatal(err, len(packets))
	}
	sameError(t, in.Err, &InputError{Kind: Decompress, Offset: 24 + 3*18})

	for name, twice := range map[string][]byte{"gzip": gz(zst(at(1))), "zstd": zst(gz(at(1))), "lz4": lz(lz(at(1)))} {
		_, _, err := readStream(t, bytes.NewReader(twice))
		sameError(t, err, &InputError{Kind: Nested})
		if err == nil {
			t.Errorf("%s of something compressed was read", name)
		}
	}
	_, _, err = readStream(t, bytes.NewReader(gz([]byte("text, not packets"))))
	sameError(t, err, &InputError{Kind: NotCapture})
	_, _, err = readStream(t, bytes.NewReader(gz(nil)))
	sameError(t, err, &InputError{Kind: Empty})
}

// A zstd stream that asks for a window of a gigabyte is refused.
func TestWindowIsBounded(t *testing.T) {
	frame := []byte("\x28\xb5\x2f\xfd\x00\xa0") // no content size; window of 2^30
	_, _, err := readStream(t, bytes.NewReader(append(frame, make([]byte, 64)...)))
	sameError(t, err, &InputError{Kind: Decompress})
	if !errors.Is(err, zstd.ErrWindowSizeExceeded) {
		t.Errorf("error %v, want %v", err, zstd.ErrWindowSizeExceeded)
	}
}

// A panic in a decompressor is an error of its input.
func TestGuardedPanic(t *testing.T) {
	g := &guarded{open: func(io.Reader) (io.Reader, error) { return nil, nil }} // Read of a nil reader
	if _, err := g.Read(make([]byte, 9)); err == nil || !strings.Contains(err.Error(), "decompressor failed") {
		t.Errorf("error %v", err)
	}
}

// The goroutine ends on Close, wherever it is: here it has filled its blocks
// and waits for one to come back.
func TestDecompressionEndsOnClose(t *testing.T) {
	b := gz(little.pcap(magicMicro, 1, bytes.Repeat(little.record(1, 0, 1000, strings.Repeat("x", 1000)), 20_000)))
	s, err := Open([]string{"-"}, Options{Stdin: bytes.NewReader(b)})
	if err != nil {
		t.Fatal(err)
	}
	var p capture.Packet
	if err := s.Next(&p); err != nil {
		t.Fatal(err)
	}
	a := s.(*source).active[0].win.src.(*ahead)
	s.Close()
	for range a.full { // closed by the goroutine when it ends
	}
}

// A file is handed on in whole blocks, whatever pieces the decompressor gives; what comes through a pipe as it comes.
func TestAheadBlocks(t *testing.T) {
	data := bytes.Repeat([]byte("0123456789abcdef"), 2*aheadSize/16+100)
	for whole, want := range map[bool]int{true: aheadSize, false: aheadSize / 2} {
		a := newAhead(iotest.HalfReader(bytes.NewReader(data)), whole) // half of what it is asked for
		b := make([]byte, len(data))
		n, err := a.Read(b)
		if n != want || err != nil {
			t.Errorf("whole %t: the first read gives %d bytes and %v, want %d", whole, n, err, want)
		}
		rest, err := io.ReadAll(a)
		if err != nil || !bytes.Equal(append(b[:n:n], rest...), data) {
			t.Errorf("whole %t: %d of %d bytes, or others, %v", whole, n+len(rest), len(data), err)
		}
		a.close()
	}
}
