package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "hop-expect-added", Title: "Proxy added Expect", Since: "0.1",
	Explain: `The client's request has no Expect field, and the one that the proxy sent on for it has: the proxy asks on its own account (RFC
9110, Section 10.1.1 lets any client ask), as Apache mod_proxy does with ping= in ProxyPass and h2o with proxy.expect. A 100 is then
the proxy's to keep, and a 417 or a silence of the origin is about a field that the client never sent: it shows in front of the proxy
as 417-without-expect or as an upload that takes a second longer. Look at the proxy's configuration, not at the client's.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1"}},
	Fix:     []analysis.FixKey{"p-apache"},
	On:      analysis.TraitHop,
	Reads:   analysis.PartRequest,
	Under:   []string{"417-without-expect", "hop-417-own"},
	Check:   expectAdded,
})

func expectAdded(c *analysis.Case) *analysis.Verdict {
	if c.Hop == nil || hasExpect(c.Exchange) || !hasExpect(c.Hop) {
		return nil
	}
	value, _ := c.Hop.Request.Expect()
	v := say("%s asks %s on its own account, with Expect: %s.", theProxy(c), behind(c), quotable(value))
	return across(c, analysis.PartRequest, v, c.Request.Last, c.Hop.Request.Last)
}
