package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-empty", Title: "Empty Expect", Since: "0.1",
	Explain: `The request has an Expect field without a value. An empty list asks for nothing (RFC 9110, Section
5.6.1), but Squid, Varnish and h2o refuse it with 417, while nginx, Apache, lighttpd and Go ignore it. Usually
somebody meant to take the field off: with curl -H 'Expect:' removes it, while -H 'Expect;' sends it empty; in other
clients an empty string often does what only removing the field should do.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "5.6.1"}},
	Fix:     []analysis.FixKey{"c-off"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest,
	Check: func(c *analysis.Case) *analysis.Verdict {
		if c.Request.ExpectClass() != analysis.EmptyExpect {
			return nil
		}
		v := say("The Expect field is empty: it asks for nothing, and some proxies refuse it.")
		v.Evidence = []reassembly.Mark{c.Request.Last}
		return v
	},
})
