package rules

import (
	"time"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "late-100", Title: "Slow 100 Continue", Since: "0.1",
	Explain: `The server did say 100 (Continue), and the client was still waiting for it, but it took longer than 200
ms and three round trips, with the network's share taken off. A 100 is to be sent immediately (RFC 9110, Section
10.1.1): it needs the request head and nothing else. Every upload through this server pays the delay before its first
byte, and a client that waits only 350 ms or 1 s will soon send the body uninvited. Common reasons are a proxy that
has to reach the origin first, Nagle's algorithm meeting a delayed ACK (about 40 or 200 ms), a busy accept queue, and
authentication that runs before the 100. It is not said when a segment of the head was retransmitted first: then the
network was late; and it is certain only when the server had acknowledged the head that long before.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MUST"}},
	Fix:     []analysis.FixKey{"s-100"},
	On:      analysis.TraitInterim,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartInterim | analysis.PartTiming,
	Check:   late100,
})

func late100(c *analysis.Case) *analysis.Verdict {
	m := c.Continue()
	if m == nil || !awaits(c) || c.HeadResent {
		return nil
	}
	took, known := thinking(c, m)
	rtt, _ := c.Conn.RTT()
	waited, sure := analysis.Knew(c.ReqBody.First, m)
	if took <= max(analysis.LateContinue, 3*rtt) || c.ReqBody.Sent > 0 && !waited {
		return nil
	}
	v := say("The 100 took %s: that long the server had the request head and the client waited.", span(took))
	v.Lost, v.Evidence = time.Duration(took), []reassembly.Mark{c.Request.Last, m.First}
	v.Confidence = ifSure(known && measured(c) && idled(c, m.First) && (sure || c.ReqBody.Sent == 0))
	return v
}
