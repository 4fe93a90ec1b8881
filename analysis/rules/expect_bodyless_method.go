package rules

import (
	"slices"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-bodyless-method", Title: "Expect and body on GET/HEAD/OPTIONS", Since: "0.1",
	Explain: `A GET, HEAD, OPTIONS, TRACE or DELETE announces a body and asks with Expect whether to send it. A client
SHOULD NOT send content with GET, HEAD or DELETE (RFC 9110, Section 9.3), MUST NOT with TRACE, and with OPTIONS no meaning is
defined; many servers do not read it: they answer at once and take what follows for the next request. Of eight tested, lighttpd answers 400 and Squid 411 to
such a GET, the others let it pass. Where a proxy counts the body and the server behind it does not, or the other way round,
the two disagree where the request ends: this is the shape of the 0.CL and CL.0 attacks published in 2025. It becomes a
warning when the server answered before the body and left the connection open, which is what the attack needs. An honest client
that does it is one that sets Expect on everything.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{
		{RFC: 9110, Section: "9.3.1", Level: "SHOULD NOT"},
		{RFC: 9110, Section: "9.3.2", Level: "SHOULD NOT"},
	},
	Fix:   []analysis.FixKey{"s-strict"},
	On:    analysis.TraitExpect,
	Reads: analysis.PartRequest,
	Under: []string{"body-looks-like-request", "expect-obfuscated"},
	Check: func(c *analysis.Case) *analysis.Verdict {
		if !bodyless(c.Request.Method) || c.N() == 0 || c.ReqBody.Framing == analysis.FramingUnknown {
			return nil
		}
		length := "a chunked body"
		if n := c.N(); n > 0 {
			length = size(n) + " of body"
		}
		v := say("The %s announces %s and asks whether to send it: the shape of a request smuggling attack.", quotable(c.Request.Method), length)
		v.Evidence = []reassembly.Mark{c.Request.Last}
		if leftOpen(c) {
			v.Severity, v.Evidence = new(analysis.Warning), append(v.Evidence, c.Final.First)
		}
		return v
	},
})

// bodyless tells whether content has no meaning with a method (RFC 9110, Section 9.3).
func bodyless(method string) bool {
	return slices.Contains([]string{"GET", "HEAD", "OPTIONS", "TRACE", "DELETE"}, method)
}
