package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "size-413", Title: "Too large", Since: "0.1",
	Explain: `The upload was refused with 413 (Content Too Large; RFC 9110, Section 15.5.14): it is longer than the server, or a proxy, takes. The
declared length stands in the head, so this can be said before a byte of the body is sent, and with Expect: 100-continue it is: nginx
answers 413 and closes at once, without a 100. Then nothing is lost but the round trip. Without Expect, with a client that does not wait,
or behind a proxy that says 100 first, the body, or as much of it as went out before the answer came, was sent for
nothing. The same request will be refused again: raise the limit where it is meant to be higher, at every hop, or send less at a time.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultUnknown},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "15.5.14"}},
	Fix:     []analysis.FixKey{"s-size", "c-split"},
	On:      analysis.TraitRejected,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Under:   []string{"waste-rejected", "waste-savable"},
	Check:   size413,
})

func size413(c *analysis.Case) *analysis.Verdict {
	sent := c.ReqBody.Sent
	if c.Final == nil || c.Final.Status != 413 || plain(c.Exchange) && !c.EarlyFinal() && sent <= analysis.WasteNotice {
		return nil
	}
	what := "A chunked upload"
	if n := c.N(); n >= 0 {
		what = "An upload of " + size(n)
	}
	v := say("%s is too large for this server: refused before a byte was sent.", what)
	v.Severity = new(analysis.Info)
	if sent > 0 {
		v = say("%s is too large for this server, and %s of it had been sent when that was said.", what, amount(c, sent))
		if c.ReqBody.Tail > 0 {
			v = say("%s is too large for this server, and %s of it were sent all the same.", what, amount(c, sent))
		}
		v.Severity, v.Wasted = new(wasteSeverity(sent)), sent
	}
	v.Evidence = []reassembly.Mark{c.Request.Last, c.Final.Last, c.ReqBody.Last}
	return v
}
