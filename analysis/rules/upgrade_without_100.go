package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "upgrade-without-100", Title: "101 without the promised 100", Since: "0.1",
	Explain: `The request asked for two things: a 100 (Continue) before its body, and a switch to another protocol.
The server switched with 101 and never said 100. With both fields a server MUST send the 100 before the 101 (RFC 9110,
Section 7.8), because the body still travels in HTTP/1.1, and the new protocol begins behind it. Here the client does
not know whether its body is wanted, and the two may disagree where the new protocol starts: the client's body can be
read as the first bytes of it. Requests that upgrade should carry no body; a server that cannot do both should ignore
Upgrade. Not said when content had already reached the server.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "7.8", Level: "MUST"}},
	Fix:     []analysis.FixKey{"s-update"},
	On:      analysis.TraitUpgrade,
	Reads:   analysis.PartRequest | analysis.PartInterim | analysis.PartFinal,
	Check: func(c *analysis.Case) *analysis.Verdict {
		_, upgrades := c.Request.Get("Upgrade")
		had, sure := c.HadBody(c.Final)
		if c.Final == nil || c.Final.Status != 101 || !upgrades || !awaits(c) || c.Continue() != nil || had {
			return nil
		}
		v := say("The server switched protocols with 101 and skipped the body it had been asked about: no 100 came before.")
		v.Evidence, v.Confidence = []reassembly.Mark{c.Request.Last, c.Final.First}, ifSure(sure)
		return v
	},
})
