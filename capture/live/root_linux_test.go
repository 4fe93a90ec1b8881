package live

import (
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/net/bpf"

	"expectscope/capture"
)

// asRoot skips a test that needs to capture.
func asRoot(t *testing.T) {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root may capture")
	}
}

// open opens a capture that is closed when the test ends.
func open(t *testing.T, o Options) *Handle {
	t.Helper()
	h, err := Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	})
	return h
}

// rest reads a capture that was stopped, until its end.
func rest(t *testing.T, h *Handle, each func(*capture.Packet)) {
	t.Helper()
	var p capture.Packet
	for {
		switch err := h.Next(&p); {
		case err == nil:
			each(&p)
		case errors.Is(err, io.EOF):
			return
		case !errors.Is(err, capture.ErrIdle):
			t.Fatal(err)
		}
	}
}

// udpPort chooses packets to one UDP port over IPv4, on Ethernet.
func udpPort(t *testing.T, port int) []bpf.RawInstruction {
	t.Helper()
	raw, err := bpf.Assemble([]bpf.Instruction{
		bpf.LoadAbsolute{Off: 12, Size: 2},
		bpf.JumpIf{Val: 0x0800, SkipFalse: 5},
		bpf.LoadAbsolute{Off: 23, Size: 1},
		bpf.JumpIf{Val: 17, SkipFalse: 3},
		bpf.LoadAbsolute{Off: 36, Size: 2},
		bpf.JumpIf{Val: uint32(port), SkipFalse: 1},
		bpf.RetConstant{Val: 1 << 18},
		bpf.RetConstant{},
	})
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// receiver is a UDP socket on loopback that nobody reads, and one that sends to it.
func receiver(t *testing.T) (port int, send net.Conn) {
	t.Helper()
	in, err := net.ListenPacket("udp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { in.Close() })
	send, err = net.Dial("udp4", in.LocalAddr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { send.Close() })
	return in.LocalAddr().(*net.UDPAddr).Port, send
}

func TestLoopbackEachPacketOnce(t *testing.T) {
	asRoot(t)
	for _, name := range []string{"lo", Any} {
		t.Run(name, func(t *testing.T) {
			port, send := receiver(t)
			o := Options{Interface: name, Buffer: 4 << 20}
			if name == "lo" {
				o.Filter = udpPort(t, port)
			}
			h := open(t, o)
			const n = 1000
			from := time.Now().UnixNano()
			for i := range n {
				fmt.Fprintf(send, "packet %03d of port %d", i, port)
			}
			h.Stop()
			got := 0
			rest(t, h, func(p *capture.Packet) {
				want := fmt.Sprintf("packet %03d of port %d", got, port)
				if len(p.Data) < len(want) || string(p.Data[len(p.Data)-len(want):]) != want {
					if name == "lo" {
						t.Fatalf("packet %d is %q, want %q", got, p.Data, want)
					}
					return
				}
				got++
				if p.Time < from || p.Time > time.Now().UnixNano() {
					t.Errorf("time %d is not between %d and now", p.Time, from)
				}
				if p.Len != len(p.Data) || p.Link != h.Link() {
					t.Errorf("length %d of %d, link %d", len(p.Data), p.Len, p.Link)
				}
			})
			if got != n {
				t.Errorf("%d packets, want %d", got, n)
			}
			if in := h.Stats().Inputs[0]; in.Drops != 0 || !in.DropsKnown || in.Name != name {
				t.Errorf("stats %+v", in)
			}
		})
	}
}

// What is sent before Stop is handed out, however short the capture, and
// whether or not anybody read it until then.
func TestStopLosesNothing(t *testing.T) {
	asRoot(t)
	port, send := receiver(t)
	for _, reading := range []bool{false, true} {
		t.Run(fmt.Sprintf("reading=%v", reading), func(t *testing.T) {
			h := open(t, Options{Interface: "lo", Filter: udpPort(t, port), Buffer: 8 << 20})
			got := make(chan int, 1)
			count := func() {
				n := 0
				rest(t, h, func(*capture.Packet) { n++ })
				got <- n
			}
			if reading {
				go count()
			}
			sent := 0
			for end := time.Now().Add(500 * time.Millisecond); time.Now().Before(end); sent++ {
				fmt.Fprint(send, "a datagram")
				time.Sleep(time.Millisecond)
			}
			h.Stop()
			if !reading {
				count()
			}
			if n := <-got; n != sent {
				t.Errorf("%d packets of %d", n, sent)
			}
			var p capture.Packet
			if err := h.Next(&p); !errors.Is(err, io.EOF) {
				t.Errorf("after the end: %v", err)
			}
		})
	}
}

// Stop wakes a reader that waits; without traffic it waits a second at a time.
func TestIdleAndStop(t *testing.T) {
	asRoot(t)
	h := open(t, Options{Interface: "lo", Filter: dropAll, Buffer: 1 << 20})
	var p capture.Packet
	start := time.Now()
	if err := h.Next(&p); !errors.Is(err, capture.ErrIdle) || time.Since(start) < 900*time.Millisecond {
		t.Errorf("error %v after %v, want idle after a second", err, time.Since(start))
	}
	done := make(chan error)
	go func() { done <- h.Next(&p) }()
	h.Stop()
	start = time.Now()
	if err := <-done; !errors.Is(err, io.EOF) || time.Since(start) > 500*time.Millisecond {
		t.Errorf("error %v %v after Stop, want the end at once", err, time.Since(start))
	}
	h.Stop() // again, and after Close, does nothing
	if err := h.Close(); err != nil {
		t.Error(err)
	}
	h.Stop()
}

// Nothing that the filter does not choose is captured, not even while the
// capture begins.
func TestFilterFromTheFirstPacketOn(t *testing.T) {
	asRoot(t)
	port, send := receiver(t)
	_, noise := receiver(t)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			select {
			case <-stop:
				return
			default:
				fmt.Fprint(noise, "not chosen")
			}
		}
	}()
	for range 5 {
		h := open(t, Options{Interface: "lo", Filter: udpPort(t, port), Buffer: 2 << 20})
		fmt.Fprint(send, "chosen")
		h.Stop()
		var got []string
		rest(t, h, func(p *capture.Packet) { got = append(got, string(p.Data[min(42, len(p.Data)):])) })
		if len(got) != 1 || got[0] != "chosen" {
			t.Errorf("captured %q, want only what was chosen", got)
		}
	}
	close(stop)
	<-done
}

