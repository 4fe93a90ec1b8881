package retry

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"expectscope/analysis"
)

func TestOneToOne(t *testing.T) {
	check(t, []sentence{
		{"the same connection wins over an older refusal", `
			r A 0 PUT /up 100 Expect | User-Agent: curl
			r 417 20
			q B 0 PUT /up 100 Expect | User-Agent: curl
			q 417 20
			c B 21 PUT /up 100 | User-Agent: curl
			settle 90000`, `
			r none certain
			q same-connection by c conn +1 certain`},
		{"a key wins over credentials, those over an agent, that over the address", `
			o A 0 PUT /up 100 Expect
			o 417 20
			p B 0 PUT /up 100 Expect | User-Agent: curl
			p 417 20
			q C 0 PUT /up 100 Expect | User-Agent: curl | Authorization: x
			q 417 20
			r D 0 PUT /up 100 Expect | User-Agent: curl | Idempotency-Key: 7
			r 417 20
			c E 21 PUT /up 100 | User-Agent: curl | Authorization: x | Idempotency-Key: 7
			d F 22 PUT /up 100 | User-Agent: curl | Authorization: x | Idempotency-Key: 7
			e G 23 PUT /up 100 | User-Agent: curl | Authorization: x | Idempotency-Key: 7
			f H 24 PUT /up 100 | User-Agent: curl | Authorization: x | Idempotency-Key: 7
			settle 90000`, `
			o new-connection by f address +4 likely: only the client's address ties the two requests
			p new-connection by e agent +3 likely
			q new-connection by d credential +2 likely
			r new-connection by c key +1 certain`},
		{"a cookie counts as much, unless the authorization differs", `
			q A 0 PUT /up 100 Expect | Cookie: x | Authorization: y
			q 417 20
			r B 0 PUT /up 100 Expect | Cookie: x
			r 417 20
			c C 21 PUT /up 100 | Cookie: x | Authorization: z
			settle 90000`, `
			q none certain
			r new-connection by c credential +1 likely`},
		{"inside a tier the oldest refusal is first, and then it is a guess", `
			q A 1 PUT /up 100 Expect | Idempotency-Key: 7
			r B 0 PUT /up 100 Expect | Idempotency-Key: 7
			r 417 20
			q 417 21
			c C 22 PUT /up 100 | Idempotency-Key: 7
			settle 90000`, `
			q none likely: one of 2 equal requests that were refused was repeated, and which one is not known
			r new-connection by c key +2 likely: one of 2 equal requests that were refused was repeated, and which one is not known`},
		{"of three refused and two repeats one is left over", `
			p A 0 PUT /up 100 Expect | User-Agent: curl
			p 417 20
			q B 1 PUT /up 100 Expect | User-Agent: curl
			q 417 21
			r C 2 PUT /up 100 Expect | User-Agent: curl
			r 417 22
			c D 23 PUT /up 100 | User-Agent: curl
			d E 24 PUT /up 100 | User-Agent: curl
			settle 90000`, `
			p new-connection by c agent +3 likely: one of 3 equal requests that were refused was repeated, and which one is not known
			q new-connection by d agent +3 likely: one of 3 equal requests that were refused was repeated, and which one is not known
			r none likely: one of 3 equal requests that were refused was repeated, and which one is not known`},
		{"a second repeat of one request repeats nothing", `
			r A 0 PUT /up 100 Expect
			r 417 20
			c A 21 PUT /up 100
			d B 22 PUT /up 100
			settle 90000`, `r same-connection by c conn +1 certain`},
		{"by the address alone only where one agent speaks", `
			r A 0 PUT /up 100 Expect | Host: a
			r 417 20
			x B 21 GET / 0 | Host: a | User-Agent: curl
			y C 22 GET / 0 | Host: a | User-Agent: wget
			c D 23 PUT /up 100 | Host: a
			settle 90000`, `r new-connection by c address +3 inconclusive: several clients share this address`},
		{"or one cookie", `
			r A 0 PUT /up 100 Expect | Host: a | Cookie: 1
			r 417 20
			c D 23 PUT /up 100 | Host: a | Cookie: 2
			settle 90000`, `r new-connection by c address +3 inconclusive: several clients share this address`},
		{"who speaks to another host does not matter", `
			r A 0 PUT /up 100 Expect | Host: a
			r 417 20
			x B 21 GET / 0 | Host: b | User-Agent: curl
			y C 22 GET / 0 | Host: c | User-Agent: wget
			c D 23 PUT /up 100 | Host: a
			settle 90000`, `r new-connection by c address +3 likely: only the client's address ties the two requests`},
		{"a stronger tie holds behind a shared address", `
			r A 0 PUT /up 100 Expect | User-Agent: curl
			r 417 20
			y C 22 GET / 0 | User-Agent: wget
			c D 23 PUT /up 100 | User-Agent: curl
			settle 90000`, `r new-connection by c agent +3 likely`},
	})
}

