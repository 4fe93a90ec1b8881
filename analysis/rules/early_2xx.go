package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "early-2xx", Title: "Accepted before the body ended", Since: "0.1",
	Explain: `The server answered with success before it had the whole body. That is allowed: an application may have all it
needs, or not care for the content (RFC 9110, Section 10.1.1 lets a server answer with any final status instead of a 100). The
client goes on sending to complete its message, which is right and counts as no waste. It is worth a look where the content
was to be stored: what comes after the answer cannot have been looked at when success was reported.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1"}},
	On:      analysis.TraitEarlyFinal,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Under:   []string{"early-final-no-close", "early-final-silent-close"},
	Check: func(c *analysis.Case) *analysis.Verdict {
		if !c.EarlyFinal() || !announced(c) || c.Final.Status < 200 || c.Final.Status > 299 {
			return nil
		}
		v := say("Accepted with %d while %s had not arrived.", c.Final.Status, owedAtFinal(c))
		v.Evidence, v.Confidence = early(c, analysis.PartReqBody)
		return v
	},
})
