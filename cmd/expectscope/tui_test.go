package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"expectscope/analysis/report"
	"expectscope/analysis/store"
	"expectscope/capture/pcapfile"
)

// loaded is a load that has ended; stopped: because it was told to.
func loaded(t *testing.T, stopped bool, names ...string) *load {
	t.Helper()
	src, err := pcapfile.Open(names, pcapfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	l := &load{store: store.New(), thrift: &thrift{off: true}, src: src, stop: make(chan struct{}), over: make(chan struct{})}
	if stopped {
		l.end()
		l.end() // as esc and then q do
	}
	l.run()
	<-l.over
	return l
}

// The browser shows what analyze --all says.
func TestLoadHoldsWhatAnalyzeSays(t *testing.T) {
	demo := filepath.Join(pcaps, "demo.pcap")
	n := loaded(t, false, demo).store.Snapshot()
	got := runWith(t, nil, "analyze", "--all", "-f", "ndjson", demo)
	count := map[string]int{}
	for line := range strings.Lines(got.out) {
		var o struct{ Type, ID string }
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		count[o.Type]++
		if o.Type == "exchange" && n.Find(o.ID) == nil {
			t.Errorf("the exchange %s is missing", o.ID)
		}
	}
	if n.Exchanges.Len() != count["exchange"] || n.Findings.Len() != count["finding"] || !n.Progress.Done || n.Progress.Summary == nil {
		t.Errorf("%d exchanges and %d findings, analyze says %v", n.Exchanges.Len(), n.Findings.Len(), count)
	}
}

func TestLoadStopped(t *testing.T) {
	demo := filepath.Join(pcaps, "demo.pcap")
	l := loaded(t, true, demo, demo, demo, demo) // 1184 packets: it is asked whether to go on at 1024
	p := l.store.Snapshot().Progress
	if !p.Done || p.Err != nil {
		t.Errorf("%+v", p)
	}
	if !p.Stopped || !p.Summary.Capture.Truncated {
		t.Error("it is not told that the end was not seen")
	}
}

// A file that ends in the middle of a packet is browsed as far as it goes, and the exit status says so.
func TestLoadCut(t *testing.T) {
	whole, err := os.ReadFile(filepath.Join(pcaps, "demo.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	name := filepath.Join(t.TempDir(), "cut.pcap")
	if err := os.WriteFile(name, whole[:len(whole)-100], 0o600); err != nil {
		t.Fatal(err)
	}
	l := loaded(t, false, name)
	n := l.store.Snapshot()
	if n.Exchanges.Len() == 0 || n.Progress.Err == nil {
		t.Errorf("%d exchanges, error %v", n.Exchanges.Len(), n.Progress.Err)
	}
	var errs strings.Builder
	if err := l.conclude(&console{err: &errs}); err != exitStatus(statusUnread) || !strings.Contains(errs.String(), "cut.pcap") {
		t.Errorf("%v: %s", err, errs.String())
	}
}

// Lists go to new files; none is written over.
func TestWriteRows(t *testing.T) {
	t.Chdir(t.TempDir())
	rows := func(w report.Writer) error { return nil }
	for i, want := range []string{"expectscope-list.csv", "expectscope-list-2.csv", "expectscope-list.ndjson"} {
		format := []string{"csv", "csv", "ndjson"}[i]
		name, err := writeRows(format, rows, report.Options{}, false)
		if err != nil || name != want {
			t.Errorf("%s: %q, %v", format, name, err)
		}
	}
	if b, err := os.ReadFile("expectscope-list.csv"); err != nil || !strings.Contains(string(b), "rule") {
		t.Errorf("an empty table has no head: %q, %v", b, err)
	}
	if _, err := writeRows("dance", rows, report.Options{}, false); err == nil {
		t.Error("a format that is none is written")
	}
}

// The packets of an exchange are a capture in which it is found again; what cannot be written leaves no file.
func TestExtractOne(t *testing.T) {
	demo, err := filepath.Abs(filepath.Join(pcaps, "demo.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	id := loaded(t, false, demo).store.Snapshot().Findings.At(0).Exchange
	t.Chdir(t.TempDir())
	name, err := extractOne([]string{demo}, id, nil, false)
	if err != nil || name != "expectscope-"+strings.ReplaceAll(id, "/", "-")+".pcapng" {
		t.Fatalf("%q, %v", name, err)
	}
	if n := loaded(t, false, name).store.Snapshot(); n.Exchanges.Len() == 0 || n.Findings.Len() == 0 {
		t.Errorf("%d exchanges and %d findings in what was extracted", n.Exchanges.Len(), n.Findings.Len())
	}
	if name, err := extractOne([]string{demo}, "999/9", nil, false); err == nil || name != "" {
		t.Errorf("an exchange that is none: %q, %v", name, err)
	}
	if left, _ := filepath.Glob("*"); len(left) != 1 {
		t.Errorf("files are left: %v", left)
	}
}

func TestBrowserTitle(t *testing.T) {
	for _, c := range []struct {
		names []string
		want  string
	}{{[]string{"a/b.pcap"}, "b.pcap"}, {[]string{"-"}, "standard input"}, {[]string{"x/a.pcap", "b.pcap", "c"}, "a.pcap and 2 more"}} {
		if got := title(c.names); got != c.want {
			t.Errorf("%v: %q, want %q", c.names, got, c.want)
		}
	}
}
