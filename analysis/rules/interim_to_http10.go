package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "interim-to-http10", Title: "1xx to an HTTP/1.0 client", Since: "0.1",
	Explain: `The request is HTTP/1.0 and the server answered with a 1xx. HTTP/1.0 has no interim responses, so a
server MUST NOT send one (RFC 9110, Section 15.2): such a client takes the 100 for the final response and then sees
the real one as content, or as the answer to its next request. If the client itself sent Expect, it may be able to
read the 100 (RFC 2616 left that open, and Squid relies on it), so that is a warning, not an error. Squid 5, Traffic
Server, h2o 2.2, Caddy and the JDK's server do it. The HTTP/1.0 side is often a load balancer's health check, an old
proxy, or ab.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.2", Level: "MUST NOT"}},
	Fix:     []analysis.FixKey{"s-10"},
	On:      analysis.TraitInterim | analysis.TraitUpgrade,
	Reads:   analysis.PartRequest | analysis.PartInterim,
	Check:   interimToHTTP10,
})

func interimToHTTP10(c *analysis.Case) *analysis.Verdict {
	ms := informational(c)
	if !c.HTTP10() || len(ms) == 0 {
		return nil
	}
	v := say("A %d went to an %s client, which will read it as the final answer.", ms[0].Status, c.Request.Version)
	if _, asked := c.Request.Expect(); asked {
		v = say("A %d went to a client that asked for it in %s, where it may be read as the final answer.", ms[0].Status, c.Request.Version)
		v.Severity = new(analysis.Warning)
	}
	v.Evidence = []reassembly.Mark{c.Request.Last}
	for _, m := range ms {
		v.Evidence = append(v.Evidence, m.First)
	}
	return v
}

// informational are all 1xx responses to the request, 101 among them, in order (RFC 9110, Section 15.2).
func informational(c *analysis.Case) []*analysis.Message {
	var ms []*analysis.Message
	for i := range c.Interim {
		ms = append(ms, &c.Interim[i])
	}
	if c.Final != nil && c.Final.Status == 101 {
		ms = append(ms, c.Final)
	}
	return ms
}
