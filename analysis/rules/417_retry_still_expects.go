package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "417-retry-still-expects", Title: "Retried with Expect again", Since: "0.1",
	Explain: `The client repeated a request that was refused with 417, and the repeat carries Expect: 100-continue again. The repeat
is to go without it (RFC 9110, Section 10.1.1): the chain has just said that it does not support the expectation, so the
answer will be the same. The usual cause is a header set by hand, which the HTTP library does not know how to take off
(curl -H 'Expect: 100-continue' repeats so 50 times), or a retry layer above the HTTP library that sends the same request object anew.
When it happens more than once in a row, 417-loop is said instead.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "SHOULD"}},
	Fix:     []analysis.FixKey{"c-off"},
	On:      analysis.TraitRefused,
	Reads:   analysis.PartRequest | analysis.PartFinal | analysis.PartFollowing,
	Check:   retryStillExpects,
})

func retryStillExpects(c *analysis.Case) *analysis.Verdict {
	links, first := insisted(c.Chain)
	if links != 1 || first != c.Index {
		return nil
	}
	next, outcome := c.Next(), "so it will be refused again"
	switch f := next.Final; {
	case f != nil && f.Status == 417:
		outcome = "and was refused again"
	case f != nil || next.Continue() != nil:
		outcome = "which worked this time but asks for another refusal"
	}
	v := say("The client repeated the request %s later with Expect again, %s.", span(gap(c.Exchange, next)), outcome)
	v.Confidence, v.Related, v.Evidence = linked(c), []string{next.ID}, handover(c, next)
	return v
}
