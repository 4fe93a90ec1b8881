package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "early-final-no-close", Title: "Early refusal, connection left open", Since: "0.1",
	Explain: `The server answered before it had the whole body and did not say Connection: close. A server that
answers early SHOULD say whether it will close or go on reading (RFC 9110, Section 10.1.1); saying nothing means the
connection stays (RFC 9112, Section 9.3), and then the rest of the body is still owed on it. The client has three bad
choices: send the refused body all the same (Go does: pure waste), close without being told (curl, mostly), or send
its next request where the body belongs (curl after 417, Java's HttpClient), which a server that counts bytes
swallows. It is the precondition of every desynchronised connection this program finds. nginx on 404 and 405, HAProxy
(which also strips an upstream's close), Squid and aiohttp do it; Apache, lighttpd and Go close. Saying close on every
early refusal ends the matter. After a 2xx it is a notice only. It is certain when the connection is seen
to go on for two seconds, or the client to end it first, and likely when the capture ends too soon for that.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "SHOULD"}, {RFC: 9112, Section: "9.3"}},
	Fix:     []analysis.FixKey{"s-close"},
	On:      analysis.TraitEarlyFinal,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Under:   []string{"body-withheld-reuse"},
	Check: func(c *analysis.Case) *analysis.Verdict {
		if !leftOpen(c) {
			return nil
		}
		if _, gone := silentEnd(c); gone || endUncaptured(c) { // then nothing is expected any more: early-final-silent-close
			return nil
		}
		v := say("%s with %d without close: the connection still expects %s.", answered(c), c.Final.Status, owedAtFinal(c))
		v.Evidence, v.Confidence = early(c, analysis.PartReqBody)
		if v.Confidence == nil {
			v.Confidence = ifSure(keptOpen(c))
		}
		if c.Final.Status < 300 {
			v.Severity = new(analysis.Notice)
		}
		return v
	},
})
