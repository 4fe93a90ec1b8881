package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "multiple-100", Title: "Several 100s", Since: "0.1",
	Explain: `One request got more than one 100 (Continue). That is legal, and a client must be able to parse any
number of interim responses (RFC 9110, Section 15.2), but several are not: the second 100 is taken for the final
response and the real one for the answer to the next request. It happened when Cloud Foundry's router moved to a Go
release that says 100 by itself and passed the application's 100 on as well; Caddy does the same. Exactly one hop
should answer the expectation: either the proxy says 100 and takes Expect out of what it forwards, or it forwards both
Expect and the 100.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.2", Level: "MUST"}},
	Fix:     []analysis.FixKey{"p-dup"},
	On:      analysis.TraitInterim,
	Reads:   analysis.PartRequest | analysis.PartInterim,
	Check:   multiple100,
})

func multiple100(c *analysis.Case) *analysis.Verdict {
	var marks []reassembly.Mark
	sure := true
	for i := range c.Interim {
		if m := &c.Interim[i]; m.Status == 100 {
			marks = append(marks, m.First)
			sure = sure && (len(marks) == 1 || !queued(c, m))
		}
	}
	if len(marks) < 2 {
		return nil
	}
	v := say("%s answered one request: more than one hop said continue.", counted(len(marks), "100 response"))
	v.Evidence, v.Confidence = marks, ifSure(sure)
	return v
}
