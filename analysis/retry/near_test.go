package retry

import (
	"testing"
)

func TestNear(t *testing.T) { check(t, nearFollowUps) }

var nearFollowUps = []sentence{
	{"another method on the connection", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 POST /up 100
		settle 90000`, `r none near c method likely: another request followed that differs in its method`},
	{"a method without content", `
		r A 0 POST /up 100 Expect
		r 417 20
		c A 21 GET /up 0
		settle 90000`, `r none near c method likely: another request followed that differs in its method`},
	{"another target", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up2 100
		settle 90000`, `r none near c target likely: another request followed that differs in its target`},
	{"another length", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up 99
		settle 90000`, `r none near c length likely: another request followed that differs in its length`},
	{"two differences are too many", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up2 99
		d A 22 POST /up 99
		e A 23 GET /up2 0
		settle 90000`, `r none certain`},
	{"another connection needs a key or credentials", `
		r A 0 PUT /up 100 Expect | User-Agent: curl
		r 417 20
		c B 21 PUT /up 99 | User-Agent: curl
		settle 90000`, `r none certain`},
	{"such as a cookie", `
		r A 0 PUT /up 100 Expect | Cookie: x
		r 417 20
		c B 21 PUT /up 99 | Cookie: x
		settle 90000`, `r none near c length likely: another request followed that differs in its length`},
	{"or a digest", `
		r A 0 PUT /up 100 Expect | Digest: x
		r 417 20
		c B 21 PUT /up2 100 | Digest: x
		settle 90000`, `r none near c target likely: another request followed that differs in its target`},
	{"one that expects is none", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up2 100 Expect
		settle 90000`, `r none certain`},
	{"one with a conflict is none", `
		r A 0 PUT /up 100 Expect | User-Agent: curl
		r 417 20
		c A 21 PUT /up2 100 | User-Agent: wget
		settle 90000`, `r none certain`},
	{"an IPv6 neighbour is one only where a key or credentials tie it", `
		@A [2001:db8::1]:4000 [2001:db8:1::9]:80
		@B [2001:db8::2]:4000 [2001:db8:1::9]:80
		r A 0 PUT /up 100 Expect | Cookie: x
		r 417 20
		b B 21 PUT /up 100
		c B 22 PUT /up 100 | Cookie: x
		settle 90000`, `r none near c address likely: another request followed that differs in its address`},
	{"one of another /64 is not", `
		@A [2001:db8::1]:4000 [2001:db8:1::9]:80
		@B [2001:db8:0:1::1]:4000 [2001:db8:1::9]:80
		r A 0 PUT /up 100 Expect | Cookie: x
		r 417 20
		c B 21 PUT /up 100 | Cookie: x
		settle 90000`, `r none certain`},
	{"nor is one that was captured at another place", `
		@B 10.0.0.1:4000 10.0.0.9:80 2
		r A 0 PUT /up 100 Expect | Cookie: x
		r 417 20
		c B 21 PUT /up 99 | Cookie: x
		settle 90000`, `r none certain`},
	{"a true repeat wins over it", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 GET /up 0
		d A 22 PUT /up 100
		settle 90000`, `r same-connection by d conn +2 certain`},
	{"the newest refusal has it, and each has one", `
		q A 0 PUT /a 100 Expect
		q 417 20
		r A 21 PUT /b 100 Expect
		r 417 22
		c A 23 PUT /c 100
		d A 24 PUT /d 100
		e A 25 PUT /e 100
		settle 90000`, `
		q none near d target likely: another request followed that differs in its target
		r none near c target likely: another request followed that differs in its target`},
	{"while the window is open", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 GET /up 0
		settle 100 end`, `r unknown near c method inconclusive: the capture ends 0.1 s after the refusal`},
	{"one that was taken back is none", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 GET /up 0
		c revoked
		settle 90000`, `r none certain`},
}

func TestNearExchange(t *testing.T) {
	m := New(Options{})
	s := play(t, m, `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 GET /up 0
		c closed
		c forgotten`)
	if m.Near(s.xs["r"]) != s.xs["c"] {
		t.Error("the near follow-up is lost with Forget")
	}
	s.step("d A 22 PUT /up 100")
	if m.Near(s.xs["r"]) != nil {
		t.Error("a repeated exchange has a near follow-up")
	}
	if m.Near(s.xs["d"]) != nil {
		t.Error("an exchange that was not refused has a near follow-up")
	}
}
