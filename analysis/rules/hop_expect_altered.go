package rules

import (
	"slices"

	"expectscope/analysis"
)

var _ = rule(analysis.Rule{
	ID: "hop-expect-altered", Title: "Proxy rewrote Expect", Since: "0.1",
	Explain: `Both hops carry an Expect field, and not the same one: a fold was joined, two lines became one, a list lost a member. Then the
proxy and the origin do not read the same expectation, and what one of them takes for 100-continue may be something else to the other
(RFC 9110, Section 10.1.1 defines one value; a folded line must not be forwarded as it is, RFC 9112, Section 5.2). Differences of this
kind are what request smuggling by Expect lives on. Where both sides have a plain 100-continue, in whatever case, nothing is said. Have the proxy
refuse what is not plain instead of mending it.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1"}, {RFC: 9112, Section: "5.2"}},
	Fix:     []analysis.FixKey{"s-strict"},
	On:      analysis.TraitHop,
	Reads:   analysis.PartRequest,
	Check:   expectAltered,
})

func expectAltered(c *analysis.Case) *analysis.Verdict {
	if c.Hop == nil || !hasExpect(c.Exchange) || !hasExpect(c.Hop) {
		return nil
	}
	down, up := c.Request.Values("Expect"), c.Hop.Request.Values("Expect")
	plain := c.Request.ExpectClass() == analysis.ExactExpect && c.Hop.Request.ExpectClass() == analysis.ExactExpect
	if plain || slices.Equal(down, up) {
		return nil
	}
	was, _ := c.Request.Expect()
	is, _ := c.Hop.Request.Expect()
	v := say("%s rewrote Expect: %s became %s.", theProxy(c), quoted(was), quoted(is))
	if was == is {
		v = say("%s rewrote Expect: %s became %s, with the value %s.", theProxy(c), counted(len(down), "line"), counted(len(up), "line"), quoted(is))
	}
	return across(c, analysis.PartRequest, v, c.Request.Last, c.Hop.Request.Last)
}
