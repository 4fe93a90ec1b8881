//go:build linux && (amd64 || arm64)

package filter

import (
	"encoding/binary"
	"errors"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/net/bpf"

	"expectscope/capture"
)

// attach gives a socket a program (SO_ATTACH_FILTER).
func attach(fd int, program []bpf.RawInstruction) error {
	prog := struct {
		n     uint16
		start *bpf.RawInstruction
	}{uint16(len(program)), unsafe.SliceData(program)}
	_, _, errno := syscall.Syscall6(syscall.SYS_SETSOCKOPT, uintptr(fd), syscall.SOL_SOCKET, syscall.SO_ATTACH_FILTER,
		uintptr(unsafe.Pointer(&prog)), unsafe.Sizeof(prog), 0)
	runtime.KeepAlive(program)
	if errno != 0 {
		return errno
	}
	return nil
}

// datagrams is a pair of connected sockets. What is sent on the first goes
// through the program of the second, which needs no privilege.
func datagrams(t *testing.T) (from, to int) {
	t.Helper()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_DGRAM|syscall.SOCK_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		syscall.Close(fds[0])
		syscall.Close(fds[1])
	})
	return fds[0], fds[1]
}

// received reads what is there to be read, and how many bytes it has.
func received(t *testing.T, fd int, buf []byte) (n int, ok bool) {
	t.Helper()
	n, _, err := syscall.Recvfrom(fd, buf, syscall.MSG_DONTWAIT)
	if err != nil && !errors.Is(err, syscall.EAGAIN) {
		t.Fatal(err)
	}
	return n, err == nil
}

// TestKernelAgrees lets the kernel run every program of the tables on frames,
// whole and cut short.
func TestKernelAgrees(t *testing.T) {
	const frames = 200
	buf := make([]byte, 1<<16)
	for name, link := range tables {
		from, to := datagrams(t)
		var ps []capture.Packet
		for _, p := range generate(link, true)[:frames] {
			p.Len = len(p.Data) // the kernel knows no other length
			if p.Len > 0 {      // and has no empty frames
				ps = append(ps, p)
			}
		}
		for _, r := range readTable(t, name) {
			if r.answer == "" {
				continue
			}
			p := mustCompile(t, r.expr, link, Options{})
			if err := attach(to, p.Raw()); err != nil {
				t.Fatalf("%s: the kernel refuses the program: %v", r.expr, err)
			}
			for i := range ps {
				if err := syscall.Sendto(from, ps[i].Data, 0, nil); err != nil {
					t.Fatal(err)
				}
				n, ok := received(t, to, buf)
				if want := p.Match(&ps[i]); ok != want || ok && n != len(ps[i].Data) {
					t.Errorf("%s: %s: the kernel keeps %t (%d bytes), we %t (%d): % x", name, r.expr, ok, n, want, len(ps[i].Data), ps[i].Data)
				}
			}
		}
	}
}

func TestKernelSnapLen(t *testing.T) {
	from, to := datagrams(t)
	p := mustCompile(t, "tcp", capture.LinkEthernet, Options{SnapLen: 40})
	if err := attach(to, p.Raw()); err != nil {
		t.Fatal(err)
	}
	if err := syscall.Sendto(from, namedFrames()["get"], 0, nil); err != nil {
		t.Fatal(err)
	}
	if n, ok := received(t, to, make([]byte, 100)); !ok || n != 40 {
		t.Errorf("%d bytes were kept (%t), want 40", n, ok)
	}
}

// TestKernelTakes: the kernel takes programs that ask for what only it knows.
func TestKernelTakes(t *testing.T) {
	_, to := datagrams(t)
	for _, c := range []struct {
		expr string
		link capture.LinkType
		o    Options
	}{
		{"vlan 5 and tcp port 80", capture.LinkEthernet, Options{VLANStripped: true}},
		{"ip or vlan and vlan 6", capture.LinkEthernet, Options{VLANStripped: true}},
		{"tcp port 80 or arp", capture.LinkSLL2, Options{Cooked: true}},
		{"outbound and ip6", capture.LinkSLL2, Options{Cooked: true}},
		{"port 1" + strings.Repeat(" or 2", 25), capture.LinkEthernet, Options{}},
	} {
		if err := attach(to, mustCompile(t, c.expr, c.link, c.o).Raw()); err != nil {
			t.Errorf("%.40s %+v: %v", c.expr, c.o, err)
		}
	}
}

const (
	solPacket            = 263
	packetIgnoreOutgoing = 23
	allProtocols         = 0x0300 // ETH_P_ALL in network order
)

// A loopback is the loopback interface of a network of its own, and sockets
// that see it.
type loopback struct {
	t     *testing.T
	index int
	send  int
	all   int // sees everything
	some  int // has the program
}

// newLoopback needs to be root. The goroutine's thread is given up with the
// network, when the test ends.
func newLoopback(t *testing.T, kind int) *loopback {
	t.Helper()
	runtime.LockOSThread()
	if err := syscall.Unshare(syscall.CLONE_NEWNET); err != nil {
		t.Skipf("a network of its own needs privileges: %v", err)
	}
	l := &loopback{t: t, index: 1}
	l.send = l.socket(syscall.SOCK_RAW)
	var up struct {
		name  [16]byte
		flags uint16
		_     [22]byte
	}
	copy(up.name[:], "lo")
	up.flags = syscall.IFF_UP | syscall.IFF_RUNNING
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, uintptr(l.send), syscall.SIOCSIFFLAGS, uintptr(unsafe.Pointer(&up))); errno != 0 {
		t.Skipf("the loopback interface cannot be set up: %v", errno)
	}
	l.all, l.some = l.socket(kind), l.socket(kind)
	return l
}

