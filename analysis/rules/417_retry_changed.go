package rules

import (
	"fmt"

	"expectscope/analysis"
)

var _ = rule(analysis.Rule{
	ID: "417-retry-changed", Title: "Follow-up differs from the refused request", Since: "0.1",
	Explain: `After a 417 the client SHOULD repeat that request without Expect (RFC 9110, Section 10.1.1). What followed here, on the
same connection or with the same key or credentials, is almost that request, but has another method, another
target, or a body of another length. So the upload that was refused did not happen; something like it may have. A client that follows
a 417 as if it were a redirect turns PUT into GET; one whose body stream was half read repeats it shorter, which stores a damaged object
without an error anywhere. Whether the follow-up was meant as the repeat the wire cannot prove, so this is at most likely.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "SHOULD"}},
	Fix:     []analysis.FixKey{"c-retry"},
	On:      analysis.TraitRefused,
	Reads:   analysis.PartRequest | analysis.PartFinal | analysis.PartFollowing,
	Check:   retryChanged,
})

func retryChanged(c *analysis.Case) *analysis.Verdict {
	if !unrepeated(c) || c.Near == nil {
		return nil
	}
	v := say("The follow-up is not the same request (%s).", change(c))
	v.Confidence, v.Related, v.Evidence = new(analysis.Likely), []string{c.Near.ID}, handover(c, c.Near)
	return v
}

// change says in what the near repeat differs: "POST became GET".
func change(c *analysis.Case) string {
	from, to := c.Exchange, c.Near
	switch c.Retry().Differs {
	case "method":
		return quotable(from.Request.Method) + " became " + quotable(to.Request.Method)
	case "target":
		return quoted(from.Request.Target) + " became " + quoted(to.Request.Target)
	case "length":
		return fmt.Sprintf("a body of %s became one of %s", size(from.N()), size(to.N()))
	}
	return "another " + c.Retry().Differs
}
