package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-no-wait", Title: "Client did not wait", Since: "0.1",
	Explain: `The client sent Expect: 100-continue and then the body at once, without having received a 100 or an
answer. RFC 9110, Section 10.1.1 allows that, but it makes the header pure overhead: nothing is saved when the server
refuses, servers that do not know the expectation may answer 417, and the 100 that comes anyway confuses some clients.
It is typical of libraries that pass a header set by hand to the wire without acting on it (Python's http.client,
urllib, wget --header, old boto), and of a client whose time-out is set to nothing. Either let the client's HTTP
library do the waiting, or take the header out.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MAY"}},
	Fix:     []analysis.FixKey{"c-off"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartInterim | analysis.PartTiming,
	Check:   expectNoWait,
})

func expectNoWait(c *analysis.Case) *analysis.Verdict {
	wait, sent := c.Wait()
	alone, sure := unasked(c)
	if !awaits(c) || !sent || !alone || wait >= analysis.NoWait {
		return nil
	}
	v := say("The client sent the body %s after asking whether it should, without an answer: Expect was pure overhead.", span(wait))
	if wait <= 0 {
		v = say("The client sent the body together with the question whether it should: Expect was pure overhead.")
	}
	v.Evidence, v.Confidence = []reassembly.Mark{c.Request.Last, c.ReqBody.First}, ifSure(sure)
	return v
}
