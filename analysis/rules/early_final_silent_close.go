package rules

import (
	"time"

	"expectscope/analysis"
)

var _ = rule(analysis.Rule{
	ID: "early-final-silent-close", Title: "Silent hang-up", Since: "0.1",
	Explain: `The server answered before it had the whole body, did not say Connection: close, and closed or reset the
connection within two seconds. A server that intends to close SHOULD say so in its last response (RFC 9112, Section
9.6). The client believes it can go on: it sends the rest of the body, or its next request, into a connection that is
going away, gets a reset, and may lose the answer it had not read yet; a request that meets the hang-up must be
repeated, which is safe only for idempotent ones. nginx as a proxy, Squid, Tomcat and Varnish (on 417) do it. Nothing
is lost with the close announced.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.6", Level: "SHOULD"}},
	Fix:     []analysis.FixKey{"s-close"},
	On:      analysis.TraitEarlyFinal,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Check: func(c *analysis.Case) *analysis.Verdict {
		if !leftOpen(c) {
			return nil
		}
		end, gone := silentEnd(c)
		if !gone {
			return nil
		}
		after := "at once"
		if ns := end.At.Time - c.Final.Last.Time; ns >= int64(time.Millisecond) {
			after = span(ns) + " later"
		}
		v := say("%s with %d, and the server hung up %s without having said close.", answered(c), c.Final.Status, after)
		v.Evidence, v.Confidence = early(c, analysis.PartReqBody|analysis.PartEnding)
		v.Evidence = append(v.Evidence, end.At)
		return v
	},
})
