package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "417-retry-unknown", Title: "Retry not observable", Since: "0.1",
	Explain: `A request with Expect: 100-continue was refused with 417, no repeat was found, and the capture has a blind spot where a repeat
may have been: packets were dropped, bytes are missing, only one direction was captured, or the client opened another
connection to that server that cannot be read (TLS, or joined in the middle). So nothing is said about the client. To know,
capture again with a larger buffer, close to the client, without a filter that leaves out its other connections.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultUnknown},
	On:    analysis.TraitRefused,
	Reads: analysis.PartRequest | analysis.PartFinal,
	Under: []string{"417-for-100-continue", "417-received"},
	Check: retryUnknown,
})

func retryUnknown(c *analysis.Case) *analysis.Verdict {
	why := unseen(c)
	if !unrepeated(c) || c.Near != nil || why == "" {
		return nil
	}
	v := say("The capture cannot tell whether a retry followed: %s.", why)
	v.Confidence, v.Evidence = new(analysis.Inconclusive), []reassembly.Mark{c.Request.Last, c.Final.Last}
	return v
}
