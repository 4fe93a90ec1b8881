package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "close-promised-not-done", Title: "Announced close not done", Since: "0.1",
	Explain: `The answer says Connection: close, it was sent whole, and for more than two seconds the server did not end the
connection. A server that sends the close option MUST initiate the closure (RFC 9112, Section 9.6). Usually it waits for
the rest of a body that the client, told to stop, will never send: Go 1.26 holds such a connection for seconds until a
time-out ends it. A client that waits for the end in order to know that it may go on waits too, and each held connection costs
the server a place. Certain when the connection was seen to end later; inconclusive when the capture shows no end of it.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.6", Level: "MUST"}},
	Fix:     []analysis.FixKey{"s-log"},
	On:      analysis.TraitExpect | analysis.TraitEarlyFinal,
	Reads:   analysis.PartFinal | analysis.PartRespBody | analysis.PartEnding,
	Check: func(c *analysis.Case) *analysis.Verdict {
		if c.Final == nil || !c.Final.CloseOption() || c.Final.Status == 101 || !http1(c) || c.NextFirst.Packet != 0 {
			return nil
		}
		until, yes, sure := stayed(c)
		if !yes {
			return nil
		}
		v := say("The %d announces close, but the server kept the connection for %s.", c.Final.Status, lasted(c, until))
		v.Evidence, v.Confidence = []reassembly.Mark{c.Final.First, c.RespBody.End, until}, new(sure)
		return v
	},
})
