package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "unsolicited-100", Title: "Unrequested 100", Since: "0.1",
	Explain: `The server sent a 100 (Continue) to a request that carries no Expect field. A client may discard it (RFC
9110, Section 15.2.1), and RFC 2616, Section 8.2.3 advised servers against it except for PUT and POST. Well-made
clients skip it; others take it for the answer, and from then on every response on the connection answers the request
before. Usually a proxy behind the tap added an Expect of its own and let the answer through, or took the client's
Expect out on the way here. Passive tools and intrusion detection also alarm on it. It is not said when the request
head was not captured whole.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{
		{RFC: 9110, Section: "15.2.1"},
		{RFC: 2616, Section: "8.2.3", Level: "SHOULD NOT"},
	},
	Fix:   []analysis.FixKey{"p-dup"},
	On:    analysis.TraitInterim,
	Reads: analysis.PartRequest | analysis.PartInterim,
	Check: unsolicited100,
})

func unsolicited100(c *analysis.Case) *analysis.Verdict {
	m := c.Continue()
	if _, asked := c.Request.Expect(); m == nil || asked || c.HTTP10() || cut(c) {
		return nil
	}
	v := say("A 100 nobody asked for: the %s carries no Expect, and some clients take the 100 for the answer.", quoted(c.Request.Method))
	v.Evidence = []reassembly.Mark{c.Request.Last, m.First}
	v.Confidence = ifSure(!queued(c, m))
	return v
}

// queued tells whether the next request was on the wire when m was sent: then m may be meant for that one, although
// responses come in the order of the requests (RFC 9112, Section 9.3.2).
func queued(c *analysis.Case, m *analysis.Message) bool {
	return c.NextFirst.Packet != 0 && before(c.NextFirst, m.First)
}
