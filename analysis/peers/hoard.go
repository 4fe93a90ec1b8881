package peers

import (
	"slices"

	"expectscope/analysis"
)

// asks adds an open expectation.
func (c *client) asks(m *Memory, x *analysis.Exchange) {
	if len(c.open) >= max(c.pruneAt, 2*analysis.HoardLimit) {
		c.prune()
		c.pruneAt = min(2*len(c.open), maxOpen)
	}
	if len(c.open) >= maxOpen {
		c.hoard.More = true
		return
	}
	if c.open = append(c.open, x); len(c.open) > analysis.HoardLimit {
		m.many[c] = true
	}
}

// met lets go of an exchange that is over: its body is not withheld any more, and it is large.
func (c *client) met(x *analysis.Exchange) {
	if i := slices.Index(c.open, x); i >= 0 {
		c.open = slices.Delete(c.open, i, i+1)
	}
}

// prune drops the expectations that were met, refused, or given up.
func (c *client) prune() {
	c.open = slices.DeleteFunc(c.open, func(x *analysis.Exchange) bool { return !withheld(x) })
}

// withheld tells whether the body that x announces is still to come.
func withheld(x *analysis.Exchange) bool {
	return x.State == analysis.Open && x.Final == nil && x.ReqBody.Sent == 0
}

// Tick counts, as of the capture time now, what clients with many open expectations withhold for StallTime or longer: a
// burst of uploads that wait a round trip for their 100 is no hoard.
func (m *Memory) Tick(now int64) {
	for c := range m.many {
		c.prune()
		if len(c.open) <= analysis.HoardLimit {
			delete(m.many, c)
			continue
		}
		c.count(m, now)
	}
}

func (c *client) count(m *Memory, now int64) {
	n, invited := 0, 0
	var oldest *analysis.Exchange
	for _, x := range c.open {
		if now-x.Request.Last.Time < analysis.StallTime {
			continue
		}
		if n++; oldest == nil {
			oldest = x
		}
		if x.Continue() != nil {
			invited++
		}
	}
	h := &c.hoard
	if n <= analysis.HoardLimit || n <= h.Peak {
		return
	}
	h.Peak, h.Invited, h.Seen, h.Shared = n, invited, now, c.shared
	if c.hoarder != nil {
		return
	}
	c.hoarder, h.Since = oldest, oldest.Request.Last.Time
	m.stand(oldest).hoard = c
	for _, x := range c.open {
		if now-x.Request.Last.Time >= analysis.StallTime && len(h.Samples) < analysis.MaxSamples {
			h.Samples = append(h.Samples, sample(x))
		}
	}
}
