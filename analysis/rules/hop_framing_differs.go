package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "hop-framing-differs", Title: "Hops disagree on length", Since: "0.1",
	Explain: `The request in front of the proxy and the one it sent on do not announce the same content, and it is no recoding: chunked became a length
that is not the sum of the chunks, one length became another, or a body was announced on one side alone. The two hops then disagree where the request
ends (RFC 9110, Section 8.6: a Content-Length known to be wrong must not be forwarded), and what is left over on one side is the beginning of somebody's next
request: request smuggling, as 0.CL when the body is missing behind the proxy and as CL.0 when it is missing in front. This has the shape of it; that it
was used shows in request-swallowed or response-without-request. When the proxy had read the whole body and only left it out, it is a warning. Have both
ends refuse what is ambiguous, and keep HTTP/2 to the origin.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultIntermediary},
	Clauses: []analysis.Clause{{RFC: 9110, Section: "8.6", Level: "MUST NOT"}, {RFC: 9112, Section: "6.3"}},
	Fix:     []analysis.FixKey{"s-strict", "s-update"},
	On:      analysis.TraitHop,
	Reads:   analysis.PartRequest,
	Check:   framingDiffers,
})

func framingDiffers(c *analysis.Case) *analysis.Verdict {
	if c.Hop == nil || !sized(c.Exchange) || !sized(c.Hop) {
		return nil
	}
	down, up := contentOf(c.Exchange), contentOf(c.Hop)
	oneSided := c.N() < 0 && c.Hop.N() == 0 || c.N() == 0 && c.Hop.N() < 0
	if down == up || (down < 0 || up < 0) && !oneSided {
		return nil
	}
	v := say("The hops disagree where the request ends: %s in front of the proxy, %s behind it.", announcedOf(c.Exchange), announcedOf(c.Hop))
	if up == 0 && c.ReqBody.Complete && c.ReqBody.Tail == 0 {
		v = say("%s left out the body, %s in front of it.", theProxy(c), announcedOf(c.Exchange))
		v.Severity = new(analysis.Warning)
		v.Confidence = new(analysis.Likely)
	}
	return across(c, analysis.PartRequest, v, c.Request.Last, c.Hop.Request.Last)
}

// sized tells whether it is known how the request's content is delimited.
func sized(x *analysis.Exchange) bool {
	return x.ReqBody.Framing != analysis.FramingUnknown && x.ReqBody.Framing != analysis.FramingTunnel
}

// contentOf is the length of a request's content: as announced, or as sent where all of it was seen; -1 when it is not known.
func contentOf(x *analysis.Exchange) int64 {
	if n := x.N(); n >= 0 {
		return n
	}
	if x.ReqBody.Complete && x.ReqBody.Lost == 0 {
		return x.ReqBody.Sent
	}
	return -1
}

// announcedOf says how long a request's content is and how that is known.
func announcedOf(x *analysis.Exchange) string {
	switch n := x.N(); {
	case x.ReqBody.Framing == analysis.FramingNone:
		return "no content"
	case n >= 0:
		return "a length of " + size(n)
	case !x.ReqBody.Complete:
		return "a chunked body"
	}
	return size(x.ReqBody.Sent) + " in chunks"
}
