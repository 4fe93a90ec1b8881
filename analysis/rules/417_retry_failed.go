package rules

import "expectscope/analysis"

var _ = rule(analysis.Rule{
	ID: "417-retry-failed", Title: "Retry failed for another reason", Since: "0.1",
	Explain: `The request was refused with 417, the client repeated it without Expect as it should, and the repeat was refused too, with
another status. So Expect was not the real problem, or not the only one: look at the status of the repeat (413 a size limit,
401 or 403 a right, 404 or 405 a wrong target). A special case is 400 on the same connection: when the first request's body was announced but
never sent, a server that keeps the connection takes the repeat for that body and then stumbles over what is left of it. Then the
repeat was never seen as a request, and the way out is to close the connection after the 417, or not to send Expect.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultUnknown},
	Fix:   []analysis.FixKey{"see-status"},
	On:    analysis.TraitRefused,
	Reads: analysis.PartRequest | analysis.PartFinal | analysis.PartFollowing,
	Under: []string{"body-withheld-reuse"},
	Check: retryFailed,
})

func retryFailed(c *analysis.Case) *analysis.Verdict {
	next := c.Next()
	if !refused(c) || next == nil || !plain(next) || next.Final == nil || next.Final.Status < 400 || refusedExchange(next) {
		return nil
	}
	v := say("The retry without Expect was answered %d: Expect was not the real problem.", next.Final.Status)
	v.Confidence = linked(c)
	if o := c.Owed; o != nil && o.Next == next.ID && o.Server == analysis.ReadAsBody {
		v = say("The retry was answered %d: the server took it for the body it was still owed.", next.Final.Status)
		v.Confidence = new(min(c.Retry().Confidence, o.ServerSure))
		v.Fix = []analysis.FixKey{"c-close", "s-close"}
	}
	v.Related = []string{next.ID}
	v.Evidence = append(handover(c, next), next.Final.Last)
	return v
}
