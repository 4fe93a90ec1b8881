package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-unknown", Title: "Unknown expectation", Since: "0.1",
	Explain: `The Expect field holds something other than 100-continue, the only expectation there is (RFC 9110,
Section 10.1.1). A server that does not know a member MAY answer 417. Results vary: Apache, Squid, Varnish, h2o and Go
refuse with 417, nginx and lighttpd ignore the field, and Apache refuses only once it has the whole body, so a client
that waits for an answer first waits for ever. Take the field off; if it is a private extension between client and
application, every proxy on the way must know it too.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MAY"}},
	Fix:     []analysis.FixKey{"c-off"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest,
	Under:   []string{"expect-markup"},
	Check: func(c *analysis.Case) *analysis.Verdict {
		if c.Request.ExpectClass() != analysis.UnknownExpect {
			return nil
		}
		value, _ := c.Request.Expect()
		v := say("Expect: %s is no known expectation: some servers refuse it, others ignore it.", quoted(value))
		v.Evidence = []reassembly.Mark{c.Request.Last}
		return v
	},
})
