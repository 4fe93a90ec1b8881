package rules

import (
	"strings"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-markup", Title: "Markup in Expect", Since: "0.1",
	Explain: `The Expect field holds markup or a script. No client sends that by mistake: it is a probe for servers that
put the value into their 417 page as it came, so that it runs in a browser (cross-site scripting; Apache httpd before 1.3.35,
2.0.58 and 2.2.2 did, CVE-2006-3918). Scanners still send it. By itself it does no harm to a server that is up to date;
expect-reflected says when the answer repeated it.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1"}},
	Fix:     []analysis.FixKey{"s-update"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest,
	Under:   []string{"expect-reflected"},
	Check: func(c *analysis.Case) *analysis.Verdict {
		value, _ := c.Request.Expect()
		if !analysis.Markup(value) && !strings.Contains(strings.ToLower(value), "script") {
			return nil
		}
		v := say("Expect: %s holds markup: the shape of a cross-site scripting probe.", quoted(value))
		v.Evidence = []reassembly.Mark{c.Request.Last}
		return v
	},
})
