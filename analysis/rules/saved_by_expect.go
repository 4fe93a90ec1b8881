package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "saved-by-expect", Title: "Expect saved this body", Since: "0.1",
	Explain: `Good news: the client asked with Expect: 100-continue, the server refused by the head alone, and not one byte of the body was sent.
This is what Expect is for (RFC 9110, Section 10.1.1), and the bytes it kept off the wire are the gain to hold against the round trip it costs
each accepted upload. A 417 does not count: its repeat sends the body after all. Where the capture ends with the exchange still open
the body may yet follow, since some clients send it after a refusal that keeps the connection; then this is at most likely.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultUnknown},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1"}},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Check:   savedByExpect,
})

func savedByExpect(c *analysis.Case) *analysis.Verdict {
	if !c.Expects() || !c.Rejected() || c.Final.Status == 417 || c.ReqBody.Sent > 0 || c.ReqBody.Complete || c.N() == 0 {
		return nil
	}
	v := say("Expect saved a body of unknown length, refused with %d.", c.Final.Status)
	if n := c.Saved(); n > 0 {
		v = say("Expect saved %s of body, refused with %d.", size(n), c.Final.Status)
		v.Saved = n
	}
	if c.Ended == analysis.EndedCapture && c.NextHead.Packet == 0 {
		v.Confidence = new(analysis.Inconclusive)
		if c.Final.Close || c.At-c.Final.Last.Time >= analysis.StallTime {
			v.Confidence = new(analysis.Likely)
		}
	}
	v.Evidence = []reassembly.Mark{c.Request.Last, c.Final.Last}
	return v
}
