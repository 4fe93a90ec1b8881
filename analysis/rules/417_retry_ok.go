package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "417-retry-ok", Title: "Recovered by retry", Since: "0.1",
	Explain: `The request was refused with 417, the client repeated it without Expect as RFC 9110, Section 10.1.1 asks, and the repeat
was accepted. The upload arrived; what it cost is one request, a round trip, and the body bytes that had been sent before
the refusal. It is worth taking Expect off for this server all the same: each upload pays that price again.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultUnknown},
	On:    analysis.TraitRefused,
	Reads: analysis.PartRequest | analysis.PartFinal | analysis.PartFollowing,
	Under: []string{"body-withheld-reuse", "417-for-100-continue", "417-after-100", "417-late", "417-retry-delayed", "417-received"},
	Check: retryOK,
})

func retryOK(c *analysis.Case) *analysis.Verdict {
	next := c.Next()
	if !refused(c) || next == nil || !plain(next) || next.Final == nil || next.Final.Status >= 400 {
		return nil
	}
	v := say("Recovered by retrying without Expect, %s later, answered %d; cost 1 request and %s of body.",
		span(gap(c.Exchange, next)), next.Final.Status, size(c.ReqBody.Sent))
	v.Confidence, v.Related = linked(c), []string{next.ID}
	v.Evidence = append(handover(c, next), next.Final.Last)
	return v
}