func TestNear(t *testing.T) {
	check(t, []sentence{
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
	})
}

func TestAbsence(t *testing.T) {
	blind := func(line string) string {
		return `
			r A 0 PUT /up 100 Expect
			r 417 20
			blind ` + line + `
			settle 90000`
	}
	const hole = `r unknown inconclusive: a hole`
	check(t, []sentence{
		{"is certain once the window passed", `
			r A 0 PUT /up 100 Expect
			r 417 20
			settle 10020 end`, `r none certain`},
		{"not before", `
			r A 0 PUT /up 100 Expect
			r 417 20
			settle 10019 end`, `r unknown inconclusive: the capture ends 10.0 s after the refusal`},
		{"nor before it passed after the end of the refusal", `
			r A 0 PUT /up 100 Expect
			r 417 20
			r answered 100
			settle 10099`, `r unknown inconclusive: the window for a repeat is not over`},
		{"a hole of that client to that server hides a repeat", blind("10.0.0.1 10.0.0.9 500 600 a hole"), hole},
		{"a hole that reaches into the window does", blind("10.0.0.1 10.0.0.9 0 20 a hole"), hole},
		{"a hole at its end does", blind("10.0.0.1 10.0.0.9 10020 10020 a hole"), hole},
		{"a hole before does not", blind("10.0.0.1 10.0.0.9 0 19 a hole"), `r none certain`},
		{"a hole after does not", blind("10.0.0.1 10.0.0.9 10021 10022 a hole"), `r none certain`},
		{"a hole to another server does not", blind("10.0.0.1 10.0.0.8 500 600 a hole"), `r none certain`},
		{"a hole of another client does not", blind("10.0.0.2 10.0.0.9 500 600 a hole"), `r none certain`},
		{"a hole to any server does", blind("10.0.0.1 any 500 600 a hole"), hole},
		{"drops of anyone do", blind("any any 500 600 a hole"), hole},
		{"drops of anyone to another server do not", blind("any 10.0.0.8 500 600 a hole"), `r none certain`},
		{"what was told before the refusal counts", `
			blind 10.0.0.1 10.0.0.9 10 600 a hole
			r A 0 PUT /up 100 Expect
			r 417 20
			settle 90000`, hole},
		{"also for the second refusal", `
			r A 0 PUT /up 100 Expect
			r 417 20
			blind 10.0.0.1 10.0.0.9 15 600 a hole
			c A 21 PUT /up 100
			q A 22 PUT /next 100 Expect
			q 417 23
			settle 90000`, `
			r same-connection by c conn +1 certain
			q unknown inconclusive: a hole`},
		{"a repeat that was seen is no less sure for it", `
			r A 0 PUT /up 100 Expect
			r 417 20
			blind any any 0 9000 a hole
			c A 21 PUT /up 100
			settle 90000`, `r same-connection by c conn +1 certain`},
	})
}

func TestRevoked(t *testing.T) {
	check(t, []sentence{
		{"a repeat that was content is none", `
			r A 0 PUT /up 100 Expect
			r 417 20
			c A 21 PUT /up 100
			c revoked
			settle 90000`, `r none certain`},
		{"and another takes its place", `
			r A 0 PUT /up 100 Expect
			r 417 20
			c A 21 PUT /up 100
			c revoked
			d B 22 PUT /up 100
			settle 90000`, `r new-connection by d address +2 likely: only the client's address ties the two requests`},
		{"also one that came before", `
			r A 0 PUT /up 100 Expect
			r 417 20
			c B 21 PUT /up 100
			d C 22 PUT /up 100
			c revoked
			settle 90000`, `r new-connection by d address +2 likely: only the client's address ties the two requests`},
		{"a refused one that was content sets its repeat free", `
			q A 0 PUT /up 100 Expect
			q 417 20
			r B 0 PUT /up 100 Expect | Cookie: x
			r 417 20
			c C 21 PUT /up 100 | Cookie: x
			r revoked
			settle 90000`, `q new-connection by c address +1 likely: only the client's address ties the two requests`},
		{"one in the middle of a chain leaves two ends", `
			r A 0 PUT /up 100 Expect
			r 417 20
			c A 21 PUT /up 100 Expect
			c 417 22
			d A 23 PUT /up 100
			c revoked
			settle 90000`, `r same-connection by d conn +3 certain`},
	})
}

