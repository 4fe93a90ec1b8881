package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "interim-end-stream", Title: "1xx ends the stream", Since: "0.1",
	Explain: `An interim response came with END_STREAM on HTTP/2. It cannot end a stream, since a final response has to
follow: such a response is malformed (RFC 9113, Section 8.1), and a client treats it as a stream error, so the upload
fails although the server meant to say that it may go on. Servers and proxies that translate an HTTP/1.x upstream's
response did it (HAProxy issue 1972): there the 100 was the last thing that came from upstream, and its end was taken for that of the message.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9113, Section: "8.1", Level: "MUST"}},
	Fix:     []analysis.FixKey{"s-update"},
	On:      analysis.TraitInterim,
	Reads:   analysis.PartInterim,
	Check: func(c *analysis.Case) *analysis.Verdict {
		for i := range c.Interim {
			m := &c.Interim[i]
			if !m.EndStream {
				continue
			}
			v := say("A %d ends the stream with END_STREAM: no final response can follow.", m.Status)
			v.Evidence = []reassembly.Mark{m.First}
			if r := c.ResetBy(c.Client); r != nil {
				v = say("A %d ends the stream with END_STREAM, and the client gave it up with %s.", m.Status, r)
				v.Evidence = []reassembly.Mark{m.First, r.At}
			}
			return v
		}
		return nil
	},
})
