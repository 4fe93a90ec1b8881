package decode

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expectscope/capture"
)

// want is the segment that a vector carries.
func want(p *capture.Packet, v6 bool) Segment {
	s := Segment{
		Packet: p.Num, Tap: p.Tap, Time: p.Time, Src: endpoint(client4), Dst: endpoint(server4), Seq: testSeq, Ack: testAck,
		Flags: PSH | ACK, TTL: testTTL, Sum: SumRight, Len: len(testText), Payload: []byte(testText),
	}
	if v6 {
		s.Src, s.Dst = endpoint(client6), endpoint(server6)
	}
	return s
}

func TestVectors(t *testing.T) {
	for _, v := range vectors() {
		t.Run(v.name, func(t *testing.T) {
			p := packet(v.link, v.frame)
			got, k := decodeOne(t, p)
			if k != TCP {
				t.Fatalf("counted as %q", k)
			}
			if d := cmp.Diff(want(p, v.v6), got); d != "" {
				t.Error(d)
			}
		})
	}
}

// A trailer or padding behind the datagram is not payload.
func TestVectorsPadded(t *testing.T) {
	for _, v := range vectors() {
		p := packet(v.link, append(bytes.Clone(v.frame), "trailer"...))
		got, k := decodeOne(t, p)
		if d := cmp.Diff(want(p, v.v6), got); k != TCP || d != "" {
			t.Errorf("%s: counted as %q\n%s", v.name, k, d)
		}
	}
}

// Cut anywhere, a frame gives the same segment with less payload, or none and
// says why.
func TestVectorsCut(t *testing.T) {
	for _, v := range vectors() {
		header := bytes.Index(v.frame, []byte(testText))
		for n := range v.frame {
			p := packet(v.link, v.frame[:n:n])
			p.Len = len(v.frame)
			got, k := decodeOne(t, p)
			w := want(p, v.v6)
			if w.Payload = w.Payload[:max(n-header, 0)]; len(w.Payload) < w.Len {
				w.Sum = SumUnknown
			}
			switch {
			case k == TCP && cmp.Diff(w, got) != "":
				t.Errorf("%s cut to %d: %s", v.name, n, cmp.Diff(w, got))
			case k != TCP && n >= header:
				t.Errorf("%s cut to %d, its headers are %d: counted as %q", v.name, n, header, k)
			case k != TCP && k != Cut && !v.guess:
				t.Errorf("%s cut to %d: counted as %q", v.name, n, k)
			}
		}
	}
}

// A frame that ends early without a capture's cut is damaged, or the rest is
// missing all the same: never a panic, never a payload longer than its length.
func TestVectorsRunt(t *testing.T) {
	for _, v := range vectors() {
		for n := range v.frame {
			got, k := decodeOne(t, packet(v.link, v.frame[:n:n]))
			if k == TCP && (got.Len != len(testText) || !bytes.HasPrefix([]byte(testText), got.Payload)) {
				t.Errorf("%s of %d octets: Len %d, payload %q", v.name, n, got.Len, got.Payload)
			}
		}
	}
}

// A kindCase is a frame and what it must be counted as.
type kindCase struct {
	name  string
	want  Kind
	link  capture.LinkType
	frame []byte
}

func (c kindCase) run(t *testing.T) {
	t.Helper()
	if _, k := decodeOne(t, packet(c.link, c.frame)); k != c.want {
		t.Errorf("%s: counted as %q, not %q", c.name, k, c.want)
	}
}

