package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "waste-rejected", Title: "Body sent and refused", Since: "0.1",
	Explain: `The client asked with Expect whether to send the body, the answer was a refusal (any final status of 300 or above), and body bytes
were on the wire all the same. That is the cost Expect is there to avoid: bandwidth, time, and often a connection. Only unique content bytes
count: no retransmission, no framing. They are sorted by what the client's host had received when it sent them, which acknowledgements
prove wherever the capture was taken: early bytes left before any answer (a time-out, or a client that does not wait), invited ones
after a 100 (a server that says yes before it knows), tail ones after the refusal itself. Whoever caused the largest class is to change something.
Below 16 KiB this is a remark, from 1 MiB on a warning.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultUnknown},
	Fix:   []analysis.FixKey{"c-wait", "s-late100", "c-close"},
	On:    analysis.TraitExpect,
	Reads: analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Check: wasteRejected,
})

func wasteRejected(c *analysis.Case) *analysis.Verdict {
	if !wasted(c) {
		return nil
	}
	b := &c.ReqBody
	v := say("The client sent %s of body and was refused with %d.", amount(c, b.Sent), c.Final.Status)
	if byAck(c) {
		most := largest(c)
		part := "all of it"
		if most.bytes < b.Sent {
			part = amount(c, most.bytes) + " of it"
		}
		v = say("The client sent %s of body and was refused with %d; %s went out %s.", amount(c, b.Sent), c.Final.Status, part, most.when)
		v.Fault, v.Fix = []analysis.Fault{most.fault}, []analysis.FixKey{most.fix}
	}
	v.Severity = new(wasteSeverity(b.Sent))
	v.Wasted, v.Evidence = b.Sent, []reassembly.Mark{c.Request.Last, b.First, c.Final.Last, b.Last}
	return v
}

// wasteSeverity grows with the bytes.
func wasteSeverity(n int64) analysis.Severity {
	switch {
	case n >= analysis.WasteWarning:
		return analysis.Warning
	case n > analysis.WasteNotice:
		return analysis.Notice
	}
	return analysis.Info
}
