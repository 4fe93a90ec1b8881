package rules

import (
	"slices"

	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "body-looks-like-request", Title: "Request inside the body", Since: "0.1",
	Explain: `The body of a request with Expect, or of one that was answered early, begins with a request line and a field
line: it is itself an HTTP request. A server that does not read the body of such a request takes it for the next one, while
the proxy in front still counts it as body (RFC 9112, Section 11.2). That is the shape of a smuggled request (CL.0, 0.CL);
whether it came to that is told by body-parsed-as-request, request-swallowed and response-without-request, and this finding says
which reading won as far as the capture shows. With GET, HEAD or OPTIONS a request that comes where their body is owed counts
too, as likely: nobody honest promises a body there. Traces of HTTP can be uploaded with good reason: a POST, PUT or PATCH whose body
was read to its end and accepted is told as a fact only.`,
	Severity: analysis.Warning, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "11.2"}},
	Fix:     []analysis.FixKey{"s-strict"},
	On:      analysis.TraitExpect | analysis.TraitEarlyFinal,
	Reads:   analysis.PartRequest | analysis.PartInterim | analysis.PartFinal, // behind a lost refusal it may be the next request
	Under:   []string{"body-parsed-as-request", "request-swallowed", "body-withheld-reuse"},
	Check:   bodyLooksLikeRequest,
})

func bodyLooksLikeRequest(c *analysis.Case) *analysis.Verdict {
	if !http1(c) || !requestInside(c) {
		return nil
	}
	if c.ReqBody.Inner == "" {
		v := say("An HTTP request stands where the body of this %s is due: the shape of request smuggling; %s.",
			quotable(c.Request.Method), serverRead(c.Owed))
		v.Evidence, v.Confidence = []reassembly.Mark{c.Request.Last, c.Owed.At}, new(analysis.Likely)
		return v
	}
	v := say("The body begins with an HTTP request of its own (%s), the shape of request smuggling; %s.", quotable(c.ReqBody.Inner), bodyRead(c))
	v.Evidence = []reassembly.Mark{c.Request.Last, c.ReqBody.First}
	if perhapsNext(c) {
		v.Confidence = new(analysis.Inconclusive)
	}
	taken := c.Final != nil && c.Final.Status < 300 && !c.EarlyFinal() && c.ReqBody.Complete && parsedBody(c) == nil
	if taken && slices.Contains([]string{"POST", "PUT", "PATCH"}, c.Request.Method) {
		v.Severity = new(analysis.Info)
	}
	return v
}

// perhapsNext tells whether the body's beginning was perhaps the next request, whose head was cut off, or by the capture's end behind an answer.
func perhapsNext(c *analysis.Case) bool {
	return doubted(c, analysis.PartReqBody, analysis.DoubtFraming) || c.EarlyFinal() && doubted(c, analysis.PartReqBody, analysis.DoubtCaptureEnd)
}

// requestInside tells whether a request stands where the body begins: as the body, or, where nobody honest promises one, in its place.
func requestInside(c *analysis.Case) bool {
	o := c.Owed
	return c.ReqBody.Inner != "" ||
		o != nil && o.Client == analysis.ReadAsNext && c.ReqBody.Sent == 0 && bodyless(c.Request.Method)
}

// bodyRead says what the server took a body for that begins like a request.
func bodyRead(c *analysis.Case) string {
	switch {
	case parsedBody(c) != nil:
		return "the server answered it as a request"
	case c.Owed != nil && c.Owed.Client == analysis.ReadAsBody:
		return serverRead(c.Owed)
	case c.Final == nil:
		return "what the server took it for cannot be told"
	case c.EarlyFinal():
		return "the server answered before it had read it"
	}
	return "the server gave it one answer, as a body"
}
