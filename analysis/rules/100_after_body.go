package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "100-after-body", Title: "100 came after the body", Since: "0.1",
	Explain: `When the server said 100 (Continue), its host had already received part of the body: the 100's segment
acknowledges content. The invitation changed nothing, and the server may leave it out then (RFC 9110, Section 10.1.1).
nginx, Apache, HAProxy, Squid, h2o and Go send it all the same; lighttpd and Varnish do not. Harmless in itself: it
tells that this client does not wait for the answer it asks for. A 100 that came only after the client's time-out is
told by expect-timeout instead.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MAY"}},
	On:      analysis.TraitInterim,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartInterim,
	Under:   []string{"expect-no-wait"},
	Check:   continueAfterBody,
})

func continueAfterBody(c *analysis.Case) *analysis.Verdict {
	m := c.Continue()
	had, sure := c.HadBody(m)
	if _, asked := c.Request.Expect(); !had || !asked {
		return nil
	}
	if _, gaveUp, _ := timedOut(c); gaveUp {
		return nil
	}
	v := say("This 100 changed nothing: the server already had part of the body when it sent it.")
	v.Evidence, v.Confidence = []reassembly.Mark{c.ReqBody.First, m.First}, ifSure(sure)
	return v
}
