package retry

import (
	"math"
	"testing"
)

func TestAbsence(t *testing.T) { check(t, absences) }

const hole = `r unknown inconclusive blind: a hole`

func during(blind string) string {
	return `
		r A 0 PUT /up 100 Expect
		r 417 20
		blind ` + blind + `
		settle 90000`
}

var absences = []sentence{
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
	{"a hole of that client to that server hides a repeat", during("10.0.0.1 10.0.0.9 500 600 a hole"), hole},
	{"a hole that reaches into the window does", during("10.0.0.1 10.0.0.9 0 20 a hole"), hole},
	{"a hole at its end does", during("10.0.0.1 10.0.0.9 10020 10020 a hole"), hole},
	{"a hole before does not", during("10.0.0.1 10.0.0.9 0 19 a hole"), `r none certain`},
	{"a hole after does not", during("10.0.0.1 10.0.0.9 10021 10022 a hole"), `r none certain`},
	{"a hole to another server does not", during("10.0.0.1 10.0.0.8 500 600 a hole"), `r none certain`},
	{"a hole of another client does not", during("10.0.0.2 10.0.0.9 500 600 a hole"), `r none certain`},
	{"a hole to any server does", during("10.0.0.1 any 500 600 a hole"), hole},
	{"drops of anyone do", during("any any 500 600 a hole"), hole},
	{"drops of anyone to another server do not", during("any 10.0.0.8 500 600 a hole"), `r none certain`},
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
		q unknown inconclusive blind: a hole`},
	{"a repeat that was seen is no less sure for it", `
		r A 0 PUT /up 100 Expect
		r 417 20
		blind any any 0 9000 a hole
		c A 21 PUT /up 100
		settle 90000`, `r same-connection by c conn +1 certain`},
}

func TestDeadline(t *testing.T) {
	m := New(Options{})
	s := play(t, m, "x A 0 GET / 0")
	want := func(n, when string) {
		t.Helper()
		at := int64(math.MaxInt64)
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
	want("r", "60050") // it may be a loop
	s.step("d A 51 PUT /up 100")
	want("r", "60051")
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
