package main

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"expectscope/analysis"
	"expectscope/analysis/engine"
	"expectscope/capture/live"
	"expectscope/reassembly"
)

const (
	soakVar   = "EXPECTSCOPE_SOAK"      // how long TestSoak takes; it is skipped without
	peersVar  = "EXPECTSCOPE_SOAK_PEER" // set in the process that talks
	soakConns = 5000                    // connections that are followed at most
	soakRate  = 500                     // new connections a second at most
)

// Memory is bounded whatever the traffic: connections begin all the time, half
// of them never end, and once as many are followed as may be, resident memory
// stays. It is no part of CI:
//
//	EXPECTSCOPE_SOAK=15m go test -run '^TestSoak$' -v -timeout 0 ./cmd/expectscope
func TestSoak(t *testing.T) {
	if os.Getenv(soakVar) == "" {
		t.Skip("it takes minutes: say how many, " + soakVar + "=15m")
	}
	long, err := time.ParseDuration(os.Getenv(soakVar))
	if err != nil || long < 3*time.Minute {
		t.Fatalf("%s=%s: want at least 3m, memory grows for a minute", soakVar, os.Getenv(soakVar))
	}
	if !alone(t) {
		return
	}
	h, err := live.Open(live.Options{Interface: "lo", Buffer: 16 << 20})
	if err != nil {
		t.Fatal(err)
	}
	defer h.Close()
	talking := startPeers(t)
	s := newSoak(t, h, long)
	if err := s.engine.Read(h, s.sample); err != nil {
		t.Fatal(err)
	}
	made := talking.end(t)
	h.Stop()
	if err := s.engine.Read(h, func() bool { return true }); err != nil {
		t.Fatal(err)
	}
	s.judge(s.engine.Close(h), made)
}

// A soak is an analysis whose memory is looked at.
type soak struct {
	t           *testing.T
	h           *live.Handle
	engine      *engine.Engine
	begun, next time.Time
	long        time.Duration
	full        time.Time // when the limit of connections was first hit
	resident    []int     // samples in kB from a minute after that on
	provisional int
	findings    map[string]int // final ones, by rule
}

func newSoak(t *testing.T, h *live.Handle, long time.Duration) *soak {
	now := time.Now()
	s := &soak{t: t, h: h, begun: now, next: now, long: long, findings: map[string]int{}}
	s.engine = engine.New(engine.Options{Live: true, Crash: true, Assembler: reassembly.Options{Conns: soakConns}}, s)
	return s
}

func (s *soak) Exchange(*analysis.Exchange) {}

func (s *soak) Finding(f *analysis.Finding) {
	if f.State == analysis.Final {
		s.findings[f.Rule]++
	} else {
		s.provisional++
	}
}

// sample looks at the memory every 10 seconds, says it every minute, and is
// false when the time is over.
func (s *soak) sample() bool {
	const often = 10 * time.Second
	now := time.Now()
	if now.Before(s.next) {
		return true
	}
	s.next = s.next.Add(often)
	elapsed := now.Sub(s.begun).Round(time.Second)
	sum := s.engine.Summary(s.h)
	kB := residentMemory(s.t)
	if s.full.IsZero() && sum.Limits["connections"] > 0 {
		s.full = now
		s.t.Logf("%v: the limit of %d connections is reached", elapsed, soakConns)
	}
	// A refused exchange is remembered for as long as a repeat is recognised.
	if !s.full.IsZero() && now.Sub(s.full) > time.Duration(analysis.LinkHorizon)+often {
		s.resident = append(s.resident, kB)
	}
	if elapsed%time.Minute < often {
		s.t.Logf("%v: %d kB resident, %d packets, %d connections, %d open, %d evicted, %d drops",
			elapsed, kB, sum.Packets, sum.Connections, sum.OpenConnections, sum.Limits["connections"], sum.Capture.Drops)
	}
	return elapsed < s.long
}

// judge holds what was seen against what was said on made connections.
func (s *soak) judge(sum *analysis.Summary, made int) {
	t := s.t
	t.Logf("%d packets, %d connections of %d, %d drops, limits %v, %d provisional findings, final: %v",
		sum.Packets, sum.Connections, made, sum.Capture.Drops, sum.Limits, s.provisional, s.findings)
	if len(s.resident) < 4 {
		t.Fatalf("only %d samples of memory with %d evicted connections", len(s.resident), sum.Limits["connections"])
	}
	half := len(s.resident) / 2
	before, after := slices.Max(s.resident[:half]), slices.Max(s.resident[half:])
	t.Logf("resident at most %d kB in the first half after the limit, %d kB in the second", before, after)
	if slack := before/20 + 1024; after > before+slack {
		t.Errorf("memory grows from %d to %d kB", before, after)
	}
	if sum.OpenConnections > soakConns {
		t.Errorf("%d connections are followed", sum.OpenConnections)
	}
	if sum.Capture.Drops > 0 {
		t.Errorf("%d packets were dropped", sum.Capture.Drops)
		return // and with them, what follows is not exact
	}
	quarter := made / len(soakTalks)
	if int(sum.Connections) != made || int(sum.Exchanges) != made || int(sum.Expect) != made {
		t.Errorf("%d connections, %d exchanges, %d with Expect; %d were made", sum.Connections, sum.Exchanges, sum.Expect, made)
	}
	if got := s.findings["417-for-100-continue"]; got != quarter {
		t.Errorf("%d refusals found, want %d", got, quarter)
	}
	if s.provisional == 0 {
		t.Error("what hangs was not reported while it hung")
	}
}

