package filter

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/net/bpf"

	"expectscope/capture"
)

// namedFrames are frames that a reader can tell the answers about.
func namedFrames() map[string][]byte {
	ip4 := func(proto byte, src, dst byte, payload ...byte) []byte {
		return slices.Concat([]byte{0x45, 0, 0, byte(20 + len(payload)), 0, 1, 0, 0, 64, proto, 0, 0, 10, 0, 0, src, 10, 0, 0, dst}, payload)
	}
	ip6 := func(next byte, payload ...byte) []byte {
		addr := func(last byte) []byte { return append([]byte{0x20, 1, 0xd, 0xb8, 15: last}[:15], last) }
		return slices.Concat([]byte{0x60, 0, 0, 0, 0, byte(len(payload)), next, 64}, addr(1), addr(2), payload)
	}
	tcp := func(src, dst uint16, flags byte) []byte {
		return slices.Concat(be16(int(src)), be16(int(dst)), make([]byte, 8), []byte{0x50, flags}, make([]byte, 6))
	}
	ether := func(kind ...byte) []byte {
		return slices.Concat([]byte{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2}, kind)
	}
	syn, get, out := ip4(6, 1, 2, tcp(40000, 80, 2)...), ip4(6, 1, 2, tcp(40000, 80, 0x18)...), ip4(6, 2, 1, tcp(8080, 40001, 0x10)...)
	late := slices.Clone(get)
	late[7] = 9 // a later fragment: what looks like ports is not
	return map[string][]byte{
		"syn":     append(ether(8, 0), syn...),
		"get":     append(ether(8, 0), get...),
		"answer":  append(ether(8, 0), out...),
		"late":    append(ether(8, 0), late...),
		"dns":     append(ether(8, 0), ip4(17, 1, 3, 0xc0, 0, 0, 53, 0, 8, 0, 0)...),
		"six":     append(ether(0x86, 0xdd), ip6(6, tcp(40000, 80, 2)...)...),
		"arp":     append(ether(8, 6), 0, 1, 8, 0, 6, 4, 0, 1, 2, 0, 0, 0, 0, 2, 10, 0, 0, 1, 0, 0, 0, 0, 0, 0, 10, 0, 0, 2),
		"tagged":  slices.Concat(ether(0x81, 0, 0, 5), []byte{8, 0}, syn),
		"double":  slices.Concat(ether(0x88, 0xa8, 0, 7), []byte{0x81, 0, 0, 5}, []byte{8, 0}, syn),
		"unknown": append(ether(0x88, 0xcc), make([]byte, 20)...),
	}
}

func TestNamedFrames(t *testing.T) {
	frames := namedFrames()
	for _, c := range []struct{ expr, want string }{
		{"", "answer arp dns double get late six syn tagged unknown"},
		{" \n ", "answer arp dns double get late six syn tagged unknown"},
		{"tcp", "answer get late six syn"},
		{"tcp port 80", "get six syn"},
		{"port 80 or 8080", "answer get six syn"},
		{"tcp dst port http", "get six syn"},
		{"src port 80", ""},
		{"port domain", "dns"},
		{"udp", "dns"},
		{"portrange 50-90 and ip", "dns get syn"},
		{"host 10.0.0.2", "answer arp get late syn"},
		{"ip host 10.0.0.2", "answer get late syn"},
		{"src host 10.0.0.2", "answer"},
		{"dst host 10.0.0.2 and not arp", "get late syn"},
		{"net 10.0.0.0/30", "answer arp dns get late syn"},
		{"host 2001:db8::1", "six"},
		{"net 2001:db8::/32", "six"},
		{"tcp[tcpflags] & tcp-syn != 0", "syn"},
		{"tcp[tcpflags] & tcp-syn != 0 or ip6[53] & 2 != 0", "six syn"},
		{"ip[6:2] & 0x1fff != 0", "late"},
		{"ether proto 0x88cc", "unknown"},
		{"vlan", "double tagged"},
		{"vlan 5 and tcp port 80", "tagged"},
		{"vlan 7 and vlan 5 and tcp port 80", "double"},
		{"tcp port 80 or vlan and tcp port 80", "tagged"}, // the trap: (a or vlan) and b, and b is read behind a tag
		{"tcp port 80 or (vlan and tcp port 80)", "get six syn tagged"},
		{"udp or tcp and port 80", "get six syn"}, // the trap: (udp or tcp) and port 80
		{"udp or (tcp and port 80)", "dns get six syn"},
		{"not tcp[13] & 2 != 0", "answer arp dns double get late six tagged unknown"},
		{"less 54", "answer arp dns get late syn unknown"},
		{"len = 54 and tcp[13] = 2", "syn"},
		{"ether src 02:00:00:00:00:02 and arp", "arp"},
		{"ether dst 02:00:00:00:00:02", ""},
	} {
		p := mustCompile(t, c.expr, capture.LinkEthernet, Options{})
		var got []string
		for name, data := range frames {
			if p.Match(&capture.Packet{Link: capture.LinkEthernet, Data: data, Len: len(data)}) {
				got = append(got, name)
			}
		}
		slices.Sort(got)
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%q: got %s, want %s", c.expr, got, c.want)
		}
	}
}

