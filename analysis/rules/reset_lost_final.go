package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "reset-lost-final", Title: "Reset may have lost the answer", Since: "0.1",
	Explain: `The server answered while the client was still sending, then reset the connection, and the client's host never
acknowledged the whole answer. Data that arrives at a closed socket makes the system reset the connection, and a reset throws away
what the other side has received and not read: the user sees "connection reset" or "broken pipe" instead of the refusal
and its reason, and uploads again. That is why a server closes in stages: the writing side first, and it
reads on until the client has closed or a time has passed (RFC 9112, Section 9.6; "lingering close"). With Expect and a client that waits
for the answer the problem does not arise.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.6"}},
	Fix:     []analysis.FixKey{"s-linger"},
	On:      analysis.TraitExpect | analysis.TraitEarlyFinal,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal | analysis.PartRespBody | analysis.PartEnding,
	Check: func(c *analysis.Case) *analysis.Verdict {
		end := c.End(c.ServerDir())
		if c.Final == nil || !announced(c) || end.How != reassembly.RST || !end.Sender || end.Acked == reassembly.NoAck || !before(c.Final.First, end.At) {
			return nil
		}
		last := c.Final.Last
		if c.RespBody.Last.Off > last.Off {
			last = c.RespBody.Last
		}
		sending := c.ReqBody.Sent > 0 && before(c.Final.First, c.ReqBody.Last)
		if !sending || end.Acked >= last.Off || c.NextFirst.Packet != 0 {
			return nil
		}
		v := say("The server reset the connection %s after its %d, which the client had not received whole: the answer may never have reached the program.",
			span(end.At.Time-c.Final.First.Time), c.Final.Status)
		v.Evidence = []reassembly.Mark{c.Final.First, c.ReqBody.Last, end.At}
		return v
	},
})
