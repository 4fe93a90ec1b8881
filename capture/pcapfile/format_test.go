package pcapfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"expectscope/capture"
)

// check compares what was read with what the vector says.
func (v *vector) check(t *testing.T, packets []seen, in *capture.Input) {
	t.Helper()
	var got strings.Builder
	var sum uint64
	var first, last int64
	for i, p := range packets {
		fmt.Fprintf(&got, "%d %d %d %s\n", p.Time, p.Len, p.Link, p.Data)
		if p.Num != capture.MakeNum(1, uint64(i+1)) || p.Tap != 0 {
			t.Errorf("packet %d has number %x and tap %d", i+1, p.Num, p.Tap)
		}
		sum += uint64(p.Len)
		if i == 0 {
			first, last = p.Time, p.Time
		}
		first, last = min(first, p.Time), max(last, p.Time)
	}
	if d := cmp.Diff(v.packets, got.String()); d != "" {
		t.Errorf("packets (-want +got):\n%s", d)
	}
	if in.Packets != uint64(len(packets)) || in.Bytes != sum || in.First != first || in.Last != last {
		t.Errorf("statistics %+v, want %d packets, %d bytes, %d to %d", *in, len(packets), sum, first, last)
	}
	var also []string
	if in.Snapped > 0 {
		also = append(also, fmt.Sprint("snapped ", in.Snapped))
	}
	if in.DropsKnown {
		also = append(also, fmt.Sprint("drops ", in.Drops))
	}
	if len(in.Secrets) > 0 {
		also = append(also, fmt.Sprintf("secrets %q", in.Secrets))
	}
	if got := strings.Join(also, ", "); got != v.also {
		t.Errorf("statistics say %q, want %q", got, v.also)
	}
	sameError(t, in.Err, v.err)
}

// sameError compares kind and offset.
func sameError(t *testing.T, got error, want *InputError) {
	t.Helper()
	var e *InputError
	switch {
	case want == nil && got == nil:
	case want == nil || !errors.As(got, &e):
		t.Errorf("error %v, want %v", got, want)
	case e.Kind != want.Kind || e.Offset != want.Offset:
		t.Errorf("error %v (kind %d), want kind %d at byte %d", e, e.Kind, want.Kind, want.Offset)
	}
}

func TestFormats(t *testing.T) {
	for _, format := range []struct {
		name    string
		vectors []vector
	}{{"pcap", pcapVectors}, {"pcapng", ngVectors}} {
		for _, v := range format.vectors {
			t.Run(format.name+"/"+v.name, func(t *testing.T) {
				s, err := Open(write(t, v.bytes), Options{})
				if err != nil {
					t.Fatal(err)
				}
				defer s.Close()
				v.check(t, drain(t, s), &s.Stats().Inputs[0])

				if s := s.Stats(); s.Read != int64(len(v.bytes)) || s.Total != s.Read {
					t.Errorf("read %d of %d bytes, want %d", s.Read, s.Total, len(v.bytes))
				}
				for how, r := range map[string]io.Reader{
					"a byte at a time":  iotest.OneByteReader(bytes.NewReader(v.bytes)),
					"halves":            iotest.HalfReader(bytes.NewReader(v.bytes)),
					"end with the data": iotest.DataErrReader(bytes.NewReader(v.bytes)),
				} {
					packets, in, err := readStream(t, r)
					if err != nil {
						t.Fatalf("%s: %v", how, err)
					}
					v.check(t, packets, in)
				}
			})
		}
	}
}

// Every place at which a file can be cut: whole records come out, and the error
// names the start of the one that is not whole.
func TestCutAnywhere(t *testing.T) {
	for name, parts := range map[string][][]byte{
		"pcap":   {little.pcap(magicMicro, 1), aRecord, little.record(2, 0, 90, "defgh"), little.record(3, 0, 0, "")},
		"pcapng": {big.shb(), big.dsb(secretsTLS, "k"), big.idb(1, 0), big.epb(0, 1, 3, "abc"), big.block(99, "?"), big.block(blockSimple, 2, "de")},
	} {
		whole := join(parts...)
		all, _, err := readStream(t, bytes.NewReader(whole))
		if err != nil {
			t.Fatal(err)
		}
		packetsAt := func(n int) int { // packets that are whole in the first n bytes
			count, end := 0, 0
			for i, p := range parts {
				end += len(p)
				if end <= n && (name == "pcap" && i > 0 || name == "pcapng" && (i == 3 || i == 5)) {
					count++
				}
			}
			return count
		}
		for n := range len(whole) + 1 {
			want := &InputError{Kind: Cut}
			for _, p := range parts {
				if int(want.Offset)+len(p) > n {
					break
				}
				want.Offset += int64(len(p))
			}
			switch {
			case n == 0:
				want.Kind = Empty
			case n < 4:
				want.Kind = NotCapture
			case int(want.Offset) == n:
				want = nil
			}
			got, in, err := readStream(t, bytes.NewReader(whole[:n]))
			if in != nil {
				err = in.Err
			}
			sameError(t, err, want)
			if w := packetsAt(n); len(got) != w || !cmp.Equal(got, all[:w:w]) && w > 0 {
				t.Errorf("%s cut at %d: %d packets, want %d", name, n, len(got), w)
			}
			if t.Failed() {
				t.Fatalf("%s cut at %d", name, n)
			}
		}
	}
}

