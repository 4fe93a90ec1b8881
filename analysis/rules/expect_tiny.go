package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "expect-tiny", Title: "Expect for a tiny body", Since: "0.1",
	Explain: `The whole body would fit into the TCP segment that carries the request head, yet the client asks first
whether to send it. The question costs a round trip, and a full time-out where the server does not answer it, and a
refusal can save no more than one packet. Expect pays for itself only where bodies are large or refusals likely: with
a 50 ms round trip and 100 Mbit/s a 64 KiB body must be refused nine times out of ten. Let the client use it above
about 1 MiB.`,
	Severity: analysis.Info, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1"}},
	Fix:     []analysis.FixKey{"c-on"},
	On:      analysis.TraitExpect,
	Reads:   analysis.PartRequest,
	Check: func(c *analysis.Case) *analysis.Verdict {
		// A sender is bound by what the other side announced (RFC 9293, Section 3.7.1).
		mss := int64(c.Conn.MSS[c.ServerDir()])
		if mss == 0 {
			mss = analysis.DefaultMSS
		}
		if n := c.N(); !awaits(c) || n < 0 || n >= mss || n+int64(len(c.Request.Head)) > mss {
			return nil
		}
		v := say("The whole body (%s) fits into the packet that asked whether to send it.", size(c.N()))
		v.Evidence = []reassembly.Mark{c.Request.Last}
		return v
	},
})
