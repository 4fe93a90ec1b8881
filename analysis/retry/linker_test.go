package retry

import (
	"fmt"
	"math"
	"net/netip"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// linksOf is one line about each exchange another one follows from.
func (s *script) linksOf() string {
	var b strings.Builder
	for _, n := range s.names {
		for _, l := range s.xs[n].Sequel().Links {
			fmt.Fprintf(&b, "%s %s %s %s %s\n", n, l.Kind, l.To, tierName[l.Tier], l.Confidence)
		}
	}
	return strings.TrimSpace(b.String())
}

func TestLinks(t *testing.T) {
	for _, c := range []struct{ says, script, want string }{
		{"a redirect is followed to its Location", `
			r A 0 PUT /in/a 100 Expect | Host: a
			r 307 20 | Location: /store/a
			x A 25 PUT /other 100 | Host: a
			c A 30 PUT /store/a 100 | Host: a`, `r redirect c conn certain`},
		{"on another host", `
			r A 0 PUT /a 100 Expect | Host: a
			r 308 20 | Location: http://B.example:80/x?y#z
			@B 10.0.0.1:5000 10.0.0.8:80
			x B 25 PUT /x?y 100 | Host: c.example
			c B 30 PUT /x?y 100 | Host: b.example`, `r redirect c address likely`},
		{"beside the old place, and from the query on", `
			r A 0 PUT /in/a?b 100 Expect | Host: a
			r 307 20 | Location: c
			d A 30 PUT /in/c 100 Expect | Host: a
			d 307 40 | Location: ?q
			e A 50 PUT /in/c?q 100 | Host: a
			e 200 60`, "r redirect d conn certain\nd redirect e conn certain"},
		{"another method follows until the right one does", `
			r A 0 PUT /a 100 Expect | Host: a
			r 307 20 | Location: /b
			o A 25 OPTIONS /b 0 | Host: a
			c A 30 GET /b 0 | Host: a
			d A 40 PUT /b 100 | Host: a
			e A 50 GET /b 0 | Host: a`, `r redirect d conn certain`},
		{"where the Location is missing or odd nothing follows", `
			r A 0 PUT /a 100 Expect
			r 307 20
			c A 30 PUT /a 100 Expect
			c 307 40 | Location: ../b
			d A 50 PUT /b 100`, ``},
		{"a challenge is answered with credentials", `
			r A 0 PUT /a 100 Expect
			r 401 20 | WWW-Authenticate: Basic realm="a"
			x A 25 PUT /a 100
			c A 30 PUT /a 0 | Authorization: Basic eA==`, `r auth c conn certain`},
		{"with new ones", `
			r A 0 PUT /a 100 Expect | Authorization: Basic eA==
			r 401 20 | WWW-Authenticate: Basic realm="a"
			x A 25 PUT /a 100 | Authorization: Basic eA==
			c A 30 PUT /a 100 | Authorization: Basic eB==`, `r auth c conn certain`},
		{"those of a proxy for 407", `
			r A 0 PUT /a 100 Expect
			r 407 20 | Proxy-Authenticate: Basic realm="a"
			x A 25 PUT /a 100 | Authorization: Basic eA==
			c A 30 PUT /a 100 | Proxy-Authorization: Basic eA==`, `r auth c conn certain`},
		{"a nonce that comes back is a key", `
			r A 0 PUT /a 100 Expect | User-Agent: u
			r 401 20 | WWW-Authenticate: Digest cnonce="no", Nonce="n1", realm="a"
			c B 30 PUT /a 100 | Authorization: Digest nonce="n1" | User-Agent: u`, `r auth c key certain`},
		{"without a challenge nothing follows", `
			r A 0 PUT /a 100 Expect
			r 401 20
			c A 30 PUT /a 100 | Authorization: Basic eA==`, ``},
		{"a POST without an answer is repeated on another connection", `
			r A 0 POST /a 100 Expect
			r closed 20
			x A 25 POST /a 100
			c B 30 POST /a 100`, `r repeat c address likely`},
		{"but a PUT may be", `
			r A 0 PUT /a 100 Expect
			r closed 20
			c B 30 PUT /a 100`, ``},
		{"not with another body", `
			r A 0 POST /a 100 Expect
			r body 11
			r 500 20
			x B 25 POST /a 101
			c B 30 POST /a 100`, `r repeat c address likely`},
		{"who was asked to wait and did not", `
			r A 0 PUT /a 100 Expect | User-Agent: u
			r 503 20 | Retry-After: 30
			c B 25000 PUT /a 100 | User-Agent: u`, `r repeat c agent likely`},
		{"and who did", `
			r A 0 PUT /a 100 Expect
			r 429 20 | Retry-After: 5
			c B 5021 PUT /a 100`, ``},
		{"each answer leads to one request, each request comes from one", `
			r A 0 POST /a 100 Expect
			r 500 20
			s B 5 POST /a 100 Expect
			s 500 21
			c C 30 POST /a 100
			d C 40 POST /a 100
			e C 50 POST /a 100`, "r repeat c address likely\ns repeat d address likely"},
		{"a strong tie counts for more than age", `
			r A 0 POST /a 100 Expect
			r 500 20
			s B 5 POST /a 100 Expect
			s 500 21
			c B 30 POST /a 100`, `s repeat c conn certain`},
		{"the window is over", `
			r A 0 POST /a 100 Expect
			r 500 20
			c B 10021 POST /a 100`, ``},
		{"a follow-up that never was one is none", `
			r A 0 POST /a 100 Expect
			r 500 20
			c B 30 POST /a 100
			c revoked`, ``},
		{"an ordinary request leads nowhere", `
			r A 0 POST /a 0
			r 500 20
			c B 30 POST /a 0`, ``},
	} {
		t.Run(c.says, func(t *testing.T) {
			if got := play(t, New(Options{}), c.script).linksOf(); got != c.want {
				t.Errorf("have\n%s\nwant\n%s", got, c.want)
			}
		})
	}
}

// Judgement waits for what matters, and no longer.
func TestLinkerDeadline(t *testing.T) {
	s := play(t, New(Options{}), `
		r A 0 PUT /a 100 Expect
		r 307 20 | Location: /b
		p B 0 PUT /p 100 Expect
		p 302 20 | Location: /q
		u C 0 PUT /u 100 Expect
		u 401 20 | WWW-Authenticate: NTLM`)
	due := func(name string) int64 { return (s.l.Deadline(s.xs[name]) - epoch) / ms }
	if due("r") != 10_020 || due("p") != 20 || due("u") != 20 {
		t.Errorf("due at %d, %d, %d ms", due("r"), due("p"), due("u"))
	}
	s.xs["u"].ReqBody.Sent = 100
	s.step("u closed")
	if due("u") != 10_020 {
		t.Errorf("a challenge whose body was sent is due at %d ms", due("u"))
	}
	s.step("c A 30 PUT /b 100 Expect")
	if s.l.Deadline(s.xs["r"]) != math.MaxInt64 {
		t.Error("what follows is open, and nobody waits for it")
	}
	s.step("c 200 50")
	s.step("c closed")
	if due("r") != 50 {
		t.Errorf("what follows is over, and it is due at %d ms", due("r"))
	}
	if legs, at := s.l.Legs(s.xs["c"]); len(legs) != 2 || at != 1 || legs[0] != s.xs["r"] {
		t.Errorf("legs %v, %d", legs, at)
	}
	s.l.Expire(epoch + 10_021*ms)
	if due("u") != 20 || s.l.waiting != 0 {
		t.Errorf("after its time it is due at %d ms, %d wait", due("u"), s.l.waiting)
	}
}

func TestLinkerBounds(t *testing.T) {
	l := NewLinker(Options{})
	var xs []*analysis.Exchange
	refuse := func(i, host int) {
		c := &reassembly.Conn{Client: netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, byte(host >> 16), byte(host >> 8), byte(host)}), 1), Server: netip.MustParseAddrPort("10.0.0.9:80")}
		x := &analysis.Exchange{ID: fmt.Sprint(i), Conn: c, Final: &analysis.Message{Status: 500}}
		x.Request = analysis.Message{Method: "POST", Target: fmt.Sprint("/", i), Fields: []analysis.Field{{Name: "Expect", Value: "100-continue"}}}
		xs = append(xs, x)
		l.Rejected(x)
	}
	for i := range maxClientLeads + 10 {
		refuse(i, 1)
	}
	if l.waiting != maxClientLeads || l.Dropped() != 10 {
		t.Errorf("one client: %d wait, %d dropped", l.waiting, l.Dropped())
	}
	for i := range maxLeads {
		refuse(i, i+2)
	}
	if l.waiting != maxLeads || l.Dropped() != 10+maxClientLeads {
		t.Errorf("all: %d wait, %d dropped", l.waiting, l.Dropped())
	}
	for _, x := range xs {
		l.Forget(x)
	}
	if l.waiting != 0 || len(l.leads) != 0 || len(l.clients) != 0 {
		t.Errorf("left: %d, %d, %d", l.waiting, len(l.leads), len(l.clients))
	}
}

func TestLinkerIdle(t *testing.T) {
	l := NewLinker(Options{})
	h := &analysis.Head{Target: []byte("/a")}
	client := netip.MustParseAddr("10.0.0.1")
	if n := testing.AllocsPerRun(100, func() { l.Wants(client, h) }); n != 0 || l.Wants(client, h) {
		t.Errorf("nothing waits, and a request costs %v allocations", n)
	}
}
