package rules

import (
	"strings"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-no-content", Title: "Expect without body", Since: "0.1",
	Explain: `The request asks for a 100 (Continue) but has no content to send after it. A client MUST NOT generate a
100-continue expectation in a request without content (RFC 9110, Section 10.1.1). At best it costs nothing, because
the server answers at once; at worst it costs a round trip, or the client's whole time-out: a client library that
waits for the 100, a server that rightly leaves it out, and an empty upload takes 60 s (botocore issue 3755 counts 114
such stalls in 30 days). Set Expect only when there is a body, and a large one. A probe without a body in a Negotiate
or NTLM dialogue is told as a fact only.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MUST NOT"}},
	Fix:     []analysis.FixKey{"c-on"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest,
	Check:   expectNoContent,
})

func expectNoContent(c *analysis.Case) *analysis.Verdict {
	if !c.Expects() || c.N() != 0 || c.ReqBody.Sent > 0 {
		return nil
	}
	v := say("The %s asks whether to send a body and has none.", quoted(c.Request.Method))
	v.Evidence = []reassembly.Mark{c.Request.Last}
	auth, _ := c.Request.Get("Authorization")
	scheme, _, _ := strings.Cut(auth, " ")
	if strings.EqualFold(scheme, "NTLM") || strings.EqualFold(scheme, "Negotiate") {
		v.Severity = new(analysis.Info)
	}
	return v
}
