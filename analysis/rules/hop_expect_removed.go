package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "hop-expect-removed", Title: "Proxy took Expect off", Since: "0.1",
	Explain: `The client asked the proxy for 100-continue, and the request that the proxy sent on has no Expect field. So the origin is never asked:
whoever answers the client's question, it is the proxy, and what the origin would refuse by the head alone is refused after the body.
RFC 9110, Section 10.1.1 has a proxy answer at once or forward the question; a gateway is an origin to its clients and may do as it likes.
nginx does so always, for it reads the whole body before it asks its upstream. That is fine where the proxy itself decides about uploads, and
where the origin cannot speak 100-continue; then it must be the proxy that says 100.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MUST"}},
	On:      analysis.TraitHop,
	Reads:   analysis.PartRequest,
	Under:   []string{"hop-100-own", "hop-417-own", "hop-1xx-dropped", "hop-framing-differs"},
	Check:   expectRemoved,
})

func expectRemoved(c *analysis.Case) *analysis.Verdict {
	if c.Hop == nil || !hasExpect(c.Exchange) || hasExpect(c.Hop) {
		return nil
	}
	v := say("%s took Expect off what it sent to %s.", theProxy(c), behind(c))
	return across(c, analysis.PartRequest, v, c.Request.Last, c.Hop.Request.Last)
}
