package rules

import (
	"strings"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "cl-conflict", Title: "Conflicting Content-Length", Since: "0.1",
	Explain: `The request's Content-Length is not one number: there are several that differ, or one that is no number. A
server MUST answer 400 and close the connection (RFC 9112, Section 6.3): one receiver takes the
first number, another the last, and then they disagree where the body ends and the next request begins. The same number said
twice is allowed. The bytes are the shape of request smuggling; a proxy that adds its own length without taking the old one
away makes them by mistake. What this program counts for such a request rests on the first number that is one.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultClient, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "6.3", Level: "MUST"}},
	Fix:     []analysis.FixKey{"s-strict"},
	On:      analysis.TraitFraming,
	Reads:   analysis.PartRequest,
	Check: func(c *analysis.Case) *analysis.Verdict {
		if !c.Request.UnsureLength() || !http1(c) {
			return nil
		}
		v := say("Content-Length: %s is not one number: servers disagree where this request ends.",
			quotable(strings.Join(c.Request.Values("Content-Length"), ", ")))
		v.Evidence = []reassembly.Mark{c.Request.Last}
		return v
	},
})
