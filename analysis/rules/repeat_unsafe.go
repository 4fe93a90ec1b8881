package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "repeat-unsafe", Title: "Unsafe repeat", Since: "0.1",
	Explain: `A POST or PATCH whose whole body was sent got no answer before the connection ended, or a 5xx that does not say that nothing was done, and the same
request was sent again. The first may have been executed, so the order, the payment, the comment may exist twice: RFC 9110, Section
9.2.2 says that a client SHOULD NOT repeat a request automatically whose method is not idempotent, and a proxy MUST NOT, unless it knows
that this does no harm. Not meant are repeats that the answer asks for or allows: after 417, 401, 407, 421 or a redirect, after 503
with Retry-After, and those with the Idempotency-Key of the first. Likely where the bodies begin alike; that a user pressed the button
twice, or that two requests only look the same, cannot be told apart. Only requests with Expect, or answered before their end, are looked at.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "9.2.2", Level: "SHOULD NOT"}},
	Fix:     []analysis.FixKey{"c-key"},
	On:      analysis.TraitExpect | analysis.TraitRejected,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal | analysis.PartEnding,
	Check:   repeatUnsafe,
})

func repeatUnsafe(c *analysis.Case) *analysis.Verdict {
	l, next := follow(c.Legs, c.Leg, analysis.LinkRepeat)
	if m := c.Request.Method; l == nil || m != "POST" && m != "PATCH" || !maybeDone(c) {
		return nil
	}
	equal, differ := alike(c.Exchange, next)
	key, keyed := c.Request.Get("Idempotency-Key")
	if again, _ := next.Request.Get("Idempotency-Key"); differ || keyed && key == again {
		return nil
	}
	how := "got no answer"
	if c.Final != nil {
		how = say("was answered %d", c.Final.Status).Summary
	}
	v := say("A %s that %s was sent again %s later, although it may have been executed.", quotable(c.Request.Method), how,
		span(max(0, next.Request.First.Time-c.LastActivity.Time)))
	switch {
	case l.Tier == analysis.TierKey && l.Confidence == analysis.Certain:
	case equal:
		v.Confidence = new(analysis.Likely)
	default:
		v.Confidence = new(analysis.Inconclusive)
	}
	if proxied(c) {
		v.Fault = []analysis.Fault{analysis.FaultClient, analysis.FaultIntermediary}
	}
	v.Related, v.Evidence = []string{next.ID}, append(sentAgain(c.Exchange, next), c.ReqBody.Last)
	return v
}

// maybeDone tells whether the server may have acted on the request: it had all of it and did not say that it did nothing.
func maybeDone(c *analysis.Case) bool {
	if !c.ReqBody.Complete || c.NotProcessed() || blind(c, analysis.PartReqBody|analysis.PartFinal) {
		return false
	}
	if c.Final == nil {
		return true
	}
	_, asked := c.Final.Get("Retry-After")
	switch c.Final.Status {
	case 500, 502, 504, 507:
		return !c.EarlyFinal()
	case 503:
		return !asked && !c.EarlyFinal()
	}
	return false
}