// TestSame holds what tcpdump does not take, and what is written in two ways,
// to what it means.
func TestSame(t *testing.T) {
	ps := generate(capture.LinkEthernet, false)
	for _, c := range []struct{ a, b string }{
		{"net 10/8", "net 10.0.0.0/8"},
		{"net 10 mask 255.0.0.0", "net 10.0.0.0/8"},
		{"src net 10/8 or 192.168/16", "src net 10.0.0.0/8 or src net 192.168.0.0/16"},
		{"host 2001:DB8::1", "host 2001:db8:0:0:0:0:0:1"},
		{"tcp port 80 or 443", "tcp port 80 or tcp port 443"},
		{"port (80 or not 443)", "port 80 or not port 443"},
		{"not port 80 or 443", "(not port 80) or (port 443)"},
		{"tcp\n&&!(port 80||443)", "tcp and not port 80 and not port 443"},
		{"ip broadcast", "ip dst host 255.255.255.255 or ip dst host 0.0.0.0"},
		{"ip multicast", "ip[16] >= 224"},
		{"greater 100", "len >= 100"},
		{"ether multicast", "ether[0] & 1 = 1"},
		{"icmp6[icmp6type] = icmp6-echo", "ip6 and ip6[6] = 58 and ip6[40] = 128"},
		{"2 * len - 3 > 100", "len > 51"},
		{"1 << 4 | 3 & 2 = len / 5", "len / 5 = 18"},
	} {
		a, b := mustCompile(t, c.a, capture.LinkEthernet, Options{}), mustCompile(t, c.b, capture.LinkEthernet, Options{})
		got, want := matches(a, ps), matches(b, ps)
		if n, first := differences(got, want, ps); n > 0 {
			t.Errorf("%s and %s differ on %d packets, the first is % x", c.a, c.b, n, first)
		}
		if !slices.Contains(want, true) {
			t.Errorf("%s matches nothing, which shows nothing", c.b)
		}
	}
}

// TestLoopbackFamilies covers what tcpdump on this system does not know: the
// other systems' AF_INET6, and files of hosts with the other byte order.
func TestLoopbackFamilies(t *testing.T) {
	for _, link := range []capture.LinkType{capture.LinkNull, capture.LinkLoop} {
		four, six := mustCompile(t, "ip", link, Options{}), mustCompile(t, "ip6", link, Options{})
		for family := range 40 {
			for _, head := range [][]byte{{0, 0, 0, byte(family)}, {byte(family), 0, 0, 0}} {
				p := &capture.Packet{Link: link, Data: head, Len: 4}
				if got, want := four.Match(p), family == 2; got != want {
					t.Errorf("link %d, head % x: ip is %t", link, head, got)
				}
				if got, want := six.Match(p), slices.Contains([]int{10, 23, 24, 28, 30}, family); got != want {
					t.Errorf("link %d, head % x: ip6 is %t", link, head, got)
				}
			}
		}
	}
}

// TestWireLength: len is the frame's length on the wire, also where the capture
// cut it; what is read of it is what is there.
func TestWireLength(t *testing.T) {
	frame := namedFrames()["get"]
	for _, c := range []struct {
		expr     string
		wire, at int
		want     bool
	}{
		{"len = 1500", 1500, 54, true},
		{"len = 54", 1500, 54, false},
		{"len = 54", 54, 54, true},
		{"greater 1000 and tcp port 80", 1500, 54, true},
		{"greater 1000 and tcp port 81", 1500, 54, false},
		{"less 1000 or tcp[tcpflags] = 0x18", 1500, 54, true},
		{"less 1000 or tcp[tcpflags] = 0x18", 1500, 47, false},
		{"less 1000 or not tcp[tcpflags] = 0x18", 1500, 47, false},
		{"less 1000 or ip[ip[9] * 2:4] = 0x0a000001", 1500, 54, true},
		{"less 1000 or tcp[ip[9] * 2 + 1] = 0x18", 1500, 54, true},
		{"ether[len - 1] = 0", 54, 54, true},
		{"ether[len - 1] = 0", 1500, 54, false},
		{"ether[len - 1447] = 0x50 and ip", 1500, 54, false},
		{"ether[len - 1454] = 0x50 and ip", 1500, 54, true},
	} {
		p := mustCompile(t, c.expr, capture.LinkEthernet, Options{})
		if got := p.Match(&capture.Packet{Data: frame[:c.at], Len: c.wire}); got != c.want {
			t.Errorf("%s, %d of %d bytes: got %t", c.expr, c.at, c.wire, got)
		}
	}
}

