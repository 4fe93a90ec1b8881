package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// asRoot skips a test that needs to capture.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root may capture")
	}
}

// A process is the program while it runs. A test's own process does not watch
// an interface: it would give up its privileges for all tests.
type process struct {
	cmd      *exec.Cmd
	out, err bytes.Buffer
}

func start(t *testing.T, dir string, args ...string) *process {
	t.Helper()
	p := &process{cmd: exec.Command(args[0], args[1:]...)}
	p.cmd.Dir, p.cmd.Stdout, p.cmd.Stderr = dir, &p.out, &p.err
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.cmd.Process.Kill() }) // does nothing once it was waited for
	return p
}

// end interrupts the process and returns its exit status.
func (p *process) end(t *testing.T) int {
	t.Helper()
	if err := p.cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	return p.wait(t)
}

func (p *process) wait(t *testing.T) int {
	t.Helper()
	err := p.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return p.cmd.ProcessState.ExitCode()
}

// complaints is standard error without what is said of a program with cgo,
// which these tests may be.
func (p *process) complaints() string {
	var b strings.Builder
	for line := range strings.Lines(p.err.String()) {
		if !strings.Contains(line, "built with cgo") {
			b.WriteString(line)
		}
	}
	return b.String()
}

// capturing waits until the process captures: it has a packet socket that is
// bound to all protocols.
func (p *process) capturing(t *testing.T) {
	t.Helper()
	fds := fmt.Sprintf("/proc/%d/fd/*", p.cmd.Process.Pid)
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		sockets, err := os.ReadFile("/proc/net/packet")
		if err != nil {
			t.Skip(err)
		}
		open, _ := filepath.Glob(fds) // the pattern is sound
		for line := range strings.Lines(string(sockets)) {
			const protocol, inode = 3, 8
			f := strings.Fields(line)
			if f[protocol] == "0003" && slices.ContainsFunc(open, func(fd string) bool {
				to, _ := os.Readlink(fd) // it may be closed by now
				return to == "socket:["+f[inode]+"]"
			}) {
				return
			}
		}
	}
	t.Fatalf("nothing captures after 5 seconds: %s", p.err.String())
}

// talk plays a conversation on a connection through loopback: what a side says,
// and in between how long it waits. It returns the server's port.
func talk(t *testing.T, lines ...string) int {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	for _, line := range lines {
		from, to := client, server
		if line[0] == '<' {
			from, to = server, client
		}
		if d, err := time.ParseDuration(line); err == nil {
			time.Sleep(d)
			continue
		}
		text := strings.ReplaceAll(line[2:], " | ", "\r\n")
		if strings.Contains(text, "HTTP/1.1") {
			text += "\r\n\r\n"
		}
		if _, err := io.WriteString(from, text); err != nil {
			t.Fatal(err)
		}
		if _, err := io.ReadFull(to, make([]byte, len(text))); err != nil {
			t.Fatal(err)
		}
	}
	return l.Addr().(*net.TCPAddr).Port
}

const (
	asks    = "> PUT /up HTTP/1.1 | Host: a | User-Agent: test/1 | Content-Length: 5 | Expect: 100-continue"
	repeats = "> PUT /up HTTP/1.1 | Host: a | User-Agent: test/1 | Content-Length: 5"
	goOn    = "< HTTP/1.1 100 Continue"
	refuses = "< HTTP/1.1 417 Expectation Failed | Content-Length: 0"
	created = "< HTTP/1.1 201 Created | Content-Length: 0"
	body    = "> 12345"
)

// conversations talks in all the ways that matter.
func conversations(t *testing.T) {
	t.Helper()
	talk(t, asks, goOn, body, created)
	talk(t, asks, refuses, repeats, body, created)
	talk(t, asks, refuses+" | Connection: close")
	talk(t, repeats, body, created)
	talk(t, asks, "< HTTP/1.1 403 Forbidden | Content-Length: 0", body)
	talk(t, asks, "300ms", body, created)
	talk(t, asks, refuses)
}

// results are the exchanges and findings of ndjson, without the frames'
// numbers: another program's file may begin with another packet. Provisional
// ones are left out, and what was said again replaces what was said before.
func results(t *testing.T, ndjson string, frames bool) map[string]any {
	t.Helper()
	all := map[string]any{}
	for line := range strings.Lines(ndjson) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if o["type"] == "summary" || o["state"] == "provisional" {
			continue
		}
		all[fmt.Sprint(o["type"], " ", o["id"], o["exchange"], " ", o["rule"])] = o
		if !frames {
			delete(o, "time")
		}
	}
	return all
}

