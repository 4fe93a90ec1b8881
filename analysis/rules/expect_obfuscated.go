package rules

import (
	"slices"
	"strings"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-obfuscated", Title: "Disguised 100-continue", Since: "0.1",
	Explain: `The Expect field contains 100-continue, but not as the plain value every server reads alike: something
stands before or behind it, it is quoted, folded over two lines, one of a list, or has a parameter. Servers disagree
whether that asks for a 100: of eight tested, "y 100-continue" is taken for it by two, refused with 417 by four and
ignored by two. Where a proxy and the server behind it disagree, one waits for a body while the other waits for a
request: the way in for request smuggling (the 0.CL and CL.0 attacks published in 2025 used just these values, and so
do the scanners). A list is valid by RFC 9110's grammar and a sender MUST NOT fold a field line (RFC 9112, Section
5.2). An honest client has no reason for any of it. With GET, HEAD or OPTIONS, which need no body, it is the shape of
the attack. It says nothing about success.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1"}, {RFC: 9112, Section: "5.2", Level: "MUST NOT"}},
	Fix:     []analysis.FixKey{"s-strict"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest,
	Check:   expectObfuscated,
})

func expectObfuscated(c *analysis.Case) *analysis.Verdict {
	if class := c.Request.ExpectClass(); class != analysis.ObfuscatedExpect && class != analysis.ListExpect {
		return nil
	}
	value, _ := c.Request.Expect()
	v := say("Expect: %s contains 100-continue in disguise (%s): servers disagree what it means, a smuggling technique.",
		quoted(value), disguise(&c.Request))
	v.Evidence = []reassembly.Mark{c.Request.Last}
	if slices.Contains([]string{"GET", "HEAD", "OPTIONS"}, c.Request.Method) || requestInside(c) && !perhapsNext(c) && !blind(c, analysis.PartInterim|analysis.PartFinal) {
		v.Severity = new(analysis.Error)
	}
	return v
}

// disguise names what keeps the Expect field from being plain, the least innocent first.
func disguise(m *analysis.Message) string {
	value, _ := m.Expect()
	spaced := slices.ContainsFunc(m.Fields, func(f analysis.Field) bool { return f.Spaced && strings.EqualFold(f.Name, "Expect") })
	control := func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f }
	lead, tail, whole := strings.Cut(strings.ToLower(value), "100-continue")
	lead, tail = strings.TrimRight(lead, " \t"), strings.TrimLeft(tail, " \t")
	switch {
	case strings.Contains(value, "\n"):
		return "folded line"
	case spaced:
		return "space before the colon"
	case strings.ContainsFunc(value, control):
		return "control character"
	case len(m.Values("Expect")) > 1:
		return "several lines"
	case strings.ContainsAny(value, `"'\`):
		return "quoted"
	case strings.Contains(value, ","):
		return "list"
	case strings.HasPrefix(tail, ";"):
		return "parameter"
	case strings.HasPrefix(tail, "="):
		return "value"
	case whole && lead != "":
		return "prefix"
	case whole:
		return "suffix"
	}
	return "inner white space"
}
