package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "hop-100-own", Title: "Proxy answered 100 itself", Since: "0.1",
	Explain: `The client got a 100 (Continue) before the origin had said one, often before the origin was asked at all: the proxy promised on
its own account. A proxy may do that only where it takes the next hop for an HTTP/1.0 server (RFC 9110, Section 10.1.1); a gateway, which
is an origin to its clients (Section 3.7), may always. The price is paid when the origin then refuses by the head alone: the body has
travelled for nothing, which is what Expect was to prevent. nginx, lighttpd, Varnish and h2o do so by default; HAProxy, squid
and Apache forward the question. Where origins refuse uploads, let the proxy forward Expect, or decide in the proxy.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MAY"}, {RFC: 9110, Section: "3.7"}},
	Fix:     []analysis.FixKey{"s-late100"},
	On:      analysis.TraitHop,
	Reads:   analysis.PartRequest | analysis.PartInterim,
	Check:   own100,
})

func own100(c *analysis.Case) *analysis.Verdict {
	if c.Hop == nil || c.Continue() == nil {
		return nil
	}
	m, up := c.Continue(), c.Hop.Continue()
	l, _ := c.HopTo(analysis.Behind)
	if up != nil && (l.Taps || preceded(c, up.First, m.First)) {
		return nil // forwarded; of two clocks the order cannot be told
	}
	marks := []reassembly.Mark{m.First, c.Hop.Request.Last}
	v := say("%s said 100 itself; %s did not say it.", theProxy(c), behind(c))
	if up != nil {
		v = say("%s said 100 itself, %s before %s did.", theProxy(c), span(up.First.Time-m.First.Time), behind(c))
		marks = append(marks, up.First)
	} else if !l.Taps && preceded(c, m.First, c.Hop.Request.First) {
		v = say("%s said 100 itself, %s before it asked %s.", theProxy(c), span(c.Hop.Request.First.Time-m.First.Time), behind(c))
	}
	if f := c.Hop.Final; f != nil && c.Hop.FromHead() && f.Status != 417 && c.Rejected() && c.ReqBody.Invited > 0 {
		v.Summary += " The origin then refused with " + number(int64(f.Status)) + " what the client had sent: " + size(c.ReqBody.Invited) + " of body."
		v.Wasted, marks = c.ReqBody.Invited, append(marks, f.First)
	}
	return across(c, analysis.PartRequest|analysis.PartInterim, v, marks...)
}
