package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "417-after-100", Title: "100 then 417", Since: "0.1",
	Explain: `The client got a 100 (Continue), which says that the expectation is met and the body may come (RFC 9110, Section 15.2.1), and then a
417, which says that it cannot be met. No single server means both: a proxy said 100 on its own account and a hop behind it
refused what the proxy passed on, or an application answers 417 for reasons of its own. The body that the 100 called for is lost. Let one
hop answer the expectation: the proxy that says 100 must take Expect out of what it forwards.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.2.1"}},
	Fix:     []analysis.FixKey{"p-dup"},
	On:      analysis.TraitRefused,
	Reads:   analysis.PartRequest | analysis.PartInterim | analysis.PartFinal,
	Under:   []string{"417-loop", "417-no-retry", "417-retry-still-expects"},
	Check:   after100,
})

func after100(c *analysis.Case) *analysis.Verdict {
	m := c.Continue()
	if !refusedExchange(c.Exchange) || m == nil {
		return nil
	}
	v := say("The server said continue and refused the expectation %s later.", span(c.Final.First.Time-m.First.Time))
	v.Evidence = []reassembly.Mark{m.First, c.Final.First}
	return v
}
