package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "h2-short-stream", Title: "Stream shorter than its length", Since: "0.1",
	Explain: `The client ended its request on HTTP/2 with END_STREAM, and what it had sent is not what content-length
said. Such a request is malformed (RFC 9113, Section 8.1.1); a server treats it as a stream error. A proxy that speaks
HTTP/1.1 to the server behind it and does not check leaves a request there whose body is short: that server waits, or
takes the next request for the rest. Who was refused and does not want to send the body resets the stream instead,
with RST_STREAM; nobody has to close a connection for that. Likely reasons are a file that changed while it was read,
and a library that ends the stream where it should reset it. Not said when content is missing from the capture.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9113, Section: "8.1.1", Level: "MUST"}},
	On:      analysis.TraitFraming,
	Reads:   analysis.PartRequest | analysis.PartReqBody,
	Check: func(c *analysis.Case) *analysis.Verdict {
		if !c.ShortStream() || blind(c, analysis.PartReqBody) {
			return nil
		}
		missing := c.N() - c.ReqBody.Sent
		v := say("The stream ended %s short of its content-length of %s.", size(missing), size(c.N()))
		if missing < 0 {
			v = say("The stream carried %s more than its content-length of %s.", size(-missing), size(c.N()))
		}
		v.Evidence = []reassembly.Mark{c.Request.Last, c.ReqBody.Last, c.ReqBody.End}
		return v
	},
})
