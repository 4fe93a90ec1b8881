package hop

import (
	"slices"

	"expectscope/analysis"
)

// Deadline is the capture time in nanoseconds until which x is to be waited for, because its other hop may still be
// open; a time in the past when there is nothing to wait for.
func (m *Matcher) Deadline(x *analysis.Exchange) int64 {
	l := m.legs[x]
	if l == nil || !l.over {
		return 0
	}
	until := int64(0)
	if m.taps || m.o.Inputs {
		until = l.ended + analysis.ClockSlack
	}
	for _, o := range l.in.legs {
		if o == l || o.over {
			continue
		}
		if _, ok := m.fits(l, o); ok {
			return l.ended + m.o.Horizon
		}
		if _, ok := m.fits(o, l); ok {
			return l.ended + m.o.Horizon
		}
	}
	return until
}

// Settle decides what x is a hop of, and writes its Hops and those of its
// other hops. What was decided before stays.
func (m *Matcher) Settle(x *analysis.Exchange) {
	l := m.legs[x]
	if l == nil {
		return
	}
	m.decide(l)
	if l.down != nil {
		return
	}
	for _, a := range l.in.legs {
		if a == l || a.decided {
			continue
		}
		if _, ok := m.fits(a, l); ok {
			m.decide(a)
		}
		if l.down != nil {
			return
		}
	}
}

// Up is the exchange behind the proxy that x was had with, nil if none is known.
func (m *Matcher) Up(x *analysis.Exchange) *analysis.Exchange {
	if l := m.legs[x]; l != nil && l.up != nil {
		return l.up.x
	}
	return nil
}

// Down is the exchange in front of the proxy that x came from, nil if none is known.
func (m *Matcher) Down(x *analysis.Exchange) *analysis.Exchange {
	if l := m.legs[x]; l != nil && l.down != nil {
		return l.down.x
	}
	return nil
}

// Forwards tells whether the server of x is known to pass requests on in sight of
// the capture, and nothing comes into question as what it passed on of x.
func (m *Matcher) Forwards(x *analysis.Exchange) bool {
	l := m.legs[x]
	if l == nil || l.up != nil || l.in.crowded || !m.proxies[serverOf(x)] {
		return false
	}
	for _, o := range l.in.legs {
		if _, ok := m.fits(l, o); ok {
			return false
		}
	}
	return true
}

// decide finds what is behind the proxy that a was had with: what fits best, if that is no guess.
func (m *Matcher) decide(a *leg) {
	if a.decided {
		return
	}
	a.decided = true
	var best *leg
	var f fit
	backs := m.backs(a)
	for _, b := range backs {
		if g, _ := m.fits(a, b); best == nil || g.score() > f.score() {
			best, f = b, g
		}
	}
	if best == nil || best.judged {
		return
	}
	// Who is in question too, but for those that fit elsewhere better: the next hop of a chain does.
	rivals, second := 0, 0
	for i, b := range backs {
		if g, _ := m.fits(a, b); b != best && (i >= refined || !m.better(m.fronts(b), g.score(), func(o *leg) (fit, bool) { return m.fits(o, b) })) {
			rivals, second = rivals+1, max(second, g.score())
		}
	}
	for i, o := range m.fronts(best) {
		if g, _ := m.fits(o, best); o != a && (i >= refined || !m.better(m.backs(o), g.score(), func(b *leg) (fit, bool) { return m.fits(o, b) })) {
			rivals, second = rivals+1, max(second, g.score())
		}
	}
	if rivals == 0 && !a.in.crowded {
		f.by |= analysis.TieAlone
	} else if f.score() <= second {
		return
	}
	if l, ok := linked(&f); ok {
		m.link(a, best, l)
	}
}

// refined is how many rivals of a kind are looked at for whether they fit elsewhere better; the others are rivals.
const refined = 8

// better tells whether one of the legs scores more.
func (m *Matcher) better(legs []*leg, score int, fits func(*leg) (fit, bool)) bool {
	return slices.ContainsFunc(legs, func(o *leg) bool {
		g, _ := fits(o)
		return g.score() > score
	})
}

// backs are the legs that may be behind the proxy of a, and are behind no other.
func (m *Matcher) backs(a *leg) []*leg {
	var all []*leg
	for _, b := range a.in.legs {
		if b.down == nil || b.down == a {
			if _, ok := m.fits(a, b); ok {
				all = append(all, b)
			}
		}
	}
	return all
}

// fronts are the legs that b may be behind the proxy of, and nothing else is known to be.
func (m *Matcher) fronts(b *leg) []*leg {
	var all []*leg
	for _, a := range b.in.legs {
		if a.up == nil || a.up == b {
			if _, ok := m.fits(a, b); ok {
				all = append(all, a)
			}
		}
	}
	return all
}

// link makes b the exchange behind the proxy a was had with.
func (m *Matcher) link(a, b *leg, l analysis.Hop) {
	a.up, b.down = b, a
	m.pairs++
	l.Side, l.To = analysis.Behind, b.x.ID
	a.x.Amend().Hops = append(a.x.Sequel().Hops, l)
	l.Side, l.To = analysis.InFront, a.x.ID
	b.x.Amend().Hops = append(b.x.Sequel().Hops, l)
	if l.Confidence >= analysis.Likely && len(m.proxies) < maxProxies {
		m.proxies[serverOf(a.x)] = true
	}
}

// linked is the link that a fit makes, with how sure it is and why not more, and whether it is enough at all: two marks
// that identify it, or that nothing else comes into question.
func linked(f *fit) (analysis.Hop, bool) {
	l := analysis.Hop{Confidence: analysis.Likely, By: f.by, Taps: f.taps, Early: f.early}
	alone, address, n := f.by&analysis.TieAlone != 0, f.by&analysis.TieAddress != 0, f.marks()
	switch {
	case f.lengths && (n == 0 || f.by&strong == 0 && !address):
		return l, false // other content, and nothing that names the request
	case f.lengths && (n < 2 || f.by&strong == 0):
		l.Why = "the two hops announce different content"
		return l, alone
	case n >= 2 && (f.by&strong != 0 || alone), n >= 1 && address && alone:
		l.Confidence = analysis.Certain
	case n >= 2:
		l.Why = "several requests like it were open"
	case !alone:
		return l, false
	case n == 1:
		l.Why = "only one mark ties the two hops: " + (f.by & marks).String()
	case address && f.taps:
		l.Why = "only addresses and the clocks of two captures tie the two hops"
	case address:
		l.Why = "only addresses and time tie the two hops"
	case f.like:
		l.Why = "only time and what the proxy passed on tie the two hops"
	case f.taps:
		l.Confidence, l.Why = analysis.Inconclusive, "only the clocks of two captures tie the two hops"
	default:
		l.Confidence, l.Why = analysis.Inconclusive, "only time ties the two hops"
	}
	return l, true
}
