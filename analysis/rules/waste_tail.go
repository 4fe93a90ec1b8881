package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

var _ = rule(analysis.Rule{
	ID: "waste-tail", Title: "Upload continued after the refusal", Since: "0.1",
	Explain: `The client's host had received the refusal, which said that the server closes the connection, and went on sending the body: more than
64 KiB, or for longer than a round trip. A client SHOULD watch for an early answer while it sends, and immediately cease when the server does
not want the rest and is closing (RFC 9112, Section 9.5). The bytes are lost, and worse: data that arrives at a closed
socket is answered with a reset, which can destroy the refusal before the program has read it, so the user sees "connection reset"
instead of the reason. A few segments are unavoidable, since what is in the socket's buffer cannot be called back.`,
	Severity: analysis.Notice, Fault: []analysis.Fault{analysis.FaultClient},
	Clauses: []analysis.Clause{{RFC: 9112, Section: "9.5", Level: "SHOULD"}},
	Fix:     []analysis.FixKey{"s-close", "c-close"},
	On:      analysis.TraitRejected,
	Reads:   analysis.PartRequest | analysis.PartReqBody | analysis.PartFinal,
	Under:   []string{"waste-rejected"},
	Check:   wasteTail,
})

func wasteTail(c *analysis.Case) *analysis.Verdict {
	b := &c.ReqBody
	if !c.Rejected() || b.Tail == 0 || !c.Final.Close && !c.HTTP2() {
		return nil
	}
	if unavoidable(c) {
		return nil
	}
	v := say("The client kept uploading %s after the refusal (%d) that closes the connection.", amount(c, b.Tail), c.Final.Status)
	if c.HTTP2() {
		v = say("The client kept uploading %s after the refusal (%d), on a stream that it could reset.", amount(c, b.Tail), c.Final.Status)
	}
	v.Wasted, v.Confidence, v.Evidence = b.Tail, split(c), []reassembly.Mark{c.Final.Last, b.Last}
	return v
}

// unavoidable tells whether what was sent after the final response is little enough to have lain in the system's buffer.
func unavoidable(c *analysis.Case) bool {
	rtt, _ := c.Conn.RTT()
	return c.ReqBody.Tail <= analysis.TailNotice && (rtt == 0 || tailTime(c) <= rtt)
}

// tailTime is for how long the client went on sending after its host had the final response: to the last body byte, less the
// way from the capture point to the client and back. Nanoseconds.
func tailTime(c *analysis.Case) int64 {
	rtt, _ := c.Conn.RTT()
	return c.ReqBody.Last.Time - c.Final.Last.Time - max(0, rtt-c.Conn.ServerRTT(c.Client))
}
