package engine

import (
	"slices"

	"expectscope/analysis"
	"expectscope/analysis/rules"
)

// A heldCase is a settled exchange that stands for a subject that spans several (analysis/peers). In a file it is judged once, when
// the subject is complete; live it was judged, and is again as the subject grows.
type heldCase struct {
	c     analysis.Case
	size  int      // of the subject when it was judged last
	spans []string // the rules that were said of it live
}

// hold keeps a case whose subject may still grow, and tells whether judgement waits for that.
func (e *Engine) hold(c *analysis.Case, end bool) bool {
	if end || !e.peers.Stands(c.Exchange) {
		return false
	}
	h := &heldCase{c: *c}
	e.held = append(e.held, h)
	if e.o.Live {
		e.report(h, false)
	}
	return true
}

func (e *Engine) holds(x *analysis.Exchange) bool {
	return slices.ContainsFunc(e.held, func(h *heldCase) bool { return h.c.Exchange == x })
}

// report judges a held case as far as its subject is known, and takes back what no longer holds.
func (e *Engine) report(h *heldCase, again bool) {
	x := h.c.Exchange
	h.size = e.peers.Size(x)
	if again {
		e.watch.said[x] = append(e.watch.said[x], h.spans...)
	}
	found := e.conclude(&h.c, again)
	said := h.spans
	h.spans = h.spans[:0:0]
	for i := range found {
		if rule := found[i].Rule; spanning(rule) {
			h.spans = append(h.spans, rule)
			if again && !slices.Contains(said, rule) {
				e.sum.Findings[rule]++
			}
		}
	}
}

// review judges anew what has grown by half, and lets go of subjects the memory gave up.
func (e *Engine) review() {
	for _, x := range e.peers.Gone() {
		i := slices.IndexFunc(e.held, func(h *heldCase) bool { return h.c.Exchange == x })
		if i < 0 {
			continue // it is not due yet, and will not be held
		}
		h := e.held[i]
		e.held = slices.Delete(e.held, i, i+1)
		e.finish(h)
	}
	if !e.o.Live {
		return
	}
	for _, h := range e.held {
		if n := e.peers.Size(h.c.Exchange); n > h.size+h.size/2 {
			e.report(h, true)
		}
	}
}

// finish judges a held case for the last time.
func (e *Engine) finish(h *heldCase) {
	if !e.o.Live {
		e.conclude(&h.c, false)
	} else if e.peers.Size(h.c.Exchange) > h.size {
		e.report(h, true)
	}
	e.peers.Forget(h.c.Exchange)
}

// release judges all that was held, at the end.
func (e *Engine) release() {
	for _, h := range e.held {
		e.finish(h)
	}
	e.held = nil
}

// spanning tells whether a rule speaks of a subject that spans several exchanges.
func spanning(rule string) bool {
	r := rules.ByID(rule)
	return r != nil && r.On == analysis.TraitSubject
}