// What is seen live is what analyze says of the recorded file, and of the one
// that tcpdump wrote at the same time.
func TestLiveIsAnalyze(t *testing.T) {
	asRoot(t)
	dir := t.TempDir()
	tcpdump := []string{"tcpdump", "-i", "lo", "-s", "0", "-U", "-B", "65536", "--immediate-mode", "--time-stamp-precision=nano", "-w", "tcpdump.pcap", "tcp"}
	for _, iface := range []string{"lo", "any"} {
		t.Run(iface, func(t *testing.T) {
			var other *process
			if _, err := exec.LookPath("tcpdump"); err == nil && iface == "lo" {
				other = start(t, dir, tcpdump...)
				other.capturing(t)
			}
			p := start(t, dir, "expectscope", "live", "-i", iface, "-f", "ndjson", "-w", "seen.pcapng", "tcp", "and", "host", "127.0.0.1")
			p.capturing(t)
			conversations(t)
			status := p.end(t)
			if status != 0 || p.complaints() != "" {
				t.Fatalf("status %d: %s", status, p.err.String())
			}
			got := results(t, p.out.String(), true)
			if len(got) < 12 {
				t.Errorf("only %d exchanges and findings:\n%s", len(got), p.out.String())
			}
			recorded := runWith(t, nil, "analyze", "-f", "ndjson", filepath.Join(dir, "seen.pcapng"))
			if d := cmp.Diff(results(t, recorded.out, true), got); d != "" {
				t.Errorf("live differs from its recording (-recording +live):\n%s", d)
			}
			if other == nil {
				return
			}
			time.Sleep(100 * time.Millisecond) // tcpdump reads at its leisure
			other.end(t)
			theirs := runWith(t, nil, "analyze", "-f", "ndjson", filepath.Join(dir, "tcpdump.pcap"))
			if a, b := strings.Count(theirs.out, `"type":"exchange"`), strings.Count(recorded.out, `"type":"exchange"`); a != b {
				t.Errorf("%d exchanges in tcpdump's file, %d live", a, b)
			}
			if a, b := verdicts(t, theirs.out), verdicts(t, recorded.out); a != b {
				t.Errorf("tcpdump's file gives\n%s\nand live\n%s", a, b)
			}
		})
	}
}

// verdicts are findings in a form without frames and times.
func verdicts(t *testing.T, ndjson string) string {
	t.Helper()
	var b strings.Builder
	for line := range strings.Lines(ndjson) {
		var f struct {
			Type, Rule, Confidence, Client, Target string
			Status                                 int
			Evidence                               []int
		}
		if err := json.Unmarshal([]byte(line), &f); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		if f.Type == "finding" {
			fmt.Fprintln(&b, f.Rule, f.Confidence, f.Client, f.Target, f.Status, len(f.Evidence))
		}
	}
	return b.String()
}

// The packets of a finding are in a file of their own, and the finding is in it again.
func TestLiveEvidence(t *testing.T) {
	for _, redact := range []bool{false, true} {
		t.Run(fmt.Sprintf("redact=%v", redact), func(t *testing.T) { liveEvidence(t, redact) })
	}
}

func liveEvidence(t *testing.T, redact bool) {
	asRoot(t)
	dir := t.TempDir()
	p := start(t, dir, "expectscope", "live", "-i", "lo", "--evidence", "proof", fmt.Sprintf("--redact=%v", redact), "--rule", "417-for-100-continue", "tcp")
	p.capturing(t)
	talk(t, repeats, body, created)
	port := talk(t, asks+" | Cookie: SECRET", refuses+" | Connection: close")
	talk(t, repeats, body, created)
	if status := p.end(t); status != 0 || p.complaints() != "" {
		t.Fatalf("status %d: %s", status, p.err.String())
	}
	files, err := filepath.Glob(filepath.Join(dir, "proof", "*"))
	if err != nil || len(files) != 1 || !strings.HasPrefix(filepath.Base(files[0]), "417-for-100-continue-") {
		t.Fatalf("files %v, %v", files, err)
	}
	got := runWith(t, nil, "analyze", "-f", "ndjson", files[0])
	if got.status != 0 || strings.Count(got.out, `"rule":"417-for-100-continue"`) != 1 || strings.Count(got.out, `"type":"exchange"`) != 1 ||
		!strings.Contains(got.out, fmt.Sprintf(`"server":"127.0.0.1:%d"`, port)) || strings.Contains(got.out, `"doubts":["`) {
		t.Errorf("the file of the finding says\n%s%s", got.out, got.err)
	}
	raw, err := os.ReadFile(files[0])
	if err != nil || bytes.Count(raw, []byte("417-for-100-continue: ")) < 2 {
		t.Errorf("fewer than two packets have a comment (%v)", err)
	}
	if bytes.Contains(raw, []byte("SECRET")) == redact {
		t.Errorf("redacted: %v: %q", redact, raw)
	}
}

