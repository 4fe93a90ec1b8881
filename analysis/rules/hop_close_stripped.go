package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "hop-close-stripped", Title: "Proxy hid the close", Since: "0.1",
	Explain: `The origin refused before it had the body and announced that it closes the connection, which tells its client to stop. The proxy passed the
status on without the close. That is legal, for Connection speaks of one hop (RFC 9110, Section 7.6.1), and the proxy may mean to read the rest. But the
client still owes the body it announced (RFC 9112, Section 9.3): one that is well-behaved sends all of it for nothing, and one that
goes on with the connection without doing so desynchronises it. HAProxy, squid and Traffic Server do this. See
early-final-no-close, which is what the client sees of it.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.6"}, {RFC: 9110, Section: "7.6.1"}},
	Fix:     []analysis.FixKey{"s-close"},
	On:      analysis.TraitHop,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Under:   []string{"early-final-no-close"},
	Check:   closeStripped,
})

func closeStripped(c *analysis.Case) *analysis.Verdict {
	if c.Hop == nil || c.Final == nil || c.Hop.Final == nil || c.Final.Status != c.Hop.Final.Status {
		return nil
	}
	if !c.Hop.Final.Close || !c.Hop.EarlyFinal() || !leftOpen(c) {
		return nil
	}
	v := say("%s passed the %d of %s on without its close: the client still owes %s.", theProxy(c), c.Final.Status, behind(c), owedAtFinal(c))
	if _, v.Confidence = early(c, analysis.PartReqBody); v.Confidence == nil {
		_, v.Confidence = early(&analysis.Case{Exchange: c.Hop}, analysis.PartReqBody)
	}
	return across(c, analysis.PartRequest|analysis.PartFinal, v, c.Request.Last, c.Hop.Final.First, c.Final.First)
}
