package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "body-after-close", Title: "Body into a closing connection", Since: "0.1",
	Explain: `The client's host had received an answer that says Connection: close, or the end of the server's side, and
body bytes went out after that for longer than a round trip, or more than 64 KiB of them. Nobody will read them: a client that sees the server does not want the body SHOULD cease
sending it (RFC 9112, Section 9.5), and to a closed socket they may provoke a reset that destroys the answer before the program
has read it (Section 9.6). Less is not told, because what the system's buffer holds cannot be called back.
After a refusal waste-tail counts the bytes; here belongs what was accepted too.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.5", Level: "SHOULD"}, {RFC: 9112, Section: "9.6"}},
	Fix:     []analysis.FixKey{"c-stop"},
	On:      analysis.TraitExpect | analysis.TraitEarlyFinal,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Under:   []string{"waste-tail"},
	Check: func(c *analysis.Case) *analysis.Verdict {
		if c.ReqBody.Tail == 0 || !announced(c) {
			return nil
		}
		yes, sure := closes(c, c.ReqBody.Last)
		if !yes || unavoidable(c) {
			return nil
		}
		amount, why := amount(c, c.ReqBody.Tail), "that closes the connection"
		if !c.Final.CloseOption() {
			amount, why = "body", "and after the server had hung up"
		}
		v := say("The client sent %s after the %d %s.", amount, c.Final.Status, why)
		v.Evidence, v.Confidence = []reassembly.Mark{c.Final.Last, c.ReqBody.Last}, ifSure(sure)
		return v
	},
})
