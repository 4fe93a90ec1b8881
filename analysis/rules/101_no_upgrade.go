package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "101-no-upgrade", Title: "Unasked protocol switch", Since: "0.1",
	Explain: `The server answered 101 (Switching Protocols), but the request has no Upgrade field. A server MUST NOT
switch to a protocol the client did not indicate (RFC 9110, Section 7.8). The client goes on in HTTP/1.1, the server
does not, and every byte from here on is read wrongly by one of them; a proxy that turns the connection into a tunnel
at the 101 lets requests pass unseen from then on. It was seen in answers to Expect requests. Not said when the
request head was not captured whole.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "7.8", Level: "MUST NOT"}},
	Fix:     []analysis.FixKey{"s-update"},
	On:      analysis.TraitUpgrade,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Check: func(c *analysis.Case) *analysis.Verdict {
		_, upgrades := c.Request.Get("Upgrade")
		if c.Final == nil || c.Final.Status != 101 || upgrades || cut(c) || !http1(c) {
			return nil
		}
		v := say("The server switched protocols with 101 although the %s has no Upgrade field.", quoted(c.Request.Method))
		v.Evidence = []reassembly.Mark{c.Request.Last, c.Final.First}
		return v
	},
})
