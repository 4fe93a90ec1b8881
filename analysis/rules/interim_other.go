package rules

import (
	"fmt"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "interim-other", Title: "Other interim response", Since: "0.1",
	Explain: `The server sent an interim response that is not 100: 103 (Early Hints, RFC 8297), 102 (Processing), or
one that has no meaning yet. The final response follows, and a client must skip what it does not know (RFC 9110,
Section 15.2). It is never the 100 that a client with Expect waits for: the wait goes on behind it. Some clients
stumble: Python's http.client skips only 100 and takes a 103 for the answer.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.2", Level: "MUST"}, {RFC: 8297, Section: "2"}},
	On:      analysis.TraitInterim,
	Reads:   analysis.PartInterim,
	Under:   []string{"interim-to-http10", "interim-flood"},
	Check:   interimOther,
})

func interimOther(c *analysis.Case) *analysis.Verdict {
	var first *analysis.Message
	var marks []reassembly.Mark
	for i := range c.Interim {
		if m := &c.Interim[i]; m.Status != 100 && m.Status != 101 {
			if first == nil {
				first = m
			}
			marks = append(marks, m.First)
		}
	}
	if first == nil {
		return nil
	}
	more := ""
	if len(marks) > 1 {
		more = fmt.Sprintf(", the first of %d such,", len(marks))
	}
	v := say("A %d%s is not the answer: the final response comes after it.", first.Status, more)
	if awaits(c) {
		v = say("A %d%s is neither the answer nor the 100 that the client asked for.", first.Status, more)
	}
	v.Evidence = marks
	return v
}
