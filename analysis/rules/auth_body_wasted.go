package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "auth-body-wasted", Title: "Body sent on a challenge leg", Since: "0.1",
	Explain: `A request with a body was answered with a challenge, 401 or 407 (RFC 9110, Sections 15.5.2 and 15.5.8), and was sent again with
credentials: the first body was carried for nothing. NTLM and Negotiate need two such legs before the one that counts, so that a body
can cross the network three times. All legs of one row are added up here, on the first that carried body, and only the last is of use. On one connection the
client is right to finish each body: NTLM authenticates the connection, and closing it would begin anew (RFC 9112, Section 9.3). The cure is before: credentials with
the first request, an empty request that fetches the challenge (curl does that for NTLM), or Expect: 100-continue, if the server decides before it says 100.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.5.2"}, {RFC: 9110, Section: "10.1.1"}},
	Fix:     []analysis.FixKey{"c-auth", "c-on"},
	On:      analysis.TraitRejected,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Under:   []string{"waste-rejected", "waste-savable"},
	Check:   authBodyWasted,
})

func authBodyWasted(c *analysis.Case) *analysis.Verdict {
	from, to := stretch(c, analysis.LinkAuth)
	total, first, sure := int64(0), -1, analysis.Certain
	v := &analysis.Verdict{}
	for i := from; i < to; i++ { // the last leg is not wasted by a challenge
		x := c.Legs[i]
		l, next := follow(c.Legs, i, analysis.LinkAuth)
		if sure = min(sure, l.Confidence); x.ReqBody.Sent == 0 {
			continue
		}
		if total += x.ReqBody.Sent; first < 0 {
			first = i
		}
		v.Related = append(v.Related, next.ID)
		v.Evidence = append(v.Evidence, x.Request.Last, x.ReqBody.Last, x.Final.Last)
	}
	if total <= analysis.WasteNotice || first != c.Leg {
		return nil
	}
	last := c.Legs[to]
	v.Evidence = append(v.Evidence, []reassembly.Mark{last.Request.Last}...)
	if n := len(v.Related); n == 1 {
		v.Summary = say("The %d to this request made the client send its body again: %s were carried for a challenge.", c.Final.Status, amount(c, total)).Summary
	} else {
		v.Summary = say("%d requests of one authentication carried %s of body, each refused with %d; only the last one counts.", n, amount(c, total), c.Final.Status).Summary
	}
	v.Wasted, v.Confidence = total, new(sure)
	if !plain(c.Exchange) {
		v.Fix = []analysis.FixKey{"c-auth"}
	}
	return v
}
