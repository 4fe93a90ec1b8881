package retry

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

// FuzzMatcher plays any sequence of calls, sensible or not: there is no panic, every refusal has one repeat at most and
// every repeat one refusal, what is kept stays within its bounds, and nothing is left when all is forgotten.
func FuzzMatcher(f *testing.F) {
	f.Add([]byte{0, 0, 0, 0, 10, 1, 0, 0, 0, 10, 0, 0, 0, 0, 10, 2, 1, 0, 0, 0, 6, 0, 0, 200, 200})
	f.Add([]byte{0, 7, 1, 0, 1, 1, 0, 0, 0, 1, 0, 14, 1, 0, 1, 0, 21, 1, 0, 1, 3, 1, 0, 0, 0, 2, 1, 0, 0, 0, 4, 0, 0, 0, 0, 5, 2, 0, 0, 0})
	f.Add([]byte{8, 0, 0, 0, 255, 0, 3, 9, 5, 1, 1, 0, 0, 0, 1, 0, 4, 9, 1, 1, 3, 1, 9, 9, 9, 4, 1, 0, 0, 0, 6, 1, 1, 1, 255})
	f.Fuzz(func(t *testing.T, b []byte) {
		z := newFuzzed(t)
		for n := 0; len(b) >= 5 && n < 2000; n++ {
			z.call(b[0], b[1], b[2], b[3], b[4])
			b = b[5:]
			if n%16 == 0 {
				z.check()
			}
		}
		z.check()
		for _, x := range z.xs {
			z.m.Settle(x, z.now, true)
			z.m.Deadline(x)
			z.m.Forget(x)
		}
		if m := z.m; len(m.attempts)+len(m.addresses)+len(m.groups)+len(m.conns)+m.spares+m.originals != 0 {
			t.Errorf("left: %d attempts, %d addresses, %d groups, %d spares, %d originals", len(m.attempts), len(m.addresses), len(m.groups), m.spares, m.originals)
		}
	})
}

type fuzzed struct {
	t     *testing.T
	m     *Matcher
	conns []*reassembly.Conn
	xs    []*analysis.Exchange
	gone  map[*analysis.Exchange]bool
	now   int64
}

func newFuzzed(t *testing.T) *fuzzed {
	z := &fuzzed{t: t, m: New(Options{Originals: 20}), gone: map[*analysis.Exchange]bool{}}
	for i, c := range []string{"10.0.0.1", "10.0.0.1", "10.0.0.1", "::ffff:10.0.0.2", "2001:db8::1", "2001:db8::2"} {
		z.conns = append(z.conns, &reassembly.Conn{
			First: capture.Num(i + 1), Client: netip.AddrPortFrom(netip.MustParseAddr(c), 4000), Server: netip.MustParseAddrPort("10.0.0.9:80"),
		})
	}
	return z
}

// call makes one call out of five bytes: which, on what, two for its details, and the time that passes before it.
func (z *fuzzed) call(op, which, a, b, dt byte) {
	z.now += int64(int8(dt)) * 500 * ms // time may go back
	var x *analysis.Exchange
	if len(z.xs) > 0 {
		x = z.xs[(len(z.xs)-1-int(which)%len(z.xs))%len(z.xs)]
	}
	switch {
	case op%10 == 0 || x == nil:
		z.request(which, a, b)
	case op%10 == 1:
		z.refuse(x, a)
	case op%10 == 2:
		x.ReqBody.Prefix[0] = uint32(a % 3)
		x.LastActivity.Time = z.now
		z.m.Closed(x)
	case op%10 == 3:
		z.gone[x] = true
		z.m.Revoked(x)
	case op%10 == 4:
		z.gone[x] = true
		z.m.Forget(x)
	case op%10 == 5:
		z.m.Settle(x, z.now, a&1 != 0)
	case op%10 == 6:
		client := z.conns[int(a)%len(z.conns)].Client.Addr()
		if b&1 != 0 {
			client = netip.Addr{}
		}
		z.m.Blind(client, netip.Addr{}, z.now, z.now+int64(int8(b))*ms, "a hole")
	default: // what makes chains: refused, and asked again
		z.refuse(x, 0)
		z.request(which, a, b)
	}
}

// refuse happens once to an exchange, and not after it was forgotten.
func (z *fuzzed) refuse(x *analysis.Exchange, off byte) {
	if x.Final != nil || z.gone[x] {
		return
	}
	mark := reassembly.Mark{Time: z.now, Packet: 1, Off: uint64(off)}
	x.Final = &analysis.Message{Status: 417, First: mark, Last: mark}
	z.m.Refused(x)
}

