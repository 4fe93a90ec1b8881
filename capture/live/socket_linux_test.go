package live

import (
	"testing"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"
)

// What the kernel runs is the filter, behind a test for what loopback shows
// twice; it keeps no more than the snap length.
func TestProgram(t *testing.T) {
	filter := []bpf.RawInstruction{
		{Op: unix.BPF_LD | unix.BPF_B | unix.BPF_ABS, K: 9},
		{Op: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, K: 6, Jt: 1},
		{Op: unix.BPF_RET | unix.BPF_K},
		{Op: unix.BPF_RET | unix.BPF_K, K: 1 << 30},
	}
	p := program(filter, 100)
	const test = 5
	if len(p) != test+len(filter) || p[len(p)-1].K != 100 || p[len(p)-2].K != 0 || filter[3].K != 1<<30 {
		t.Errorf("%+v of %+v", p, filter)
	}
	if all := program(nil, 7); len(all) != test+1 || all[test].K != 7 {
		t.Errorf("without a filter: %+v", all)
	}
	// The jumps of the test end at the filter's first instruction, or at its own refusal.
	for hardware, want := range map[uint32]int{hardwareLoopback: test - 1, hardwareEther: test} {
		if at := follow(t, p, hardware, outgoing); at != want {
			t.Errorf("an outgoing packet of hardware %d is at instruction %d, want %d", hardware, at, want)
		}
		if at := follow(t, p, hardware, 0); at != test {
			t.Errorf("an incoming packet of hardware %d is at instruction %d, want %d", hardware, at, test)
		}
	}
}

// follow runs the test in front of a filter, and tells at which instruction it ends.
func follow(t *testing.T, p []bpf.RawInstruction, hardware, direction uint32) int {
	t.Helper()
	load := map[uint32]uint32{1<<32 - 0x1000 + 28: hardware, 1<<32 - 0x1000 + 4: direction}
	var a uint32
	for i := 0; i < 5; i++ {
		switch ins := p[i]; ins.Op {
		case unix.BPF_LD | unix.BPF_W | unix.BPF_ABS:
			v, ok := load[ins.K]
			if !ok {
				t.Fatalf("instruction %d loads %#x", i, ins.K)
			}
			a = v
		case unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K:
			if a == ins.K {
				i += int(ins.Jt)
			} else {
				i += int(ins.Jf)
			}
		case unix.BPF_RET | unix.BPF_K:
			if ins.K != 0 {
				t.Fatalf("instruction %d keeps a packet", i)
			}
			return i
		default:
			t.Fatalf("instruction %d is %+v", i, ins)
		}
	}
	return 5
}

// An error says once what its kind says.
func TestRefused(t *testing.T) {
	for _, c := range []struct {
		kind ErrorKind
		err  error
		want string
	}{
		{socketKind(unix.EPERM), unix.EPERM, "cannot capture from lo: not permitted"},
		{socketKind(unix.EACCES), unix.EACCES, "cannot capture from lo: not permitted: permission denied"},
		{socketKind(unix.EAFNOSUPPORT), unix.EAFNOSUPPORT, "cannot capture from lo: this system does not let expectscope capture: address family not supported by protocol"},
		{socketKind(unix.EMFILE), unix.EMFILE, "cannot capture from lo: the system refuses: too many open files"},
		{bindKind(unix.ENETDOWN), unix.ENETDOWN, "cannot capture from lo: the interface is down"},
		{bindKind(unix.ENODEV), unix.ENODEV, "cannot capture from lo: there is no such interface"},
		{bindKind(unix.EINVAL), unix.EINVAL, "cannot capture from lo: the system refuses: invalid argument"},
		{Broken, &Error{Interface: "lo", Kind: Down}, "cannot capture from lo: the interface is down"},
	} {
		if got := refused("lo", c.kind, c.err).Error(); got != c.want {
			t.Errorf("%v: %q, want %q", c.err, got, c.want)
		}
	}
}
