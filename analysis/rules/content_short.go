package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "content-short", Title: "Chunked body ended early", Since: "0.1",
	Explain: `The client had a refusal before its chunked body was over, sent no more content, and ended the body with the last
chunk. Content of unknown length can be ended at any time, so the message is complete and the connection stays in step: RFC 2616,
Section 8.2.2 told clients to do just that, RFC 9112, Section 9.3 only asks for a complete message. It is the one way to
stop an upload and keep the connection. What the client had planned to send is not known, so this is likely, never certain. If the server
takes what it got for the whole upload after all, it holds a shortened one; with a final status of 300 or above it should not.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.3"}},
	On:      analysis.TraitEarlyFinal | analysis.TraitRejected,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Check: func(c *analysis.Case) *analysis.Verdict {
		b := &c.ReqBody
		if !c.Rejected() || b.Framing != analysis.FramingChunked || !b.Complete || b.Tail > 0 {
			return nil
		}
		knew, sure := analysis.Knew(b.End, c.Final)
		if !knew || !sure {
			return nil
		}
		v := say("Refused with %d, the client ended its chunked body cleanly after %s.", c.Final.Status, amount(c, b.Sent))
		v.Evidence, v.Confidence = []reassembly.Mark{c.Final.Last, b.Last, b.End}, new(analysis.Likely)
		return v
	},
})
