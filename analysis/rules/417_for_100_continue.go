package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "417-for-100-continue", Title: "100-continue refused by an HTTP/1.1 chain", Since: "0.1",
	Explain: `The client asked for 100-continue, the only expectation there is, everybody on the way spoke HTTP/1.1 as far as the heads show, and
still the answer was 417. RFC 9110, Section 10.1.1 foresees 417 for expectations other than 100-continue; a server that does not care
for the question simply says 100 or the final status. Refusing it costs every upload a second request, and fails those of the many clients
that do not repeat. No common server does this unless told to: look for a rule (an nginx "if" or "return 417", an Apache RewriteRule,
an HAProxy return), for an old proxy (squid 2 and 3, old lighttpd), or for a size limit that should have been 413. Where HTTP/1.0 was
spoken on the way, the refusal is what RFC 2616 demanded, and this is only a remark.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MAY"}},
	Fix:     []analysis.FixKey{"s-100"},
	On:      analysis.TraitRefused,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Under:   []string{"body-withheld-reuse", "417-loop", "417-no-retry", "417-retry-still-expects"},
	Check:   for100Continue,
})

func for100Continue(c *analysis.Case) *analysis.Verdict {
	if !refusedExchange(c.Exchange) || c.Request.ExpectClass() != analysis.ExactExpect {
		return nil
	}
	v := say("An HTTP/1.1 chain refused the only standard expectation.")
	if c.HTTP2() {
		v = say("A chain that speaks HTTP/2 refused the only standard expectation.")
	}
	if viaHTTP10(c) {
		v = say("100-continue was refused on a way that includes HTTP/1.0, which cannot carry a 100.")
		v.Severity = new(analysis.Info)
	}
	v.Fault = answeredBy(c).fault
	v.Evidence = []reassembly.Mark{c.Request.Last, c.Final.Last}
	return v
}
