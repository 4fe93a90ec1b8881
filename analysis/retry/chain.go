package retry

import (
	"slices"

	"expectscope/analysis"
)

// maxChain is how many of its newest attempts a chain keeps, beside its first and those not forgotten.
const maxChain = 1000

// A chain is the attempts of one request, oldest first. Slices of xs are handed
// out, so its elements never change in place: it grows, or is replaced.
type chain struct {
	xs      []*analysis.Exchange
	dropped int // left out after xs[0]
	limit   int // length at which it is thinned
}

// join appends the chain that begins with c to the one that ends with o.
func (m *Matcher) join(o, c *attempt) {
	if o.chain == nil {
		o.chain = &chain{xs: []*analysis.Exchange{o.x}}
	}
	ch := o.chain
	if c.chain == nil {
		ch.xs, c.chain = append(ch.xs, c.x), ch
	} else {
		ch.xs = append(ch.xs, c.chain.xs...)
		ch.dropped += c.chain.dropped
		m.rechain(c.chain.xs, ch)
	}
	if len(ch.xs) > max(ch.limit, 2*maxChain) {
		m.thin(ch)
	}
}

// thin leaves forgotten attempts out of the middle of a chain: a loop can go on for ever.
func (m *Matcher) thin(ch *chain) {
	xs := append(make([]*analysis.Exchange, 0, len(ch.xs)), ch.xs[0])
	for i, x := range ch.xs[1:] {
		if i >= len(ch.xs)-1-maxChain || m.attempts[x] != nil {
			xs = append(xs, x)
		}
	}
	ch.dropped += len(ch.xs) - len(xs)
	ch.xs, ch.limit = xs, 2*len(xs)
}

// split cuts a chain before its i-th attempt.
func (m *Matcher) split(ch *chain, i int) {
	rest := slices.Clone(ch.xs[i:])
	ch.xs = ch.xs[:i:i]
	if i == 1 {
		ch.dropped = 0
	}
	m.rechain(rest, &chain{xs: rest})
}

func (m *Matcher) rechain(xs []*analysis.Exchange, ch *chain) {
	for _, x := range xs {
		if a := m.attempts[x]; a != nil {
			a.chain = ch
		}
	}
}

// Chain returns the attempts x is one of, oldest first, and which of them is x;
// x alone when it is not linked or was forgotten. Of a long chain the first, at least the newest 1,000 and those
// that are not forgotten are kept. The caller must not change the slice; it stays valid.
func (m *Matcher) Chain(x *analysis.Exchange) ([]*analysis.Exchange, int) {
	a := m.attempts[x]
	if a == nil || a.chain == nil {
		return []*analysis.Exchange{x}, 0
	}
	xs := a.chain.xs
	return xs[:len(xs):len(xs)], a.chain.index(x)
}

// index looks for x at the start, where the waiting one is, then from the end.
func (ch *chain) index(x *analysis.Exchange) int {
	if ch.xs[0] == x {
		return 0
	}
	i := len(ch.xs) - 1
	for ch.xs[i] != x {
		i--
	}
	return i
}

// Attempts is how many attempts the chain of x has, those no longer kept included.
func (m *Matcher) Attempts(x *analysis.Exchange) int {
	if a := m.attempts[x]; a != nil && a.chain != nil {
		return len(a.chain.xs) + a.chain.dropped
	}
	return 1
}

// Near returns the exchange x.Retry.Near names, nil if none.
func (m *Matcher) Near(x *analysis.Exchange) *analysis.Exchange {
	if a := m.attempts[x]; a != nil && a.next == nil {
		return a.near
	}
	return nil
}
