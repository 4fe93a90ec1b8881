package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "tail-obliged", Title: "Body finished because the refusal kept the connection", Since: "0.1",
	Explain: `The server refused the request but left the connection open, and the client then sent the body, knowing that nobody wants it. It is the
legal way on: on a connection that stays open the announced message has to be completed before the next one (RFC 9112, Section 9.3), and
stopping short breaks the framing. Go does this for every such refusal, .NET for small bodies and for NTLM. So the bytes are wasted, but the
server can save them: a refusal that says Connection: close lets the client stop at once. For a login that is tied to the
connection (NTLM, Negotiate) closing is no choice; there sending credentials first helps.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.3"}},
	Fix:     []analysis.FixKey{"s-close"},
	On:      analysis.TraitRejected,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Under:   []string{"waste-rejected"},
	Check:   tailObliged,
})

func tailObliged(c *analysis.Case) *analysis.Verdict {
	b := &c.ReqBody
	if !c.Rejected() || b.Tail == 0 || !obliged(c) {
		return nil
	}
	v := say("The client sent %s of body after the refusal (%d), because that kept the connection open.", amount(c, b.Tail), c.Final.Status)
	if b.Complete {
		v = say("The client finished the body, %s, after the refusal (%d), because that kept the connection open.", amount(c, b.Tail), c.Final.Status)
	}
	v.Wasted, v.Confidence, v.Evidence = b.Tail, split(c), []reassembly.Mark{c.Final.Last, b.Last}
	return v
}
