package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "417-by-size", Title: "A size limit disguised as 417", Since: "0.1",
	Explain: `Comparable requests of one client to one authority, with the same method, to the same folder and with Expect: 100-continue, were
accepted and refused with 417 in turn, and every refused one announced a longer body than every accepted one. That is a limit on the length, and the
status for it is 413 (Content Too Large; RFC 9110, Section 15.5.14): 417 speaks of the Expect field (Section 15.5.18), so the client repeats the upload
without it, carries the whole body, and is refused again, or gives up an upload that in parts would have passed. The limit lies between the two lengths given. A large body that
the server took without Expect refutes it, and then nothing is said. It takes two of either kind and is never certain, as length may go along with something else. It is said once, on the refusal
that completes the pattern.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.5.18"}, {RFC: 9110, Section: "15.5.14"}},
	Fix:     []analysis.FixKey{"s-size", "c-split"},
	On:      analysis.TraitSubject,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Check:   bySize417,
})

func bySize417(c *analysis.Case) *analysis.Verdict {
	a := c.Peers.Answers
	if a == nil || !a.BySize() {
		return nil
	}
	v := say("Only large bodies are refused with 417: %d up to %s were accepted, %d from %s on refused%s.",
		a.Accepted, size(a.LargestAccepted), a.Refused, size(a.SmallestRefused), withHops(a))
	v.Confidence = new(analysis.Likely)
	return pattern(c, v)
}
