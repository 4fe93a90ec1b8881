package rules

import (
	"time"

	"expectscope/analysis"
)

var _ = rule(analysis.Rule{
	ID: "417-retry-delayed", Title: "Slow retry after 417", Since: "0.1",
	Explain: `The client did repeat the request that was refused with 417, but more than a second later; the time it took to open
a new connection is not counted. No RFC sets a limit, but there is nothing to wait for: a 417 is an instruction to send
the request without Expect, not a sign of overload. A delay of a second or more looks like a back-off meant for 503 and
the like, or like a job that ran again. Users feel it as a slow upload on every try. Repeat a 417 at once, once.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultClient},
	Fix:   []analysis.FixKey{"c-retry"},
	On:    analysis.TraitRefused,
	Reads: analysis.PartRequest | analysis.PartFinal | analysis.PartFollowing | analysis.PartTiming,
	Under: []string{"417-loop", "417-retry-still-expects"},
	Check: retryDelayed,
})

func retryDelayed(c *analysis.Case) *analysis.Verdict {
	next := c.Next()
	if !refused(c) || next == nil {
		return nil
	}
	d := gap(c.Exchange, next)
	if d <= analysis.RetryDelayed {
		return nil
	}
	v := say("The retry came %s after the 417.", span(d))
	v.Lost, v.Confidence, v.Related, v.Evidence = time.Duration(d), linked(c), []string{next.ID}, handover(c, next)
	return v
}