// The kernel cuts frames, and says how long they were.
func TestSnapLen(t *testing.T) {
	asRoot(t)
	port, send := receiver(t)
	for _, filter := range [][]bpf.RawInstruction{udpPort(t, port), nil} {
		h := open(t, Options{Interface: "lo", Filter: filter, SnapLen: 50, Buffer: 2 << 20})
		fmt.Fprintf(send, "%0100d", 7)
		h.Stop()
		whole := 0
		rest(t, h, func(p *capture.Packet) {
			if len(p.Data) > 50 {
				t.Errorf("%d bytes of a frame, want 50 at most", len(p.Data))
			}
			if p.Len == 142 && len(p.Data) == 50 {
				whole++
			}
		})
		if whole != 1 || h.Stats().Inputs[0].Snapped == 0 {
			t.Errorf("%d frames of 142 bytes cut to 50, stats %+v", whole, h.Stats().Inputs[0])
		}
	}
}

// A segment that the kernel would cut later is whole.
func TestLargeSegmentsWhole(t *testing.T) {
	asRoot(t)
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	h := open(t, Options{Interface: "lo"})
	go func() {
		if c, err := l.Accept(); err == nil {
			_, _ = io.Copy(io.Discard, c)
			c.Close()
		}
	}()
	c, err := net.Dial("tcp4", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	const sent = 8 << 20
	if _, err := c.Write(make([]byte, sent)); err != nil {
		t.Fatal(err)
	}
	c.Close()
	h.Stop()
	longest, bytes := 0, 0
	rest(t, h, func(p *capture.Packet) {
		if len(p.Data) != p.Len {
			t.Errorf("%d bytes of a frame of %d", len(p.Data), p.Len)
		}
		longest, bytes = max(longest, len(p.Data)), bytes+len(p.Data)
	})
	if st := h.Stats().Inputs[0]; st.Drops == 0 && bytes < sent {
		t.Errorf("%d bytes captured of %d, and no drops", bytes, sent)
	}
	t.Logf("longest frame: %d bytes", longest)
	if longest < 16<<10 {
		t.Errorf("the longest frame has %d bytes: were large segments cut?", longest)
	}
}

// Everything that is sent is handed out or counted as dropped.
func TestRate(t *testing.T) {
	asRoot(t)
	for _, c := range []struct {
		name    string
		buffer  int
		reading bool
	}{
		{"100,000 packets a second", DefaultBuffer, true},
		{"a ring that is too small", 1, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			port, send := receiver(t)
			h := open(t, Options{Interface: "lo", Filter: udpPort(t, port), Buffer: c.buffer})
			got := make(chan uint64, 1)
			count := func() {
				n := uint64(0)
				rest(t, h, func(*capture.Packet) { n++ })
				got <- n
			}
			if c.reading {
				go count()
			}
			sent, took := pace(t, send, 100_000, 2*time.Second)
			h.Stop()
			if !c.reading {
				count()
			}
			n, in := <-got, h.Stats().Inputs[0]
			t.Logf("%d packets in %v (%.0f a second): %d dropped, ring full %d times", sent, took, float64(sent)/took.Seconds(), in.Drops, in.Freezes)
			if n+in.Drops != sent || n != in.Packets {
				t.Errorf("%d handed out (%d counted) and %d dropped of %d", n, in.Packets, in.Drops, sent)
			}
			if !c.reading && (in.Drops == 0 || in.Freezes == 0) {
				t.Errorf("nobody read, and nothing was dropped: %+v", in)
			}
		})
	}
}

