package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "request-after-close", Title: "Request into a closing connection", Since: "0.1",
	Explain: `The client's host had received an answer that says Connection: close, or the end of the server's side, and
the client sent another request on that connection. It MUST cease sending requests there (RFC 9112, Section 9.6): the
server will not read it, and the client must send it again, which is safe only for idempotent methods. A program that keeps
connections has to take the close option out of the answer before it gives the connection back. A request that was on its way
before the close option could be seen was pipelined in good faith, and is told as a fact only.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.6", Level: "MUST"}},
	Fix:     []analysis.FixKey{"c-stop"},
	On:      analysis.TraitExpect | analysis.TraitEarlyFinal,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Check: func(c *analysis.Case) *analysis.Verdict {
		if c.NextFirst.Packet == 0 || c.Final == nil || !http1(c) {
			return nil
		}
		yes, sure := closes(c, c.NextFirst)
		pipelined := !yes && c.Final.CloseOption()
		if !yes && !pipelined {
			return nil
		}
		v := say("The next request was sent into a connection that the %d closes.", c.Final.Status)
		switch {
		case pipelined:
			v = say("The %d closes the connection on which the next request was on its way already.", c.Final.Status)
			v.Severity = new(analysis.Info)
		case !c.Final.CloseOption():
			v = say("The next request was sent into a connection that the server had ended.")
		}
		v.Evidence, v.Confidence = []reassembly.Mark{c.Final.First, c.NextFirst}, ifSure(sure)
		return v
	},
})
