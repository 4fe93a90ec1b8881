package rules

import (
	"time"

	"expectscope/analysis"
)

var _ = rule(analysis.Rule{
	ID: "expect-hoard", Title: "Many open expectations", Since: "0.1",
	Explain: `One client address had more than 50 requests with Expect: 100-continue open at a time, each for 5 s or longer, and sent the body of none. Each holds a
connection, and in many servers a worker or a buffer: this is the shape of attacks on servers that keep resources for such requests
(CVE-2020-10705 in Undertow before 2.1.1, CVE-2024-56202 in Traffic Server before 9.2.9 and 10.0.4), and also of a client without a time-out in front of a server
that answers nobody. RFC 9110, Section 10.1.1 says that a client SHOULD NOT wait for an indefinite period. Where the server had said 100 it is the client that
holds back. A capture cannot tell purpose, so this is never certain; behind a proxy, or an address that several programs share, many open uploads are less strange, and it is a notice. It is said once for an
address, on the oldest of these requests.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "SHOULD NOT"}},
	Fix:     []analysis.FixKey{"s-limit", "s-update"},
	On:      analysis.TraitSubject,
	Reads:   analysis.PartRequest,
	Check:   expectHoard,
})

func expectHoard(c *analysis.Case) *analysis.Verdict {
	h := c.Peers.Hoard
	if h == nil || h.Peak <= analysis.HoardLimit {
		return nil
	}
	n := number(int64(h.Peak))
	if h.More {
		n = "more than " + n
	}
	v := say("%s uploads of one client were announced and none was sent for %s; %s had got a 100.",
		capital(n), span(h.Seen-h.Since), number(int64(h.Invited)))
	if h.Shared {
		v.Severity = new(analysis.Notice)
	}
	v.Confidence, v.Lost = new(analysis.Likely), time.Duration(h.Seen-h.Since)
	for _, s := range h.Samples {
		v.Evidence = append(v.Evidence, s.Request)
		if s.ID != c.ID {
			v.Related = append(v.Related, s.ID)
		}
	}
	return v
}

// capital begins a sentence.
func capital(s string) string {
	if s == "" || s[0] < 'a' || s[0] > 'z' {
		return s
	}
	return string(s[0]-'a'+'A') + s[1:]
}
