package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "h2-early-no-rst", Title: "Early final without RST", Since: "0.1",
	Explain: `The server refused on HTTP/2 before it had the whole body, ended its response, and did not reset the
stream. The refusal is final and the rest of the upload may stop; a server that wants that said MAY send
RST_STREAM(NO_ERROR) behind the response (RFC 9113, Section 8.1), and Go and nghttp2 do. Without it a client may go on to the
end, and everything it sends spends flow-control window of the connection that other streams need. Nothing gets out of
step by it: other streams go on, and no connection has to be closed.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9113, Section: "8.1", Level: "MAY"}},
	On:      analysis.TraitEarlyFinal,
	Reads:   analysis.PartReqBody | analysis.PartFinal | analysis.PartRespBody,
	Check: func(c *analysis.Case) *analysis.Verdict {
		if !c.HTTP2() || !c.Rejected() || !c.EarlyFinal() || !c.RespBody.Complete || c.ResetBy(c.ServerDir()) != nil {
			return nil
		}
		if r := c.ResetBy(c.Client); r != nil { // it was quick enough to need no telling
			if _, sent := c.Wait(); !sent || c.ReqBody.Tail == 0 {
				return nil
			}
		}
		v := say("The %d is final and %s was not read, but nothing told the client to stop.", c.Final.Status, owedAtFinal(c))
		if c.ReqBody.Tail > 0 {
			v = say("The %d is final, but nothing told the client to stop: it sent %s more.", c.Final.Status, size(c.ReqBody.Tail))
		}
		v.Evidence = []reassembly.Mark{c.Final.First, c.RespBody.End, c.ReqBody.Last}
		return v
	},
})