func TestKinds(t *testing.T) {
	quote := join(u32(3<<24|1<<16), u32(0), get4())
	noVXLAN := join(make([]byte, 8), eth(0x0800, get4()))
	quic := join([]byte{0xc3}, u32(1), make([]byte, 40))
	arp := join(u16(1), u16(0x0800), []byte{6, 4, 0, 1}, make([]byte, 20))
	for _, c := range []kindCase{
		{"arp", ARP, 1, eth(0x0806, arp)},
		{"arp in a vlan", ARP, 1, eth(0x8100, vlan(5, 0x0806, arp))},
		{"lldp", LLDP, 1, eth(0x88cc, make([]byte, 46))},
		{"spanning tree", NotIP, 1, eth(38, join([]byte{0x42, 0x42, 3}, make([]byte, 43)))},
		{"802.1X", NotIP, 1, eth(0x888e, make([]byte, 46))},
		{"pppoe discovery", NotIP, 1, eth(0x8863, make([]byte, 46))},
		{"cooked 802.3", NotIP, capture.LinkSLL, join(u16(0), u16(1), u16(6), make([]byte, 8), u16(1), get4())},
		{"loopback of another family", NotIP, capture.LinkNull, join([]byte{7, 0, 0, 0}, get4())},
		{"maintenance of a pseudowire", NotIP, 1, eth(0x8847, join(u32(1<<8|9), u32(0x10000021), get4()))},
		{"link control", NotIP, capture.LinkPPP, []byte{0xff, 3, 0xc0, 0x21, 9, 1, 0, 8, 0, 0, 0, 0}},
		{"netlink", NotIP, capture.LinkSLL, join(u16(4), u16(824), u16(0), make([]byte, 8), u16(0x0800), get4())},
		{"dns", UDP, 1, eth(0x0800, outer4(17, udp(53, make([]byte, 30))))},
		{"vxlan port without id", UDP, 1, eth(0x0800, outer4(17, udp(4789, noVXLAN)))},
		{"gtp echo", UDP, 1, eth(0x0800, outer4(17, udp(2152, []byte{0x32, 1, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0})))},
		{"gtp port with text", UDP, 1, eth(0x0800, outer4(17, udp(2152, []byte("0123456789012345678901234567890123456789"))))},
		{"quic", QUIC, 1, eth(0x0800, outer4(17, udp(443, quic)))},
		{"quic version negotiation", UDP, 1, eth(0x0800, outer4(17, udp(443, make([]byte, 40))))},
		{"quic elsewhere", UDP, 1, eth(0x0800, outer4(17, udp(8443, quic)))},
		{"icmp quotes tcp", ICMP, 1, eth(0x0800, outer4(1, quote))},
		{"icmpv6 quotes tcp", ICMP, 1, eth(0x86dd, outer6(58, quote))},
		{"sctp", SCTP, 1, eth(0x0800, outer4(132, make([]byte, 20)))},
		{"esp", OtherIP, 1, eth(0x0800, outer4(50, make([]byte, 40)))},
		{"gre with routes", OtherIP, 1, eth(0x0800, outer4(47, gre(0x4000, 0x0800, make([]byte, 12), get4())))},
		{"802.11", UnknownLink, 105, get4()},
		{"pktap of 802.11", UnknownLink, linkPKTAP, join([]byte{12, 0, 0, 0, 1, 0, 0, 0, 105, 0, 0, 0}, get4())},
	} {
		c.run(t)
	}
}

func TestMalformed(t *testing.T) {
	bad := func(i int, b byte) []byte { f := eth(0x0800, get4()); f[14+i] = b; return f }
	nest := func(n int) []byte {
		b := get4()
		for range n {
			b = outer4(4, b)
		}
		return eth(0x0800, b)
	}
	for _, c := range []kindCase{
		{"ip version 5", Malformed, 1, bad(0, 0x55)},
		{"ip header of 16", Malformed, 1, bad(0, 0x44)},
		{"ip length below header", Malformed, 1, bad(3, 19)},
		{"ip length inside tcp header", Malformed, 1, bad(3, 39)},
		{"tcp header of 16", Malformed, 1, bad(32, 0x40)},
		{"tcp header beyond", Malformed, 1, eth(0x0800, ip4(client4, server4, 6, []byte("\x00\x01\x00\x02seq4ack4\xf0\x10window.."[:20])))},
		{"wrong version of ip", Malformed, 1, eth(0x86dd, join(get4(), get4()))},
		{"8 tunnels", TCP, 1, nest(8)},
		{"9 tunnels", Malformed, 1, nest(9)},
		{"empty", Malformed, 1, nil},
		{"empty raw", Malformed, capture.LinkRaw, nil},
		{"version 9", NotIP, capture.LinkRaw, []byte{0x90, 1, 2, 3}},
		{"fragment with a whole tcp header", Fragment, 1, eth(0x0800, fragment4(client4, server4, 6, 1, 0, true, tcp(client4, server4, 0x18, nil, testText)[:64]))},
	} {
		c.run(t)
	}
}

// Every way of nesting must end, however long the frame.
func TestNestingEnds(t *testing.T) {
	for name, unit := range map[string][]byte{
		"vlan": {0x81, 0, 0x81, 0}, "mpls": {0, 0, 0x10, 1}, "ipip": outer4(4, nil), "ah": {51, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},
		"options": {60, 0, 0, 0, 0, 0, 0, 0}, "pbb": eth(0x88e7, u32(1)), "atomic": {44, 0, 0, 0, 0, 0, 0, 0},
	} {
		for _, head := range [][]byte{{}, eth(0x8100, nil), eth(0x8847, nil), eth(0x88e7, nil), eth(0x0800, outer4(51, nil)), eth(0x86dd, outer6(60, nil)), eth(0x86dd, outer6(44, nil))} {
			frame := join(head, bytes.Repeat(unit, 200_000/len(unit)))
			if _, k := decodeOne(t, packet(capture.LinkEthernet, frame)); k == TCP {
				t.Errorf("%s behind %x: a segment", name, head)
			}
		}
	}
}

func TestUnknownLinks(t *testing.T) {
	d, s := New(Limits{}), Segment{}
	for _, l := range []capture.LinkType{127, 127, 4711} {
		d.Decode(packet(l, get4()), &s)
	}
	got := map[string]uint64{}
	for l, n := range d.Stats().LinkTypes {
		got[LinkName(l)] = n
	}
	if diff := cmp.Diff(map[string]uint64{"802.11 with radiotap header": 2, "link type 4711": 1}, got); diff != "" {
		t.Error(diff)
	}
	if LinkName(capture.LinkSLL2) != "Linux cooked v2" || !Decodes(capture.LinkSLL2) || Decodes(127) {
		t.Errorf("LinkName(276) = %q, Decodes(276) = %v, Decodes(127) = %v", LinkName(capture.LinkSLL2), Decodes(capture.LinkSLL2), Decodes(127))
	}
	for l := range foreign {
		if Decodes(l) {
			t.Errorf("link type %d is decoded as %q and listed as foreign", l, links[l].name)
		}
	}
}

