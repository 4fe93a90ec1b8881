package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "waste-resent", Title: "Body sent twice", Since: "0.1",
	Explain: `The request was refused with 417 after part of its body was on the wire, and the repeat carried those bytes again. The repeat is right
and its bytes are useful; what was lost are the first ones, and waste-rejected counts them already. This only tells how much
of the upload crossed the network twice, for a look at the traffic bill: it is never added to the waste.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultUnknown},
	On:    analysis.TraitRefused,
	Reads: analysis.PartReqBody | analysis.PartFollowing,
	Under: []string{"waste-rejected"},
	Check: wasteResent,
})

func wasteResent(c *analysis.Case) *analysis.Verdict {
	next := c.Next()
	if next == nil || !refusedExchange(c.Exchange) {
		return nil
	}
	n := min(c.ReqBody.Sent, next.ReqBody.Sent)
	if n == 0 {
		return nil
	}
	v := say("%s travelled twice.", amount(c, n))
	v.Confidence, v.Related = linked(c), []string{next.ID}
	v.Evidence = []reassembly.Mark{c.ReqBody.First, next.ReqBody.First}
	return v
}
