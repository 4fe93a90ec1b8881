package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "request-swallowed", Title: "Next request eaten as body", Since: "0.1",
	Explain: `The client sent its next request where the server still counted body bytes of the last one, and the server
took it for body: no answer came to it, or a 400 to what stands behind the counted bytes. The two have lost step, which is a
desynchronised connection in fact and no longer a risk. Who honestly repeated a request loses it and waits in vain; an attacker
who arranges it between a proxy and its backend makes the next user's request disappear in his own (0.CL request smuggling). The
client has to send the body it announced or close (RFC 9112, Section 9.3), and a server that refuses early and keeps the
connection invites it: nginx on 403 and 404, HAProxy, aiohttp and Node did this when tested. That the server gave no answer is an
inference from its silence, so it is never more than likely.`,
	Severity: analysis.Error, Fault: []analysis.Fault{analysis.FaultClient, analysis.FaultServer},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.3"}, {RFC: 9112, Section: "6.3"}},
	Fix:     []analysis.FixKey{"c-close", "s-close"},
	On:      analysis.TraitOwed,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Under:   []string{"body-withheld-reuse"},
	Check: func(c *analysis.Case) *analysis.Verdict {
		o := c.Owed
		if o == nil || c.Final == nil || o.Client != analysis.ReadAsNext || o.Server != analysis.ReadAsBody || !http1(c) {
			return nil
		}
		v := say("The server ate the next request as body of this one: the connection is out of step.")
		v.Confidence = new(min(o.ClientSure, o.ServerSure))
		v.Evidence = []reassembly.Mark{c.Final.First, o.At, c.NextHead, c.NextFinal}
		if o.Next != "" {
			v.Related = []string{o.Next}
		}
		return v
	},
})
