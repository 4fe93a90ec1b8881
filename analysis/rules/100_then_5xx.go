package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "100-then-5xx", Title: "100, then gateway error", Since: "0.1",
	Explain: `A GET or HEAD with Expect and a body got a 100 (Continue), and then 502 or 504. A status like that comes from a
proxy that got no usable answer from the server behind it: one of the two waited for the body of a request which the other took to have none.
RFC 9110, Section 9.3.1 says why: content has no meaning there, and implementations may refuse or drop it. That they
disagree is what a request smuggling attack looks for (the HEAD deadlock of the 2025 publications), so this is the shape of a probe, or of
an honest client that found the same fault. The backend may also just be down.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "9.3.1"}},
	Fix:     []analysis.FixKey{"s-strict"},
	On:      analysis.TraitInterim,
	Reads:   analysis.PartRequest | analysis.PartInterim | analysis.PartFinal,
	Under:   []string{"expect-bodyless-method"},
	Check: func(c *analysis.Case) *analysis.Verdict {
		method, m := c.Request.Method, c.Continue()
		if m == nil || c.Final == nil || method != "GET" && method != "HEAD" || plain(c.Exchange) || c.N() == 0 {
			return nil
		}
		if c.Final.Status != 502 && c.Final.Status != 504 {
			return nil
		}
		v := say("Asked for the body of a %s, then %d: proxy and origin disagree about a body.", method, c.Final.Status)
		v.Evidence = []reassembly.Mark{c.Request.Last, m.First, c.Final.First}
		return v
	},
})
