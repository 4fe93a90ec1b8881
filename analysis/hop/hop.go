// Package hop finds the exchanges that are one: a request that a client sent to
// a proxy, and the request the proxy sent to its origin for it, where a capture
// (or two of the same time) shows both.
//
// The engine tells a [Matcher] of the exchanges worth it, that is with an
// expectation, an interim response or an early refusal, and asks it which of
// the other requests may be their other side ([Matcher.Wants]): those with the
// same method and the same end of the target while one is open. The other way
// round, when an exchange becomes worth it, the engine looks at the last
// requests it did not keep ([Matcher.Matches]). Two become one when the
// second begins while the first is open, lengths agree or were recoded, the
// addresses allow it, and either nothing else comes into question or two of
// what a proxy passes on (trace and request ids, Via, Forwarded, how the body
// begins) agree. How sure a link is depends on what ties it: see linked.
//
// The package judges nothing and reads no clock; where two hosts captured, it
// compares their clocks with [analysis.ClockSlack] and says so. A capture
// without expectations costs it a flag test a request. Memory is bounded by
// [Options], whatever the traffic.
package hop

import (
	"bytes"
	"math"
	"net/netip"
	"slices"

	"expectscope/analysis"
)

// Options are the limits of a matcher; what is zero or less takes the default.
type Options struct {
	// Legs bounds how many exchanges are held against one another, 4,096 by
	// default; Reach how many of them with one method and end of target, 256 by default.
	Legs, Reach int
	// Horizon is how long, in nanoseconds, one side waits for the end of the other; [analysis.LinkHorizon] by default.
	Horizon int64
	// Inputs: there are several inputs, which may be captures of one time from several places.
	Inputs bool
}

// A Matcher finds the two hops of exchanges. It keeps the exchanges it is
// given, reads them at any later call, and adds to their Hops only.
type Matcher struct {
	o      Options
	legs   map[*analysis.Exchange]*leg
	groups map[uint64]*group
	// methods counts the groups of each, so that most requests cost one look: see Wants.
	methods map[string]int
	order   []*leg // oldest first; those that were left out are skipped

	first   int64 // time of the first request
	taps    bool  // two places of capture were seen
	pairs   uint64
	dropped uint64
	// proxies are the servers that are known to pass requests on.
	proxies map[netip.AddrPort]bool
}

// maxProxies bounds the servers that are remembered to pass requests on.
const maxProxies = 1024

// New returns a matcher with the given limits.
func New(o Options) *Matcher {
	if o.Legs <= 0 {
		o.Legs = 4096
	}
	if o.Reach <= 0 {
		o.Reach = 256
	}
	if o.Horizon <= 0 {
		o.Horizon = analysis.LinkHorizon
	}
	return &Matcher{
		o: o, legs: map[*analysis.Exchange]*leg{}, groups: map[uint64]*group{}, methods: map[string]int{},
		proxies: map[netip.AddrPort]bool{},
	}
}

// A leg is an exchange that may be one of two hops: the one in front of a
// proxy, the one behind one, or between two proxies both.
type leg struct {
	x     *analysis.Exchange
	known *identity // nil: see id
	in    *group

	over    bool // it closed, at ended
	ended   int64
	judged  bool // it was written and gets no more links
	decided bool // what is behind it
	out     bool // it was left out

	up, down *leg
}

// id is what a proxy passes on of the request. Most legs are never held against another, so it is read when it is first asked for.
func (l *leg) id() *identity {
	if l.known == nil {
		id := identify(l.x)
		l.known = &id
	}
	return l.known
}

// A group is the legs with one method and one end of the target, oldest first.
type group struct {
	sum    uint64
	method string
	legs   []*leg
	// crowded: a leg was left out before it was judged, so that nothing in the group is known to be alone.
	crowded bool
}

// Wants tells whether a request without Expect may be the other hop of an exchange that is worth it.
func (m *Matcher) Wants(h *analysis.Head) bool {
	if len(m.groups) == 0 && !m.o.Inputs {
		return false
	}
	if m.apart(h.Last.Time) && h.Framing != analysis.FramingNone {
		return true
	}
	if m.methods[string(h.Method)] == 0 {
		return false
	}
	sum, ok := sumOf(h.Method, h.Target)
	return ok && m.groups[sum] != nil
}

// apart tells whether places of capture whose clocks may differ are in play, so
// that the hop behind a proxy may come before the one in front of it.
func (m *Matcher) apart(now int64) bool {
	if m.first == 0 {
		m.first = now
	}
	return m.taps || m.o.Inputs && now-m.first < analysis.ClockSlack
}

// Tap tells that a second place of capture is in play.
func (m *Matcher) Tap() { m.taps = true }

