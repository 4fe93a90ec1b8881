package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "retry-after-ignored", Title: "Retry-After ignored", Since: "0.1",
	Explain: `The server refused with 413, 417, 429 or 503 and said in Retry-After how long to wait (RFC 9110, Section 10.2.3), and the same request came
again earlier. The field says how long the client ought to wait, so this breaks no requirement, but it is the one thing a server under load can do to be left alone:
who comes back too early is refused again, pays for another round trip, and keeps the server busy with refusals; many such clients
make an overload last. A tenth of the time is not held against the client. Repeats of one request are told once, on the first that
came too early. Only requests with Expect, or answered before their body was whole, are looked at.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.2.3"}},
	Fix:     []analysis.FixKey{"c-backoff"},
	On:      analysis.TraitRejected,
	Reads:   analysis.PartRequest | analysis.PartFinal | analysis.PartTiming,
	Check:   retryAfterIgnored,
})

func retryAfterIgnored(c *analysis.Case) *analysis.Verdict {
	xs, at := c.Legs, c.Leg
	sure := func(i int) (analysis.Confidence, bool) {
		l, next := follow(xs, i, analysis.LinkRepeat)
		if l == nil {
			return 0, false
		}
		equal, differ := alike(xs[i], next)
		if m := next.Request.Method; !equal && (m == "POST" || m == "PATCH") { // a stream of messages to one target looks like repeats
			return analysis.Inconclusive, !differ
		}
		return l.Confidence, !differ
	}
	if refused(c) {
		xs, at = c.Chain, c.Index
		sure = func(i int) (analysis.Confidence, bool) { return xs[i].Retry().Confidence, i+1 < len(xs) }
	}
	if at > 0 && at < len(xs) {
		for i := range at {
			if _, early := hurried(xs, i); early {
				return nil // told there
			}
		}
	}
	if at >= len(xs) {
		return nil
	}
	linked, ok := sure(at)
	asked, early := hurried(xs, at)
	if !ok || !early {
		return nil
	}
	next, times := xs[at+1], 0
	for i := at; i+1 < len(xs); i++ {
		if _, early := hurried(xs, i); early {
			times++
		}
	}
	wait := gap(c.Exchange, next)
	v := say("The server asked with %d to wait %s, and the client sent the request again after %s.", c.Final.Status, span(asked), span(wait))
	if times > 1 {
		v = say("The server asked with %d to wait %s, and the client sent the request again after %s, and so %s in a row.",
			c.Final.Status, span(asked), span(wait), counted(times, "time"))
	}
	if _, dated, _ := c.Final.RetryAfter(); !dated {
		linked = min(linked, analysis.Likely)
	}
	v.Confidence, v.Related, v.Evidence = new(linked), []string{next.ID}, sentAgain(c.Exchange, next)
	return v
}

// hurried tells whether the attempt behind xs[i] came earlier than the answer to xs[i] asked for, and how long that was.
func hurried(xs []*analysis.Exchange, i int) (asked int64, early bool) {
	x := xs[i]
	if i+1 >= len(xs) || x.Final == nil {
		return 0, false
	}
	switch x.Final.Status {
	case 413, 417, 429, 503:
	default:
		return 0, false
	}
	asked, _, ok := x.Final.RetryAfter()
	return asked, ok && gap(x, xs[i+1]) < asked/10*9
}
