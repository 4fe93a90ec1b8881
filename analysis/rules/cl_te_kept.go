package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "cl-te-kept", Title: "Connection kept after CL+TE", Since: "0.1",
	Explain: `The server answered a request that has both a Content-Length and a Transfer-Encoding field, did not say
close, and the connection went on. It MUST close after responding to such a request, however it read it (RFC 9112, Section
6.1): if another hop read the other length, whatever comes next on the connection is out of step. Squid 5.7, h2o 2.2.5 and Go
1.26 kept the connection when tested; nginx, lighttpd and Varnish refuse with 400, Apache and HAProxy close; libsoup had it as
CVE-2026-1760. Certain when the next request was answered on it or it was seen to end only later; inconclusive when no end of it was seen.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "6.1", Level: "MUST"}},
	Fix:     []analysis.FixKey{"s-strict", "s-update"},
	On:      analysis.TraitFraming,
	Reads:   analysis.PartRequest | analysis.PartFinal | analysis.PartRespBody | analysis.PartEnding,
	Under:   []string{"cl-te"},
	Check: func(c *analysis.Case) *analysis.Verdict {
		if !c.Request.TwoLengths() || !http1(c) || c.HTTP10() || c.Final == nil || c.Final.Close || c.Request.Close || c.Final.Status == 101 {
			return nil
		}
		until, yes, sure := stayed(c)
		if !yes {
			return nil
		}
		v := say("The server answered a request with two lengths (%d) and kept the connection for %s.", c.Final.Status, lasted(c, until))
		v.Evidence, v.Confidence = []reassembly.Mark{c.Request.Last, c.Final.First, until}, new(sure)
		return v
	},
})
