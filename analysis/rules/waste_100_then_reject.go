package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "waste-100-then-reject", Title: "Body invited, then refused", Since: "0.1",
	Explain: `The server said 100 (Continue), the client sent the body as invited, and then the request was refused for a reason that stood in its
head: no right, no such target, too large. The 100 is for the case that the head does not suffice; where the final status can be told from
the head, RFC 9110, Section 10.1.1 wants it at once. The whole upload was for nothing. It is the default of nginx, lighttpd, Varnish
and h2o in front of an application: the proxy says 100 itself before it has asked the application, so Expect protects nobody. Statuses
that may need the content (400, 409, 422, 5xx and the like) are not blamed, unless they came before the body had arrived.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MUST"}},
	Fix:     []analysis.FixKey{"s-late100"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartInterim | analysis.PartFinal,
	Under:   []string{"waste-rejected"},
	Check:   waste100ThenReject,
})

func waste100ThenReject(c *analysis.Case) *analysis.Verdict {
	b, m := &c.ReqBody, c.Continue()
	if !wasted(c) || m == nil || b.Invited == 0 || !c.FromHead() {
		return nil
	}
	v := say("The server asked for the body and %s later refused by the headers alone, with %d.", amount(c, b.Invited), c.Final.Status)
	if !analysis.HeadStatus(c.Final.Status) {
		v = say("The server asked for the body and %s later, before it had all of it, refused with %d.", amount(c, b.Invited), c.Final.Status)
	}
	if b.Invited >= analysis.WasteWarning {
		v.Severity = new(analysis.Warning)
	}
	v.Wasted, v.Confidence, v.Evidence = b.Invited, split(c), []reassembly.Mark{m.First, b.First, c.Final.Last}
	return v
}
