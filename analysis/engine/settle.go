package engine

import (
	"expectscope/analysis"
	"expectscope/analysis/record"
	"expectscope/analysis/rules"
	"expectscope/reassembly"
)

// maxWaiting bounds exchanges that wait to be judged; the oldest is judged early then.
const maxWaiting = 50_000

// settling holds closed exchanges until what may follow has been seen: the end
// of the connection, a repeat. In the order in which they closed, two
// queues, because a refused one waits much longer than the others.
type settling struct {
	short, long []pending
	waiting     map[*analysis.Exchange]bool
}

type pending struct {
	s  *session
	x  *analysis.Exchange
	at int64 // capture time from which nothing more is waited for, long: unless retry says sooner
	// told is how long the chain of attempts was when what is missing after the retry window was reported (Options.Live); 0: not yet.
	told int
}

// add enters a closed exchange; one that was judged already is judged again at once.
func (q *settling) add(s *session, x *analysis.Exchange) {
	switch {
	case x.State == analysis.Settled:
		s.e.judge(s, x, false)
		return
	case q.waiting[x]:
		return
	}
	q.waiting[x] = true
	s.e.peers.Closed(x)
	p := pending{s: s, x: x, at: x.At}
	if x.Final != nil {
		p.at = max(p.at, x.Final.Last.Time+analysis.CloseWait)
		if x.Final.Close || x.Request.TwoLengths() { // then the end that is due behind the whole answer is waited for
			p.at = max(p.at, x.RespBody.End.Time+analysis.CloseWait)
		}
	}
	if x.Final != nil && x.Final.Status == 417 || max(s.e.links.Deadline(x), s.e.hop.Deadline(x)) > p.at {
		q.long = append(q.long, p)
	} else {
		q.short = append(q.short, p)
	}
	if len(q.waiting) > maxWaiting {
		s.e.limit("exchanges waiting for what follows")
		if len(q.short) > 0 {
			q.short = q.judge(s.e, q.short, 1, false)
		} else {
			q.long = q.judge(s.e, q.long, 1, false)
		}
	}
}

// drop takes an exchange out that never was one.
func (q *settling) drop(x *analysis.Exchange) { delete(q.waiting, x) }

// judge judges the first n and returns the others.
func (q *settling) judge(e *Engine, ps []pending, n int, end bool) []pending {
	for i := range ps[:n] {
		p := ps[i]
		ps[i] = pending{}
		if q.waiting[p.x] {
			delete(q.waiting, p.x)
			e.judge(p.s, p.x, end)
		}
	}
	return ps[n:]
}

// run judges what is due; end: everything.
func (q *settling) run(e *Engine, end bool) {
	n := 0
	for n < len(q.short) && (end || q.short[n].at <= e.now) {
		n++
	}
	q.judge(e, q.short, n, end)
	rest := copy(q.short, q.short[n:])
	clear(q.short[rest:])
	q.short = q.short[:rest] // the same room: what waits moves up
	if end {
		q.long = q.judge(e, q.long, len(q.long), end)
		return
	}
	keep := q.long[:0]
	for _, p := range q.long {
		switch {
		case p.at > e.now || q.waiting[p.x] && e.awaits(p.x):
			keep = append(keep, p)
		case q.waiting[p.x]:
			delete(q.waiting, p.x)
			e.judge(p.s, p.x, false)
		}
	}
	clear(q.long[len(keep):])
	q.long = keep
}

// awaits tells whether something that may follow a closed exchange is still to come.
func (e *Engine) awaits(x *analysis.Exchange) bool {
	return e.retry.Deadline(x) > e.now || e.links.Deadline(x) > e.now || e.hop.Deadline(x) > e.now
}

// judge settles an exchange. One that stands for a subject that spans several is judged when that is complete (peers.go).
func (e *Engine) judge(s *session, x *analysis.Exchange, end bool) {
	if !e.o.Crash {
		defer e.recovered(x.Request.Last.Packet)
	}
	again := x.State == analysis.Settled
	if again && e.holds(x) {
		return
	}
	e.doubt(x)
	if !again {
		e.bound(x)
	}
	x.Ends, x.At, x.State = s.shareEnds(), e.now, analysis.Settled
	refused := x.Final != nil && x.Final.Status == 417
	if refused && !again {
		if _, has := x.Request.Get("Expect"); has {
			e.retry.Settle(x, e.now, end)
		}
	}
	e.hop.Settle(x)
	c := &e.judged
	*c = e.caseOf(s, x)
	c.Hop, c.Front, c.Forwards = e.hop.Up(x), e.hop.Down(x), e.hop.Forwards(x)
	c.Near = e.retry.Near(x)
	c.Chain, c.Index = e.retry.Chain(x)
	c.Unseen = e.retry.Attempts(x) - len(c.Chain)
	c.Legs, c.Leg = e.links.Legs(x)
	e.retry.Forget(x)
	e.links.Forget(x)
	e.hop.Forget(x)
	if !again && e.hold(c, end) {
		return
	}
	e.conclude(c, again)
	e.peers.Forget(x)
}

// conclude asks the rules and tells the sink. What it returns is valid until it is called again.
func (e *Engine) conclude(c *analysis.Case, again bool) []analysis.Finding {
	x := c.Exchange
	if x.Traits() != 0 { // else no rule asks
		c.Peers = e.peers.Of(x)
	}
	found := rules.JudgeInto(e.found, c)
	e.found = found
	if !again {
		e.tally(x, found)
	}
	if e.shown(x, found) {
		e.sink.Exchange(x)
	}
	for i := range found {
		if !again {
			e.sum.Findings[found[i].Rule]++
		}
		e.sink.Finding(&found[i])
	}
	e.withdraw(x, found)
	return found
}

// bound says which limits of what is kept of one exchange were hit; what is not kept is in doubt.
func (e *Engine) bound(x *analysis.Exchange) {
	if len(x.Interim) >= record.MaxInterims {
		e.limit("interim responses")
	}
	if len(x.Request.Fields) >= analysis.MaxFields {
		e.limit("field lines")
		x.AddDoubt(analysis.DoubtEvicted, analysis.PartRequest, x.Request.Last)
	}
}

// doubt notes what the whole capture lacks where it touches the exchange.
func (e *Engine) doubt(x *analysis.Exchange) {
	if e.drops > 0 && x.Final != nil && x.Final.Status == 417 {
		x.AddDoubt(analysis.DoubtDrops, analysis.PartFollowing, x.Final.Last)
	}
	if e.setAt > 0 && x.Request.First.Time <= e.setAt && x.LastActivity.Time >= e.setAt-e.o.RetryWindow {
		x.AddDoubt(analysis.DoubtClock, analysis.PartTiming|analysis.PartFollowing, x.LastActivity)
	}
}

// caseOf is what the rules judge, but for the attempts the exchange is one of.
func (e *Engine) caseOf(s *session, x *analysis.Exchange) analysis.Case {
	c := analysis.Case{Exchange: x}
	if x.Final != nil {
		c.WindowPassed = e.now-x.Final.Last.Time >= e.o.RetryWindow
		how := s.ends[x.Client].How
		c.Left = how == reassembly.FIN || how == reassembly.RST || x.NextHead.Packet != 0
	}
	return c
}

// shown tells whether an exchange is to be reported.
func (e *Engine) shown(x *analysis.Exchange, found []analysis.Finding) bool {
	if e.o.All || len(found) > 0 || x.RetryOf != "" || len(x.Sequel().Hops) > 0 || x.Waiting() != "" {
		return true
	}
	_, expect := x.Request.Get("Expect")
	return expect || len(x.Interim) > 0
}
