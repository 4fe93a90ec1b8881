package rules

import (
	"strings"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// What the rules about the two hops of an exchange share: the one judged is
// that in front of the proxy, c.Hop is the one behind it.

// across finishes what is said of both hops: it is no surer than that they are two hops of one exchange, and nothing is
// certain of the one behind while that is open or in doubt.
func across(c *analysis.Case, reads analysis.Part, v *analysis.Verdict, marks ...reassembly.Mark) *analysis.Verdict {
	l, _ := c.HopTo(analysis.Behind)
	sure := l.Confidence
	if v.Confidence != nil {
		sure = min(sure, *v.Confidence)
	}
	if c.Hop.State == analysis.Open || len(c.Hop.Doubtful(reads)) > 0 {
		sure = analysis.Inconclusive
	}
	v.Confidence, v.Evidence, v.Related = &sure, marks, []string{c.Hop.ID}
	if l.Why != "" {
		v.Summary = strings.TrimSuffix(v.Summary, ".") + " (" + l.Why + ")."
	}
	return v
}

// theProxy names who is between the hops, by the software that only the answer in front of it shows.
func theProxy(c *analysis.Case) string {
	s := c.Software()
	if s == "" || c.Hop != nil && s == c.Hop.Software() {
		return "The proxy"
	}
	if word, _, _ := strings.Cut(s, " "); word != "" {
		return "The proxy (" + quotable(word) + ")"
	}
	return "The proxy"
}

// behind names the server behind the proxy.
func behind(c *analysis.Case) string { return c.Hop.Conn.Addr(c.Hop.ServerDir()).String() }

// hasExpect tells whether a request has an Expect field, of any kind.
func hasExpect(x *analysis.Exchange) bool {
	_, ok := x.Request.Get("Expect")
	return ok
}

// preceded tells whether a was on the wire before b: by the order of capture where one place captured both, else by the clocks.
func preceded(c *analysis.Case, a, b reassembly.Mark) bool {
	if l, _ := c.HopTo(analysis.Behind); l.Taps {
		return a.Time < b.Time
	}
	return before(a, b)
}
