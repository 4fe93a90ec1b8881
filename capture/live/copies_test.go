package live

import (
	"testing"
	"time"
)

// A sight is a packet as it is seen somewhere.
type sight struct {
	after     time.Duration // the sight before
	on        uint32        // interface
	direction byte
	protocol  uint16
	data      string
	copied    bool
}

func TestCopies(t *testing.T) {
	const ms = time.Millisecond
	p, q := packet4(packet{id: 1, ttl: 64, payload: "GET"}), packet4(packet{id: 1, ttl: 64, payload: "PUT"})
	six := packet6(packet{ttl: 64, payload: "GET"})
	for name, sights := range map[string][]sight{
		"container, bridge, card": {
			{on: 5, data: p},
			{on: 4, data: p, copied: true},
			{on: 2, direction: outgoing, data: packet4(packet{id: 1, ttl: 63, sum: 7, payload: "GET"}), copied: true},
		},
		"IPv6, with another hop limit and checksum": {
			{on: 5, protocol: 0x86dd, data: six},
			{on: 2, protocol: 0x86dd, data: packet6(packet{ttl: 63, sum: 9, payload: "GET"}), copied: true},
		},
		"card and VLAN on it": {
			{on: 2, protocol: 0x8100, data: "\x00\x05\x08\x00" + p},
			{on: 6, data: p, copied: true},
		},
		"out where it came in":          {{on: 2, data: p}, {on: 2, direction: outgoing, data: p, copied: true}},
		"repeated by the sender":        {{on: 2, data: p}, {after: ms, on: 2, data: p}, {on: 3, data: p, copied: true}},
		"two alike, then their copies":  {{on: 2, data: p}, {on: 2, data: p}, {on: 3, data: p, copied: true}, {on: 3, data: p, copied: true}},
		"another payload":               {{on: 2, data: p}, {on: 3, data: q}},
		"another IP id":                 {{on: 2, data: p}, {on: 3, data: packet4(packet{id: 2, payload: "GET"})}},
		"another sequence number":       {{on: 2, data: p}, {on: 3, data: packet4(packet{id: 1, seq: 1, payload: "GET"})}},
		"later than any queue":          {{on: 2, data: p}, {after: 100 * ms, on: 3, data: p}},
		"a little later":                {{on: 2, data: p}, {after: 99 * ms, on: 3, data: p, copied: true}},
		"a clock that went a bit back":  {{on: 2, data: p}, {after: -ms, on: 3, data: p, copied: true}},
		"a clock that was set back":     {{on: 2, data: p}, {after: -time.Hour, on: 3, data: p}},
		"not IP":                        {{on: 2, protocol: 0x0806, data: p}, {on: 3, protocol: 0x0806, data: p}},
		"too short to be IP":            {{on: 2, data: p[:19]}, {on: 3, data: p[:19]}},
		"a tag with nothing behind":     {{on: 2, protocol: 0x8100, data: "\x00\x05\x08"}, {on: 3, protocol: 0x8100, data: "\x00\x05\x08"}},
		"header lengths beyond the end": {{on: 2, data: "\x4f" + p[1:]}, {on: 3, data: "\x4f" + p[1:], copied: true}},
	} {
		t.Run(name, func(t *testing.T) {
			c := newCopies()
			now, copied := int64(1e18), uint64(0)
			for i, s := range sights {
				now += int64(s.after)
				if s.protocol == 0 {
					s.protocol = 0x0800
				}
				f := frame{time: now, mem: []byte(s.data), wire: len(s.data), protocol: s.protocol, index: s.on, direction: s.direction}
				if got := c.seen(&f); got != s.copied {
					t.Errorf("sight %d: a copy %v, want %v", i+1, got, s.copied)
				}
				if s.copied {
					copied++
				}
			}
			if c.n != copied {
				t.Errorf("%d copies counted, want %d", c.n, copied)
			}
		})
	}
}

// Frames of different length on the wire are not copies, though the capture cut
// both to the same bytes.
func TestCopiesOfSnapped(t *testing.T) {
	c := newCopies()
	data := []byte(packet4(packet{length: 1400}))
	for i, f := range []frame{{wire: 1400, index: 1}, {wire: 1401, index: 2}, {wire: 1401, index: 3}} {
		f.mem, f.protocol, f.time = data, 0x0800, 1e18
		if got, want := c.seen(&f), i == 2; got != want {
			t.Errorf("sight %d: a copy %v, want %v", i+1, got, want)
		}
	}
}

// Memory is bounded: a packet whose slot was taken is forgotten.
func TestCopiesForget(t *testing.T) {
	c := newCopies()
	for i := range uint32(20 * copySlots) {
		f := frame{time: 1e18, mem: []byte(packet4(packet{seq: i})), wire: 40, protocol: 0x0800, index: 1}
		if c.seen(&f) {
			t.Fatalf("packet %d is a copy", i)
		}
	}
	first := frame{time: 1e18, mem: []byte(packet4(packet{})), wire: 40, protocol: 0x0800, index: 2}
	if c.seen(&first) || len(c.slots) != copySlots {
		t.Errorf("the first packet is remembered, or %d slots are used", len(c.slots))
	}
}
