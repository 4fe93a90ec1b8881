package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "response-without-request", Title: "Response nobody asked for", Since: "0.1",
	Explain: `A final response came on the connection while no request was waiting for one. Responses carry no name:
they belong to requests by their order alone (RFC 9112, Section 9.2), so the next request on the connection gets this
answer, and the one after it gets the next one's. On a connection that a proxy shares among users that hands one
user's page to another, and it is what a successful request smuggling looks like from outside: the server took body
bytes for a request of its own. A client that sees it SHOULD close the connection. A 408 on an idle connection, a 400
while a body is owed, and whatever a server sends to a client that has hung up are ordinary and are not told; nor is
it told when the capture has holes or began in mid-connection.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.2", Level: "SHOULD"}},
	Fix:     []analysis.FixKey{"s-update"},
	On:      analysis.TraitOrphan,
	Under:   []string{"body-parsed-as-request"},
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal | analysis.PartRespBody,
	Check:   responseWithoutRequest,
})

func responseWithoutRequest(c *analysis.Case) *analysis.Verdict {
	if c.Conn.Start == reassembly.MidStream || !http1(c) {
		return nil
	}
	owed := c.Owed != nil || c.EarlyFinal() && !c.ReqBody.Complete
	var ms []*analysis.Message
	for _, m := range strays(c, false) {
		if m.Status != 408 && !(owed && m.Status == 400) {
			ms = append(ms, m)
		}
	}
	if len(ms) == 0 {
		return nil
	}
	v := say("A %d came that answers no request, %s after the %d that answered the last one.",
		ms[0].Status, span(ms[0].First.Time-c.Final.Last.Time), c.Final.Status)
	v.Evidence = answeredAlone(c, ms)
	return v
}