func names(xs []*analysis.Exchange) string {
	var ids []string
	for _, x := range xs {
		ids = append(ids, x.ID)
	}
	return strings.Join(ids, " ")
}

func (s *script) chain(name string) string {
	xs, i := s.m.Chain(s.xs[name])
	if xs[i] != s.xs[name] {
		s.t.Errorf("Chain(%s) = %s, and %d is not it", name, names(xs), i)
	}
	return names(xs)
}

func TestChain(t *testing.T) {
	m := New(Options{})
	s := play(t, m, `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up 100 Expect
		c 417 40
		d B 41 PUT /up 100 | User-Agent: x`)
	for _, n := range []string{"r", "c", "d"} {
		if got := s.chain(n); got != "r c d" {
			t.Errorf("chain of %s: %s", n, got)
		}
	}
	s.step("r forgotten")
	if got := s.chain("d"); got != "r c d" {
		t.Errorf("after the first was forgotten: %s", got)
	}
	if got := s.chain("r"); got != "r" {
		t.Errorf("a forgotten exchange has the chain %s", got)
	}
	s.step("d revoked")
	if got := s.chain("c"); got != "r c" {
		t.Errorf("after the last was taken back: %s", got)
	}
	s.step("e C 50 PUT /up 100")
	if got := s.chain("e"); got != "r c e" {
		t.Errorf("another last: %s", got)
	}
}

// curl with a fixed Expect field repeats 50 times on one connection.
func TestLoop(t *testing.T) {
	for _, n := range []int{51, 5000} {
		m := New(Options{})
		s := play(t, m, "r0 A 0 PUT /up 100 Expect")
		for i := 1; i <= n; i++ {
			s.step(fmt.Sprintf("r%d 417 %d", i-1, i))
			s.step(fmt.Sprintf("r%d A %d PUT /up 100 Expect", i, i))
			s.step(fmt.Sprintf("r%d closed", i-1))
			if i > 1 {
				s.step(fmt.Sprintf("r%d forgotten", i-2+min(1, 2/i))) // all but the first, once repeated
			}
		}
		xs, at := m.Chain(s.xs["r0"])
		if at != 0 || xs[0] != s.xs["r0"] || xs[len(xs)-1] != s.xs[fmt.Sprintf("r%d", n)] || len(xs) != min(n+1, len(xs)) {
			t.Errorf("%d: chain of the first has %d attempts, %d", n, len(xs), at)
		}
		if want := min(n+1, 1+maxChain); len(xs) < want || len(xs) > 1+2*maxChain {
			t.Errorf("%d: %d attempts kept, want %d at least", n, len(xs), want)
		}
		if got := m.Attempts(s.xs["r0"]); got != n+1 {
			t.Errorf("%d attempts counted, want %d", got, n+1)
		}
		if len(m.attempts) > 4 || len(m.order) > 128 {
			t.Errorf("%d: %d attempts and %d originals are held", n, len(m.attempts), len(m.order))
		}
		if prev := xs[len(xs)-2]; xs[len(xs)-1].RetryOf != prev.ID || prev.Retry.By != xs[len(xs)-1].ID {
			t.Errorf("the last two are not linked: %q, %q", xs[len(xs)-1].RetryOf, prev.Retry.By)
		}
	}
}

// What is not settled stays in its chain, however long that is.
func TestChainMiddle(t *testing.T) {
	m := New(Options{})
	s := play(t, m, "r0 A 0 PUT /up 100 Expect")
	for i := 1; i <= 3000; i++ {
		s.step(fmt.Sprintf("r%d 417 %d", i-1, i))
		s.step(fmt.Sprintf("r%d A %d PUT /up 100 Expect", i, i))
	}
	s.step("r5 revoked") // now r6 repeats r4
	s.step("r6 forgotten")
	s.step("r7 revoked")
	if got := s.chain("r4"); got != "r0 r1 r2 r3 r4 r6" {
		t.Errorf("chain of r4: %s", got)
	}
	if got := s.chain("r3000"); got != s.chain("r8") || !strings.HasPrefix(got, "r8 r9 ") || !strings.HasSuffix(got, " r2999 r3000") {
		t.Errorf("chain of r3000: %s", got)
	}
}