func (z *fuzzed) request(which, a, b byte) {
	c := z.conns[int(which)%len(z.conns)]
	mark := reassembly.Mark{Time: z.now, Packet: 1, Acked: uint64(b)}
	x := &analysis.Exchange{ID: strconv.Itoa(len(z.xs)), Conn: c, Stream: uint32(len(z.xs) + 1), LastActivity: mark}
	x.Request = analysis.Message{
		Method: [...]string{"PUT", "PUT", "POST", "GET"}[a>>2&3], Target: [...]string{"/", "/", "http://h/", "/x"}[a&3],
		First: mark, Last: mark,
	}
	x.ReqBody.Framing, x.ReqBody.Declared = analysis.Framing(a>>4&3), int64(a>>6)-1
	for i, field := range []analysis.Field{
		{Name: "Host", Value: "h:80"},
		{Name: "User-Agent", Value: "u"},
		{Name: "User-Agent", Value: "v"},
		{Name: "Cookie", Value: "c"},
		{Name: "Digest", Value: "d"},
		{Name: "Digest", Value: "e"},
		{Name: "Expect", Value: "100-continue"},
	} {
		if b>>i&1 != 0 {
			x.Request.Fields = append(x.Request.Fields, field)
		}
	}
	z.xs = append(z.xs, x)
	if z.m.Wants(c.Client.Addr()) {
		ask(z.t, z.m, x)
	}
}

// ask tells of a request, and holds Passes to what came of it.
func ask(t *testing.T, m *Matcher, x *analysis.Exchange) {
	t.Helper()
	x.Request.Head = x.Request.Method + " " + x.Request.Target + " HTTP/1.1\r\n"
	for _, f := range x.Request.Fields {
		x.Request.Head += f.Name + ": " + f.Value + "\r\n"
	}
	_, expect := x.Request.Get("Expect")
	client := x.Conn.Client.Addr()
	_, pass := m.Passes(x.Conn, client, &analysis.Head{
		Text: []byte(x.Request.Head + "\r\n"), Method: []byte(x.Request.Method), Target: []byte(x.Request.Target), Expect: expect,
		Framing: x.ReqBody.Framing, Length: x.ReqBody.Declared,
	})
	before := voicesOf(m, client)
	m.Request(x)
	if pass && (m.attempts[x] != nil || voicesOf(m, client) != before) {
		t.Errorf("%s passes, yet it counts: kept %v, voices %q before %q:\n%s", x.ID, m.attempts[x] != nil, voicesOf(m, client), before, x.Request.Head)
	}
	if pass {
		passed++
	}
}

// passed counts requests that needed not be told of.
var passed int

