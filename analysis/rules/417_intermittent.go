package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "417-intermittent", Title: "Refused now and then", Since: "0.1",
	Explain: `Comparable requests of one client to one authority, with the same method, to the same folder and with Expect: 100-continue, were
accepted and refused with 417 in turn, and their length does not explain it. So it depends on who answers: behind a balancer some back
ends, or one of several proxies, refuse what the others take. 417 says that an expectation cannot be met by "at least one of the inbound servers" (RFC 9110, Section
15.5.18), and which one it was is up to chance: uploads fail now and then, and the same test passes when it is repeated. Compare the back ends; where the refusals
come with a TTL or a Server field of their own, the summary says so. It takes two refusals with an accepted request between them; an answer that changed
once may be a setting that was changed. It is said once, on the refusal that completes the pattern, with the first requests of either kind as evidence.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.5.18"}},
	Fix:     []analysis.FixKey{"s-same", "c-off"},
	On:      analysis.TraitSubject,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Check:   intermittent417,
})

func intermittent417(c *analysis.Case) *analysis.Verdict {
	a := c.Peers.Answers
	if a == nil || !a.Intermittent() || a.BySize() {
		return nil
	}
	v := say("Of %d comparable requests with Expect, %d were accepted and %d refused with 417, in turn%s.",
		a.Accepted+a.Refused, a.Accepted, a.Refused, withHops(a))
	if !a.Twins {
		v.Confidence = new(analysis.Likely) // no request was answered both ways: something else may tell them apart
	}
	return pattern(c, v)
}
