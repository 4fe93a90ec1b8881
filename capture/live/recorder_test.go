package live

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"expectscope/capture"
)

// numbered is packet n of a capture, sent at millisecond n.
func numbered(n int) *capture.Packet {
	data := fmt.Sprintf("%spacket %04d", ethernet, n)
	return &capture.Packet{
		Num: capture.MakeNum(1, uint64(n)), Time: 1e18 + int64(n)*1e6,
		Len: len(data), Link: capture.LinkEthernet, Data: []byte(data),
	}
}

// recordTo records packets 1 to n.
func recordTo(t *testing.T, o RecorderOptions, n int) *Recorder {
	t.Helper()
	r, _ := recordNums(t, o, n)
	return r
}

// recordNums records packets 1 to n, and returns what numbers they got.
func recordNums(t *testing.T, o RecorderOptions, n int) (*Recorder, []capture.Num) {
	t.Helper()
	r, err := NewRecorder(o)
	if err != nil {
		t.Fatal(err)
	}
	nums := make([]capture.Num, n)
	for i := range n {
		p := numbered(i + 1)
		if err := r.Write(p); err != nil {
			t.Fatal(err)
		}
		nums[i] = p.Num
	}
	return r, nums
}

func TestRecord(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen.pcapng")
	if err := os.WriteFile(path, make([]byte, 1<<16), 0o600); err != nil { // it is replaced
		t.Fatal(err)
	}
	r := recordTo(t, RecorderOptions{Path: path}, 100)
	r.Dropped(3)
	r.Dropped(4)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(r.Close(), r.Write(numbered(101)), r.Flush()); err != nil {
		t.Errorf("after Close: %v", err)
	}
	got, in := readAll(t, path)
	if len(got) != 100 || in[0].Err != nil || in[0].Drops != 7 || !in[0].DropsKnown {
		t.Fatalf("%d packets, %+v", len(got), in[0])
	}
	for i, p := range got {
		if want := numbered(i + 1); string(p.Data) != string(want.Data) || p.Time != want.Time {
			t.Errorf("packet %d is %q at %d", i+1, p.Data, p.Time)
		}
	}
	if r.File(1) != path || r.File(0) != "" || r.File(2) != "" {
		t.Errorf("the files are %q, %q and %q", r.File(0), r.File(1), r.File(2))
	}
}

// A recorder that is never closed leaves a file that is sound to its end, with
// all but the last second in it.
func TestRecordCutShort(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen.pcapng")
	r := recordTo(t, RecorderOptions{Path: path}, 2500)
	got, in := readAll(t, path)
	if len(got) < 1500 || in[0].Err != nil {
		t.Errorf("%d packets of 2,500 are in the file (%v), want all but the last second", len(got), in[0].Err)
	}
	if err := r.Flush(); err != nil {
		t.Fatal(err)
	}
	if got, in := readAll(t, path); len(got) != 2500 || in[0].Err != nil {
		t.Errorf("%d packets of 2,500 after a flush (%v)", len(got), in[0].Err)
	}
}

func TestRecordNothing(t *testing.T) {
	path := filepath.Join(t.TempDir(), "seen.pcapng")
	r := recordTo(t, RecorderOptions{Path: path}, 0)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	if got, in := readAll(t, path); len(got) != 0 || in[0].Err != nil {
		t.Errorf("%d packets, %v", len(got), in[0].Err)
	}
}

func TestRecordRotates(t *testing.T) {
	for name, c := range map[string]struct {
		o     RecorderOptions
		files int
		first int // packet that is kept
	}{
		"by size":           {RecorderOptions{Size: 4096}, 0, 1},
		"by time":           {RecorderOptions{Every: 100 * time.Millisecond}, 10, 1},
		"by time, three":    {RecorderOptions{Every: 100 * time.Millisecond, Files: 3}, 3, 701},
		"by both, whatever": {RecorderOptions{Size: 1 << 20, Every: 250 * time.Millisecond}, 4, 1},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.o.Path = filepath.Join(dir, "seen.x.pcapng")
			r, nums := recordNums(t, c.o, 1000)
			if err := r.Close(); err != nil {
				t.Fatal(err)
			}
			files, err := filepath.Glob(filepath.Join(dir, "seen.x-000??.pcapng"))
			if err != nil || len(files) < 2 || c.files > 0 && len(files) != c.files {
				t.Fatalf("files %v (%v), want %d", files, err, c.files)
			}
			for _, f := range files {
				if n := sizeOf(t, f); c.o.Size > 0 && n > c.o.Size {
					t.Errorf("%s has %d bytes, more than %d", f, n, c.o.Size)
				}
			}
			got, _ := readAll(t, files...)
			if len(got) != 1001-c.first {
				t.Fatalf("%d packets, want %d", len(got), 1001-c.first)
			}
			for i, p := range got {
				if want := numbered(c.first + i); string(p.Data) != string(want.Data) {
					t.Fatalf("packet %d is %q", c.first+i, p.Data)
				}
				num := nums[c.first-1+i]
				if file := r.File(num.Input()); file != files[p.Num.Input()-1] || num.Frame() != p.Num.Frame() {
					t.Fatalf("packet %d is said to be frame %d of %q, is %d of %s", c.first+i, num.Frame(), file, p.Num.Frame(), files[p.Num.Input()-1])
				}
			}
			if c.first > 1 && r.File(nums[c.first-2].Input()) != "" {
				t.Errorf("packet %d is in %s", c.first-1, r.File(nums[c.first-2].Input()))
			}
		})
	}
}

