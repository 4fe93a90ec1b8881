package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-duplicate", Title: "Repeated Expect lines", Since: "0.1",
	Explain: `The request has more than one Expect line. Since RFC 9110 the field is a list, and its lines may be
joined (Section 5.3); under RFC 7231 a sender MUST NOT repeat it. Servers pick differently even when the lines are
equal: nginx answers 400, Squid and Apache 417, lighttpd ignores them, others say 100, and of two different lines some
read the first, some both. Mostly the program sets Expect by hand and its HTTP library adds its own. If it is not the
program, take it for a probe: such differences between proxy and server are what request smuggling is made of.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "5.3"}, {RFC: 7230, Section: "3.2.2", Level: "MUST NOT"}},
	Fix:     []analysis.FixKey{"c-off"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest,
	Under:   []string{"expect-obfuscated"},
	Check: func(c *analysis.Case) *analysis.Verdict {
		lines := c.Request.Values("Expect")
		if len(lines) < 2 {
			return nil
		}
		value, _ := c.Request.Expect()
		v := say("%s in one request (%s): every server picks differently.", counted(len(lines), "Expect line"), quoted(value))
		v.Evidence = []reassembly.Mark{c.Request.Last}
		return v
	},
})
