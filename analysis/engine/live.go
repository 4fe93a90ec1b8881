package engine

import (
	"slices"

	"expectscope/analysis"
	"expectscope/analysis/rules"
)

// watching follows exchanges while they go on ([Options.Live]): what is said
// of one before it is settled is provisional, and is replaced or withdrawn later.
type watching struct {
	open []watched // with an Expect field, oldest first
	// said holds, for each exchange that is not settled, the rules that were reported of it.
	said map[*analysis.Exchange][]string
}

type watched struct {
	s       *session
	x       *analysis.Exchange
	stalled bool
}

// opened reports an exchange whose request head is complete.
func (e *Engine) opened(s *session, x *analysis.Exchange) {
	if !e.o.Live {
		return
	}
	if _, ok := x.Request.Get("Expect"); ok {
		e.watch.open = append(e.watch.open, watched{s: s, x: x})
		x.At = e.now
		e.sink.Exchange(x)
	}
}

// look judges what hangs and what was refused and not repeated in time,
// without waiting for its end.
func (e *Engine) look() {
	if !e.o.Live {
		return
	}
	keep := e.watch.open[:0]
	for _, w := range e.watch.open {
		if w.x.State != analysis.Open {
			continue
		}
		if quiet := e.now - w.x.LastActivity.Time; !w.stalled && quiet >= analysis.StallTime {
			w.stalled = true
			e.provisional(w.s, w.x)
		} else if quiet < analysis.StallTime {
			w.stalled = false
		}
		keep = append(keep, w)
	}
	clear(e.watch.open[len(keep):])
	e.watch.open = keep
	for i := range e.settle.long {
		p := &e.settle.long[i]
		if !e.settle.waiting[p.x] || p.x.Final == nil || e.now-p.x.Final.Last.Time < e.o.RetryWindow {
			continue
		}
		if n := e.retry.Attempts(p.x); n >= 2*p.told { // a loop that goes on is told anew as it doubles
			p.told = n
			e.provisional(p.s, p.x)
		}
	}
}

// provisional judges a copy of an exchange as it stands now.
func (e *Engine) provisional(s *session, x *analysis.Exchange) {
	c := *x
	c.Doubts = slices.Clone(x.Doubts)
	c.Ends, c.At = s.shareEnds(), e.now
	e.doubt(&c)
	if _, has := x.Request.Get("Expect"); has && x.Final != nil && x.Final.Status == 417 {
		e.retry.Settle(x, e.now, false)
		c.Amend().Retry = x.Retry()
	}
	cs := e.caseOf(s, &c)
	chain, index := e.retry.Chain(x)
	cs.Chain, cs.Index, cs.Near = slices.Clone(chain), index, e.retry.Near(x)
	cs.Chain[index] = &c
	cs.Unseen = e.retry.Attempts(x) - len(chain)
	cs.Legs, cs.Leg = e.links.Legs(x)
	cs.Peers = e.peers.Of(x)
	found := rules.Judge(&cs)
	if len(found) == 0 {
		return
	}
	e.sink.Exchange(&c)
	for i := range found {
		found[i].State = analysis.Provisional
		e.sink.Finding(&found[i])
		if said := e.watch.said[x]; !slices.Contains(said, found[i].Rule) {
			e.watch.said[x] = append(said, found[i].Rule)
		}
	}
}

// withdraw takes back what was said of an exchange and does not hold of it in the end.
func (e *Engine) withdraw(x *analysis.Exchange, found []analysis.Finding) {
	for _, id := range e.watch.said[x] {
		if slices.ContainsFunc(found, func(f analysis.Finding) bool { return f.Rule == id }) {
			continue
		}
		r := rules.ByID(id)
		e.sink.Finding(&analysis.Finding{
			Rule: id, Exchange: x.ID, Title: r.Title, State: analysis.Withdrawn, Severity: r.Severity,
			Client: x.Conn.Addr(x.Client), Server: x.Conn.Addr(x.ServerDir()),
			Method: x.Request.Method, Target: x.Request.Target,
			Summary: "This no longer holds.", Time: x.Request.Last.Time,
		})
	}
	delete(e.watch.said, x)
}
