package pcapfile

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"golang.org/x/sys/unix"

	"expectscope/capture"
)

// second is the time of day in these tests: that of the packet in at(100).
func second(s int64) func() time.Time { return func() time.Time { return time.Unix(s, 0) } }

func newPipePair(t *testing.T) (r, w *os.File) {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close(); w.Close() })
	return r, w
}

func put(t *testing.T, w io.Writer, b []byte) {
	t.Helper()
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
}

// wantNext calls Next once.
func wantNext(t *testing.T, s capture.Source, want error, data string) {
	t.Helper()
	var p capture.Packet
	if err := s.Next(&p); err != want || err == nil && string(p.Data) != data {
		t.Fatalf("Next gave %v and %q, want %v and %q", err, p.Data, want, data)
	}
}

// A live pipe says that a second was quiet, also in the middle of a record, and
// goes on.
func TestLivePipeIdles(t *testing.T) {
	t.Parallel()
	r, w := newPipePair(t)
	put(t, w, at())
	s, err := Open([]string{"-"}, Options{Stdin: r, Now: second(109)})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantNext(t, s, capture.ErrIdle, "") // before the first packet, too
	packet := at(100)[24:]
	put(t, w, packet)
	wantNext(t, s, nil, "100")
	put(t, w, packet[:9])
	wantNext(t, s, capture.ErrIdle, "")
	put(t, w, packet[9:])
	wantNext(t, s, nil, "100")
	w.Close()
	wantNext(t, s, io.EOF, "")
	if st := s.Stats(); st.Total != 0 || st.Read != 24+2*19 || st.Inputs[0].Err != nil {
		t.Errorf("statistics %+v", st)
	}
}

// What was captured long ago, or with nobody to tell the time, is waited for
// without a word.
func TestOldPipeDoesNotIdle(t *testing.T) {
	t.Parallel()
	for _, now := range []func() time.Time{nil, second(111), second(89)} {
		r, w := newPipePair(t)
		put(t, w, at(100))
		s, err := Open([]string{"-"}, Options{Stdin: r, Now: now})
		if err != nil {
			t.Fatal(err)
		}
		wantNext(t, s, nil, "100")
		time.AfterFunc((quietPolls+2)*pollMillis*time.Millisecond, func() { w.Close() })
		wantNext(t, s, io.EOF, "")
		s.Close()
	}
}

// After a stop, what is in the pipe is read and nothing is waited for; a record
// that is incomplete is no error.
func TestStop(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{"plain": at(1, 2), "cut": at(1, 2, 3)[:70], "gzip": flushed(at(1, 2)), "gzip cut": flushed(at(1, 2, 3)[:70])} {
		stop := make(chan struct{})
		r, w := newPipePair(t)
		put(t, w, b)
		s, err := Open([]string{"-"}, Options{Stdin: r, Stop: stop})
		if err != nil {
			t.Fatal(name, err)
		}
		wantNext(t, s, nil, "01")
		close(stop)
		wantNext(t, s, nil, "02")
		wantNext(t, s, io.EOF, "")
		if err := s.Stats().Inputs[0].Err; err != nil {
			t.Errorf("%s: %v", name, err)
		}
		s.Close()
	}
}

// flushed is what a gzip writer that lives on has written so far.
func flushed(b []byte) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	if _, err := w.Write(b); err != nil {
		panic(err)
	}
	if err := w.Flush(); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// A stop while Open waits for a header.
func TestStopBeforeTheHeader(t *testing.T) {
	t.Parallel()
	for _, b := range [][]byte{nil, at()[:9], at()[:3]} {
		stop := make(chan struct{})
		r, w := newPipePair(t)
		put(t, w, b)
		time.AfterFunc(50*time.Millisecond, func() { close(stop) })
		if _, err := Open([]string{"-"}, Options{Stdin: r, Stop: stop}); err == nil {
			t.Errorf("%d bytes were opened", len(b))
		}
	}
}

// A writer that never pauses cannot outlive a stop.
func TestStopEndsABusyPipe(t *testing.T) {
	t.Parallel()
	stop := make(chan struct{})
	r, w := newPipePair(t)
	go func() {
		record := at(1)
		for err := error(nil); err == nil; {
			_, err = w.Write(record)
			record = record[max(0, len(record)-18):]
		}
	}()
	s, err := Open([]string{"-"}, Options{Stdin: r, Stop: stop})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	wantNext(t, s, nil, "01")
	close(stop)
	drain(t, s)
	r.Close() // the writer fails and ends
	if n := s.Stats().Read; n > leftInPipe+blockSize {
		t.Errorf("%d bytes were read after the stop", n)
	}
}

// A named pipe is polled like standard input; its goroutine, if it is
// compressed, ends on Close though the writer stays.
func TestNamedPipe(t *testing.T) {
	t.Parallel()
	for name, b := range map[string][]byte{"plain": at(100), "gzip": flushed(at(100))} {
		path := filepath.Join(t.TempDir(), "fifo")
		if err := unix.Mkfifo(path, 0o600); err != nil {
			t.Skip(err)
		}
		w, err := os.OpenFile(path, os.O_RDWR, 0)
		if err != nil {
			t.Fatal(err)
		}
		put(t, w, b)
		s, err := Open([]string{path}, Options{Now: second(100)})
		if err != nil {
			t.Fatal(name, err)
		}
		wantNext(t, s, nil, "100")
		in := s.(*source).active[0]
		if name == "plain" {
			wantNext(t, s, capture.ErrIdle, "")
		}
		s.Close()
		if a, ok := in.win.src.(*ahead); ok {
			for range a.full {
			}
		}
		w.Close()
	}
}

// A file on standard input is a file: it has a size and never idles.
func TestStdinIsAFile(t *testing.T) {
	f, err := os.Open(write(t, at(100))[0])
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	s, err := Open([]string{"-"}, Options{Stdin: f, Now: second(100)})
	if err != nil {
		t.Fatal(err)
	}
	wantNext(t, s, nil, "100")
	wantNext(t, s, io.EOF, "")
	if st := s.Stats(); st.Total != 43 || st.Read != 43 {
		t.Errorf("read %d of %d bytes, want 43", st.Read, st.Total)
	}
	s.Close()
	if _, err := f.Stat(); err != nil {
		t.Errorf("Close closed the standard input: %v", err)
	}
}
