package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "hop-417-own", Title: "Proxy refused", Since: "0.1",
	Explain: `The client got a 417 (Expectation Failed), and no 417 came from behind the proxy: it was the proxy that refused, and what has to be
changed is there. Either it passed the request on all the same and was given another answer or none, or it is seen to pass other requests on and
this one was not among them; of that the capture can only say that it shows none. RFC 2616, Section 8.2.3 made this a duty of a proxy that knows its next hop to speak HTTP/1.0; RFC 9110,
Section 10.1.1 knows no such duty, and has it answer 100 there. Old proxies and rules in the configuration are the usual cause.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1"}, {RFC: 2616, Section: "8.2.3", Level: "MUST"}},
	Fix:     []analysis.FixKey{"p-100"},
	On:      analysis.TraitRefused,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Check:   own417,
})

func own417(c *analysis.Case) *analysis.Verdict {
	switch {
	case !refusedExchange(c.Exchange):
		return nil
	case c.Hop == nil && c.Forwards:
		v := say("%s refused: it passes requests on, and none like this one was seen behind it.", theProxy(c))
		v.Confidence, v.Evidence = new(analysis.Likely), []reassembly.Mark{c.Request.Last, c.Final.Last}
		return v
	case c.Hop == nil || refusedExchange(c.Hop):
		return nil
	}
	marks := []reassembly.Mark{c.Request.Last, c.Hop.Request.Last, c.Final.Last}
	v := say("%s refused; %s did not answer.", theProxy(c), behind(c))
	if f := c.Hop.Final; f != nil {
		v = say("%s refused, not the origin: %s answered %d.", theProxy(c), behind(c), f.Status)
		marks = append(marks, f.Last)
	}
	return across(c, analysis.PartRequest|analysis.PartFinal, v, marks...)
}
