package live

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os/exec"
	"runtime"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"expectscope/capture"
)

// inNamespace runs the rest of the test in a network namespace of its own, in
// which the two ends of a cable, va and vb, are up. The thread that is in it
// ends with the test.
func inNamespace(t *testing.T) {
	t.Helper()
	asRoot(t)
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("there is no ip (iproute2) to make interfaces with")
	}
	runtime.LockOSThread()
	if err := unix.Unshare(unix.CLONE_NEWNET); err != nil {
		t.Skipf("cannot make a network namespace: %v", err)
	}
	if out, err := exec.Command("ip", "link", "add", "va", "type", "veth", "peer", "name", "vb").CombinedOutput(); err != nil {
		t.Skipf("cannot make a pair of interfaces: %s", out)
	}
	up(t)
}

// up puts both ends of the cable up, and waits until they carry packets: until
// the kernel has seen the carrier, what is queued there is lost without a word.
func up(t *testing.T) {
	t.Helper()
	ip(t, "link set va up")
	ip(t, "link set vb up")
	for end := time.Now().Add(3 * time.Second); ; time.Sleep(5 * time.Millisecond) {
		state := ip(t, "-o link show type veth")
		if strings.Count(state, " state UP ") == 2 && !strings.Contains(state, " qdisc noop ") {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("the cable carries nothing: %s", state)
		}
	}
}

func ip(t *testing.T, args string) string {
	t.Helper()
	out, err := exec.Command("ip", strings.Fields(args)...).CombinedOutput()
	if err != nil {
		t.Fatalf("ip %s: %v, %s", args, err, out)
	}
	return string(out)
}

// sendFrom sends a frame as it is out of an interface.
func sendFrom(t *testing.T, name, frame string) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_PACKET, unix.SOCK_RAW, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	index, err := upIndex(fd, name)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.Sendto(fd, []byte(frame), 0, &unix.SockaddrLinklayer{Ifindex: index}); err != nil {
		t.Fatal(err)
	}
}

// stop ends a capture and returns what it captured of TCP.
func stop(t *testing.T, h *Handle) []string {
	t.Helper()
	h.Stop()
	var got []string
	rest(t, h, func(p *capture.Packet) {
		if strings.Contains(string(p.Data), "GET") { // and not what the kernel sends by itself
			got = append(got, string(p.Data))
		}
	})
	return got
}

const (
	macs   = "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
	vlan5  = "\x81\x00\x00\x05"
	vlan9  = "\x88\xa8\x00\x09"
	isIPv4 = "\x08\x00"
)

// The kernel strips the outer tag of what arrives.
func TestVLANTagsComeBack(t *testing.T) {
	inNamespace(t)
	data := packet4(packet{payload: "GET"})
	for _, tags := range []string{"", vlan5, vlan9 + vlan5} {
		h := open(t, Options{Interface: "vb", Buffer: 1 << 20})
		sendFrom(t, "va", macs+tags+isIPv4+data)
		if got := stop(t, h); len(got) != 1 || got[0] != macs+tags+isIPv4+data {
			t.Errorf("with tags %x on vb: captured %q", tags, got)
		}

		all := open(t, Options{Buffer: 1 << 20})
		sendFrom(t, "va", macs+tags+isIPv4+data)
		// What leaves by va comes first, and has the outer tag only: the kernel
		// shows no other there. Decoded it is the same.
		got := stop(t, all)
		if len(got) != 1 || !strings.HasSuffix(got[0], data) || got[0][:2] != (tags + isIPv4)[:2] {
			t.Errorf("with tags %x on any: captured %q", tags, got)
		}
	}
}

// A packet that leaves by one interface and arrives at another is one packet;
// a repeated one is two.
func TestCopiesOnTwoInterfaces(t *testing.T) {
	inNamespace(t)
	h := open(t, Options{Buffer: 1 << 20})
	frame := macs + isIPv4 + packet4(packet{payload: "GET"})
	sendFrom(t, "va", frame)
	sendFrom(t, "va", frame)
	if got := stop(t, h); len(got) != 2 || got[0] != got[1] {
		t.Fatalf("captured %q, want the packet twice", got)
	}
	if n := h.Stats().Inputs[0].Copies; n < 2 {
		t.Errorf("%d copies counted, want the 2 on vb", n)
	}
}

