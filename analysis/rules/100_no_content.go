package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "100-no-content", Title: "100 for an empty request", Since: "0.1",
	Explain: `The server said 100 (Continue) to a request that has no content, so there was nothing to continue with.
It may leave the 100 out when the framing says that no content follows (RFC 9110, Section 10.1.1). Harmless: nginx,
Varnish, Node, Python and others answer every Expect without looking at the length. It does show that the client asks
for permission to send nothing, which is the real fault: see expect-no-content.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MAY"}},
	On:      analysis.TraitInterim,
	Reads:   analysis.PartRequest | analysis.PartInterim,
	Under:   []string{"expect-no-content", "unsolicited-100"},
	Check: func(c *analysis.Case) *analysis.Verdict {
		m := c.Continue()
		if m == nil || c.N() != 0 {
			return nil
		}
		v := say("A 100 for a request without a body: harmless, there was nothing to wait for.")
		v.Evidence = []reassembly.Mark{c.Request.Last, m.First}
		return v
	},
})