// residentMemory of this process in kB.
func residentMemory(t *testing.T) int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Fatal(err)
	}
	kB := 0
	_, after, _ := strings.Cut(string(status), "VmRSS:")
	if _, err := fmt.Sscan(after, &kB); err != nil {
		t.Fatalf("no VmRSS in the status: %v", err)
	}
	return kB
}

// talkers are a process that talks until its standard input ends.
type talkers struct {
	cmd   *exec.Cmd
	stdin io.Closer
	out   *bufio.Scanner
}

func startPeers(t *testing.T) *talkers {
	t.Helper()
	p := &talkers{cmd: again(t, "TestSoakPeers", peersVar)}
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	p.cmd.Stderr = os.Stderr
	stdin, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	p.stdin, p.out = stdin, bufio.NewScanner(stdout)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

// end ends the talk and returns on how many connections there was one.
func (p *talkers) end(t *testing.T) int {
	t.Helper()
	p.stdin.Close()
	made := 0
	for p.out.Scan() {
		if n, ok := strings.CutPrefix(p.out.Text(), "connections: "); ok {
			if _, err := fmt.Sscan(n, &made); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := p.cmd.Wait(); err != nil || made == 0 {
		t.Fatalf("the peers made %d connections: %v", made, err)
	}
	return made
}

// soakTalks are what is said on connections, in turn; the last two never end.
var soakTalks = []struct {
	lines []string
	ends  bool
}{
	{[]string{asks, goOn, body, created}, true},
	{[]string{asks, refuses + " | Connection: close"}, true},
	{[]string{asks, goOn, body, created}, false},
	{[]string{asks}, false},
}

// TestSoakPeers is no test: it is the other end of TestSoak, in a process whose
// memory is not looked at.
func TestSoakPeers(t *testing.T) {
	if os.Getenv(peersVar) == "" {
		t.Skip("TestSoak runs it")
	}
	over := make(chan struct{})
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin) // it only ends
		close(over)
	}()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	const pause = 20 * time.Millisecond
	tick := time.NewTicker(pause)
	defer tick.Stop()
	made := 0
	for {
		select {
		case <-over:
			fmt.Printf("\nconnections: %d\n", made)
			return
		case <-tick.C:
		}
		for range int(soakRate * pause / time.Second / time.Duration(len(soakTalks))) {
			for _, talk := range soakTalks {
				soakTalk(t, l, made, talk.lines, talk.ends)
				made++
			}
		}
	}
}

// soakTalk plays one conversation. The client's address is another one each
// time, so that connections that never end are not taken for each other.
func soakTalk(t *testing.T, l net.Listener, n int, lines []string, ends bool) {
	t.Helper()
	from := &net.TCPAddr{IP: net.IPv4(127, byte(1+n>>16), byte(n>>8), byte(n))}
	to := l.Addr().(*net.TCPAddr)
	client, err := net.DialTCP("tcp4", from, to)
	if err != nil {
		t.Fatal(err)
	}
	server, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	say(t, client, server, lines)
	if !ends {
		vanish(t, client)
		vanish(t, server.(*net.TCPConn))
	}
	client.Close()
	server.Close()
}

// say plays the lines of a conversation on a connection.
func say(t *testing.T, client, server net.Conn, lines []string) {
	t.Helper()
	for _, line := range lines {
		from, to := client, server
		if line[0] == '<' {
			from, to = server, client
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
}

// vanish makes the end of a connection one that nobody sees: a socket that is
// being repaired (TCP_REPAIR, for programs that are moved to another machine)
// is closed without a word.
func vanish(t *testing.T, c *net.TCPConn) {
	t.Helper()
	const tcpRepair = 19
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var refused error
	err = raw.Control(func(fd uintptr) {
		refused = syscall.SetsockoptInt(int(fd), syscall.IPPROTO_TCP, tcpRepair, 1)
	})
	if err := errors.Join(err, refused); err != nil {
		t.Fatalf("a connection cannot end unseen: %v", err)
	}
}