func voicesOf(m *Matcher, client netip.Addr) string {
	var lines []string
	for v, t := range m.addresses[place(client)].voices {
		lines = append(lines, fmt.Sprint(v, *t))
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

func (z *fuzzed) check() {
	z.t.Helper()
	m := z.m
	open, spares, originals := 0, 0, 0
	for x, a := range m.attempts {
		if a.open {
			open++
		}
		if a.refused != 0 {
			originals++
		}
		z.ends(x, a)
	}
	byGroup, byAddress, byConn := 0, 0, 0
	for _, os := range m.conns {
		byConn += len(os)
	}
	for _, g := range m.groups {
		byGroup += len(g.originals)
		spares += len(g.spares)
	}
	for _, ad := range m.addresses {
		byAddress += len(ad.open)
	}
	if open != byGroup || open != byAddress || open != byConn || spares != m.spares || originals != m.originals {
		z.t.Fatalf("%d open: %d in groups, %d at addresses, %d on connections; %d spares of %d; %d originals of %d", open, byGroup, byAddress, byConn, spares, m.spares, originals, m.originals)
	}
	if originals > m.o.Originals || spares > m.o.Originals || len(m.order) > 3*m.o.Originals+64 {
		z.t.Fatalf("%d originals, %d spares, %d in order", originals, spares, len(m.order))
	}
}

// ends checks what leads from and to an attempt that is not forgotten.
func (z *fuzzed) ends(x *analysis.Exchange, a *attempt) {
	z.t.Helper()
	if c := a.next; c != nil {
		if c.forgotten == (z.m.attempts[c.x] == c) || !c.forgotten && c.prev != a {
			z.t.Fatalf("the repeat of %s does not know it", x.ID)
		}
		if x.Retry().By != c.x.ID || c.x.RetryOf != x.ID {
			z.t.Fatalf("%s says it is repeated by %q, that it repeats %q", x.ID, x.Retry().By, c.x.RetryOf)
		}
	} else if x.Retry().By != "" {
		z.t.Fatalf("%s is said to be repeated by %q", x.ID, x.Retry().By)
	}
	if (a.prev != nil) != (x.RetryOf != "") || a.prev != nil && a.prev.x.ID != x.RetryOf {
		z.t.Fatalf("%s is said to repeat %q", x.ID, x.RetryOf)
	}
	xs, i := z.m.Chain(x)
	if xs[i] != x || a.prev != nil && xs[i-1] != a.prev.x || a.next != nil && xs[i+1] != a.next.x ||
		a.prev == nil && i > 0 || a.next == nil && i < len(xs)-1 {
		z.t.Fatalf("chain of %s: %s, and it is number %d", x.ID, names(xs), i)
	}
}

// TestHistories plays random histories in which links are frequent, and checks after every call.
func TestHistories(t *testing.T) {
	linked, undone := 0, 0
	for seed := range uint64(80) {
		r := rand.New(rand.NewPCG(seed, 0))
		z := newFuzzed(t)
		for range 300 {
			op := [...]byte{0, 0, 1, 2, 2, 3, 4, 5, 6, 7, 7, 8, 9}[r.IntN(13)]
			a, b := byte(r.IntN(256)), byte(r.IntN(256))
			if r.IntN(2) == 0 { // the same request again
				a, b = a&0x30|0x40, b&0x41
			}
			before := z.links()
			z.call(op, byte(r.IntN(256)), a, b, byte(r.IntN(4)))
			z.check()
			linked, undone = linked+max(0, z.links()-before), undone+max(0, before-z.links())
		}
	}
	if passed < 40 {
		t.Errorf("only %d requests passed", passed)
	}
	if linked < 1000 || undone < 100 {
		t.Errorf("only %d links made and %d undone: the histories prove little", linked, undone)
	}
}

// links counts the links between attempts that are not forgotten.
func (z *fuzzed) links() (n int) {
	for _, a := range z.m.attempts {
		if a.next != nil && !a.next.forgotten {
			n++
		}
	}
	return n
}

// FuzzLinker plays any sequence of calls to a linker: there is no panic, every exchange has one follow-up and
// follows from one at most, rows end, and nothing is left when all is forgotten.
func FuzzLinker(f *testing.F) {
	f.Add([]byte{0, 0, 0, 8, 10, 1, 0, 0, 0, 10, 0, 0, 0, 8, 10, 2, 1, 0, 0, 0, 3, 0, 0, 200, 200})
	f.Add([]byte{0, 7, 8, 64, 1, 2, 0, 9, 0, 1, 0, 14, 8, 64, 1, 0, 21, 8, 64, 1, 3, 1, 0, 0, 0, 4, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, b []byte) {
		z, l := newFuzzed(t), NewLinker(Options{})
		for n := 0; len(b) >= 5 && n < 2000; n++ {
			z.lead(l, b[0], b[1], b[2], b[3], b[4])
			b = b[5:]
		}
		from := map[string]string{}
		for _, x := range z.xs {
			if len(x.Sequel().Links) > 1 {
				t.Fatalf("%s leads to %v", x.ID, x.Sequel().Links)
			}
			for _, k := range x.Sequel().Links {
				if other := from[k.To]; other != "" {
					t.Fatalf("%s follows from %s and %s", k.To, other, x.ID)
				}
				from[k.To] = x.ID
			}
			if legs, at := l.Legs(x); len(legs) > maxLegs+1 || len(legs) > 0 && legs[at] != x {
				t.Fatalf("%s is leg %d of %d", x.ID, at, len(legs))
			}
			l.Deadline(x)
		}
		for _, x := range z.xs {
			l.Forget(x)
		}
		if len(l.leads)+len(l.clients)+l.waiting != 0 {
			t.Errorf("left: %d leads, %d clients, %d wait", len(l.leads), len(l.clients), l.waiting)
		}
	})
}

// lead makes one call to a linker out of five bytes.
func (z *fuzzed) lead(l *Linker, op, which, a, b, dt byte) {
	z.now += int64(int8(dt)) * 500 * ms
	var x *analysis.Exchange
	if len(z.xs) > 0 {
		x = z.xs[int(which)%len(z.xs)]
	}
	switch {
	case op%5 == 0 || x == nil:
		z.request(which, a, b|64)
		l.Request(z.xs[len(z.xs)-1])
	case op%5 == 1 && x.Final == nil && !z.gone[x]:
		mark := reassembly.Mark{Time: z.now, Packet: 1, Off: uint64(b)}
		status := [...]int{307, 302, 401, 407, 500, 503, 417, 413}[a%8]
		fields := [...]analysis.Field{{Name: "Location", Value: "/"}, {Name: "Location", Value: "http://h/x"}, {Name: "WWW-Authenticate", Value: `Digest nonce="`}, {Name: "Retry-After", Value: "9"}}
		x.Final = &analysis.Message{Status: status, First: mark, Last: mark, Fields: fields[b%4 : b%4+1]}
		l.Rejected(x)
	case op%5 == 2 && !z.gone[x]:
		x.Ended, x.ReqBody.Complete = analysis.EndedRST, true
		l.Closed(x)
	case op%5 == 3:
		z.gone[x] = true
		l.Revoked(x)
	case op%5 == 4:
		z.gone[x] = true
		l.Forget(x)
	}
	l.Expire(z.now)
}
