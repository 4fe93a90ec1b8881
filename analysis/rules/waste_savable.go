package rules

import (
	"strings"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "waste-savable", Title: "Expect would have saved this body", Since: "0.1",
	Explain: `A request without Expect carried more than 16 KiB of body and was refused with a status that can be told from the head (a redirect, 401,
403, 404, 413 and the like), or before the server had the body. With Expect: 100-continue the client would have asked first, for one round
trip, and could have kept the body (RFC 9110, Section 10.1.1). The number is an upper bound: a server or proxy that says 100
before it decides would have taken the body all the same. It pays where refusals are frequent or bodies large: with a round trip
of 50 ms at 100 Mbit/s, 10 MiB pay when 6 in 100 are refused, 64 KiB only when 90 are. For 401 and 407, sending the credentials
with the first request is better still.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1"}},
	Fix:     []analysis.FixKey{"c-on"},
	On:      analysis.TraitRejected,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Check:   wasteSavable,
})

func wasteSavable(c *analysis.Case) *analysis.Verdict {
	b := &c.ReqBody
	switch {
	case !c.FromHead() || !plain(c.Exchange) || b.Sent <= analysis.WasteNotice:
		return nil
	case c.HTTP10() || c.Final.Status == 417 || c.RetryOf != "": // Expect means nothing there, or was tried and refused
		return nil
	case cut(c):
		return nil
	}
	rtt, _ := c.Conn.RTT()
	price := "one round trip"
	if rtt > 0 {
		price += " of " + span(rtt)
	}
	v := say("Expect would have avoided up to %s of body here, refused with %d, for %s.", amount(c, b.Sent), c.Final.Status, price)
	if !c.EarlyFinal() {
		v.Confidence = new(analysis.Likely)
	} else if !byAck(c) {
		v.Confidence = new(analysis.Inconclusive)
	}
	if s := c.Final.Status; s == 401 || s == 407 {
		v.Fix = []analysis.FixKey{"c-auth", "c-on"}
	}
	if c.Front != nil && hasExpect(c.Front) {
		v.Summary = strings.TrimSuffix(v.Summary, ".") + "; the client in front of the proxy did ask."
		v.Fault, v.Fix, v.Related = []analysis.Fault{analysis.FaultIntermediary}, []analysis.FixKey{"s-late100"}, []string{c.Front.ID}
	}
	v.Wasted, v.Evidence = b.Sent, []reassembly.Mark{c.Request.Last, c.Final.Last}
	return v
}
