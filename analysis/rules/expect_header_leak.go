package rules

import (
	"strings"

	"expectscope/analysis"
)

var _ = rule(analysis.Rule{
	ID: "expect-header-leak", Title: "Extra fields behind a 100", Since: "0.1",
	Explain: `Final responses of one target and status carry fields when a 100 came before them that they never carry without: a proxy that takes internal fields off
a response seems to forget it behind an interim one. The fields may tell of the inner network, or set caches and cookies that nobody outside is meant to set (the case found at Netlify;
"HTTP/1.1 must die", 2025). RFC 9110, Section 15.2 lets a 100 change nothing about the final response. At least three responses of either kind are compared, of one
client, authority, method, target and status, and a name counts that all of the one and none of the other have; fields that come and go with the content
(ETag, Last-Modified, Set-Cookie, Location and the like) are left out. Compared are requests with Expect that got a 100 and such that got none, and repeats without Expect. It is said once for
a target.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultServer, analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.2"}},
	Fix:     []analysis.FixKey{"s-update"},
	On:      analysis.TraitSubject,
	Reads:   analysis.PartRequest | analysis.PartInterim | analysis.PartFinal,
	Check:   headerLeak,
})

func headerLeak(c *analysis.Case) *analysis.Verdict {
	l := c.Peers.Leak
	if l == nil || len(l.Fields) == 0 {
		return nil
	}
	var names []string
	for _, name := range l.Fields[:min(len(l.Fields), 5)] {
		names = append(names, fieldName(name))
	}
	v := say("All %d responses behind a 100 carry %s, and none of %d without one.", l.Behind, strings.Join(names, ", "), l.Plain)
	v.Confidence = new(analysis.Likely)
	for _, s := range l.Samples {
		v.Evidence = append(v.Evidence, s.Final)
		if s.ID != c.ID {
			v.Related = append(v.Related, s.ID)
		}
	}
	return v
}