// pace sends packets of 200 bytes for some time, up to so many a second.
func pace(t *testing.T, send net.Conn, rate int, d time.Duration) (sent uint64, took time.Duration) {
	t.Helper()
	b := make([]byte, 158)
	start := time.Now()
	for took < d {
		due := uint64(took.Seconds() * float64(rate))
		for range min(64, due-sent) { // then look at the clock
			if _, err := send.Write(b); err != nil {
				t.Fatal(err)
			}
			sent++
		}
		took = time.Since(start)
	}
	return sent, took
}

func TestOpenRefuses(t *testing.T) {
	asRoot(t)
	tooLong := make([]bpf.RawInstruction, 5000)
	copy(tooLong, dropAll)
	for name, c := range map[string]struct {
		o    Options
		kind ErrorKind
		text string
		hint string
	}{
		"no such interface": {Options{Interface: "none0"}, NoInterface, "cannot capture from none0: there is no such interface", "expectscope live -D lists the interfaces"},
		"no name of one":    {Options{Interface: "a name that is too long"}, NoInterface, "cannot capture from a name that is too long: there is no such interface", "expectscope live -D lists the interfaces"},
		"a bad filter":      {Options{Filter: tooLong}, BadFilter, "cannot capture from any: the kernel refuses the filter: invalid argument", "check what the filter asks for; the kernel takes 4,096 instructions"},
		"too much memory":   {Options{Buffer: min(1<<50, math.MaxInt/2)}, NoMemory, "cannot capture from any: the kernel has no memory for the buffer: cannot allocate memory", "give a smaller --buffer"},
	} {
		t.Run(name, func(t *testing.T) {
			h, err := Open(c.o)
			var e *Error
			if h != nil || !errors.As(err, &e) || e.Kind != c.kind || e.Error() != c.text || e.Hint() != c.hint {
				t.Errorf("error %v (%+v)", err, e)
			}
		})
	}
}

func TestInterfaces(t *testing.T) {
	all, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for i, n := range all {
		if n.Name == "" || n.Index <= 0 || i > 0 && all[i-1].Index >= n.Index {
			t.Errorf("interface %d: %+v", i, n)
		}
		if n.Name == "lo" {
			if !n.Loopback || !n.Up || n.Link != capture.LinkEthernet || len(n.Addrs) == 0 || !n.Addrs[0].Addr().IsLoopback() {
				t.Errorf("loopback: %+v", n)
			}
			return
		}
	}
	t.Skip("there is no interface lo")
}

// When the disk is full in the middle of a block, the file ends before it.
func TestRecordDiskFullInABlock(t *testing.T) {
	asRoot(t)
	dir := t.TempDir()
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "size=100k", "tmpfs", dir).CombinedOutput(); err != nil {
		t.Skipf("cannot mount a small disk: %s", out)
	}
	defer exec.Command("umount", "-l", dir).Run()
	path := filepath.Join(dir, "seen.pcapng")
	if _, err := writes(t, path); !errors.Is(err, syscall.ENOSPC) {
		t.Fatalf("error %v, want one about space", err)
	}
	got, in := readAll(t, path)
	if len(got) < 500 || in[0].Err != nil {
		t.Errorf("%d packets are kept (%v), want 500 or more", len(got), in[0].Err)
	}
}
