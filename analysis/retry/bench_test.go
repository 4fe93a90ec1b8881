package retry

import (
	"fmt"
	"testing"

	"expectscope/analysis"
)

// BenchmarkRequest is the cost of a request of a client that has an open refusal, and nothing to do with it.
func BenchmarkRequest(b *testing.B) {
	m, x := crowd(1)
	b.ReportAllocs()
	for b.Loop() {
		m.Request(x)
	}
}

// BenchmarkCrowd is the same where 10,000 equal requests were refused: the most a search can cost.
func BenchmarkCrowd(b *testing.B) {
	m, x := crowd(10_000)
	x.Request.Target = "/0"
	x.ReqBody.Declared = 99
	b.ReportAllocs()
	for b.Loop() {
		m.Request(x)
	}
}

// BenchmarkLoop is one turn of an endless loop of refusals.
func BenchmarkLoop(b *testing.B) {
	m, x := crowd(1)
	b.ReportAllocs()
	for n := uint32(2); b.Loop(); n++ {
		y := *x
		y.Stream, y.Final = n, nil
		m.Request(&y)
		y.Final = x.Final
		m.Refused(&y)
		m.Settle(x, y.Request.First.Time, false)
		m.Chain(x)
		m.Forget(x)
		x = &y
	}
}

// crowd is a matcher with n equal refusals of one client, and a request of it.
func crowd(n int) (*Matcher, *analysis.Exchange) {
	s := play(new(testing.T), New(Options{}), "")
	for i := range n {
		s.step(fmt.Sprintf("r%d A%d %d PUT /0 100 Expect | Host: example.com | User-Agent: curl/8.0 | Accept: */*", i, i, i))
		s.step(fmt.Sprintf("r%d 417 %d", i, i))
	}
	s.step("x B 20000 PUT /1 77 | Host: example.com | User-Agent: curl/8.0 | Accept: */* | Content-Length: 100 | Content-Type: text/plain")
	return s.m, s.xs["x"]
}
