package rules

import (
	"slices"
	"time"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-timeout", Title: "Client gave up waiting", Since: "0.1",
	Explain: `The client asked for a 100 (Continue), waited, and then sent the body without having received one: the
first body byte left in a segment that does not acknowledge a 100 or a final response. It may do so, for it must not
wait for ever (RFC 9110, Section 10.1.1), but the upload lost that time, and if the answer is a refusal, the body was
sent for nothing. The length of the wait is a fingerprint: 350 ms is .NET Framework, 1.0 s is curl, Go, .NET and
botocore, 3.0 s is Apache HttpClient, 5.0 s is Java's HttpURLConnection. When every upload to a server waits its
client's time-out, the server or a proxy before it does not answer Expect: mend that, or take Expect off; shortening
the time-out only hides it. A 100 that came after the client had given up is told here too.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MAY"}},
	Fix:     []analysis.FixKey{"s-100", "c-timeout", "c-off"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartInterim | analysis.PartTiming,
	Under:   []string{"no-100"},
	Check:   expectTimeout,
})

func expectTimeout(c *analysis.Case) *analysis.Verdict {
	wait, gaveUp, sure := timedOut(c)
	if !gaveUp {
		return nil
	}
	late, evidence := "", []reassembly.Mark{c.Request.Last, c.ReqBody.First}
	if m := c.Continue(); m != nil {
		evidence = append(evidence, m.First)
		late = "; the 100 was on its way"
		if behind := m.First.Time - c.ReqBody.First.Time; behind > 0 {
			late = "; the 100 came " + span(behind) + " too late"
		}
	}
	v := say("The client stopped waiting for a 100 after %s%s%s.", span(wait), timeoutOf(wait, c.UserAgent()), late)
	v.Lost, v.Evidence, v.Confidence = time.Duration(wait), evidence, ifSure(sure)
	if c.HeadResent { // the network lost the head: nobody's software is slow
		v.Fault = []analysis.Fault{analysis.FaultUnknown}
	}
	return v
}

// timeoutOf says whose default time-out a wait is: a fact where the User-Agent agrees, else a guess; "" when it is
// nobody's. A timer fires a little late, never early.
func timeoutOf(wait int64, agent string) string {
	const ms = int64(time.Millisecond)
	for _, known := range []struct {
		limit int64
		who   string
		names []string // of software, as recognise gives them
	}{
		{350 * ms, ".NET Framework", []string{"dotnet"}},
		{1000 * ms, "curl, Go, .NET or botocore", []string{"curl", "go", "dotnet", "boto"}},
		{3000 * ms, "Apache HttpClient", []string{"apache-java4", "apache-java5"}},
		{5000 * ms, "Java's HttpURLConnection", []string{"java-url"}},
	} {
		if wait < known.limit*98/100 || wait > known.limit*108/100 {
			continue
		}
		if slices.Contains(known.names, recognise(clients, agent)) {
			return ", this client's default limit"
		}
		return ", perhaps the default limit of " + known.who
	}
	return ""
}
