package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "h2-response-dropped", Title: "Early h2 answer ignored", Since: "0.1",
	Explain: `The server refused on HTTP/2 before it had the whole body, and told the client with RST_STREAM(NO_ERROR) that the
rest is not needed. The client sent the same request again at once, as after an error. A client MUST NOT discard a
response because such a reset follows it (RFC 9113, Section 8.1); one that takes the reset for a failure of the stream
never sees the 401, 403 or 413 before it, and repeats what will be refused again. Likely at most: a program that was told
of the refusal may have chosen to try once more. Repeats after a redirect, a challenge or Retry-After are not meant, nor those of a 417.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9113, Section: "8.1", Level: "MUST NOT"}},
	On:      analysis.TraitEarlyFinal,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Check: func(c *analysis.Case) *analysis.Verdict {
		r := c.ResetBy(c.ServerDir())
		l, next := follow(c.Legs, c.Leg, analysis.LinkRepeat)
		if !c.HTTP2() || !c.EarlyFinal() || r == nil || r.String() != "NO_ERROR" || l == nil || c.Final.Status < 400 || c.Final.Status == 417 {
			return nil
		}
		if _, _, asked := c.Final.RetryAfter(); asked {
			return nil
		}
		if _, differ := alike(c.Exchange, next); differ {
			return nil
		}
		v := say("The %d came with RST_STREAM(NO_ERROR), and the client sent the same request again %s later: it seems to have dropped the answer.",
			c.Final.Status, span(max(0, next.Request.First.Time-c.Final.Last.Time)))
		v.Confidence, v.Related = new(analysis.Likely), []string{next.ID}
		v.Evidence = append(sentAgain(c.Exchange, next), r.At)
		return v
	},
})
