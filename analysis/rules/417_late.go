package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "417-late", Title: "417 after body bytes", Since: "0.1",
	Explain: `The server refused the expectation when it already had part of the body: the packet with the 417 acknowledges body bytes. An
expectation is about the head alone, so it can be refused the moment the head is in; for 100-continue RFC 9110, Section 10.1.1 asks for an
immediate answer. Refusing late defeats the purpose twice: the client waited in vain, and the bytes it then sent are lost. With curl it is
worse: it starts the repeat on the same connection, where the server still counts on the rest of the body. Apache httpd refuses
unknown expectations only when the body is there, and stays silent until then; for those no RFC sets a time. Where the client did
not wait at all, the 417 could hardly come first, and this is a notice.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "MUST"}},
	Fix:     []analysis.FixKey{"c-off", "s-100"},
	On:      analysis.TraitRefused,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Under:   []string{"417-loop", "417-no-retry", "417-retry-still-expects", "417-after-100"},
	Check:   late417,
})

func late417(c *analysis.Case) *analysis.Verdict {
	had, sure := c.HadBody(c.Final)
	if !refused(c) || !had {
		return nil
	}
	v := say("Refused after %s of body had arrived at the server.", size(c.ReqBody.Read))
	if c.ReqBody.Read == 0 {
		v = say("Refused after body bytes had arrived at the server.")
	}
	if wait, _ := c.Wait(); wait < analysis.NoWait || !c.Expects() {
		v.Severity = new(analysis.Notice)
	}
	v.Confidence, v.Evidence = ifSure(sure), []reassembly.Mark{c.Request.Last, c.ReqBody.First, c.Final.First}
	return v
}
