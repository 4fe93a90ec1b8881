package rules

import (
	"time"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "no-100", Title: "Expect ignored by the server", Since: "0.1",
	Explain: `The client announced a body, asked for a 100 (Continue) before sending it, and waited. The server had
the head, which is all it needs, but neither said 100 nor answered: it waited for the content. So each waited for the
other until the client lost patience and sent the body uninvited. An HTTP/1.1 server MUST answer such a head at once,
with a 100 or with the final response, and MUST NOT wait for the content first (RFC 9110, Section 10.1.1). Every
upload pays the client's time-out (1 s with curl, Go, .NET and botocore, 5 s with Java), and a client without a
time-out hangs. The usual culprit is a proxy or gateway that buffers the head, or a server whose HTTP library leaves
the 100 to the application. It is not said when the answer left before any content had arrived, when a segment of the
head had to be sent again (not: was captured twice), or when bytes of the server are missing from the capture; and it is certain only when
the server had acknowledged the head a fifth of a second before the body came.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MUST"}},
	Fix:     []analysis.FixKey{"s-100", "p-100"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartInterim | analysis.PartFinal | analysis.PartTiming,
	Check:   no100,
})

func no100(c *analysis.Case) *analysis.Verdict {
	wait, gaveUp, sure := timedOut(c)
	rtt, _ := c.Conn.RTT()
	if !gaveUp || wait < 2*rtt || c.Continue() != nil || c.Final == nil || c.HeadResent || blind(c, analysis.PartInterim) {
		return nil
	}
	had, hadSure := c.HadBody(c.Final)
	if !had { // it answered by the head alone: slowly, but it did not wait for the content
		return nil
	}
	v := say("The server ignored Expect: no 100 came, and the client lost %s waiting before it sent the body.", span(wait))
	v.Lost = time.Duration(wait)
	v.Evidence = []reassembly.Mark{c.Request.Last, c.ReqBody.First, c.Final.First}
	// A server about to answer may be overtaken by an impatient client; one that lets a whole late-100 limit pass is not about to.
	v.Confidence = ifSure(sure && hadSure && measured(c) && idled(c, c.ReqBody.First))
	if !http1(c) {
		v.Severity = new(analysis.Notice) // some servers never look at Expect on streams, where flow control limits the harm
	}
	return v
}
