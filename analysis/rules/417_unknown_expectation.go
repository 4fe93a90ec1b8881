package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "417-unknown-expectation", Title: "Unknown expectation refused", Since: "0.1",
	Explain: `The value of Expect was not a plain 100-continue, and the server refused it with 417, as it may (RFC 9110, Section 10.1.1). The
server is right and the request is odd: 100-continue is the only expectation ever defined, so any other value is a typing error, an
application's private use that not every hop knows, an empty header that some library sends instead of none, or 100-continue with
something around it. Servers differ on all of these: some refuse, some ignore, some take them for 100-continue.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MAY"}},
	Fix:     []analysis.FixKey{"c-off"},
	On:      analysis.TraitRefused,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Under:   []string{"417-retry-failed", "417-received"},
	Check:   unknownExpectation417,
})

func unknownExpectation417(c *analysis.Case) *analysis.Verdict {
	if !refused(c) || c.Expects() {
		return nil
	}
	value, _ := c.Request.Expect()
	v := say("The expectation %s was not 100-continue; 417 is allowed.", quoted(value))
	if value == "" {
		v = say("The Expect field was empty; 417 is allowed.")
	}
	v.Evidence = []reassembly.Mark{c.Request.Last, c.Final.Last}
	return v
}
