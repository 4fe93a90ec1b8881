package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "body-withheld-close", Title: "Clean stop", Since: "0.1",
	Explain: `The server refused, and the client stopped: it did not send the rest of the body, and it ended the
connection instead of using it again. That is right: a client that does not send a body it announced leaves its
message incomplete, and the connection cannot carry another request (RFC 9112, Section 9.3). It costs a new connection
for the next request; a server that wants to spare that has to read the body. Nothing is to be mended.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.3"}},
	On:      analysis.TraitRejected,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal | analysis.PartEnding,
	Check:   bodyWithheldClose,
})

func bodyWithheldClose(c *analysis.Case) *analysis.Verdict {
	end, left := hungUp(c, c.Client)
	if !c.Rejected() || !announced(c) || c.ReqBody.Complete || c.N() == 0 || c.Owed != nil || c.NextFirst.Packet != 0 || !left {
		return nil
	}
	after := end.At.Time - c.Final.Last.Time
	if knew, _ := analysis.Knew(end.At, c.Final); !knew || after > analysis.CloseWait {
		return nil
	}
	v := say("Correct: refused with %d, the client sent no body and ended the connection.", c.Final.Status)
	switch unsent, known := c.Unsent(); {
	case c.ReqBody.Sent > 0 && known:
		v = say("Correct: refused with %d, the client kept the last %s of its body and ended the connection.", c.Final.Status, size(unsent))
	case c.ReqBody.Sent > 0:
		v = say("Correct: refused with %d, the client broke off its chunked body and ended the connection.", c.Final.Status)
	}
	v.Evidence = []reassembly.Mark{c.Final.First, end.At}
	return v
}
