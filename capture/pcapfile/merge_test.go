package pcapfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"expectscope/capture"
)

// at makes a file with a packet at each of the seconds, which is also its data.
func at(seconds ...int) []byte {
	b := little.pcap(magicMicro, 1)
	for _, s := range seconds {
		b = append(b, little.record(s, 0, 2, fmt.Sprintf("%02d", s))...)
	}
	return b
}

// brief writes packets as "input.frame:tap@second".
func brief(packets []seen) string {
	var out []string
	for _, p := range packets {
		out = append(out, fmt.Sprintf("%d.%d:%d@%s", p.Num.Input(), p.Num.Frame(), p.Tap, p.Data))
	}
	return strings.Join(out, " ")
}

func TestMerge(t *testing.T) {
	for _, c := range []struct {
		name  string
		files [][]byte
		order string // which file is which input
		want  string
	}{
		{"one", [][]byte{at(1, 2)}, "a", "1.1:0@01 1.2:0@02"},
		{"rotated, named in the wrong order", [][]byte{at(5, 6), at(1, 2), at(3, 4)}, "bca", "1.1:0@01 1.2:0@02 2.1:0@03 2.2:0@04 3.1:0@05 3.2:0@06"},
		{"rotated within a tick of the clock", [][]byte{at(1, 2), at(2, 3)}, "ab", "1.1:0@01 1.2:0@02 2.1:0@02 2.2:0@03"},
		{"overlapping", [][]byte{at(1, 3, 5), at(2, 4, 6)}, "ab", "1.1:0@01 2.1:1@02 1.2:0@03 2.2:1@04 1.3:0@05 2.3:1@06"},
		{"three ways", [][]byte{at(3, 6), at(2, 5), at(1, 4)}, "cba", "1.1:0@01 2.1:1@02 3.1:2@03 1.2:0@04 2.2:1@05 3.2:2@06"},
		{"the same times", [][]byte{at(1, 2), at(1, 2)}, "ab", "1.1:0@01 2.1:1@01 2.2:1@02 1.2:0@02"},
		{"one inside another", [][]byte{at(1, 9), at(3, 4)}, "ab", "1.1:0@01 2.1:1@03 2.2:1@04 1.2:0@09"},
		{
			"two rotated series: each continues the one that ended last",
			[][]byte{at(1, 4), at(2, 5), at(6, 8), at(7, 9)},
			"abcd",
			"1.1:0@01 2.1:1@02 1.2:0@04 2.2:1@05 3.1:1@06 4.1:0@07 3.2:1@08 4.2:0@09",
		},
		{
			"a tap is continued by one only",
			[][]byte{at(1), at(2, 4), at(3, 5)},
			"abc",
			"1.1:0@01 2.1:0@02 3.1:1@03 2.2:0@04 3.2:1@05",
		},
		{
			"the end is the latest packet, though it was not the last",
			[][]byte{at(1, 5, 3), at(4, 6)},
			"ab",
			"1.1:0@01 2.1:1@04 1.2:0@05 1.3:0@03 2.2:1@06",
		},
		{"empty captures are inputs, too", [][]byte{at(), at(2), at(), at(1)}, "dbac", "1.1:0@01 2.1:0@02"},
	} {
		t.Run(c.name, func(t *testing.T) {
			names := write(t, c.files...)
			s, err := Open(names, Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer s.Close()
			if got := brief(drain(t, s)); got != c.want {
				t.Errorf("packets %s\nwant    %s", got, c.want)
			}
			order := ""
			for _, in := range s.Stats().Inputs {
				order += filepath.Base(in.Name)[:1]
				if in.Err != nil {
					t.Error(in.Err)
				}
			}
			if order != c.order {
				t.Errorf("inputs %s, want %s", order, c.order)
			}
			if s := s.Stats(); s.Read != s.Total || s.Total != int64(len(join(c.files...))) {
				t.Errorf("read %d of %d bytes", s.Read, s.Total)
			}
			if err := s.Next(&capture.Packet{}); err != io.EOF {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

// Whatever the files are: every packet comes once, in its file's order, never
// before an earlier one that could have come, and taps hold no overlap.
func TestMergeIsFair(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		var names []string
		total := 0
		for i := range rapid.IntRange(1, 6).Draw(t, "files") {
			times := rapid.SliceOfN(rapid.IntRange(1, 30), 0, 8).Draw(t, "times")
			slices.Sort(times)
			name := filepath.Join(dir, fmt.Sprint(i))
			if err := os.WriteFile(name, at(times...), 0o600); err != nil {
				t.Fatal(err)
			}
			names = append(names, name)
			total += len(times)
		}
		s, err := Open(names, Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		var p capture.Packet
		var last int64
		frames, taps := map[int]uint64{}, map[uint16]capture.Num{}
		for s.Next(&p) == nil {
			total--
			if p.Time < last {
				t.Fatalf("packet at %d after one at %d", p.Time, last)
			}
			last = p.Time
			if frames[p.Num.Input()]++; p.Num.Frame() != frames[p.Num.Input()] {
				t.Fatalf("frame %d, want %d", p.Num.Frame(), frames[p.Num.Input()])
			}
			if p.Num <= taps[p.Tap] {
				t.Fatalf("tap %d: packet %x after %x", p.Tap, p.Num, taps[p.Tap])
			}
			taps[p.Tap] = p.Num
		}
		if total != 0 {
			t.Fatalf("%d packets are missing", total)
		}
	})
}

// Rotated captures are open one at a time.
func TestFilesAreOpenedWhenDue(t *testing.T) {
	open := func() int {
		list, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Skip("needs /proc to count descriptors")
		}
		return len(list)
	}
	var files [][]byte
	for i := range 200 {
		files = append(files, at(10*i, 10*i+5))
	}
	names := write(t, files...)
	before := open()
	s, err := Open(names, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var p capture.Packet
	for range 2 * len(files) {
		if err := s.Next(&p); err != nil || p.Tap != 0 {
			t.Fatal(err, p.Tap)
		}
		if n := open() - before; n > 1 {
			t.Fatalf("%d files are open at packet %x", n, p.Num)
		}
	}
	s.Close()
	if n := open() - before; n > 0 {
		t.Errorf("%d files are open at the end", n)
	}
}

// Many captures of the same time are read in smaller blocks.
func TestManyOverlap(t *testing.T) {
	var files [][]byte
	for range 40 {
		files = append(files, at(1, 2, 3))
	}
	s, err := Open(write(t, files...), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var p capture.Packet
	for range 40 {
		if err := s.Next(&p); err != nil {
			t.Fatal(err)
		}
	}
	held := 0
	for _, in := range s.(*source).active {
		held += len(in.win.buf)
	}
	if most := manyInputs*blockSize + 32*wideBlockSize; len(s.(*source).active) != 40 || held > most {
		t.Errorf("%d inputs hold %d bytes, want 40 and at most %d", len(s.(*source).active), held, most)
	}
	if n := len(drain(t, s)); n != 80 {
		t.Errorf("%d more packets, want 80", n)
	}
}

// One bad input takes nothing from the others.
func TestBadInputAmongGoodOnes(t *testing.T) {
	names := write(t, at(1, 4), at(2, 3)[:59], []byte("text, by mistake"), at(5))
	names = append(names, names[0]+".missing")
	s, err := Open(names, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, want := brief(drain(t, s)), "1.1:0@01 2.1:1@02 1.2:0@04 3.1:0@05"; got != want {
		t.Errorf("packets %s, want %s", got, want)
	}
	for i, want := range []*InputError{nil, {Kind: Cut, Offset: 42}, nil, {Kind: NotCapture}, {Kind: Missing}} {
		sameError(t, s.Stats().Inputs[i].Err, want)
	}
	if n := s.Stats().Read; n != s.Stats().Total {
		t.Errorf("read %d of %d bytes: a bad input must not hold a progress bar back", n, s.Stats().Total)
	}
}

// A file that vanishes, or changes, between its look and its turn.
func TestFileChangesBeforeItsTurn(t *testing.T) {
	names := write(t, at(1), at(2), at(3), at(4))
	s, err := Open(names, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if err := os.Remove(names[1]); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(names[2], at(), 0o600); err != nil {
		t.Fatal(err)
	}
	if got, want := brief(drain(t, s)), "1.1:0@01 4.1:0@04"; got != want {
		t.Errorf("packets %s, want %s", got, want)
	}
	sameError(t, s.Stats().Inputs[1].Err, &InputError{Kind: Missing})
}

// Standard input has its place among files by its first packet.
func TestStdinAmongFiles(t *testing.T) {
	names := append(write(t, at(1, 4), at(5)), "-")
	s, err := Open(names, Options{Stdin: iotest.OneByteReader(bytes.NewReader(at(2, 3)))})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	if got, want := brief(drain(t, s)), "1.1:0@01 2.1:1@02 2.2:1@03 1.2:0@04 3.1:0@05"; got != want {
		t.Errorf("packets %s, want %s", got, want)
	}
	if st := s.Stats(); st.Inputs[1].Name != "-" || st.Total != 0 {
		t.Errorf("input 2 is %q, total %d; want - and 0", st.Inputs[1].Name, st.Total)
	}
}

// Secrets are known at once, and once, though the file is looked at twice.
func TestSecretsOfSeveralInputs(t *testing.T) {
	s, err := Open(write(t, at(1), join(aSHB, little.dsb(secretsTLS, "early"), anIDB, little.epb(0, 5e6, 1, "a"), little.dsb(secretsTLS, "late")),
		join(aSHB, little.dsb(secretsTLS, "only keys"))), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	keys := func() string {
		return fmt.Sprintf("%q %q", s.Stats().Inputs[1].Secrets, s.Stats().Inputs[2].Secrets)
	}
	if got, want := keys(), `["early"] ["only keys"]`; got != want {
		t.Errorf("after Open %s, want %s", got, want)
	}
	drain(t, s)
	if got, want := keys(), `["early" "late"] ["only keys"]`; got != want {
		t.Errorf("at the end %s, want %s", got, want)
	}
}

func TestOpenFails(t *testing.T) {
	dir := t.TempDir()
	names := append(write(t, nil, []byte("PK\x03\x04"), []byte("\xa1\xb2\xc3\xd4\x00\x02")), dir, filepath.Join(dir, "none"), "-", "-")
	_, err := Open(names, Options{})
	var joined interface{ Unwrap() []error }
	if !errors.As(err, &joined) {
		t.Fatalf("error %v is not a joined one", err)
	}
	for i, want := range []ErrorKind{Empty, NotCapture, Cut, Directory, Missing, Unopened, Repeated} {
		var e *InputError
		if !errors.As(joined.Unwrap()[i], &e) || e.Kind != want {
			t.Errorf("%s: %v, want kind %d", names[i], joined.Unwrap()[i], want)
		}
	}
	for _, n := range []int{0, maxInputs + 1} {
		if _, err := Open(make([]string, n), Options{}); err == nil {
			t.Errorf("%d inputs were opened", n)
		}
	}
}

func TestClosedSource(t *testing.T) {
	s, err := Open(write(t, at(1, 2), at(3)), Options{})
	if err != nil {
		t.Fatal(err)
	}
	var p capture.Packet
	if err := s.Next(&p); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(s.Close(), s.Close()); err != nil {
		t.Error(err)
	}
	if err := s.Next(&p); err != io.EOF {
		t.Errorf("Next after Close: %v", err)
	}
}
