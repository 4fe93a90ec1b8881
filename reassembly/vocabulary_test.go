package reassembly

import (
	"net/netip"
	"testing"
	"unsafe"

	"expectscope/capture/decode"
)

func TestChunkAt(t *testing.T) {
	c := Chunk{Mark: Mark{Off: 110}, Data: make([]byte, 10)}
	if got := c.At(4).Off; got != 104 {
		t.Errorf("plain: %d", got)
	}
	c.Sealed = true // offsets in plaintext are none of TCP's
	if got := c.At(4).Off; got != 110 {
		t.Errorf("sealed: %d", got)
	}
	if n := unsafe.Sizeof(Mark{}); n != 32 {
		t.Errorf("a mark takes %d bytes", n)
	}
}

func TestRTT(t *testing.T) {
	c := Conn{SYN: 100, SYNACK: 107, ACK: 110, MinRTT: [2]int64{5, 3}}
	if ns, ok := c.RTT(); ns != 10 || !ok {
		t.Errorf("RTT %d, %v", ns, ok)
	}
	if f, r := c.ServerRTT(Forward), c.ServerRTT(Reverse); f != 7 || r != 3 {
		t.Errorf("ServerRTT %d, %d", f, r)
	}
	c.SYNACK = 0
	if ns, ok := c.RTT(); ns != 8 || ok {
		t.Errorf("RTT without the handshake %d, %v", ns, ok)
	}
	if f := c.ServerRTT(Forward); f != 5 {
		t.Errorf("ServerRTT without the handshake %d", f)
	}
}

func TestAddr(t *testing.T) {
	c := Conn{Client: modelClient.AddrPort(), Server: modelServer.AddrPort()}
	if c.Addr(Forward) != c.Client || c.Addr(Reverse) != c.Server {
		t.Error("addresses are the wrong way round")
	}
}

func TestKeyIsThatOfBothDirections(t *testing.T) {
	for _, pair := range [][2]string{
		{"10.0.0.1:1", "10.0.0.2:1"}, {"10.0.0.1:1", "10.0.0.1:2"}, {"[2001:db8::1]:9", "[2001:db8:1::]:3"}, {"10.0.0.1:5", "10.0.0.1:5"},
	} {
		a, b := netip.MustParseAddrPort(pair[0]), netip.MustParseAddrPort(pair[1])
		there := decode.Segment{Src: endpoint(a), Dst: endpoint(b), Tap: 3}
		back := decode.Segment{Src: endpoint(b), Dst: endpoint(a), Tap: 3}
		k, swapped := keyOf(&there)
		l, other := keyOf(&back)
		if k != l || swapped == other && a != b {
			t.Errorf("%s and %s: %v %v, %v %v", a, b, k, swapped, l, other)
		}
		c := Conn{Client: a, Server: b, Tap: 3}
		if c.key() != k {
			t.Errorf("%s and %s: the connection has another key", a, b)
		}
		if c.Tap++; c.key() == k {
			t.Error("the tap is not part of the key")
		}
	}
}

func TestGhostsAreForgottenInTurn(t *testing.T) {
	var table ghostTable
	k := func(i int) key { return key{tap: uint16(i)} }
	for i := range ghostsKept + 10 {
		table.add(ghost{key: k(i), end: [2]uint32{100, 200}})
	}
	s := &decode.Segment{Seq: 90, Len: 10}
	for i, want := range map[int]bool{0: false, 9: false, 10: true, ghostsKept + 9: true} {
		if got := table.repeats(k(i), false, s); got != want {
			t.Errorf("connection %d: %v", i, got)
		}
	}
	s.Len++
	if table.repeats(k(10), false, s) {
		t.Error("a new byte is no repetition")
	}
	if !table.repeats(k(10), true, s) {
		t.Error("the other side's stream is longer")
	}
	table.forget(k(10))
	if table.repeats(k(10), true, s) || len(table.ring) != ghostsKept || len(table.index) != ghostsKept-1 {
		t.Error("not forgotten")
	}
}
