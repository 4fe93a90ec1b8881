package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "redirect-after-expect", Title: "Redirect before the body", Since: "0.1",
	Explain: `The client asked with Expect whether to send its body, and was sent elsewhere: a redirect that names a Location (RFC 9110,
Section 15.4). This is what the question is good for. Where no byte of the body had left, nothing is lost but the round trip, and
the client asks again at the new place; object stores send uploads to the right region so. Where the client did not wait, the body
went to the wrong place first and has to travel again: waste-rejected counts it. Either way the round trip is saved by a client that
uses the final URL.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.4"}},
	Fix:     []analysis.FixKey{"c-url"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Under:   []string{"waste-rejected"},
	Check:   redirectAfterExpect,
})

func redirectAfterExpect(c *analysis.Case) *analysis.Verdict {
	if !redirected(c.Exchange) || plain(c.Exchange) || c.N() == 0 {
		return nil
	}
	v := say("Redirected with %d before the body: nothing lost.", c.Final.Status)
	if n := c.ReqBody.Sent; n > 0 {
		v = say("Redirected with %d, and %s of body had been sent to the wrong place.", c.Final.Status, amount(c, n))
	}
	v.Evidence = []reassembly.Mark{c.Request.Last, c.Final.Last}
	return v
}

// redirected tells whether the answer sends the client elsewhere.
func redirected(x *analysis.Exchange) bool {
	if x.Final == nil {
		return false
	}
	_, location := x.Final.Get("Location")
	switch x.Final.Status {
	case 301, 302, 303, 307, 308:
		return location
	}
	return false
}
