package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "101-on-h2", Title: "101 on HTTP/2", Since: "0.1",
	Explain: `The server answered 101 (Switching Protocols) on a stream of HTTP/2, which has neither the Upgrade field
nor the 101 (RFC 9113, Section 8.6): one stream of many cannot switch the connection's protocol. The client treats the
response as malformed or waits for a final one that does not come. It is the mark of a proxy that passes an HTTP/1.1
upstream's 101 on; what is meant needs extended CONNECT (RFC 8441), or HTTP/1.1 on that route.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9113, Section: "8.6"}},
	Fix:     []analysis.FixKey{"s-update"},
	On:      analysis.TraitInterim,
	Reads:   analysis.PartInterim,
	Check: func(c *analysis.Case) *analysis.Verdict {
		for i := range c.Interim {
			if m := &c.Interim[i]; m.Status == 101 && m.Version == "HTTP/2" {
				v := say("The server answered the %s with 101 on stream %d: a stream cannot switch protocols.", quotable(c.Request.Method), c.StreamID)
				v.Evidence = []reassembly.Mark{c.Request.Last, m.First}
				return v
			}
		}
		return nil
	},
})