func TestKindWords(t *testing.T) {
	seen := map[string]Kind{}
	for _, k := range Kinds() {
		if w, taken := seen[k.String()]; taken || k.String() == "" {
			t.Errorf("kinds %d and %d are both %q", w, k, k)
		}
		seen[k.String()] = k
	}
	if len(seen) != int(kinds) || kinds.String() != "unknown" {
		t.Errorf("%d words for %d kinds; beyond them %q", len(seen), kinds, kinds)
	}
}

// Frames captured before the network card split them say 0, or more than fits.
func TestLengths(t *testing.T) {
	big := string(bytes.Repeat([]byte("x"), 70_000))
	text := tcp(client6, server6, 0x10, nil, big)
	jumbo := join([]byte{protoTCP, 0, 0xc2, 4}, u32(len(text)+8))
	zero := func(b []byte, at int) []byte { b[at], b[at+1] = 0, 0; return b }
	four := func(n int) []byte {
		b := ip4(client4, server4, protoTCP, tcp(client4, server4, 0x10, nil, big[:n]))
		return b
	}
	long := four(100)
	binary.BigEndian.PutUint16(long[2:], 1500)
	cut := packet(capture.LinkEthernet, eth(0x0800, zero(four(5000), 2))[:200])
	cut.Len = 5054
	for _, c := range []struct {
		name         string
		p            *capture.Packet
		len, payload int
		offload      uint64
	}{
		{"ipv4 0", packet(1, eth(0x0800, zero(four(1000), 2))), 1000, 1000, 1},
		{"ipv4 0 beyond 64K", packet(1, eth(0x0800, zero(four(70_000), 2))), 70_000, 70_000, 1},
		{"ipv4 0, 64K and a little", packet(1, eth(0x0800, zero(four(65_536-40+10), 2))), 65_506, 65_506, 1},
		{"ipv4 0, cut", cut, 5000, 146, 1},
		{"ipv4 longer than the frame", packet(1, eth(0x0800, long)), 1460, 100, 0},
		{"ipv6 jumbogram", packet(1, eth(0x86dd, zero(ip6(client6, server6, 0, join(jumbo, text)), 4))), 70_000, 70_000, 1},
		{"ipv6 0", packet(1, eth(0x86dd, zero(ip6(client6, server6, 6, text), 4))), 70_000, 70_000, 1},
	} {
		d, s := New(Limits{}), Segment{}
		ok := d.Decode(c.p, &s)
		if !ok || s.Len != c.len || len(s.Payload) != c.payload || d.Stats().Offload != c.offload {
			t.Errorf("%s: %v, Len %d of %d, %d captured of %d, offload %d", c.name, ok, s.Len, c.len, len(s.Payload), c.payload, d.Stats().Offload)
		}
	}
}

func TestOptions(t *testing.T) {
	for _, c := range []struct {
		name    string
		flags   byte
		options []byte
		want    uint16
	}{
		{"syn", SYN, []byte{2, 4, 5, 0xb4, 4, 2, 1, 1}, 1460},
		{"behind others", SYN | ACK, []byte{1, 3, 3, 7, 8, 10, 0, 0, 0, 1, 0, 0, 0, 2, 2, 4, 5, 0xa0}, 1440},
		{"the first of two", SYN, []byte{2, 4, 5, 0xb4, 2, 4, 1, 1}, 1460},
		{"not on a syn", ACK, []byte{2, 4, 5, 0xb4}, 0},
		{"behind the end", SYN, []byte{0, 0, 0, 0, 2, 4, 5, 0xb4}, 0},
		{"wrong length", SYN, []byte{2, 3, 5, 1}, 0},
		{"length zero", SYN, []byte{3, 0, 1, 1, 2, 4, 5, 0xb4}, 0},
		{"length beyond", SYN, []byte{2, 4, 5, 0xb4, 8, 10, 0, 0}, 1460},
		{"none", SYN, nil, 0},
	} {
		p := packet(1, eth(0x0800, ip4(client4, server4, protoTCP, tcp(client4, server4, c.flags|0xc0, c.options, "x"))))
		s, k := decodeOne(t, p)
		if k != TCP || s.MSS != c.want || s.Flags != c.flags || string(s.Payload) != "x" {
			t.Errorf("%s: %q, MSS %d, not %d; flags %08b, payload %q", c.name, k, s.MSS, c.want, s.Flags, s.Payload)
		}
		if New(Limits{}).layered(p, &s) != TCP || s.MSS != c.want {
			t.Errorf("%s: layered has MSS %d, not %d", c.name, s.MSS, c.want)
		}
	}
}
