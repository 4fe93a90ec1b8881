package retry

import (
	"fmt"
	"strings"
	"testing"
)

// Each case is a sentence of the definition of a repeat.

// during is a refusal that nothing follows, and a span that was not seen.

// curl with a fixed Expect field repeats 50 times on one connection.

// What is not settled stays in its chain, however long that is.

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
	if want := "r6 unknown inconclusive blind: too many refused requests were open at a time"; lines[6] != want {
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
	if n := testing.AllocsPerRun(100, func() { m.Request(s.xs["z"]) }); n > 2 {
		t.Errorf("Request that fits nothing: %v allocations, want 2", n)
	}
}
