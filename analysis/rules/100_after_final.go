package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "100-after-final", Title: "Stray 100 after the final", Since: "0.1",
	Explain: `The request had its final response, no other request had been sent, and then a 1xx came. An interim
response belongs before the final response of the same request (RFC 9110, Section 15.2), and responses are matched to
requests by their order alone (RFC 9112, Section 9.2), so there is nothing this one can belong to. A client that
reuses the connection will credit it to its next request: a client that takes a 100 for the answer is then off by one
response for good, which hands one user's response to another. Usually two layers of a server answer Expect without
knowing of each other: one refuses, the other says continue. It is not said when bytes are missing from the
connection, or the next request was already on the wire.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.2", Level: "MUST"}, {RFC: 9112, Section: "9.2", Level: "MUST"}},
	Fix:     []analysis.FixKey{"s-update"},
	On:      analysis.TraitOrphan,
	Reads:   analysis.PartRequest | analysis.PartInterim | analysis.PartFinal | analysis.PartRespBody,
	Check: func(c *analysis.Case) *analysis.Verdict {
		ms := strays(c, true)
		if len(ms) == 0 {
			return nil
		}
		v := say("A stray %d came %s after the final %d: the response queue is off by one.",
			ms[0].Status, span(ms[0].First.Time-c.Final.Last.Time), c.Final.Status)
		v.Evidence = answeredAlone(c, ms)
		return v
	},
})
