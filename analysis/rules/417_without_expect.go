package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "417-without-expect", Title: "417 without Expect", Since: "0.1",
	Explain: `The request has no Expect field where it was captured, yet the answer is 417 (Expectation Failed), which says that an expectation of
the request's Expect field could not be met (RFC 9110, Section 15.5.18). So the client cannot mend it by leaving Expect out. Most often a proxy
behind the capture point added an Expect of its own: Apache mod_proxy does, to test a back-end connection, when ping= is set. Or an
application uses 417 for errors of its own. Capture on the next hop to see which.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultIntermediary, analysis.FaultUnknown},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.5.18"}},
	Fix:     []analysis.FixKey{"p-apache"},
	On:      analysis.TraitRefused,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Check:   without417,
})

func without417(c *analysis.Case) *analysis.Verdict {
	if !refusedExchange(c.Exchange) || !plain(c.Exchange) || cut(c) || blind(c, analysis.PartFinal) {
		return nil
	}
	v := say("417 although this client sent no Expect: look at the next hop.")
	if c.RetryOf != "" {
		v = say("417 again, although this retry carries no Expect: look at the next hop.")
		v.Related = []string{c.RetryOf}
	}
	v.Evidence = []reassembly.Mark{c.Request.Last, c.Final.Last}
	return v
}