// Frames of all interfaces say which one they came from.
func TestAnyNamesInterfaces(t *testing.T) {
	inNamespace(t)
	h := open(t, Options{Buffer: 1 << 20})
	sendFrom(t, "vb", macs+isIPv4+packet4(packet{payload: "GET"}))
	got := stop(t, h)
	all, err := Interfaces()
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range all {
		if n.Name == "vb" && (len(got) != 1 || int(binary.BigEndian.Uint32([]byte(got[0][4:8]))) != n.Index || got[0][10] != outgoing) {
			t.Errorf("captured %q, want one that left by interface %d", got, n.Index)
		}
	}
}

func TestPromiscuous(t *testing.T) {
	inNamespace(t)
	for want, flags := range map[bool]string{false: "0", true: "1"} {
		h := open(t, Options{Interface: "vb", Promiscuous: want, Buffer: 1 << 20})
		out, err := exec.Command("ip", "-d", "link", "show", "vb").CombinedOutput()
		if err != nil || !strings.Contains(string(out), "promiscuity "+flags) {
			t.Errorf("asked for %v: %s (%v)", want, out, err)
		}
		if err := h.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenDown(t *testing.T) {
	inNamespace(t)
	ip(t, "link set va down")
	_, err := Open(Options{Interface: "va"})
	var e *Error
	if !errors.As(err, &e) || e.Kind != Down || err.Error() != "cannot capture from va: the interface is down" || e.Hint() != "sudo ip link set va up" {
		t.Errorf("error %v", err)
	}
}

// An interface that goes down, or is taken away and made anew, is captured from
// again when it is back.
func TestInterfaceComesBack(t *testing.T) {
	for name, outage := range map[string][2]string{
		"down and up":     {"link set vb down", "link set vb up"},
		"another of that": {"link del vb", "link add va type veth peer name vb"},
	} {
		t.Run(name, func(t *testing.T) {
			inNamespace(t)
			var seen []Notice
			h := open(t, Options{Interface: "vb", Buffer: 1 << 20, Notice: func(n Notice) { seen = append(seen, n) }})
			frame := func(i int) string { return macs + isIPv4 + packet4(packet{payload: fmt.Sprint("GET ", i)}) }
			var got []string
			// next reads for a while: until n packets are read or n notices seen.
			next := func(until func() bool) {
				for end := time.Now().Add(10 * time.Second); !until() && time.Now().Before(end); {
					var p capture.Packet
					switch err := h.Next(&p); {
					case err == nil && strings.Contains(string(p.Data), "GET"):
						got = append(got, string(p.Data))
					case err != nil && !errors.Is(err, capture.ErrIdle):
						t.Fatal(err)
					}
				}
			}
			sendFrom(t, "va", frame(1))
			next(func() bool { return len(got) == 1 })
			sendFrom(t, "va", frame(2)) // is in the ring when it goes down: no sign that it is back
			ip(t, outage[0])
			next(func() bool { return len(seen) == 1 && len(got) == 2 })
			ip(t, outage[1])
			up(t)
			next(func() bool { return len(seen) == 2 })
			// The other end may still be without carrier, and lose what it is to send.
			for end := time.Now().Add(10 * time.Second); len(got) < 3 && time.Now().Before(end); {
				sendFrom(t, "va", frame(3))
				again := time.Now().Add(200 * time.Millisecond)
				next(func() bool { return len(got) >= 3 || time.Now().After(again) })
			}
			if len(got) < 3 || got[1] != frame(2) || got[2] != frame(3) {
				t.Errorf("captured %q", got)
			}
			if len(seen) != 2 || seen[0].Up || !seen[1].Up || seen[0].Interface != "vb" || seen[1].Time <= seen[0].Time || h.Counters().Outages != 1 {
				t.Errorf("notices %+v, %d outages", seen, h.Counters().Outages)
			}
		})
	}
}
