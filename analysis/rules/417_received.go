package rules

import (
	"time"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "417-received", Title: "Expectation refused", Since: "0.1",
	Explain: `The request carried an Expect field and was answered 417 (Expectation Failed): some hop between here and the
origin, or the origin itself, says it cannot meet the expectation (RFC 9110, Section 15.5.18). Nothing is broken yet: the client
is meant to send the request again without Expect. But it cost a round trip at least, and most clients do not repeat:
of those measured only curl does, and only while the connection stays open. Current releases of the common servers refuse
plain 100-continue with 417 only when a rule makes them; an old proxy, an HTTP/1.0 hop, or a size limit
disguised as 417 are the usual sources. Who it was is told as far as the answer gives it away: by its Server and Via fields, and by its TTL and the time it took, held
against other answers from there; each of these can mislead. If every upload to this server is refused, take Expect off at the client or mend the hop.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.5.18"}},
	Fix:     []analysis.FixKey{"c-off", "s-100"},
	On:      analysis.TraitRefused,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Under: []string{
		"body-withheld-reuse", "417-loop", "417-no-retry", "417-retry-still-expects", "417-for-100-continue",
		"417-after-100", "417-late", "417-retry-changed", "417-retry-failed", "417-retry-delayed",
	},
	Check: received417,
})

func received417(c *analysis.Case) *analysis.Verdict {
	if !refused(c) || doubted(c, analysis.PartRequest|analysis.PartFinal, analysis.DoubtGap) {
		return nil
	}
	rtt, _ := c.Conn.RTT()
	cost := "this cost one round trip"
	if rtt > 0 {
		cost += " of " + span(rtt)
	}
	if c.ReqBody.Sent > 0 {
		cost = "this cost " + size(c.ReqBody.Sent) + " of body"
	}
	a := answeredBy(c)
	v := say("%s refused %s with 417%s; %s.", a.who, asked(c), a.aside(), cost)
	v.Fault = a.fault
	v.Lost, v.Evidence = time.Duration(rtt), []reassembly.Mark{c.Request.Last, c.Final.Last}
	return v
}
