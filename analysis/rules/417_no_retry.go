package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "417-no-retry", Title: "No retry after 417", Since: "0.1",
	Explain: `A request with Expect: 100-continue was refused with 417, and the same client never sent it again without Expect,
on this connection or another. RFC 9110, Section 10.1.1 says it SHOULD: a 417 means that the response chain does not support
expectations, not that the request itself is wrong. To the user this is an upload that fails for no reason of its own and would succeed
on the second try. It is the common case: Go, Node, .NET, botocore and the Java clients hand the 417 to the application, and curl
gives up too when the 417 says Connection: close. It is certain when the capture goes on for the whole retry window
(10 s by default) after the 417, likely when the client closed the connection or went on to something else before that, and
inconclusive when the capture merely ends. A hole, drops or a one-sided capture in that time make it 417-retry-unknown instead.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "SHOULD"}},
	Fix:     []analysis.FixKey{"c-off", "c-retry"},
	On:      analysis.TraitRefused,
	Reads:   analysis.PartRequest | analysis.PartFinal,
	Check:   noRetry,
})

func noRetry(c *analysis.Case) *analysis.Verdict {
	if !unrepeated(c) || c.Near != nil || unseen(c) != "" {
		return nil
	}
	evidence := []reassembly.Mark{c.Request.Last, c.Final.Last}
	r := c.Retry()
	var v *analysis.Verdict
	switch {
	case c.WindowPassed && r.Outcome == analysis.RetryNone:
		but := ""
		if r.Why != "" {
			but = " (" + r.Why + ")"
		}
		v = say("The client gave up: no repeat was seen in the %s after the 417%s; it should repeat the request without Expect.", span(c.At-c.Final.Last.Time), but)
		v.Confidence = new(r.Confidence)
	case c.Left:
		v = say("The client went on, or hung up, without repeating the request; after a 417 it should repeat it without Expect.")
		v.Confidence = new(analysis.Likely)
		evidence = append(evidence, c.NextHead)
		if end, ok := hungUp(c, c.Client); ok {
			evidence = append(evidence, end.At)
		}
	default:
		v = say("No repeat was seen, but the capture ends %s after the 417; the client should repeat the request without Expect.", span(c.At-c.Final.Last.Time))
		v.Confidence = new(analysis.Inconclusive)
	}
	v.Evidence = evidence
	return v
}
