package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "cl-te", Title: "Both length fields", Since: "0.1",
	Explain: `The request has a Content-Length and a Transfer-Encoding field. A sender MUST NOT send both (RFC 9112,
Section 6.2). Transfer-Encoding wins, but not every receiver knows that, and one that believes the other field sees the
request end elsewhere: what is body to the proxy is a request to the server behind it. It is the oldest form of request
smuggling (CL.TE and TE.CL). A server may refuse such a request; nginx, lighttpd and Varnish answer 400. One that takes it
MUST close the connection behind its answer (Section 6.1); Apache and HAProxy do. It is the shape of an attack; a broken client
or a proxy that adds a field makes the same bytes.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultClient, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "6.2", Level: "MUST NOT"}, {RFC: 9112, Section: "6.1"}},
	Fix:     []analysis.FixKey{"s-strict", "s-update"},
	On:      analysis.TraitFraming,
	Reads:   analysis.PartRequest,
	Check: func(c *analysis.Case) *analysis.Verdict {
		if !c.Request.TwoLengths() || !http1(c) {
			return nil
		}
		length, _ := c.Request.Get("Content-Length")
		coding, _ := c.Request.Get("Transfer-Encoding")
		v := say("One request, two lengths (Content-Length: %s and Transfer-Encoding: %s): the shape of request smuggling.",
			quotable(length), quotable(coding))
		v.Evidence = []reassembly.Mark{c.Request.Last}
		return v
	},
})
