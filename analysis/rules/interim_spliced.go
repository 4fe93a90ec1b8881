package rules

import (
	"strings"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "interim-spliced", Title: "1xx text inside a final head", Since: "0.1",
	Explain: `The head of the final response contains the text of another response's first line, such as "HTTP/1.1 100
Contin", in the middle. A status line stands at the start of a message and nowhere else (RFC 9112, Section 2.2). Seen
in the wild: a proxy wrote its 100 into a buffer in which another response was being built, and the piece behind "100
Contin" was not the rest of that line but whatever lay in memory, so heads of other users' responses leaked. Treat the
capture itself as sensitive. Where the text is only part of a field's value, it may have been put there on purpose,
and this is only likely.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "2.2"}},
	Fix:     []analysis.FixKey{"s-update"},
	On:      analysis.TraitExpect | analysis.TraitInterim | analysis.TraitRejected,
	Reads:   analysis.PartFinal,
	Check:   interimSpliced,
})

func interimSpliced(c *analysis.Case) *analysis.Verdict {
	if c.Final == nil || !http1(c) {
		return nil
	}
	_, fields, _ := strings.Cut(c.Final.Head, "\n")
	for line := range strings.SplitSeq(fields, "\n") {
		statusLine := strings.HasPrefix(line, "HTTP/1.") || strings.Contains(line, "HTTP/1.1 100 Contin")
		if !statusLine && !strings.Contains(line, "100 Contin") {
			continue
		}
		v := say("Another response's text stands inside the head of the %d: a 100 was written into it, which may disclose memory.", c.Final.Status)
		v.Evidence, v.Confidence = []reassembly.Mark{c.Final.First, c.Final.Last}, ifSure(statusLine)
		return v
	}
	return nil
}
