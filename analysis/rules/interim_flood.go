package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "interim-flood", Title: "Too many 1xx", Since: "0.1",
	Explain: `One request got more than 8 interim responses, or more than 64 KiB of them. A client has to read them
all before the answer (RFC 9110, Section 15.2), and no standard sets a bound, so a server that never stops keeps a
client or a proxy busy, or makes it hold ever more memory. It is the shape of CVE-2008-2364 (Apache mod_proxy_http)
and CVE-2021-3737 (Python's http.client); clients of today stop after a few. It can be meant well: a WebDAV server
that says 102 (Processing) every few seconds for a long time looks the same. Look at what the server sends and how
fast, and bound the number in the client.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.2"}},
	Fix:     []analysis.FixKey{"s-update"},
	On:      analysis.TraitInterim,
	Reads:   analysis.PartInterim,
	Check: func(c *analysis.Case) *analysis.Verdict {
		n, total := len(c.Interim), int64(0)
		for i := range c.Interim {
			total += int64(len(c.Interim[i].Head))
		}
		if n <= analysis.FloodInterims && total <= analysis.FloodBytes {
			return nil
		}
		v := say("%s (%s) for one request.", counted(n, "interim response"), size(total))
		v.Evidence = []reassembly.Mark{c.Interim[0].First, c.Interim[n-1].First}
		return v
	},
})
