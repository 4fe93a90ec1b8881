package retry

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"expectscope/analysis"
)

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
		if prev := xs[len(xs)-2]; xs[len(xs)-1].RetryOf != prev.ID || prev.Retry().By != xs[len(xs)-1].ID {
			t.Errorf("the last two are not linked: %q, %q", xs[len(xs)-1].RetryOf, prev.Retry().By)
		}
	}
}

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
	s.step("c 417 22")
	s.step("d A 23 PUT /up 100")
	xs, _ := m.Chain(s.xs["r"])
	before := slices.Clone(xs)
	s.step("d revoked")
	s.step("e A 24 PUT /up 100")
	if !slices.Equal(xs, before) {
		t.Errorf("a chain handed out changed from %s to %s", names(before), names(xs))
	}
}

// The attempts left out of a chain leave it with the part that is cut off.
func TestChainCut(t *testing.T) {
	m := New(Options{})
	s := play(t, m, "r0 A 0 PUT /up 100 Expect")
	for i := 1; i <= 3000; i++ {
		s.step(fmt.Sprintf("r%d 417 %d", i-1, i))
		s.step(fmt.Sprintf("r%d A %d PUT /up 100 Expect", i, i))
		if i > 3 {
			s.step(fmt.Sprintf("r%d forgotten", i-2))
		}
	}
	if got := m.Attempts(s.xs["r0"]); got != 3001 {
		t.Errorf("%d attempts", got)
	}
	s.step("r1 revoked")
	if got := m.Attempts(s.xs["r0"]); got != 1 || s.chain("r0") != "r0" {
		t.Errorf("%d attempts are left of %s", got, s.chain("r0"))
	}
}
