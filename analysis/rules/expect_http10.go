package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-http10", Title: "Expect in HTTP/1.0", Since: "0.1",
	Explain: `The request is HTTP/1.0 and carries Expect. A server that gets a 100-continue expectation in HTTP/1.0
MUST ignore it (RFC 9110, Section 10.1.1), so a client that waits for the 100 waits in vain, and some servers answer
417 or, wrongly, 100 all the same. Mostly an old proxy speaks HTTP/1.0 to its backend and forwards a field that has no
meaning there; the cure is HTTP/1.1 on that hop, or a proxy that takes Expect out.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MUST"}},
	Fix:     []analysis.FixKey{"c-off"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest,
	Check: func(c *analysis.Case) *analysis.Verdict {
		value, asked := c.Request.Expect()
		if !c.HTTP10() || !asked {
			return nil
		}
		v := say("Expect: %s has no meaning in %s: the server must ignore it.", quoted(value), c.Request.Version)
		v.Evidence = []reassembly.Mark{c.Request.Last}
		return v
	},
})
