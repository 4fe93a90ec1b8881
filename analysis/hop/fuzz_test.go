package hop

import (
	"net/netip"
	"slices"
	"strconv"
	"testing"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

// FuzzMatcher plays any sequence of calls on the exchanges of clients, proxies and origins, sensible or not: there is no panic, a
// link is told on both of its sides and in the same words, nothing is behind two proxies or in front of itself, what is kept stays within
// its bounds, and nothing is left when all is forgotten.
func FuzzMatcher(f *testing.F) {
	f.Add([]byte{0, 0, 1, 5, 0, 1, 0, 5, 3, 1, 0, 9, 3, 0, 0, 9, 5, 0, 0, 0, 5, 1, 0, 0, 6, 0, 0, 0, 6, 1, 0, 0})                              // two hops
	f.Add([]byte{0, 0, 1, 5, 0, 1, 0, 5, 0, 2, 0, 5, 3, 2, 7, 1, 3, 1, 7, 1, 3, 0, 7, 1, 5, 0, 0, 0, 5, 1, 0, 0, 5, 2, 0, 0})                  // three
	f.Add([]byte{0, 0, 1, 1, 0, 0, 1, 1, 0, 1, 0, 1, 0, 1, 0, 1, 3, 0, 1, 1, 3, 1, 2, 1, 3, 2, 1, 1, 3, 3, 2, 1, 5, 0, 0, 0, 5, 1, 0, 0})      // two of each
	f.Add([]byte{2, 0, 0, 0, 0, 0, 1, 255, 0, 1, 33, 200, 1, 1, 0, 1, 3, 0, 1, 1, 5, 0, 0, 1, 4, 1, 0, 1, 6, 0, 0, 1, 5, 1, 0, 1, 6, 1, 0, 1}) // clocks, taken back
	f.Fuzz(func(t *testing.T, b []byte) {
		z := newFuzzed(t)
		for n := 0; len(b) >= 4 && n < 1000; n++ {
			z.call(b[0], b[1], b[2], b[3])
			b = b[4:]
			z.bounded()
		}
		z.symmetric()
		for _, x := range z.xs {
			z.m.Closed(x)
			z.m.Settle(x)
		}
		z.symmetric()
		for _, x := range z.xs {
			z.m.Forget(x)
		}
		if len(z.m.legs)+len(z.m.groups)+len(z.m.methods) != 0 {
			t.Errorf("left: %d legs, %d groups, %d methods", len(z.m.legs), len(z.m.groups), len(z.m.methods))
		}
	})
}

const fuzzedLegs, fuzzedReach = 24, 16

type fuzzed struct {
	t     *testing.T
	m     *Matcher
	conns []*reassembly.Conn
	xs    []*analysis.Exchange
	byID  map[string]*analysis.Exchange
	now   int64
}

func newFuzzed(t *testing.T) *fuzzed {
	z := &fuzzed{
		t: t, m: New(Options{Legs: fuzzedLegs, Reach: fuzzedReach}),
		byID: map[string]*analysis.Exchange{},
	}
	for i, c := range [][2]string{
		{"10.0.0.1:4000", "10.0.0.2:80"},
		{"10.0.0.2:5000", "10.0.0.3:80"},
		{"10.0.0.3:6000", "10.0.0.4:80"},
		{"10.9.9.9:5000", "10.0.0.3:80"},
		{"127.0.0.1:5000", "127.0.0.1:80"},
		{"[2001:db8::1]:1", "[2001:db8::2]:80"},
	} {
		z.conns = append(z.conns, &reassembly.Conn{
			First: capture.Num(i + 1), Tap: uint16(i / 3), Client: netip.MustParseAddrPort(c[0]), Server: netip.MustParseAddrPort(c[1]),
		})
	}
	return z
}

// call makes one call out of four bytes: which, on what, its details, and the time that passes before it.
func (z *fuzzed) call(op, which, a, dt byte) {
	z.now += int64(int8(dt)) * 50 * ms // time may go back
	if op%8 == 2 {
		z.m.Tap()
		return
	}
	if op%8 < 2 || len(z.xs) == 0 {
		z.request(which, a, op%8 == 1)
		return
	}
	x := z.xs[int(which)%len(z.xs)]
	switch op % 8 {
	case 3:
		mark := reassembly.Mark{Time: z.now, Packet: 1}
		x.Final = &analysis.Message{Status: 200 + int(a), First: mark, Last: mark}
		x.ReqBody.Prefix[0] = uint32(a % 3)
		x.At, x.LastActivity = z.now, mark
		z.m.Closed(x)
	case 4:
		z.m.Revoked(x)
	case 5:
		z.m.Deadline(x)
		z.m.Settle(x)
	case 6:
		z.m.Forget(x)
	case 7:
		match := z.m.Matches(x)
		for _, y := range z.xs[max(0, len(z.xs)-8):] {
			if match([]byte(y.Request.Method + " " + y.Request.Target + " HTTP/1.1\r\n")) {
				z.m.Opened(y)
			}
		}
		if z.m.Forwards(x) && z.m.Up(x) != nil {
			z.t.Errorf("%s was not passed on, and was", x.ID)
		}
	}
}

// request opens an exchange, or notes one that becomes worth it.
func (z *fuzzed) request(which, a byte, noted bool) {
	mark := reassembly.Mark{Time: z.now, Packet: capture.Num(len(z.xs) + 1)}
	x := &analysis.Exchange{ID: strconv.Itoa(len(z.xs)), Conn: z.conns[int(which)%len(z.conns)], Stream: uint32(len(z.xs) + 1), LastActivity: mark}
	x.Request = analysis.Message{Method: "PUT", Target: [...]string{"/up", "/v1/up", "http://h/up", "*"}[a>>6], First: mark, Last: mark}
	x.ReqBody.Framing, x.ReqBody.Declared = analysis.FramingLength, int64(a>>4&1)+99
	for i, field := range []analysis.Field{
		{Name: "Expect", Value: "100-continue"},
		{Name: "X-Request-ID", Value: "r"},
		{Name: "Via", Value: "1.1 p"},
		{Name: "X-Forwarded-For", Value: "10.0.0.1"},
	} {
		if a>>i&1 != 0 {
			x.Request.Fields = append(x.Request.Fields, field)
		}
	}
	z.xs, z.byID[x.ID] = append(z.xs, x), x
	z.m.Wants(&analysis.Head{Method: []byte(x.Request.Method), Target: []byte(x.Request.Target), Last: mark, Framing: x.ReqBody.Framing})
	if noted {
		z.m.Noted(x)
	} else {
		z.m.Opened(x)
	}
}

func (z *fuzzed) bounded() {
	m := z.m
	if len(m.legs) > fuzzedLegs || len(m.order) > 2*fuzzedLegs+64 || len(m.proxies) > maxProxies {
		z.t.Errorf("kept: %d legs, %d in order", len(m.legs), len(m.order))
	}
	for _, g := range m.groups {
		if len(g.legs) == 0 || len(g.legs) > fuzzedReach {
			z.t.Errorf("a group of %d", len(g.legs))
		}
	}
}

// symmetric holds each link against the one that the other side tells.
func (z *fuzzed) symmetric() {
	links := uint64(0)
	for _, x := range z.xs {
		sides := [2]int{}
		for _, l := range x.Sequel().Hops {
			sides[l.Side]++
			y := z.byID[l.To]
			back := analysis.Hop{}
			if y != nil {
				if i := slices.IndexFunc(y.Sequel().Hops, func(o analysis.Hop) bool { return o.To == x.ID && o.Side != l.Side }); i >= 0 {
					back = y.Sequel().Hops[i]
				}
			}
			back.Side, back.To = l.Side, l.To
			if y == nil || y == x || back != l {
				z.t.Errorf("%s tells %+v, and the other side %+v", x.ID, l, back)
			}
		}
		if sides[0] > 1 || sides[1] > 1 {
			z.t.Errorf("%s has %d hops behind and %d in front", x.ID, sides[0], sides[1])
		}
		links += uint64(sides[0])
	}
	if links != z.m.Pairs() {
		z.t.Errorf("%d links, %d pairs", links, z.m.Pairs())
	}
}
