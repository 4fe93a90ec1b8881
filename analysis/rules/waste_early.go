package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "waste-early", Title: "Body sent before any answer, refused", Since: "0.1",
	Explain: `The client sent Expect: 100-continue, then more than 16 KiB of body before it had received a 100 or a final response, and the request
was refused. It may do so after a while (RFC 9110, Section 10.1.1: the client MAY proceed), so nobody broke a rule, but the bytes were
spent for nothing. Either the client does not wait at all (expect-no-wait), or it waited and the server stayed silent too long (no-100,
expect-timeout, late-100): those findings say which. The right cure is a server that answers at once; a longer time-out in the client helps where it is slow.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MAY"}},
	Fix:     []analysis.FixKey{"c-wait", "s-100"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartInterim | analysis.PartFinal,
	Under:   []string{"waste-rejected"},
	Check:   wasteEarly,
})

func wasteEarly(c *analysis.Case) *analysis.Verdict {
	b := &c.ReqBody
	if !wasted(c) || b.Early <= analysis.WasteNotice {
		return nil
	}
	v := say("%s of body were sent before any answer.", amount(c, b.Early))
	v.Wasted, v.Confidence, v.Evidence = b.Early, split(c), []reassembly.Mark{c.Request.Last, b.First, c.Final.Last}
	return v
}
