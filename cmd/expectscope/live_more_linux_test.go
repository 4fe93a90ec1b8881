package main

import (
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
)

// --until ends the capture at the first finding of a kind, by itself.
func TestLiveUntil(t *testing.T) {
	asRoot(t)
	p := start(t, t.TempDir(), "expectscope", "live", "-i", "lo", "-f", "ndjson", "--until", "417-received", "--duration", "30s", "tcp")
	p.capturing(t)
	began := time.Now()
	talk(t, asks, refuses, repeats, body, created)
	if status := p.wait(t); status != 0 || p.complaints() != "" {
		t.Errorf("status %d: %s", status, p.err.String())
	}
	if !strings.Contains(p.out.String(), `"rule":"417-received"`) || time.Since(began) > 25*time.Second {
		t.Errorf("it went on for %v:\n%s", time.Since(began), p.out.String())
	}
}

// freePort is a port of loopback that nobody listens to.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// --metrics serves what Prometheus' own parser reads, while the capture goes on.
func TestLiveMetrics(t *testing.T) {
	asRoot(t)
	addr := freePort(t)
	p := start(t, t.TempDir(), "expectscope", "live", "-i", "lo", "-f", "ndjson", "--metrics", addr, "tcp and not port "+addr[strings.LastIndex(addr, ":")+1:])
	p.capturing(t)
	talk(t, asks, goOn, body, created)
	exchanges := func() float64 {
		resp, err := http.Get("http://" + addr + "/metrics")
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		text, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		parser := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parser.TextToMetricFamilies(strings.NewReader(string(text)))
		if err != nil {
			t.Fatalf("%v:\n%s", err, text)
		}
		if families["expectscope_memory_bytes"].GetMetric()[0].GetGauge().GetValue() == 0 {
			t.Errorf("no memory:\n%s", text)
		}
		return families["expectscope_exchanges_total"].GetMetric()[0].GetCounter().GetValue()
	}
	n := 0.0
	for end := time.Now().Add(5 * time.Second); n == 0 && time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
		n = exchanges()
	}
	if n != 1 {
		t.Errorf("%v exchanges, want 1", n)
	}
	if status := p.end(t); status != 0 || p.complaints() != "" {
		t.Errorf("status %d: %s", status, p.err.String())
	}
}

// The browser needs a terminal; in one it fills while packets come. What it writes is covered if it is to be.
func TestLiveBrowser(t *testing.T) {
	asRoot(t)
	p := start(t, t.TempDir(), "expectscope", "live", "-i", "lo", "--tui")
	if status := p.wait(t); status != statusUsage || !strings.Contains(p.complaints(), "needs a terminal") {
		t.Errorf("status %d: %s", status, p.err.String())
	}
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is missing")
	}
	program, err := exec.LookPath("expectscope")
	if err != nil {
		t.Skip(err)
	}
	tmux := func(args ...string) string {
		t.Helper()
		out, err := exec.Command("tmux", append([]string{"-L", "expectscope-live", "-f", "/dev/null"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("tmux %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	dir := t.TempDir()
	tmux("new-session", "-d", "-c", dir, "-x", "80", "-y", "24", program+" live -i lo --tui --redact --evidence proof tcp; sleep 5")
	defer exec.Command("tmux", "-L", "expectscope-live", "kill-server").Run()
	shows := func(text string) bool {
		for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(100 * time.Millisecond) {
			if strings.Contains(tmux("capture-pane", "-p"), text) {
				return true
			}
		}
		return false
	}
	if !shows("live lo") {
		t.Fatalf("the first screen:\n%s", tmux("capture-pane", "-p"))
	}
	time.Sleep(300 * time.Millisecond) // until it captures
	talk(t, strings.Replace(asks, "/up", "/up?SECRET", 1)+" | Cookie: SECRET", refuses+" | Connection: close")
	if tmux("send-keys", "2"); !shows("/up") {
		t.Errorf("no exchange appears:\n%s", tmux("capture-pane", "-p"))
	}
	if tmux("send-keys", "e"); !shows("wrote expectscope-") {
		t.Errorf("the packets are not extracted:\n%s", tmux("capture-pane", "-p"))
	}
	if tmux("send-keys", "o", "n"); !shows("wrote expectscope-list") {
		t.Errorf("the list is not written:\n%s", tmux("capture-pane", "-p"))
	}
	tmux("send-keys", "q") // findings are judged at the end
	for _, written := range []string{"*.pcapng", "*.ndjson", "proof/417-for-100-continue-*.pcapng"} {
		var text []byte
		waitFor(t, written+" is written, and covered", func() bool {
			names, _ := filepath.Glob(filepath.Join(dir, written)) // the pattern is sound
			if len(names) == 1 {
				text, _ = os.ReadFile(names[0])
			}
			return strings.Contains(string(text), "/up?xxxxxx")
		})
		if strings.Contains(string(text), "SECRET") {
			t.Errorf("%s: %q", written, text)
		}
	}
}
