package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// pattern begins a verdict on how comparable requests were answered: what was seen of it beside this exchange.
func pattern(c *analysis.Case, v *analysis.Verdict) *analysis.Verdict {
	for _, s := range c.Peers.Answers.Samples {
		v.Evidence = append(v.Evidence, s.Request, s.Final)
		if s.ID != c.ID {
			v.Related = append(v.Related, s.ID)
		}
	}
	v.Evidence = append(v.Evidence, []reassembly.Mark{c.Request.Last, c.Final.Last}...)
	return v
}

// withHops says how the two kinds of answer differ in their TTL, where either kind has one of its own: two hosts.
func withHops(a *analysis.Answers) string {
	if a.Accepts == 0 || a.Refuses == 0 || a.Accepts == a.Refuses {
		return ""
	}
	return say("; the refusals came with TTL %d, the others with %d, so from another host", a.Refuses, a.Accepts).Summary
}