func TestSnapshots(t *testing.T) {
	m := New(Options{})
	s := play(t, m, `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 21 PUT /up 100 Expect`)
	xs, _ := m.Chain(s.xs["r"])
	before := slices.Clone(xs)
	s.step("c 417 22")
	s.step("d A 23 PUT /up 100")
	s.step("d revoked")
	s.step("e A 24 PUT /up 100")
	if !slices.Equal(xs, before) {
		t.Errorf("a chain handed out changed from %s to %s", names(before), names(xs))
	}
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

func TestWants(t *testing.T) {
	m := New(Options{})
	client := addr("10.0.0.1")
	want := func(when string, yes bool) {
		t.Helper()
		if m.Wants(client) != yes {
			t.Errorf("%s: Wants = %t", when, !yes)
		}
	}
	want("at first", false)
	s := play(t, m, "r A 0 PUT /up 100 Expect")
	want("before the refusal", false)
	s.step("r 417 20")
	want("when refused", true)
	if m.Wants(addr("10.0.0.2")) {
		t.Error("another client is wanted")
	}
	s.step("c A 21 PUT /up 100")
	want("when repeated on the connection", false)
	s.step("c revoked")
	want("when the repeat was taken back", true)
	s.step("d B 22 PUT /up 100")
	want("when a repeat on another connection may still prove wrong", true)
	s.step("d closed")
	want("when it did not", false)
	s.step("q A 30 PUT /up 100 Expect")
	s.step("q 417 31")
	want("when another is refused", true)
	s.step("q forgotten")
	want("when that was forgotten", false)
	if n := len(m.addresses) + len(m.groups) + len(m.conns) + m.spares; n != 0 {
		t.Errorf("%d entries are left", n)
	}
}

func TestDeadline(t *testing.T) {
	m := New(Options{})
	s := play(t, m, "x A 0 GET / 0")
	want := func(n, when string) {
		t.Helper()
		at := int64(0)
		if when != "" {
			at = s.time(when)
		}
		if got := m.Deadline(s.xs[n]); got != at {
			t.Errorf("deadline of %s: %d ms, want %s", n, (got-epoch)/ms, when)
		}
	}
	want("x", "0")
	s = play(t, m, `
		r A 0 PUT /up 100 Expect
		r 417 20
		r answered 30`)
	want("r", "60030")
	s.step("c A 40 PUT /up 100 Expect")
	want("r", "")
	s.step("c 417 50")
	want("r", "60030") // it may be a loop
	s.step("d A 51 PUT /up 100")
	want("r", "60030")
	want("c", "")
	s.step("d 204 70")
	s.step("d closed")
	want("r", "70")
	want("c", "70")
	s.step("d forgotten")
	want("c", "70")
	s.step("c forgotten")
	want("r", "50")
}

func TestOptions(t *testing.T) {
	s := play(t, New(Options{Window: 100_000 * ms, Horizon: 1}), `
		r A 0 PUT /up 100 Expect
		r 417 20
		c A 99000 PUT /up 100
		q B 0 PUT /two 100 Expect
		q 417 20
		settle 100019`)
	if got, want := s.fate(), "r same-connection by c conn +98980 certain\nq unknown inconclusive: the window for a repeat is not over\n"; got != want {
		t.Errorf("have\n%swant\n%s", got, want)
	}
}

func TestBound(t *testing.T) {
	m := New(Options{Originals: 3})
	s := play(t, m, "")
	for i := range 10 {
		s.step(fmt.Sprintf("r%d A %d PUT /%d 100 Expect", i, i, i))
		s.step(fmt.Sprintf("r%d 417 %d", i, i))
	}
	if len(m.attempts) != 3 || m.originals != 3 || m.Dropped() != 7 {
		t.Errorf("%d attempts, %d originals, %d dropped", len(m.attempts), m.originals, m.Dropped())
	}
	s.step("settle 90000")
	lines := strings.Split(s.fate(), "\n")
	if want := "r6 unknown inconclusive: too many refused requests were open at a time"; lines[6] != want {
		t.Errorf("have %q, want %q", lines[6], want)
	}
	if want := "r7 none certain"; lines[7] != want {
		t.Errorf("have %q, want %q", lines[7], want)
	}
}

// Requests that fit nothing, and spare ones, do not pile up.
func TestCandidatesBounded(t *testing.T) {
	m := New(Options{})
	s := play(t, m, `
		r A 0 PUT /up 100 Expect
		r 417 20
		c B 21 PUT /up 100`)
	for i := range 1000 {
		s.step(fmt.Sprintf("x%d C 30 GET /%d 0", i, i))
		s.step(fmt.Sprintf("y%d D%d 30 PUT /up 100", i, i))
	}
	if len(m.attempts) > 2+maxSpares || m.spares != maxSpares {
		t.Errorf("%d attempts, %d spares", len(m.attempts), m.spares)
	}
	s.step("c closed")
	if len(m.attempts) != 2 || m.spares != 0 {
		t.Errorf("after the repeat was confirmed: %d attempts, %d spares", len(m.attempts), m.spares)
	}
}

func TestBlindBounded(t *testing.T) {
	m := New(Options{})
	for i := range 10_000 {
		a := addr(fmt.Sprintf("10.1.%d.%d", i/250, i%250))
		m.Blind(a, addr("10.0.0.9"), int64(i)*1000, int64(i)*1000+1, "a hole")
		m.Blind(addr("10.0.0.1"), addr("10.0.0.9"), int64(i)*1000, int64(i)*1000+1, "a hole")
		m.Blind(addr("any"), addr("any"), int64(i)*1000, int64(i)*1000+1, "a hole")
	}
	kept := len(m.blind.young) + len(m.blind.aged)
	own := m.blind.take(addr("10.0.0.1"))
	if kept > 2*maxHosts || len(own) > maxBlinds || len(m.blind.all) > maxBlinds {
		t.Errorf("%d places, %d spans, %d of anyone", kept, len(own), len(m.blind.all))
	}
	for _, at := range []int64{0, 5_000_000, 9_999_000} {
		if _, ok := own.over(addr("10.0.0.1"), addr("10.0.0.9"), at, at); !ok {
			t.Errorf("the span at %d is lost", at)
		}
	}
}

// Spans of neighbours that run together are nobody's in particular.
func TestBlindNeighbours(t *testing.T) {
	m := New(Options{})
	for i := range 3 * maxBlinds {
		m.Blind(addr(fmt.Sprintf("2001:db8::%x", i+1)), addr(fmt.Sprintf("2001:db8:1::%x", i+1)), int64(i)*10, int64(i)*10, "a hole")
	}
	bs := m.blind.take(addr("2001:db8::"))
	for i := range 3 * maxBlinds {
		if _, ok := bs.over(addr(fmt.Sprintf("2001:db8::%x", i+1)), addr(fmt.Sprintf("2001:db8:1::%x", i+1)), int64(i)*10, int64(i)*10); !ok {
			t.Errorf("span %d is lost", i)
		}
	}
	if _, ok := bs.over(addr("2001:db8::1"), addr("2001:db8:1::1"), 30*maxBlinds, 40*maxBlinds); ok {
		t.Error("a span that nobody told of")
	}
}

// What nobody waits for is not kept, and what is said of unknown exchanges does no harm.
func TestUnwanted(t *testing.T) {
	m := New(Options{})
	s := play(t, m, `
		x A 0 PUT /up 100
		x closed
		x revoked
		r A 10 PUT /up 100 Expect`)
	x, r := s.xs["x"], s.xs["r"]
	m.Request(x)
	m.Refused(r) // without a final response
	if len(m.attempts) != 0 {
		t.Errorf("%d attempts are kept", len(m.attempts))
	}
	s.step("r 417 20")
	m.Refused(r)
	m.Request(r)
	if m.originals != 1 || m.Attempts(r) != 1 || m.Attempts(x) != 1 {
		t.Errorf("refused once: %d originals", m.originals)
	}
}

func TestAllocations(t *testing.T) {
	m := New(Options{})
	s := play(t, m, "x A 0 PUT /up 100")
	client := s.xs["x"].Conn.Client.Addr()
	if n := testing.AllocsPerRun(100, func() { m.Wants(client) }); n != 0 {
		t.Errorf("Wants without originals: %v allocations", n)
	}
	s.step("r A 1 PUT /up 100 Expect")
	s.step("r 417 20")
	v6 := addr("2001:db8::1")
	if n := testing.AllocsPerRun(100, func() { m.Wants(client); m.Wants(v6) }); n != 0 {
		t.Errorf("Wants with one: %v allocations", n)
	}
	s.step("z B 1 GET /else 0 | Host: a | User-Agent: curl")
	if n := testing.AllocsPerRun(100, func() { m.Request(s.xs["z"]) }); n > 1 {
		t.Errorf("Request that fits nothing: %v allocations, want 1", n)
	}
}
