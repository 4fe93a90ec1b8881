package main

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strings"
	"testing"
	"time"

	"expectscope/analysis/engine"
	"expectscope/capture"
	"expectscope/capture/script"
)

// upload writes the capture of an upload of so many bytes and returns its path.
func upload(t *testing.T, size string) string {
	t.Helper()
	s, err := script.Parse("@conn 10.0.0.1:40000 10.0.0.2:80\n> PUT /up HTTP/1.1 | Host: a | Expect: 100-continue | Content-Length: " +
		size + "\n< HTTP/1.1 100 Continue\n> body " + size + "\n< HTTP/1.1 201 Created | Content-Length: 0\n")
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := s.WritePcap(&b); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "upload.pcap")
	if err := os.WriteFile(path, b.Bytes(), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// Ctrl-C on a file: what was read until then is reported, and the status says that there was more.
func TestInterruptedFile(t *testing.T) {
	path := upload(t, "8000000")
	whole := runWith(t, nil, path, "-f", "ndjson")
	if whole.status != 0 || !strings.Contains(whole.out, `"truncated":false`) {
		t.Fatalf("uninterrupted: status %d\n%s%s", whole.status, whole.out, whole.err)
	}
	ended := make(chan struct{})
	got := runWith(t, func(c *console) {
		c.notify = func(ch chan<- os.Signal) { ch <- os.Interrupt; ch <- os.Interrupt }
		c.exit = func(int) { close(ended); select {} } // as if the end took its time
		c.now = func() time.Time { <-ended; return time.Unix(0, 0) }
	}, path, "-f", "ndjson")
	if got.status != statusUnread || !strings.Contains(got.out, `"truncated":true`) || !strings.Contains(got.out, `"type":"exchange"`) {
		t.Errorf("status %d\n%s", got.status, got.out)
	}
	if !strings.Contains(got.err, "expectscope: error: interrupted after ") || !strings.Contains(got.err, " of 8.") {
		t.Errorf("standard error: %s", got.err)
	}
}

// Ctrl-C on a pipe: what is in it is read, the report comes, all is well.
func TestInterruptedPipe(t *testing.T) {
	if _, err := exec.LookPath("expectscope"); err != nil {
		t.Fatalf("the program is not on the path that TestMain makes: %v", err)
	}
	cmd := exec.Command("expectscope", "-")
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var errs bytes.Buffer
	cmd.Stderr = &errs
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	demo, err := os.ReadFile(filepath.Join(pcaps, "demo.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := stdin.Write(demo); err != nil {
		t.Fatal(err)
	}
	out := bufio.NewReader(stdout)
	first, err := out.ReadString('\n') // a finding that settled: the program reads
	if err != nil || !strings.HasPrefix(first, "10:00:") {
		t.Fatalf("no finding while the pipe is open: %q, %v", first, err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	rest, err := io.ReadAll(out)
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil || errs.Len() > 0 {
		t.Errorf("%v\n%s", err, errs.String())
	}
	if !strings.Contains(string(rest), "\nCAPTURE  296 packets") {
		t.Errorf("no report, or not of all packets:\n%s", rest)
	}
}

// The second Ctrl-C takes the unfinished output away and ends the process.
func TestSecondInterrupt(t *testing.T) {
	var ch chan<- os.Signal
	ended, abandoned := make(chan int), false
	c := &console{
		notify: func(to chan<- os.Signal) { ch = to },
		exit:   func(status int) { ended <- status },
	}
	stop, release := c.interrupts(func() { abandoned = true })
	defer release()
	if isClosed(stop) {
		t.Error("stopped before any signal")
	}
	ch <- os.Interrupt
	<-stop
	ch <- os.Interrupt
	if status := <-ended; status != 130 || !abandoned {
		t.Errorf("status %d, output abandoned: %v", status, abandoned)
	}
}

func TestNoInterrupt(t *testing.T) {
	c := &console{notify: func(chan<- os.Signal) {}}
	stop, release := c.interrupts(func() { t.Error("abandoned") })
	release()
	if isClosed(stop) {
		t.Error("stopped without a signal")
	}
}

// A disk that fills up in the middle of the run ends it.
func TestWriteFails(t *testing.T) {
	full := errors.New("no space left on device")
	for _, format := range []string{"text", "json", "ndjson", "csv"} {
		got := runWith(t, func(c *console) { c.out = &failingWriter{n: 100, err: full} },
			filepath.Join(pcaps, "demo.pcap"), "-f", format, "--fail-on", "info")
		if got.status != statusUnread || !strings.Contains(got.err, "error: cannot write standard output: no space left on device") {
			t.Errorf("%s: status %d, %s", format, got.status, got.err)
		}
	}
	for _, verb := range []string{"rules", "version"} {
		got := runWith(t, func(c *console) { c.out = &failingWriter{err: full} }, verb)
		if got.status != statusUnread {
			t.Errorf("%s: status %d, %s", verb, got.status, got.err)
		}
	}
}

// A file that could not be finished does not appear, and nothing of it stays behind.
func TestOutputAbandoned(t *testing.T) {
	dir := t.TempDir()
	o, err := openOutput(&console{}, filepath.Join(dir, "out.csv"), nil)
	if err != nil {
		t.Fatal(err)
	}
	o.WriteString("begun")
	o.file.Close() // so that writing fails
	if err := o.finish(); err == nil {
		t.Error("finished without a file")
	}
	if left, _ := os.ReadDir(dir); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

func TestFaults(t *testing.T) {
	var errs bytes.Buffer
	c := &console{err: &errs}
	st := &capture.Stats{Inputs: []capture.Input{{Name: "a.pcap"}, {Name: "b\x1b.pcap"}}}
	if c.faults(nil, st) {
		t.Error("faults where there are none")
	}
	faults := []engine.Panic{
		{Packet: capture.MakeNum(2, 120), Value: "index out of range"},
		{Packet: capture.MakeNum(1, 7), Value: errors.New("boom\x1b[2J")},
		{Value: "at the end"},
		{Packet: capture.MakeNum(1, 9), Value: "x"},
		{Packet: capture.MakeNum(1, 10), Value: "y"},
	}
	if !c.faults(faults, st) {
		t.Error("no faults where there are some")
	}
	const want = `expectscope: error: internal fault at frame 120 of b\x1b.pcap, its connection was left out: index out of range
expectscope: hint: please report it, with the frames around it if you may: editcap -r b\x1b.pcap out.pcap 70-170
expectscope: error: internal fault at frame 7 of a.pcap, its connection was left out: boom\x1b[2J
expectscope: hint: please report it, with the frames around it if you may: editcap -r a.pcap out.pcap 1-57
expectscope: error: internal fault at the end of the capture, its connection was left out: at the end
expectscope: hint: please report it, with the frames around it if you may
expectscope: error: 2 more connections were left out for internal faults
`
	if errs.String() != want {
		t.Errorf("got:\n%swant:\n%s", errs.String(), want)
	}
}

func TestProgressLine(t *testing.T) {
	for _, c := range []struct {
		read, total int64
		elapsed     time.Duration
		want        string
	}{
		{500e6, 1000e6, time.Second, "[############............]  50% of 1.0 GB, 500 MB/s, 1s left"},
		{0, 1000e6, 2 * time.Second, "[........................]   0% of 1.0 GB, 0 bytes/s, ? left"},
		{1000e6, 1000e6, 4 * time.Second, "[########################] 100% of 1.0 GB, 250 MB/s, 0s left"},
		{1200e6, 1000e6, 4 * time.Second, "[########################] 100% of 1.0 GB, 300 MB/s, 0s left"},
		{3e9, 0, 3 * time.Second, "3.0 GB read, 1.0 GB/s"},
	} {
		if got := progressLine(c.read, c.total, c.elapsed); got != c.want {
			t.Errorf("%d of %d in %s:\n%s, want\n%s", c.read, c.total, c.elapsed, got, c.want)
		}
	}
	for n, want := range map[int64]string{0: "0 bytes", 999: "999 bytes", 1000: "1.0 kB", 9949: "9.9 kB", 9950: "10 kB", 999_499: "999 kB", 999_500: "1.0 MB", 5e15: "5000 TB"} {
		if got := bytesText(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
}

// The bar appears after a second, not more often than ten times a second, and goes.
func TestProgress(t *testing.T) {
	var out bytes.Buffer
	now := time.Unix(0, 0)
	p := &progress{w: &out, now: func() time.Time { return now }, start: now}
	st := &capture.Stats{Read: 1, Total: 2}
	p.draw(st)
	p.clear()
	if out.Len() > 0 {
		t.Errorf("drawn at once: %q", out.String())
	}
	for range 100 { // a second and 90 ms
		now = now.Add(11 * time.Millisecond)
		p.draw(st)
	}
	if n := strings.Count(out.String(), "\r"); n != 1 {
		t.Errorf("drawn %d times: %q", n, out.String())
	}
	p.clear()
	if !strings.HasSuffix(out.String(), "\r\x1b[K") {
		t.Errorf("it stays: %q", out.String())
	}
	quiet := newProgress(&console{err: &out, out: &out, now: time.Now, env: os.Getenv}, false)
	if quiet.w != nil {
		t.Error("a progress bar, and no terminal")
	}
}

func TestVersionText(t *testing.T) {
	release := &debug.BuildInfo{Main: debug.Module{Version: "v0.1.0"}}
	revision := &debug.BuildInfo{Main: debug.Module{Version: "v0.0.0-20260105100000-0123456789ab+dirty"}, Settings: []debug.BuildSetting{
		{Key: "vcs.revision", Value: "0123456789abcdef0123"}, {Key: "vcs.time", Value: "2026-01-05T10:00:00Z"}, {Key: "vcs.modified", Value: "true"},
	}}
	for _, c := range []struct {
		info *debug.BuildInfo
		want string
	}{
		{nil, "devel, go"},
		{release, "v0.1.0, go"},
		{revision, "devel, revision 0123456789ab of 2026-01-05T10:00:00Z, modified, go"},
	} {
		if got := versionText(c.info); !strings.HasPrefix(got, c.want) {
			t.Errorf("%q, want %q and so on", got, c.want)
		}
	}
}
