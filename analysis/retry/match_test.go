package retry

import (
	"strings"
	"testing"
)

type sentence struct{ says, script, want string }

func check(t *testing.T, cases []sentence) {
	t.Helper()
	for _, c := range cases {
		t.Run(c.says, func(t *testing.T) {
			s := play(t, New(Options{}), c.script)
			want := ""
			for line := range strings.Lines(c.want) {
				want += strings.TrimSpace(line) + "\n"
			}
			want = strings.TrimPrefix(want, "\n")
			if got := s.fate(); strings.TrimSpace(got) != strings.TrimSpace(want) {
				t.Errorf("have\n%swant\n%s", got, want)
			}
		})
	}
}

func TestConditions(t *testing.T) { check(t, conditions) }

var conditions = []sentence{
	{"a repeat on the same connection acknowledges the 417", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up 100
		settle 90000`, `r same-connection by c conn +1 certain`},
	{"a pipelined request does not, so it repeats nothing", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up 100 unaware
		settle 90000`, `r none certain`},
	{"without acknowledgements the time decides, less surely", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up 100 noack
		settle 90000`, `r same-connection by c conn +1 likely: the order on the connection is known by time only`},
	{"without acknowledgements a request before the 417 repeats nothing", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 19 PUT /up 100 noack
		settle 90000`, `r none certain`},
	{"on another connection it begins after the 417, whatever its port", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c B 21 PUT /up 100
		settle 90000`, `r new-connection by c address +1 likely: only the client's address ties the two requests`},
	{"one that began before the 417 repeats nothing", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c B 19 PUT /up 100
		settle 90000`, `r none certain`},
	{"another client repeats nothing", `
		@B 10.0.0.2:4000 10.0.0.9:80
		r A 0 PUT /up 100 Expect
		r 417 20
		c B 21 PUT /up 100
		settle 90000`, `r none certain`},
	{"an IPv4 client in IPv6 clothes is the same", `
		@B [::ffff:10.0.0.1]:4001 10.0.0.9:80
		r A 0 PUT /up 100 Expect | User-Agent: curl
		r 417 20
		c B 21 PUT /up 100 | User-Agent: curl
		settle 90000`, `r new-connection by c agent +1 likely`},
	{"the server's address may differ when the authority does not", `
		@B 10.0.0.1:4001 10.0.0.8:80
		r A 0 PUT /up 100 Expect | Host: a | User-Agent: curl
		r 417 20
		c B 21 PUT /up 100 | Host: a | User-Agent: curl
		settle 90000`, `r new-connection by c agent +1 likely`},
	{"without a Host the server must be the same", `
		@B 10.0.0.1:4001 10.0.0.8:80
		r A 0 PUT /up 100 Expect
		r 417 20
		c B 21 PUT /up 100
		settle 90000`, `r none certain`},
	{"another authority is another request", `
		r A 0 PUT /up 100 Expect | Host: a
		r 417 20
		c A 21 PUT /up 100 | Host: b
		settle 90000`, `r none certain`},
	{"case and default port of an authority do not matter", `
		r A 0 PUT /up 100 Expect | Host: Example.com:80
		r 417 20
		c A 21 PUT /up 100 | host: example.COM
		settle 90000`, `r same-connection by c conn +1 certain`},
	{"another port does", `
		r A 0 PUT /up 100 Expect | Host: a:8080
		r 417 20
		c A 21 PUT /up 100 | Host: a
		settle 90000`, `r none certain`},
	{"absolute-form and origin-form are one", `
		r A 0 PUT http://A/up?x 100 Expect | Host: other
		r 417 20
		c A 21 PUT /up?x 100 | Host: a
		settle 90000`, `r same-connection by c conn +1 certain`},
	{"another scheme is another request", `
		r A 0 PUT http://a/up 100 Expect
		r 417 20
		c A 21 PUT https://a/up 100
		settle 90000`, `r none certain`},
	{"targets are not percent-decoded", `
		r A 0 PUT /~a 100 Expect
		r 417 20
		c B 21 PUT /%7Ea 100
		settle 90000`, `r none certain`},
	{"another method is another request", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c B 21 POST /up 100
		settle 90000`, `r none certain`},
	{"chunked may become a length", `
		r A 0 PUT /up - Expect
		r 417 20
		c A 21 PUT /up 100
		settle 90000`, `r same-connection by c conn +1 certain`},
	{"a length may become chunked", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up -
		settle 90000`, `r same-connection by c conn +1 certain`},
	{"two lengths must be equal", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c B 21 PUT /up 99
		settle 90000`, `r none certain`},
	{"a repeat within the horizon counts, though the window is over", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 60020 PUT /up 100
		settle 90000`, `r same-connection by c conn +60000 certain`},
	{"one after the horizon does not", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 60021 PUT /up 100
		settle 90000`, `r none certain`},
	{"the horizon and the delay count from the end of the refusal", `
		r A 0 PUT /up 100 Expect
		r 417 20
		r answered 1020
		c A 61020 PUT /up 100
		settle 90000`, `r same-connection by c conn +60000 certain`},
	{"a repeat that keeps the expectation is one", `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up 100 Expect
		settle 90000`, `r same-connection by c conn +1 certain`},
	{"captures from different places do not mix", `
		@B 10.0.0.1:4000 10.0.0.9:80 2
		r A 0 PUT /up 100 Expect
		r 417 20
		c B 21 PUT /up 100
		settle 90000`, `r none certain`},
}

func TestDiscriminators(t *testing.T) {
	for _, d := range []struct{ field, a, b, equal string }{
		{"User-Agent", "curl/8", "wget/1", "agent +1 likely"},
		{"Content-Range", "bytes 0-99/200", "bytes 100-199/200", ""},
		{"If-Match", `"a"`, `"b"`, ""},
		{"ETag", `"a"`, `"b"`, ""},
		{"Content-Digest", "sha-256=:a:", "sha-256=:b:", "key +1 certain"},
		{"Digest", "md5=a", "md5=b", "key +1 certain"},
		{"Content-MD5", "a", "b", "key +1 certain"},
		{"x-amz-content-sha256", strings.Repeat("a", 64), strings.Repeat("b", 64), "key +1 certain"},
		{"x-amz-content-sha256", "UNSIGNED-PAYLOAD", strings.Repeat("b", 64), ""},
		{"Idempotency-Key", "1", "2", "key +1 certain"},
		{"traceparent", "00-" + strings.Repeat("a", 32) + "-1111111111111111-01", "00-" + strings.Repeat("b", 32) + "-1111111111111111-01", "key +1 certain"},
	} {
		equal := d.equal
		if equal == "" {
			equal = "address +1 likely: only the client's address ties the two requests"
		}
		check(t, []sentence{
			{d.field + " differs", `
				r A 0 PUT /up 100 Expect | ` + d.field + ": " + d.a + `
				r 417 20
				c A 21 PUT /up 100 | ` + strings.ToUpper(d.field) + ": " + d.b + `
				settle 90000`, `r none certain`},
			{d.field + " is equal", `
				r A 0 PUT /up 100 Expect | ` + d.field + ": " + d.a + `
				r 417 20
				c B 21 PUT /up 100 | ` + strings.ToUpper(d.field) + ": " + d.a + `
				settle 90000`, `r new-connection by c ` + equal},
			{d.field + " is missing in the repeat", `
				r A 0 PUT /up 100 Expect | ` + d.field + ": " + d.a + `
				r 417 20
				c B 21 PUT /up 100
				settle 90000`, `r new-connection by c address +1 likely: only the client's address ties the two requests`},
		})
	}
	check(t, []sentence{
		{"two spans of one trace are one request", `
			r A 0 PUT /up 100 Expect | traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01
			r 417 20
			c B 21 PUT /up 100 | traceparent: 00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01
			settle 90000`, `r new-connection by c key +1 certain`},
		{"a trace id of zeros, or a broken one, says nothing", `
			r A 0 PUT /up 100 Expect | traceparent: 00-00000000000000000000000000000000-b7ad6b7169203331-01
			r 417 20
			c B 21 PUT /up 100 | traceparent: 00-0af7651916cd43dd8448eb211c80319c
			settle 90000`, `r new-connection by c address +1 likely: only the client's address ties the two requests`},
	})
}
