package main

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"expectscope/capture"
)

// Ctrl-C in the middle of an extraction leaves nothing behind, whichever reading it is in.
func TestExtractInterrupted(t *testing.T) {
	for pass := range 3 {
		x := &extraction{names: []string{upload(t, "8000000")}, ids: []string{"1/1"}}
		x.goOn = func(st *capture.Stats) bool {
			if st.Read > st.Total || st.Read*3 < x.pass*st.Total {
				t.Errorf("reading %d is at %d of %d", x.pass, st.Read, st.Total)
			}
			return x.pass < int64(pass)
		}
		var b strings.Builder
		if err := x.write(&b); !errors.Is(err, errInterrupted) || x.pass != int64(pass) {
			t.Errorf("reading %d: %v", x.pass, err)
		}
		if pass < 2 && b.Len() > 0 {
			t.Errorf("reading %d: %d bytes are written", pass, b.Len())
		}
	}
	out := filepath.Join(t.TempDir(), "out.pcapng")
	got := runWith(t, func(c *console) {
		c.notify = func(ch chan<- os.Signal) { ch <- os.Interrupt }
	}, "extract", upload(t, "8000000"), "1/1", "-o", out)
	if left, _ := os.ReadDir(filepath.Dir(out)); got.status == statusUnread && len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// A disk that fills up ends it, and so does a capture that is taken away.
func TestExtractFails(t *testing.T) {
	full := errors.New("no space left on device")
	got := runWith(t, func(c *console) { c.out = &failingWriter{n: 100, err: full} }, "extract", upload(t, "800000"), "1/1")
	if got.status != statusUnread || !strings.Contains(got.err, "error: cannot write standard output: no space left on device") {
		t.Errorf("status %d, %s", got.status, got.err)
	}
	x := &extraction{names: []string{upload(t, "8000000")}, ids: []string{"1/1"}}
	x.goOn = func(*capture.Stats) bool {
		if x.pass == 0 {
			if err := os.Remove(x.names[0]); err != nil && !errors.Is(err, os.ErrNotExist) {
				t.Fatal(err)
			}
		}
		return true
	}
	if err := x.write(&strings.Builder{}); err == nil || !strings.Contains(err.Error(), "no such file") {
		t.Errorf("the error is %v", err)
	}
	x = &extraction{names: []string{upload(t, "8000000")}, ids: []string{"1/1"}}
	other, err := os.ReadFile(filepath.Join(pcaps, "real-ipv6.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	x.goOn = func(*capture.Stats) bool {
		if x.pass == 0 {
			if err := os.WriteFile(x.names[0]+".new", other[:24], 0o600); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(x.names[0]+".new", x.names[0]); err != nil {
				t.Fatal(err)
			}
		}
		return true
	}
	if err := x.write(&strings.Builder{}); err == nil || !strings.Contains(err.Error(), "the capture changed while it was read: there is no 1/1 any more") {
		t.Errorf("the error is %v", err)
	}
}
