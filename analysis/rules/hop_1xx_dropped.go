package rules

import (
	"slices"

	"expectscope/analysis"
)

var _ = rule(analysis.Rule{
	ID: "hop-1xx-dropped", Title: "Proxy dropped a 1xx", Since: "0.1",
	Explain: `The origin sent an interim response and the client never got it: the proxy kept it. A proxy must forward 1xx responses unless it
asked for them itself, as one that adds Expect does (RFC 9110, Section 15.2), or the client speaks HTTP/1.0. When it is the 100 to the client's own
Expect, the client waits until its patience ends, a second with most, and then sends all the same; when it is 103 (Early Hints), only the hints are
lost. Nothing is said when the proxy had said 100 itself, or the final status already. Where the client had begun to send by then, little was
lost, and it is a notice. Let the proxy forward 1xx, or take Expect off and answer 100 itself.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.2", Level: "MUST"}},
	Fix:     []analysis.FixKey{"p-100"},
	On:      analysis.TraitHop,
	Reads:   analysis.PartRequest | analysis.PartInterim | analysis.PartFinal,
	Check:   dropped1xx,
})

func dropped1xx(c *analysis.Case) *analysis.Verdict {
	if c.Hop == nil || c.HTTP10() {
		return nil
	}
	m := keptBack(c)
	if m == nil {
		return nil
	}
	v := say("The %d of %s never reached the client.", m.Status, behind(c))
	if c.ReqBody.Sent > 0 && preceded(c, c.ReqBody.First, m.First) {
		v = say("The %d of %s, which came when the client had begun to send, never reached it.", m.Status, behind(c))
		v.Severity = new(analysis.Notice)
	}
	end := c.Request.Last
	if c.Final != nil {
		end = c.Final.Last
	}
	const reads = analysis.PartRequest | analysis.PartInterim
	return across(c, reads, v, c.Request.Last, c.Hop.Request.Last, m.Last, end)
}

// keptBack is the first interim response of the origin that the proxy should have forwarded and did not, nil if none.
func keptBack(c *analysis.Case) *analysis.Message {
	for i := range c.Hop.Interim {
		m := &c.Hop.Interim[i]
		asked := hasExpect(c.Hop) && !hasExpect(c.Exchange)
		switch {
		case m.Status == 100 && asked:
		case c.Final != nil && preceded(c, c.Final.First, m.First):
		case slices.ContainsFunc(c.Interim, func(d analysis.Message) bool { return d.Status == m.Status }):
		default:
			return m
		}
	}
	return nil
}
