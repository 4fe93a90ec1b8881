package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-pipelined", Title: "Pipelining behind Expect", Since: "0.1",
	Explain: `The client sent its next request on the connection before it had the final answer to one with Expect.
Pipelining is allowed, but after a method that is not idempotent a client SHOULD NOT do it (RFC 9112, Section 9.3.2), and
behind an open expectation it is a gamble: when the server refuses, it may close, and the queued request is lost or has to be
repeated; when it answers early and reads on, client and server must agree to the byte where the next request begins. It is no
smuggling by itself: two requests, two answers. Proxies have been crashed and confused by two Expect heads in one packet, so it is
also what an auditor sends.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.3.2", Level: "SHOULD NOT"}},
	Fix:     []analysis.FixKey{"c-final"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Check: func(c *analysis.Case) *analysis.Verdict {
		class := c.Request.ExpectClass()
		if class == analysis.EmptyExpect || c.NextFirst.Packet == 0 || c.Owed != nil || !http1(c) || !c.ReqBody.Complete {
			return nil
		}
		knew, sure := analysis.Knew(c.NextFirst, c.Final)
		if knew {
			return nil
		}
		v := say("The next request was queued behind an open expectation, before the final answer to it.")
		v.Evidence, v.Confidence = []reassembly.Mark{c.Request.Last, c.NextFirst}, ifSure(sure)
		if c.Final != nil {
			v.Evidence = append(v.Evidence, c.Final.First)
		}
		return v
	},
})
