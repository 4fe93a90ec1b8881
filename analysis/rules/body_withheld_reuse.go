package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "body-withheld-reuse", Title: "Body withheld, connection reused", Since: "0.1",
	Explain: `The client announced a body, got an early answer, did not send (all of) the body, and then sent its next
request on the same connection, where the body belongs. By the framing of HTTP/1.1 those bytes are body: a message
whose length was announced is complete only when that many bytes have come (RFC 9112, Sections 6.3 and 9.3). A server
that counts takes the request for upload data: it never answers, or it answers what follows the body with 400, or,
between a proxy and its backend, it serves one user's request to another. A server that gives up the body when it
refuses reads the request. Which of the two happened here is in the sentence. curl repeats a 417 like this, Java 17's
HttpClient does it after every early answer, Go's client did before 1.21.12 and 1.22.5 (CVE-2024-24791). The client
has to send the body or close; a server that says close on early refusals takes the choice away. After a 417 that the
server demonstrably read past, it is a warning.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{
		{RFC: 9112, Section: "9.3"},
		{RFC: 9112, Section: "6.3"},
		{RFC: 9110, Section: "10.1.1"},
	},
	Fix:   []analysis.FixKey{"c-close", "s-close"},
	On:    analysis.TraitOwed,
	Reads: analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Check: bodyWithheldReuse,
})

func bodyWithheldReuse(c *analysis.Case) *analysis.Verdict {
	o := c.Owed
	if o == nil || c.Final == nil || o.Client != analysis.ReadAsNext || !http1(c) {
		return nil
	}
	owed := "the rest of a chunked body was"
	if o.Bytes >= 0 {
		owed = size(o.Bytes) + " of body were"
	}
	v := say("A new request began where %s owed after the %d; %s.", owed, c.Final.Status, serverRead(o))
	v.Confidence = new(o.ClientSure)
	if o.Server == analysis.ReadUnknown {
		v.Confidence = new(min(o.ClientSure, analysis.Likely))
	}
	if o.Server == analysis.ReadAsNext && o.ServerSure == analysis.Certain && c.Final.Status == 417 {
		v.Severity = new(analysis.Warning)
	}
	v.Evidence = []reassembly.Mark{c.Request.Last, c.Final.First, o.At, c.NextHead}
	if o.Next != "" {
		v.Related = []string{o.Next}
	}
	return v
}

// serverRead says what the server took the bytes for, and how sure that is.
func serverRead(o *analysis.Owed) string {
	probably := ""
	if o.ServerSure < analysis.Certain {
		probably = "probably "
	}
	switch o.Server {
	case analysis.ReadAsBody:
		return "the server " + probably + "swallowed it as body"
	case analysis.ReadAsNext:
		return "the server " + probably + "gave up the body and read the request"
	}
	return "what the server took it for cannot be told"
}