// What hangs is shown while it hangs, and is final once it went on.
func TestLiveShowsWhatHangs(t *testing.T) {
	asRoot(t)
	if testing.Short() {
		t.Skip("it takes the stall time, 5 seconds")
	}
	p := start(t, t.TempDir(), "expectscope", "live", "-i", "lo", "-f", "ndjson", "tcp")
	p.capturing(t)
	talk(t, asks, "7s", goOn, body, created)
	if status := p.end(t); status != 0 || p.complaints() != "" {
		t.Errorf("status %d: %s", status, p.err.String())
	}
	hanging := strings.Index(p.out.String(), `"rule":"expect-stall","state":"provisional"`)
	done := strings.Index(p.out.String(), `"status":201`)
	if hanging < 0 || done < hanging || strings.Count(p.out.String(), `"id":"`) < 2 {
		t.Errorf("it did not hang first and end then:\n%s", p.out.String())
	}
}

// --count ends a capture, --fail-on sets its status.
func TestLiveCountAndFail(t *testing.T) {
	asRoot(t)
	p := start(t, t.TempDir(), "expectscope", "live", "-i", "lo", "-f", "ndjson", "--count", "12", "--fail-on", "417-for-100-continue", "tcp")
	p.capturing(t)
	talk(t, asks, refuses+" | Connection: close")
	talk(t, repeats, body, created)
	if status := p.wait(t); status != statusFound || !strings.Contains(p.out.String(), `"packets":12,`) {
		t.Errorf("status %d\n%s%s", status, p.out.String(), p.err.String())
	}
}

// A full disk ends recording, not the analysis.
func TestLiveDiskFull(t *testing.T) {
	asRoot(t)
	p := start(t, t.TempDir(), "expectscope", "live", "-i", "lo", "-f", "ndjson", "-w", "/dev/full", "tcp")
	p.capturing(t)
	conversations(t)
	status := p.end(t)
	const says = "expectscope: error: cannot record to /dev/full: no space left on device; the analysis goes on without\n"
	if status != statusUnread || strings.Count(p.err.String(), says) != 1 || strings.Count(p.out.String(), `"rule":"417-received"`) < 2 {
		t.Errorf("status %d\n%s%s", status, p.out.String(), p.err.String())
	}
}

// Rotated files: the proof is a frame of a file, and it is there.
func TestLiveRotates(t *testing.T) {
	asRoot(t)
	dir := t.TempDir()
	p := start(t, dir, "expectscope", "live", "-i", "lo", "-f", "ndjson", "-w", "seen.pcapng", "--rotate-size", "2kB", "tcp")
	p.capturing(t)
	conversations(t)
	if status := p.end(t); status != 0 {
		t.Fatalf("status %d: %s", status, p.err.String())
	}
	files, err := filepath.Glob(filepath.Join(dir, "seen-*.pcapng"))
	if err != nil || len(files) < 3 {
		t.Fatalf("files %v, %v", files, err)
	}
	again := runWith(t, nil, append([]string{"analyze", "-f", "ndjson"}, files...)...)
	if a, b := verdicts(t, again.out), verdicts(t, p.out.String()); a != b || a == "" {
		t.Errorf("the files give\n%s\nand live\n%s", a, b)
	}
	if !strings.Contains(p.out.String(), "seen-00002.pcapng") {
		t.Errorf("no proof is in the second file:\n%s", p.out.String())
	}
}

// Without the capability there is a message, and nothing is written.
func TestLiveNotPermitted(t *testing.T) {
	asRoot(t)
	if _, err := exec.LookPath("setpriv"); err != nil {
		t.Skip("there is no setpriv to take the capability away with")
	}
	dir := t.TempDir()
	p := start(t, dir, "setpriv", "--bounding-set=-net_raw", "expectscope", "live", "-w", "seen.pcapng")
	status := p.wait(t)
	const says = "expectscope: error: cannot capture from any: not permitted\nexpectscope: hint: sudo setcap cap_net_raw+ep $(command -v expectscope)\n"
	if status != statusUnread || p.err.String() != says || p.out.Len() > 0 {
		t.Errorf("status %d: %s%s", status, p.out.String(), p.err.String())
	}
	if _, err := os.Stat(filepath.Join(dir, "seen.pcapng")); err == nil {
		t.Error("a file was made")
	}
}

// SIGTERM ends a capture as Ctrl-C does.
func TestLiveTerminated(t *testing.T) {
	asRoot(t)
	p := start(t, t.TempDir(), "expectscope", "live", "-i", "lo", "tcp")
	p.capturing(t)
	talk(t, asks, goOn, body, created)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if status := p.wait(t); status != 0 || !strings.Contains(p.out.String(), "\nCAPTURE") {
		t.Errorf("status %d\n%s%s", status, p.out.String(), p.err.String())
	}
}
