package rules

import (
	"fmt"
	"math"
	"time"

	"expectscope/analysis"
)

var _ = rule(analysis.Rule{
	ID: "417-loop", Title: "Endless 417 loop", Since: "0.1",
	Explain: `The same request was refused with 417 and repeated with Expect again, and again: a loop. Each repeat should have left
Expect out (RFC 9110, Section 10.1.1), then the first would have gone through. Such loops run as fast as the network allows (curl with a
hand-set Expect header makes 51 requests in some milliseconds, then reports too many redirects), they fill logs, trip rate limits, and the
upload still fails. It is said once, on the first request of the chain; the others are named beside it.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "SHOULD"}},
	Fix:     []analysis.FixKey{"c-off"},
	On:      analysis.TraitRefused,
	Reads:   analysis.PartRequest | analysis.PartFinal | analysis.PartFollowing,
	Check:   loop417,
})

// loopShown is how many attempts of a loop are named and shown as evidence.
const loopShown = 20

func loop417(c *analysis.Case) *analysis.Verdict {
	links, first := insisted(c.Chain)
	if links < 2 || first != c.Index {
		return nil
	}
	attempts, denied := 1+c.Unseen, 1+c.Unseen
	last := c.Exchange
	v := &analysis.Verdict{Confidence: linked(c)}
	for _, x := range c.Chain[c.Index+1:] {
		if !asksAgain(x) {
			break
		}
		attempts, last = attempts+1, x
		if refusedExchange(x) {
			denied++
		}
		if len(v.Related) < loopShown {
			v.Related = append(v.Related, x.ID)
			v.Evidence = append(v.Evidence, x.Request.Last)
		}
	}
	v.Evidence = append(v.Evidence, c.Final.Last)
	lost := last.Request.Last.Time - c.Request.Last.Time
	v.Lost = time.Duration(lost)
	v.Summary = say("The client sent the same request %s times with Expect within %s%s, and %s of them were refused with 417.",
		number(int64(attempts)), span(lost), rate(attempts-1, lost), number(int64(denied))).Summary
	return v
}

// rate says how often something happened that happened n times in a time of ns nanoseconds: in brackets, and "" where
// so few times make no rate.
func rate(n int, ns int64) string {
	if n < 2 || ns <= 0 {
		return ""
	}
	per := float64(n) / (float64(ns) / 1e9)
	switch {
	case per >= 9.95:
		return " (" + number(int64(math.Round(per))) + " a second)"
	case per >= 0.95:
		return fmt.Sprintf(" (%.1f a second)", per)
	}
	return fmt.Sprintf(" (one every %s)", span(int64(1e9/per)))
}
