package main

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"expectscope/analysis"
	"expectscope/analysis/engine"
	"expectscope/capture/pcapfile"
	"expectscope/capture/script"
)

type deaf struct{}

func (deaf) Exchange(*analysis.Exchange) {}
func (deaf) Finding(*analysis.Finding)   {}

// What is said of a capture is what it holds, and it is as large as it was to be.
func TestTraffic(t *testing.T) {
	for _, profile := range script.Profiles {
		file := filepath.Join(t.TempDir(), "a.pcap")
		var said bytes.Buffer
		if err := run([]string{string(profile), "2", file}, &said); err != nil {
			t.Fatal(err)
		}
		if info, err := os.Stat(file); err != nil || info.Size() < 2e6 {
			t.Fatalf("%s: %v, %v", profile, info, err)
		}
		src, err := pcapfile.Open([]string{file}, pcapfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		e := engine.New(engine.Options{}, deaf{})
		if err := e.Read(src, func() bool { return true }); err != nil {
			t.Fatal(err)
		}
		sum := e.Close(src)
		if want := fmt.Sprintln(sum.Exchanges, "requests"); sum.Exchanges == 0 || said.String() != want {
			t.Errorf("%s: it says %q, and holds %q", profile, said.String(), want)
		}
		src.Close()
	}
}

func TestUsage(t *testing.T) {
	for _, args := range [][]string{nil, {"mix", "1"}, {"other", "1", "x"}, {"mix", "much", filepath.Join(t.TempDir(), "x")}} {
		if run(args, &bytes.Buffer{}) == nil {
			t.Errorf("%q is taken", args)
		}
	}
}