// When numbers are used again, they name the files that are kept.
func TestRecordNumbersGoRound(t *testing.T) {
	r := Recorder{number: 2*maxNumber + 3, kept: []string{"five before", "four", "three", "two", "one", "now"}}
	for number, want := range map[int]string{
		3: "now", 2: "one", 1: "two", maxNumber: "three", maxNumber - 1: "four", maxNumber - 2: "five before",
		maxNumber - 3: "", 4: "", 0: "", -1: "",
	} {
		if got := r.File(number); got != want {
			t.Errorf("file %d is %q, want %q", number, got, want)
		}
	}
	var p capture.Packet
	if r.count(&p); p.Num != capture.MakeNum(3, 1) {
		t.Errorf("a packet has number %d of file %d, want 1 of 3", p.Num.Frame(), p.Num.Input())
	}
}

// Drops are of the file in which they were noticed.
func TestRecordDropsOfEachFile(t *testing.T) {
	dir := t.TempDir()
	r := recordTo(t, RecorderOptions{Path: filepath.Join(dir, "a"), Every: 10 * time.Millisecond}, 10)
	r.Dropped(5)
	if err := r.Write(numbered(11)); err != nil {
		t.Fatal(err)
	}
	r.Dropped(1)
	if err := r.Close(); err != nil {
		t.Fatal(err)
	}
	_, in := readAll(t, filepath.Join(dir, "a-00001"), filepath.Join(dir, "a-00002"))
	if in[0].Drops != 5 || in[1].Drops != 1 {
		t.Errorf("drops %d and %d, want 5 and 1", in[0].Drops, in[1].Drops)
	}
}

// A file that was removed by someone else is no reason to end.
func TestRecordFileGone(t *testing.T) {
	dir := t.TempDir()
	o := RecorderOptions{Path: filepath.Join(dir, "a"), Every: 10 * time.Millisecond, Files: 2}
	r := recordTo(t, o, 15)
	if err := os.Remove(filepath.Join(dir, "a-00001")); err != nil {
		t.Fatal(err)
	}
	for i := 16; i < 40; i++ {
		if err := r.Write(numbered(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := r.Close(); err != nil {
		t.Error(err)
	}
}

func TestRecordRefused(t *testing.T) {
	_, err := NewRecorder(RecorderOptions{Path: filepath.Join(t.TempDir(), "none", "seen.pcapng")})
	var e *RecordError
	if !errors.As(err, &e) || !errors.Is(err, os.ErrNotExist) || e.Hint() == "" ||
		!strings.HasSuffix(err.Error(), "seen.pcapng: no such file or directory") {
		t.Errorf("error %v", err)
	}
}

// writes records until there is an error, and returns it.
func writes(t *testing.T, path string) (*Recorder, error) {
	t.Helper()
	r, err := NewRecorder(RecorderOptions{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 100_000 {
		if err := r.Write(numbered(i + 1)); err != nil {
			if again := errors.Join(r.Write(numbered(i+2)), r.Flush(), r.Close()); again != nil {
				t.Errorf("the error comes again: %v", again)
			}
			return r, err
		}
	}
	return r, nil
}

func TestRecordDiskFull(t *testing.T) {
	const full = "/dev/full"
	if _, err := os.Stat(full); err != nil {
		t.Skip("there is no " + full)
	}
	if _, err := writes(t, full); !errors.Is(err, syscall.ENOSPC) || !strings.HasPrefix(err.Error(), "cannot record to /dev/full: no space left") {
		t.Errorf("error %v, want one about space", err)
	}
}
