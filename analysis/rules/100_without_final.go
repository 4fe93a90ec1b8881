package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "100-without-final", Title: "100 but no final", Since: "0.1",
	Explain: `The server said 100 (Continue) and then closed or reset the connection without a final response. Who
says 100 MUST ultimately send a final response, once it has the content, unless the connection is closed prematurely
(RFC 9110, Section 10.1.1). When the whole body had been sent, this is an error: the client cannot know whether its
upload was stored, and repeating it may do it twice. When the body was still on its way it is only a fact; a crash, a
worker's time limit or a restart is a likely reason. Look into the server's log at that moment, at worker and upstream
time-outs, and at proxies that drop a connection when their upstream dies. It is not said when the client left first.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MUST"}},
	On:      analysis.TraitInterim,
	Reads:   analysis.PartReqBody | analysis.PartInterim | analysis.PartFinal | analysis.PartEnding,
	Check:   continueWithoutFinal,
})

func continueWithoutFinal(c *analysis.Case) *analysis.Verdict {
	m := c.Continue()
	end, left := hungUpFirst(c, c.ServerDir())
	if m == nil || c.Final != nil || !left {
		return nil
	}
	how := "closed"
	if end.How == reassembly.RST {
		how = "reset"
	}
	v := say("The server said continue, was sent the whole body (%s), and %s the %s without an answer.", size(c.ReqBody.Sent), how, thread(c))
	if !c.ReqBody.Complete {
		v = say("The server said continue and %s the %s after %s of body, without an answer.", how, thread(c), size(c.ReqBody.Sent))
		v.Severity = new(analysis.Info)
	}
	v.Evidence = []reassembly.Mark{m.First, c.ReqBody.Last, end.At}
	return v
}
