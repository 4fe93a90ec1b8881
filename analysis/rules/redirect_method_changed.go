package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "redirect-method-changed", Title: "Redirect changed the method", Since: "0.1",
	Explain: `The answer was 307 (Temporary Redirect) or 308 (Permanent Redirect), and the request that followed to the place it names has another
method: a PUT became a GET. These two codes exist to keep the method: RFC 9110, Section 15.4.8 says of 307 that a client
MUST NOT change it when it follows by itself; 308 (Section 15.4.9) is to 301 what 307 is to 302. The upload is lost without an
error, as the GET is answered 200. With 301, 302 and 303 the change is allowed or meant, and nothing is said. That the second request follows from the
first is taken from its target, its time and what both clients say of themselves, so this is never certain; requests with OPTIONS and HEAD,
which ask beside the redirected one, do not count.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.4.8", Level: "MUST NOT"}, {RFC: 9110, Section: "15.4.9"}},
	Fix:     []analysis.FixKey{"c-redirect", "c-url"},
	On:      analysis.TraitRejected,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Check:   redirectMethodChanged,
})

func redirectMethodChanged(c *analysis.Case) *analysis.Verdict {
	if !redirected(c.Exchange) || c.Final.Status < 307 {
		return nil
	}
	l, next := follow(c.Legs, c.Leg, analysis.LinkRedirect)
	if l == nil || next.Request.Method == c.Request.Method {
		return nil
	}
	v := say("A %d turned %s into %s.", c.Final.Status, quotable(c.Request.Method), quotable(next.Request.Method))
	if c.Final.Status == 308 {
		v.Severity = new(analysis.Warning)
	}
	v.Confidence = new(min(l.Confidence, analysis.Likely))
	v.Related, v.Evidence = []string{next.ID}, sentAgain(c.Exchange, next)
	return v
}