// TestLongJumps: a conditional jump reaches 255 instructions, a list of hosts
// is longer.
func TestLongJumps(t *testing.T) {
	var list []string
	for i := range 250 {
		list = append(list, fmt.Sprintf("10.1.%d.%d", i%7, i))
	}
	ps := make([]capture.Packet, 256)
	for i := range ps {
		data := slices.Clone(namedFrames()["get"])
		copy(data[26:], []byte{10, 1, byte(i % 7), byte(i)})
		ps[i] = capture.Packet{Data: data, Len: len(data)}
	}
	hosts := "src host (" + strings.Join(list, " or ") + ")"
	for _, c := range []struct {
		expr string
		want func(i int) bool
	}{
		{"ip " + hosts, func(i int) bool { return i < 250 }},
		{"not ip " + hosts, func(i int) bool { return i >= 250 }},
		{"tcp and ip " + hosts + " and port 80", func(i int) bool { return i < 250 }},
		{"udp or ip " + hosts, func(i int) bool { return i < 250 }},
		{"len = ip[15] + 54 and ip[15] > 0 or ip " + hosts, func(i int) bool { return i < 250 }},
		{"ip[15] - 1 < ip[9] or not ip " + hosts, func(i int) bool { return i >= 1 && i <= 6 || i >= 250 }},
	} {
		p := mustCompile(t, c.expr, capture.LinkEthernet, Options{})
		if len(p.Raw()) < 300 {
			t.Errorf("%.20s…: %d instructions, too few to need a long jump", c.expr, len(p.Raw()))
		}
		for i := range ps {
			if got := p.Match(&ps[i]); got != c.want(i) {
				t.Errorf("%.20s…: host %d: got %t", c.expr, i, got)
			}
		}
	}
}

// TestRaw checks the kernel's programs that cannot be run here.
func TestRaw(t *testing.T) {
	const ancillary = 0xfffff000 // SKF_AD_OFF
	loads := func(p *Program) (ks []uint32) {
		for _, in := range p.Raw() {
			if in.Op&^0x18 == 0x20 && in.K >= ancillary { // ld, ldh or ldb [k]
				ks = append(ks, in.K-ancillary)
			}
		}
		return ks
	}
	for _, c := range []struct {
		expr string
		link capture.LinkType
		o    Options
		want []uint32
	}{
		{"vlan 5 and tcp", capture.LinkEthernet, Options{}, nil},
		{"tcp", capture.LinkEthernet, Options{VLANStripped: true}, nil},
		{"vlan", capture.LinkEthernet, Options{VLANStripped: true}, []uint32{48, 48}},
		{"vlan 5 and tcp", capture.LinkEthernet, Options{VLANStripped: true}, []uint32{48, 44, 48}},
		{"vlan 5 and vlan 6", capture.LinkEthernet, Options{VLANStripped: true}, []uint32{48, 44, 48}},
		{"ip", capture.LinkSLL2, Options{}, nil},
		{"ip", capture.LinkSLL2, Options{Cooked: true}, []uint32{0}},
		{"outbound", capture.LinkSLL, Options{Cooked: true}, []uint32{4}},
		{"arp", capture.LinkSLL2, Options{Cooked: true, VLANStripped: true}, []uint32{0}},
	} {
		if got := loads(mustCompile(t, c.expr, c.link, c.o)); !slices.Equal(got, c.want) {
			t.Errorf("%s %+v: asks the kernel for %v, want %v", c.expr, c.o, got, c.want)
		}
	}
}

func TestSnapLen(t *testing.T) {
	for _, c := range []struct{ snap, want uint32 }{{0, 0xffffffff}, {96, 96}} {
		p := mustCompile(t, "tcp", capture.LinkEthernet, Options{SnapLen: c.snap})
		var keeps []uint32
		for _, in := range p.Raw() {
			if r, ok := in.Disassemble().(bpf.RetConstant); ok {
				keeps = append(keeps, r.Val)
			}
		}
		if want := []uint32{c.want, 0}; !slices.Equal(keeps, want) {
			t.Errorf("snap length %d: the program returns %d, want %d", c.snap, keeps, want)
		}
	}
}

// TestAllocations: no memory for a packet, cut short or whole.
func TestAllocations(t *testing.T) {
	p := mustCompile(t, "tcp port 80 and host 10.0.0.1 and greater 50", capture.LinkEthernet, Options{})
	frame := namedFrames()["get"]
	for _, packet := range []capture.Packet{{Data: frame, Len: len(frame)}, {Data: frame, Len: 1500}} {
		if !p.Match(&packet) {
			t.Fatal("the packet is to match")
		}
		if n := testing.AllocsPerRun(100, func() { p.Match(&packet) }); n != 0 {
			t.Errorf("%v allocations a packet with length %d, want none", n, packet.Len)
		}
	}
}

func BenchmarkMatch(b *testing.B) {
	frame := namedFrames()["get"]
	p, err := Compile("tcp port 80 and host 10.0.0.1", capture.LinkEthernet, Options{})
	if err != nil {
		b.Fatal(err)
	}
	packet := capture.Packet{Data: frame, Len: len(frame)}
	b.ReportAllocs()
	for b.Loop() {
		if !p.Match(&packet) {
			b.Fatal("no match")
		}
	}
}

func BenchmarkCompile(b *testing.B) {
	for b.Loop() {
		if _, err := Compile("tcp port 80 and (host 10.0.0.1 or net 192.168.0.0/16) and tcp[tcpflags] & tcp-syn != 0", capture.LinkEthernet, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}
