package live

import (
	"encoding/binary"
	"testing"

	"expectscope/capture"
	"expectscope/capture/decode"
)

// ethernet is an Ethernet header of IPv4.
const ethernet = "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00"

// shaped reads one record and shapes it.
func shaped(t *testing.T, link capture.LinkType, r record) (frame, bool) {
	t.Helper()
	rg := ringOf(block(1024, r))
	var f frame
	if !rg.take() || !rg.next(&f) {
		t.Fatal("no record")
	}
	ok := (&shaper{link: link}).shape(&f)
	return f, ok
}

func TestShape(t *testing.T) {
	const mac = "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02"
	for _, c := range []struct {
		name string
		link capture.LinkType
		in   record
		want string
		wire int
	}{
		{"Ethernet as it is", 1, record{data: ethernet + "ip"}, ethernet + "ip", 16},
		{"Ethernet with its tag back", 1, record{data: ethernet + "ip", tci: 0x2005}, mac + "\x81\x00\x20\x05\x08\x00ip", 20},
		{"the tag's own type", 1, record{data: ethernet + "ip", tci: 5, tpid: 0x88a8}, mac + "\x88\xa8\x00\x05\x08\x00ip", 20},
		{"snapped in the addresses", 1, record{data: mac[:9], wire: 60, tci: 5}, mac[:9], 64},
		{"snapped behind the addresses", 1, record{data: mac, wire: 60, tci: 5}, mac + "\x81\x00\x00\x05", 64},
		{"no room for a tag", 1, record{data: ethernet + "ip", tci: 5, room: 3}, ethernet + "ip", 16},
		{"raw IP", capture.LinkRaw, record{data: "ip", protocol: 0x0800}, "ip", 2},
		{
			"cooked", capture.LinkSLL2,
			record{data: "ip", wire: 9, protocol: 0x0800, index: 3, hardware: 1, direction: 4, addr: mac[:6]},
			"\x08\x00\x00\x00\x00\x00\x00\x03\x00\x01\x04\x06" + mac[:6] + "\x00\x00ip", 29,
		},
		{
			"cooked with its tag back", capture.LinkSLL2,
			record{data: "ip", protocol: 0x86dd, index: 1 << 24, hardware: 0x0304, tci: 5, tpid: 0x88a8},
			"\x88\xa8\x00\x00\x01\x00\x00\x00\x03\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x05\x86\xddip", 26,
		},
		{
			"cooked with two tags, and the protocol behind them", capture.LinkSLL2,
			record{data: "\x00\x07\x08\x00\x45", protocol: 0x0800, index: 1, tci: 5, tpid: 0x88a8},
			"\x88\xa8\x00\x00\x00\x00\x00\x01" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x05\x81\x00\x00\x07\x08\x00\x45", 29,
		},
		{
			"cooked, a length that looks like a tag's type", capture.LinkSLL2,
			record{data: "\x45\x00\x08\x00\x45", protocol: 0x0800, index: 1, tci: 5},
			"\x81\x00\x00\x00\x00\x00\x00\x01" + "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00" + "\x00\x05\x08\x00\x45\x00\x08\x00\x45", 29,
		},
		{"no room for a cooked header", capture.LinkSLL2, record{data: "ip", room: 23}, "ip", 2},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, ok := shaped(t, c.link, c.in)
			if !ok || string(f.data()) != c.want || f.wire != c.wire {
				t.Errorf("%v, %d bytes on the wire\n got %q\nwant %q, %d", ok, f.wire, f.data(), c.want, c.wire)
			}
		})
	}
}

// What is shaped decodes to the segment that was captured.
func TestShapeDecodes(t *testing.T) {
	ip := packet4(packet{payload: "GET"})
	for _, c := range []struct {
		name string
		link capture.LinkType
		in   record
	}{
		{"Ethernet", 1, record{data: ethernet + ip}},
		{"Ethernet, tagged", 1, record{data: ethernet + ip, tci: 5}},
		{"raw", capture.LinkRaw, record{data: ip}},
		{"cooked", capture.LinkSLL2, record{data: ip, protocol: 0x0800, hardware: 1}},
		{"cooked, tagged", capture.LinkSLL2, record{data: ip, protocol: 0x0800, hardware: 1, tci: 5}},
	} {
		t.Run(c.name, func(t *testing.T) {
			f, _ := shaped(t, c.link, c.in)
			var s decode.Segment
			p := capture.Packet{Link: c.link, Data: f.data(), Len: f.wire}
			if !decode.New(decode.DefaultLimits()).Decode(&p, &s) || string(s.Payload) != "GET" || s.Src.Port != 40000 {
				t.Errorf("%q decodes to %+v", f.data(), s)
			}
		})
	}
}

// Loopback shows each packet on its way out and on its way in.
func TestShapeLoopback(t *testing.T) {
	for direction, want := range map[byte]bool{0: true, outgoing: false} {
		if _, ok := shaped(t, 1, record{data: ethernet, hardware: hardwareLoopback, direction: direction}); ok != want {
			t.Errorf("direction %d on loopback: handed out %v, want %v", direction, ok, want)
		}
	}
	if _, ok := shaped(t, 1, record{data: ethernet, hardware: hardwareEther, direction: outgoing}); !ok {
		t.Error("a packet that leaves by a network card is not handed out")
	}
}

func TestLinkOf(t *testing.T) {
	for hardware, want := range map[uint16]capture.LinkType{
		1: capture.LinkEthernet, 772: capture.LinkEthernet, 519: capture.LinkRaw, 65534: capture.LinkRaw,
		512: capture.LinkSLL2, 803: capture.LinkSLL2, 0: capture.LinkSLL2,
	} {
		if got := linkOf(hardware); got != want {
			t.Errorf("hardware %d: link type %d, want %d", hardware, got, want)
		}
	}
}

// A packet is an IP packet with a TCP segment; what is zero has a value of its
// own.
type packet struct {
	id      uint16
	ttl     byte
	seq     uint32
	sum     uint16
	payload string
	length  int
}

// packet4 is the packet over IPv4.
func packet4(p packet) string {
	b := make([]byte, 40, 40+len(p.payload))
	b[0], b[9] = 0x45, 6
	binary.BigEndian.PutUint16(b[2:], uint16(max(p.length, 40+len(p.payload))))
	binary.BigEndian.PutUint16(b[4:], p.id)
	b[8] = max(p.ttl, 1)
	binary.BigEndian.PutUint16(b[10:], p.sum) // of the header: nobody here checks it
	copy(b[12:], "\x0a\x00\x00\x01\x0a\x00\x00\x02")
	tcp(b[20:], p)
	return string(append(b, p.payload...))
}

// packet6 is the packet over IPv6.
func packet6(p packet) string {
	b := make([]byte, 60, 60+len(p.payload))
	b[0], b[6] = 0x60, 6
	binary.BigEndian.PutUint16(b[4:], uint16(20+len(p.payload)))
	b[7] = max(p.ttl, 1)
	b[23], b[39] = 1, 2
	tcp(b[40:], p)
	return string(append(b, p.payload...))
}

func tcp(b []byte, p packet) {
	binary.BigEndian.PutUint16(b, 40000)
	binary.BigEndian.PutUint16(b[2:], 80)
	binary.BigEndian.PutUint32(b[4:], p.seq)
	b[12], b[13] = 5<<4, 0x18
	binary.BigEndian.PutUint16(b[16:], p.sum)
}
