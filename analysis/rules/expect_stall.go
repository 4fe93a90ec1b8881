package rules

import (
	"time"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-stall", Title: "Mutual wait", Since: "0.1",
	Explain: `The client asked for a 100 (Continue) and waits for it; the server says nothing and seems to wait for
the body. Nothing moves for 5 s or more. Both break their part of RFC 9110, Section 10.1.1: a server MUST answer such
a head at once and MUST NOT wait for the content, and a client SHOULD NOT wait for an indefinite period before it
sends it. It ends when somebody's time-out ends it, often after 60 s and with a connection, a worker and a user's
patience lost; many at once exhaust a server's workers. Clients without a time-out of their own: Node (unless the
program sets one) and the HttpClient of Java 17. Servers that stay silent: HTTP/1.0 backends, applications whose HTTP
library leaves the 100 to them, Apache with an expectation it does not know. Certain once somebody hung up or the
server said 408; likely while it still hangs.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MUST"}, {RFC: 9110, Section: "10.1.1", Level: "SHOULD NOT"}},
	Fix:     []analysis.FixKey{"s-100", "c-timeout"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest | analysis.PartTiming, // what else it needs it must see: blind silences it
	Check:   expectStall,
})

func expectStall(c *analysis.Case) *analysis.Verdict {
	if !awaits(c) || c.ReqBody.Sent > 0 || c.ReqBody.Complete || c.Continue() != nil ||
		blind(c, analysis.PartReqBody|analysis.PartInterim|analysis.PartFinal) {
		return nil
	}
	end, how, sure := stallEnd(c)
	silence := end.Time - c.Request.Last.Time
	if how == "" || silence < analysis.StallTime {
		return nil
	}
	v := say("Both sides waited for each other for %s: no 100, no answer and no body, %s.", span(silence), how)
	v.Lost, v.Evidence, v.Confidence = time.Duration(silence), []reassembly.Mark{c.Request.Last, end}, new(sure)
	if c.HeadResent { // the server may never have had the head
		v.Confidence = new(analysis.Inconclusive)
	}
	return v
}

// stallEnd is when and how a mutual wait ended, and how sure it is that it was one. How is "" when the
// server answered of its own accord: slowly, but it did not wait for the body.
func stallEnd(c *analysis.Case) (end reassembly.Mark, how string, sure analysis.Confidence) {
	client, clientLeft := hungUpFirst(c, c.Client)
	server, serverLeft := hungUpFirst(c, c.ServerDir())
	switch {
	case c.Final != nil && c.Final.Status == 408:
		return c.Final.First, "until the server timed out with 408", analysis.Certain
	case c.Final != nil && c.Final.Status == 504:
		return c.Final.First, "until a proxy timed out with 504", analysis.Likely
	case c.Final != nil:
		return reassembly.Mark{}, "", analysis.Inconclusive
	case clientLeft:
		return client.At, "until the client gave up the " + thread(c), analysis.Certain
	case serverLeft:
		return server.At, "until the server gave up the " + thread(c), analysis.Certain
	}
	if end, ok := hungUp(c, c.ServerDir()); ok { // behind an end of the client's that was not captured
		return end.At, "until the " + thread(c) + " ended", analysis.Certain
	}
	return reassembly.Mark{Time: c.At}, "and that is how it was last seen", analysis.Likely
}
