package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "body-parsed-as-request", Title: "Body answered as a request", Since: "0.1",
	Explain: `The server answered the request, and then answered once more, when nothing but body bytes of that request had come
from the client: it took the body for a request. A server that answers before it has read the body MUST read the rest of it or
close the connection (RFC 9112, Section 9.3); one that does neither parses upload data as requests. Mostly they are none, and
it answers 400, 405 or 501; when somebody wrote a request into the body, it is carried out, and whatever checks a proxy in front
makes have been passed by (CL.0 request smuggling, realised). From here on every answer on the connection is one too many, so a
later request may get somebody else's. It is certain when the body does begin with a request, likely otherwise. It is not told when the
capture has holes or began in mid-connection.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.3", Level: "MUST"}},
	Fix:     []analysis.FixKey{"s-update", "s-close"},
	On:      analysis.TraitOrphan,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal | analysis.PartRespBody,
	Check: func(c *analysis.Case) *analysis.Verdict {
		m := parsedBody(c)
		if m == nil {
			return nil
		}
		v := say("The server answered body bytes as if they were a request: %d behind the %d.", m.Status, c.Final.Status)
		v.Evidence = []reassembly.Mark{c.ReqBody.First, c.ReqBody.Last, c.Final.First, m.First}
		v.Confidence = ifSure(c.ReqBody.Inner != "" && m.First.Acked != reassembly.NoAck)
		return v
	},
})

// parsedBody is the answer the server gave to body bytes, nil if none is known: one behind the final
// response, from a host that had body bytes then; where the body does not begin with a request, such as it had not when it sent the final one.
func parsedBody(c *analysis.Case) *analysis.Message {
	if c.Conn.Start == reassembly.MidStream || !http1(c) || c.Final == nil || c.ReqBody.Sent == 0 {
		return nil
	}
	for _, m := range strays(c, false) {
		had, _ := c.HadBody(m)
		fresh := c.ReqBody.Inner != "" || m.First.Acked != reassembly.NoAck && m.First.Acked > c.Final.First.Acked
		if m.Status != 408 && had && fresh {
			return m
		}
	}
	return nil
}
