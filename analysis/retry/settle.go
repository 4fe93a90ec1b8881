package retry

import (
	"fmt"
	"math"
	"strconv"

	"expectscope/analysis"
)

// write puts the link of o into the two exchanges, as far as they may still be written.
func (m *Matcher) write(o *attempt) {
	c := o.next
	if ad := m.addresses[place(o.id.client)]; ad != nil {
		o.shared = o.shared || ad.shared(o)
	}
	if !c.forgotten {
		c.x.RetryOf = o.x.ID
		c.x.RetryDelay = max(0, c.x.Request.Last.Time-finished(o.x))
	}
	r := analysis.Retry{Outcome: analysis.RetryNewConn, By: c.x.ID, Tier: o.tier}
	if o.x.Conn == c.x.Conn {
		r.Outcome = analysis.RetrySameConn
	}
	r.Confidence, r.Why = confidence(o)
	o.x.Amend().Retry = r
}

// confidence is how sure the link of o is, and why not more.
func confidence(o *attempt) (analysis.Confidence, string) {
	switch {
	case o.tier == analysis.TierAddress && o.shared:
		return analysis.Inconclusive, "several clients share this address"
	case o.tier == analysis.TierAddress:
		return analysis.Likely, "only the client's address ties the two requests"
	case !o.sure:
		return analysis.Likely, "the order on the connection is known by time only"
	case o.rivals > 1:
		return analysis.Likely, ambiguity(o.rivals)
	case o.tier <= analysis.TierKey:
		return analysis.Certain, ""
	}
	return analysis.Likely, ""
}

func ambiguity(n int) string {
	return "one of " + strconv.Itoa(n) + " equal requests that were refused was repeated, and which one is not known"
}

// Settle fills x.Retry as of the capture time now, and RetryOf and RetryDelay of
// the exchange that repeats x; end tells that the capture ends there. No repeat is certain only when the
// whole window was captured and nothing in it was out of sight. A later call revises; the last one before [Matcher.Forget] holds.
func (m *Matcher) Settle(x *analysis.Exchange, now int64, end bool) {
	o := m.attempts[x]
	switch {
	case o == nil || o.refused == 0:
		if x.Retry().Outcome == analysis.RetryNotAsked {
			x.Amend().Retry = analysis.Retry{Outcome: analysis.RetryUnknown, Blind: true, Why: "too many refused requests were open at a time"}
		}
		return
	case o.next != nil && !o.next.forgotten:
		m.verify(o)
	}
	if o.next == nil {
		x.Amend().Retry = m.absent(o, now, end)
	}
}

// absent says what the lack of a link means.
func (m *Matcher) absent(o *attempt, now int64, end bool) analysis.Retry {
	r := analysis.Retry{Outcome: analysis.RetryUnknown}
	if o.near != nil {
		r.Near, r.Differs = o.near.ID, o.differs
	}
	t := finished(o.x)
	if why, ok := m.unseen(o, t, t+m.o.Window); ok {
		r.Why, r.Blind = why, true
		return r
	}
	if now-t < m.o.Window {
		r.Why = "the window for a repeat is not over"
		if end {
			r.Why = fmt.Sprintf("the capture ends %.1f s after the refusal", float64(max(0, now-t))/1e9)
		}
		return r
	}
	r.Outcome, r.Confidence = analysis.RetryNone, analysis.Certain
	switch {
	case o.rivals > 1:
		r.Confidence, r.Why = analysis.Likely, ambiguity(o.rivals)
	case o.near != nil:
		r.Confidence, r.Why = analysis.Likely, "another request followed that differs in its "+o.differs
	}
	return r
}

// Deadline is the capture time in nanoseconds at which x need not be waited for any more; [math.MaxInt64] while
// it is not known. Not repeated: the horizon after the refusal. Repeated: when
// the repeat is over. The first of a chain that was refused again waits for the chain's end, so that a loop is seen
// whole, however long it goes on. Of an exchange that is not followed it is that of its last activity.
func (m *Matcher) Deadline(x *analysis.Exchange) int64 {
	o := m.attempts[x]
	if o == nil || o.refused == 0 {
		return x.LastActivity.Time
	}
	if o.next == nil {
		return finished(x) + m.o.Horizon
	}
	if o.next.refused == 0 || o.chain.xs[0] != x {
		return over(o.next)
	}
	last := m.attempts[o.chain.xs[len(o.chain.xs)-1]]
	switch {
	case last == nil: // judged and written: nothing follows it
		return over(o.next)
	case last.refused != 0:
		return finished(last.x) + m.o.Horizon
	case last.closed:
		return over(last)
	}
	return max(finished(x)+m.o.Horizon, last.x.Request.Last.Time+m.o.Horizon)
}

// over is when the fate of an attempt is known: it closed, or it was refused.
func over(c *attempt) int64 {
	switch {
	case c.closed || c.forgotten:
		return c.x.LastActivity.Time
	case c.refused != 0:
		return finished(c.x)
	}
	return math.MaxInt64
}
