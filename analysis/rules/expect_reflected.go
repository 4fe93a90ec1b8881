package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-reflected", Title: "Expect echoed in the error page", Since: "0.1",
	Explain: `The Expect field holds markup, and the content of the 4xx answer repeats it as it came: whoever can make a
browser send such a field makes the page run a script of his (cross-site scripting, CVE-2006-3918 in Apache httpd before
1.3.35, 2.0.58 and 2.2.2, CVE-2007-5944 in another server). A server that shows a received value in a page has to escape it for that page.
Only the first 4 KiB of the answer are looked at, and not through compression, so silence proves nothing.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.5.18"}},
	Fix:     []analysis.FixKey{"s-update"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Check: func(c *analysis.Case) *analysis.Verdict {
		if c.Sequel().Echo.Packet == 0 || c.Final == nil {
			return nil
		}
		value, _ := c.Request.Expect()
		v := say("The page of the %d repeats the markup of Expect: %s unescaped.", c.Final.Status, quoted(value))
		v.Evidence = []reassembly.Mark{c.Request.Last, c.Final.First, c.Sequel().Echo}
		return v
	},
})
