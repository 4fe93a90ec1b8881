package decode

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expectscope/capture"
)

// common are the vectors that the direct path is for.
func common() []vector {
	var all []vector
	for _, v := range vectors() {
		switch v.name {
		case "ethernet ipv4", "ethernet ipv6", "vlan", "vlan ipv6":
			all = append(all, v)
		}
	}
	return all
}

// same checks that the direct path says what layered says, if it says anything.
func same(t *testing.T, p *capture.Packet) (taken bool) {
	t.Helper()
	var got, want Segment
	d, l := New(Limits{}), New(Limits{})
	if !d.direct(p, &got) {
		return false
	}
	if k := l.layered(p, &want); k != TCP {
		t.Fatalf("direct found a segment, layered %q", k)
	}
	if !reflect.DeepEqual(want, got) { // cmp is too slow for so many
		t.Fatalf("layered (-) and direct (+) differ:\n%s", cmp.Diff(want, got))
	}
	if len(got.Payload) > 0 && &got.Payload[0] != &want.Payload[0] {
		t.Fatal("not the same octets of the frame")
	}
	if !reflect.DeepEqual(l.Stats(), d.Stats()) {
		t.Fatalf("layered (-) and direct (+) count differently:\n%s", cmp.Diff(l.Stats(), d.Stats()))
	}
	return true
}

func TestDirect(t *testing.T) {
	for _, v := range vectors() {
		for n := range len(v.frame) + 1 {
			p := packet(v.link, v.frame[:n:n])
			same(t, p)
			p.Len = len(v.frame) + 9
			same(t, p)
		}
	}
	for _, v := range common() {
		if !same(t, packet(v.link, v.frame)) {
			t.Errorf("%s does not take the direct path", v.name)
		}
		// Each octet of the headers changed to any value.
		for i := range v.frame[:len(v.frame)-len(testText)] {
			old := v.frame[i]
			for b := range 256 {
				v.frame[i] = byte(b)
				same(t, packet(v.link, v.frame))
			}
			v.frame[i] = old
		}
	}
	if short := eth(0x0800, ip4(client4, server4, protoTCP, tcp(client4, server4, ACK, nil, ""))); !same(t, packet(1, short)) {
		t.Error("an acknowledgment of 54 octets does not take the direct path")
	}
}

func FuzzDirect(f *testing.F) {
	for _, v := range vectors() {
		f.Add(v.frame, uint16(0))
	}
	f.Add(eth(0x0800, ip4(client4, server4, protoTCP, tcp(client4, server4, SYN, []byte{1, 3, 3, 7, 2, 4, 5, 0xb4}, ""))), uint16(4))
	f.Fuzz(func(t *testing.T, frame []byte, cut uint16) {
		p := packet(capture.LinkEthernet, frame)
		p.Len += int(cut)
		same(t, p)
	})
}

func TestAllocations(t *testing.T) {
	for _, v := range vectors() {
		d, s, p := New(Limits{}), Segment{}, packet(v.link, v.frame)
		if n := testing.AllocsPerRun(100, func() { d.Decode(p, &s) }); n != 0 {
			t.Errorf("%s: Decode allocates %v times", v.name, n)
		}
		if n := testing.AllocsPerRun(100, func() { d.layered(p, &s) }); n != 0 {
			t.Errorf("%s: layered allocates %v times", v.name, n)
		}
	}
	for name, frame := range map[string][]byte{
		"dns": eth(0x0800, outer4(17, udp(53, make([]byte, 30)))), "arp": eth(0x0806, make([]byte, 28)),
		"multicast report": eth(0x86dd, outer6(0, join([]byte{58, 0, 5, 2, 0, 0, 1, 0}, make([]byte, 20)))),
		"ipv4 options":     eth(0x0800, join([]byte{0x46, 0}, u16(32), make([]byte, 4), []byte{1, 2, 0, 0}, make([]byte, 8), []byte{0x94, 4, 0, 0}, make([]byte, 8))),
	} {
		d, s, p := New(Limits{}), Segment{}, packet(capture.LinkEthernet, frame)
		if n := testing.AllocsPerRun(100, func() { d.Decode(p, &s) }); n != 0 {
			t.Errorf("%s: Decode allocates %v times", name, n)
		}
	}
	d, s, p := New(Limits{}), Segment{}, packet(4711, nil)
	if n := testing.AllocsPerRun(100, func() { d.Decode(p, &s) }); n != 0 {
		t.Errorf("unknown link type: Decode allocates %v times", n)
	}
}

func BenchmarkDecode(b *testing.B) {
	for _, v := range common() {
		p := packet(v.link, v.frame)
		for name, decode := range map[string]func(*Decoder, *capture.Packet, *Segment) bool{
			"direct": (*Decoder).Decode,
			"layered": func(d *Decoder, p *capture.Packet, s *Segment) bool {
				d.stats.Kinds[TCP]++
				return d.layered(p, s) == TCP
			},
		} {
			b.Run(v.name+"/"+name, func(b *testing.B) {
				d, s := New(Limits{}), Segment{}
				b.ReportAllocs()
				for b.Loop() {
					if !decode(d, p, &s) {
						b.Fatal("no segment")
					}
				}
			})
		}
	}
}