func (l *loopback) socket(kind int) int {
	l.t.Helper()
	fd, err := syscall.Socket(syscall.AF_PACKET, kind, 0)
	if err != nil {
		l.t.Skipf("packet sockets need privileges: %v", err)
	}
	l.t.Cleanup(func() { syscall.Close(fd) })
	for _, err := range []error{
		syscall.SetsockoptInt(fd, solPacket, packetIgnoreOutgoing, 1),
		syscall.SetsockoptInt(fd, syscall.SOL_SOCKET, syscall.SO_RCVBUFFORCE, 64<<20),
		syscall.SetsockoptTimeval(fd, syscall.SOL_SOCKET, syscall.SO_RCVTIMEO, &syscall.Timeval{Sec: 5}),
	} {
		if err != nil {
			l.t.Skipf("packet sockets of this kernel: %v", err)
		}
	}
	return fd
}

// kept sends frames and tells which of them a program keeps. Each frame carries
// its number at its end; one more frame tells that all have arrived.
func (l *loopback) kept(program []bpf.RawInstruction, frames [][]byte) []bool {
	l.t.Helper()
	if err := attach(l.some, program); err != nil {
		l.t.Fatal(err)
	}
	for _, fd := range []int{l.all, l.some} {
		if err := syscall.Bind(fd, &syscall.SockaddrLinklayer{Protocol: allProtocols, Ifindex: l.index}); err != nil {
			l.t.Fatal(err)
		}
	}
	for i, f := range append(slices.Clip(frames), make([]byte, 60)) {
		f = append(slices.Clip(f), be32(uint32(i))...)
		if err := syscall.Sendto(l.send, f, 0, &syscall.SockaddrLinklayer{Ifindex: l.index}); err != nil {
			l.t.Fatal(err)
		}
	}
	buf := make([]byte, 1<<16)
	number := func(n int) int { return int(binary.BigEndian.Uint32(buf[n-4 : n])) }
	for last := -1; last != len(frames); {
		n, _, err := syscall.Recvfrom(l.all, buf, 0)
		if err != nil {
			l.t.Fatalf("after frame %d of %d: %v", last, len(frames), err)
		}
		last = number(n)
	}
	kept := make([]bool, len(frames)+1)
	for {
		n, ok := received(l.t, l.some, buf)
		if !ok {
			return kept[:len(frames)]
		}
		kept[number(n)] = true
	}
}

// numbered are packets with room for the number that kept writes.
func numbered(ps []capture.Packet) (frames [][]byte, packets []capture.Packet) {
	for i, p := range ps {
		frames = append(frames, p.Data)
		p.Data = append(slices.Clip(p.Data), be32(uint32(i))...)
		p.Len = len(p.Data)
		packets = append(packets, p)
	}
	return frames, packets
}

// TestKernelTags sends tagged frames. The kernel takes their tags off, and its
// program keeps those that the program for files keeps with their tags on.
func TestKernelTags(t *testing.T) {
	l := newLoopback(t, syscall.SOCK_RAW)
	frames, ps := numbered(generate(capture.LinkEthernet, false)[:500])
	for _, r := range readTable(t, "ethernet") {
		tags := strings.HasPrefix(r.expr, "vlan") || strings.HasPrefix(r.expr, "not vlan") || strings.HasPrefix(r.expr, "(vlan")
		if !tags || strings.Contains(r.expr, "len") { // the kernel's length is without the tag
			continue
		}
		p := mustCompile(t, r.expr, capture.LinkEthernet, Options{VLANStripped: true})
		if n, first := differences(l.kept(p.Raw(), frames), matches(p, ps), ps); n > 0 {
			t.Errorf("%s: %d packets differ, the first is % x", r.expr, n, first)
		}
	}
}

// TestKernelCooked runs programs on sockets without link headers.
func TestKernelCooked(t *testing.T) {
	l := newLoopback(t, syscall.SOCK_DGRAM)
	var plain, cookedPackets []capture.Packet
	for _, p := range generate(capture.LinkEthernet, false)[:1200] {
		if kind := binary.BigEndian.Uint16(p.Data[12:]); kind > typeLLC && kind != typeVLAN && kind != typeQinQ {
			plain = append(plain, p)
		}
	}
	frames, ps := numbered(plain)
	for _, p := range ps {
		sender := 3 // PACKET_OTHERHOST: the loopback interface's address is all zeros
		switch {
		case slices.Equal(p.Data[:6], []byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff}):
			sender = 1
		case p.Data[0]&1 == 1:
			sender = 2
		}
		head := slices.Concat(p.Data[12:14], make([]byte, 8), []byte{byte(sender), 6}, make([]byte, 8))
		data := append(head, p.Data[14:]...)
		cookedPackets = append(cookedPackets, capture.Packet{Link: capture.LinkSLL2, Data: data, Len: len(data)})
	}
	for _, r := range readTable(t, "sll2") {
		if r.answer == "" || strings.Contains(r.expr, "ether[") || strings.Contains(r.expr, "len") {
			continue // the kernel's length is without the header, as is the frame
		}
		p := mustCompile(t, r.expr, capture.LinkSLL2, Options{Cooked: true})
		if n, first := differences(l.kept(p.Raw(), frames), matches(p, cookedPackets), cookedPackets); n > 0 {
			t.Errorf("%s: %d packets differ, the first is % x", r.expr, n, first)
		}
	}
}