// A length must not make the window larger than what the file holds.
func TestLengthsAllocateNothing(t *testing.T) {
	for name, b := range map[string][]byte{
		"pcap":   little.pcap(magicMicro, 1, little.num(nil, 1, 2, maxFrame, maxFrame, "abc")),
		"pcapng": join(aSHB, anIDB, little.num(nil, blockEnhanced, maxBlock, 0, 0, 0, maxFrame, maxFrame, "abc")),
	} {
		s, err := Open([]string{"-"}, Options{Stdin: bytes.NewReader(b)})
		if err != nil {
			t.Fatal(err)
		}
		drain(t, s)
		if n := len(s.(*source).spare); n != blockSize {
			t.Errorf("%s: the window grew to %d bytes for a file of %d", name, n, len(b))
		}
	}
}

// Custom blocks have frame numbers in Wireshark, so the packets behind them
// must count them; other blocks have none.
func TestFrameNumbersAreWiresharks(t *testing.T) {
	b := join(aSHB, little.block(0x0bad, 7), anIDB, anEPB, little.block(0x4000_0bad, 7), little.block(99, 7),
		little.block(9, "journal"), anEPB, aSHB, anIDB, little.block(blockSimple, 1, "a"))
	packets, in, err := readStream(t, bytes.NewReader(b))
	if err != nil || in.Err != nil || in.Packets != 3 {
		t.Fatal(err, in)
	}
	for i, want := range []uint64{2, 5, 6} {
		if n := packets[i].Num; n.Frame() != want || n.Input() != 1 {
			t.Errorf("packet %d is frame %d of input %d, want frame %d of 1", i, n.Frame(), n.Input(), want)
		}
	}
}

func TestTooManyInterfaces(t *testing.T) {
	b := append(aSHB[:len(aSHB):len(aSHB)], bytes.Repeat(anIDB, maxInterfaces+1)...)
	_, in, err := readStream(t, bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	sameError(t, in.Err, &InputError{Kind: Corrupt, Offset: int64(len(b) - len(anIDB))})
}

func TestSecretsAreBounded(t *testing.T) {
	key := little.dsb(secretsTLS, strings.Repeat("k", 5<<20))
	_, in, err := readStream(t, bytes.NewReader(join(aSHB, key, key, key, key, little.dsb(secretsTLS, "small"), anIDB, anEPB)))
	if err != nil || in.Err != nil {
		t.Fatal(err, in.Err)
	}
	if len(in.Secrets) != 4 || string(in.Secrets[3]) != "small" || in.Packets != 1 {
		t.Errorf("%d secrets and %d packets, want 3 large secrets, a small one, and a packet", len(in.Secrets), in.Packets)
	}
}

func TestNoAllocationPerPacket(t *testing.T) {
	const runs = 20_000
	frame := strings.Repeat("x", 200)
	files := write(t,
		little.pcap(magicMicro, 1, bytes.Repeat(little.record(1, 2, 200, frame), runs+10)),
		join(aSHB, anIDB, bytes.Repeat(join(little.epb(0, 1, 200, frame), little.block(99, "skipped")), runs+10)))
	for _, names := range [][]string{files[:1], files[1:], files} {
		s, err := Open(names, Options{})
		if err != nil {
			t.Fatal(err)
		}
		var p capture.Packet
		if err := s.Next(&p); err != nil {
			t.Fatal(err)
		}
		if n := testing.AllocsPerRun(runs, func() {
			if err := s.Next(&p); err != nil {
				t.Fatal(err)
			}
			s.Stats()
		}); n != 0 {
			t.Errorf("%d inputs: %v allocations a packet", len(names), n)
		}
		s.Close()
	}
}

func BenchmarkNext(b *testing.B) {
	names := write(b, little.pcap(magicMicro, 1, bytes.Repeat(little.record(1, 2, 250, strings.Repeat("x", 250)), 100_000)))
	info, err := os.Stat(names[0])
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(info.Size())
	for b.Loop() {
		s, err := Open(names, Options{})
		if err != nil {
			b.Fatal(err)
		}
		var p capture.Packet
		for err == nil {
			err = s.Next(&p)
		}
		s.Close()
	}
}