// Opened tells of a kept exchange whose request head is complete. It matters if it expects something or Wants says so.
func (m *Matcher) Opened(x *analysis.Exchange) {
	_, expects := x.Request.Get("Expect")
	sum, ok := sumOf(x.Request.Method, x.Request.Target)
	switch {
	case !ok:
	case expects, m.groups[sum] != nil,
		m.apart(x.Request.Last.Time) && x.ReqBody.Framing != analysis.FramingNone:
		m.add(x, sum)
	}
}

// Noted tells of an exchange that became worth it, and whether it was not told of before: then
// its other hop may be among requests that went by.
func (m *Matcher) Noted(x *analysis.Exchange) bool {
	if m.legs[x] != nil {
		return false
	}
	sum, ok := sumOf(x.Request.Method, x.Request.Target)
	if ok {
		m.add(x, sum)
	}
	return ok
}

// Matches returns what tells, of a request head that went by, whether it may be the other hop of x.
func (m *Matcher) Matches(x *analysis.Exchange) func(head []byte) bool {
	want, ok := sumOf(x.Request.Method, x.Request.Target)
	word := []byte(x.Request.Method)
	return func(head []byte) bool {
		if !ok || !bytes.HasPrefix(head, word) { // nearly always
			return false
		}
		method, target := requestLine(head)
		sum, ok := sumOf(method, target)
		return ok && sum == want
	}
}

// Closed tells that x is over.
func (m *Matcher) Closed(x *analysis.Exchange) {
	if l := m.legs[x]; l != nil && !l.over {
		l.over, l.ended = true, max(x.At, x.LastActivity.Time)
	}
}

// Revoked takes x back: it was no exchange but content of another one.
func (m *Matcher) Revoked(x *analysis.Exchange) {
	if l := m.legs[x]; l != nil {
		m.leave(l)
	}
}

// Forget tells that x was judged and written.
func (m *Matcher) Forget(x *analysis.Exchange) {
	l := m.legs[x]
	if l == nil {
		return
	}
	l.judged = true
	if !slices.ContainsFunc(l.in.legs, func(o *leg) bool { return !o.judged }) {
		for _, o := range l.in.legs {
			o.out = true
			delete(m.legs, o.x)
		}
		m.ungroup(l.in)
	}
}

func (m *Matcher) ungroup(g *group) {
	delete(m.groups, g.sum)
	if m.methods[g.method]--; m.methods[g.method] == 0 {
		delete(m.methods, g.method)
	}
}

// Dropped is how many exchanges were left out because more than Options allows were in question at a time.
func (m *Matcher) Dropped() uint64 { return m.dropped }

// Pairs is how many exchanges were found on both sides of a proxy.
func (m *Matcher) Pairs() uint64 { return m.pairs }

// add makes x a leg. One that has a link was a leg before, and left for a limit.
func (m *Matcher) add(x *analysis.Exchange, sum uint64) {
	if m.legs[x] != nil || len(x.Sequel().Hops) > 0 {
		return
	}
	g := m.groups[sum]
	if g == nil {
		g = &group{sum: sum, method: x.Request.Method}
		m.groups[sum] = g
		m.methods[g.method]++
	}
	l := &leg{x: x, in: g}
	m.legs[x] = l
	g.legs = append(g.legs, l)
	m.order = append(m.order, l)
	if len(g.legs) > m.o.Reach/8 {
		m.prune(g)
	}
	if len(g.legs) > m.o.Reach {
		m.drop(g.legs[0])
	}
	m.bound()
}

// bound leaves the oldest legs out when there are too many.
func (m *Matcher) bound() {
	for len(m.legs) > m.o.Legs {
		oldest := m.order[0]
		m.order = m.order[1:]
		if !oldest.out {
			m.drop(oldest)
		}
	}
	if len(m.order) > 2*len(m.legs)+64 {
		m.order = slices.DeleteFunc(slices.Clone(m.order), func(l *leg) bool { return l.out })
	}
}

// prune leaves out the judged legs that were over before any other began.
func (m *Matcher) prune(g *group) {
	since := int64(math.MaxInt64)
	for _, l := range g.legs {
		if !l.judged {
			since = min(since, l.x.Request.Last.Time)
		}
	}
	for _, l := range slices.Clone(g.legs) {
		if l.judged && l.ended+analysis.ClockSlack < since {
			m.leave(l)
		}
	}
}

// drop leaves a leg out for a limit.
func (m *Matcher) drop(l *leg) {
	if !l.judged {
		m.dropped++
	}
	l.in.crowded = true
	m.leave(l)
}

// leave takes a leg out.
func (m *Matcher) leave(l *leg) {
	if l.out {
		return
	}
	l.out = true
	delete(m.legs, l.x)
	g := l.in
	if i := slices.Index(g.legs, l); i >= 0 {
		g.legs = slices.Delete(g.legs, i, i+1)
	}
	if len(g.legs) == 0 {
		m.ungroup(g)
	}
}
