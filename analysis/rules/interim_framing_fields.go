package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "interim-framing-fields", Title: "Length fields in a 1xx", Since: "0.1",
	Explain: `An interim response carries Content-Length or Transfer-Encoding. It has no content, so a server MUST NOT
send either (RFC 9110, Section 8.6; RFC 9112, Section 6.1). A parser that follows the rules ends the 1xx at its empty
line; one that believes the field takes the bytes behind it, which are the real response, for content. Two such
parsers on one path split the stream in different places, which is how responses get mixed up or smuggled (nginx issue
1427, libhtp). Mostly an application wrote the 1xx by hand through an interface made for final responses.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "8.6", Level: "MUST NOT"}, {RFC: 9112, Section: "6.1", Level: "MUST NOT"}},
	Fix:     []analysis.FixKey{"s-update"},
	On:      analysis.TraitInterim | analysis.TraitUpgrade,
	Reads:   analysis.PartInterim,
	Check:   interimFramingFields,
})

func interimFramingFields(c *analysis.Case) *analysis.Verdict {
	for _, m := range informational(c) {
		for _, name := range []string{"Content-Length", "Transfer-Encoding"} {
			value, ok := m.Get(name)
			if !ok {
				continue
			}
			v := say("A %d carries %s: %s: parsers that believe it will split the stream elsewhere.", m.Status, name, quoted(value))
			v.Evidence = []reassembly.Mark{m.First}
			return v
		}
	}
	return nil
}
