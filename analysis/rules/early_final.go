package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// leftOpen tells whether the server answered before it had the whole body and did not
// announce to close: the connection then goes on behind the rest of the body (RFC 9112, Section 9.3).
func leftOpen(c *analysis.Case) bool {
	return c.EarlyFinal() && announced(c) && c.Final.Status != 101 && !c.HTTP10() && !c.Final.Close && !c.Request.Close
}

// announced tells whether the request's framing promises content on the connection. On a stream, in a tunnel, or behind a
// head that was cut, nothing is owed or nobody knows.
func announced(c *analysis.Case) bool {
	return c.ReqBody.Framing == analysis.FramingLength || c.ReqBody.Framing == analysis.FramingChunked
}

// silentEnd is how the server, without having announced it, hung up right after the final response, before another request.
func silentEnd(c *analysis.Case) (end reassembly.End, ok bool) {
	end, ok = hungUpFirst(c, c.ServerDir())
	return end, ok && c.NextFirst.Packet == 0 && end.At.Time-c.Final.Last.Time <= analysis.CloseWait
}

// endUncaptured tells whether the server did what silentEnd is about, and its FIN was not captured: it shows in what acknowledges it,
// the client's own.
func endUncaptured(c *analysis.Case) bool {
	end, left := hungUp(c, c.Client)
	return left && knewEnd(c, &end) && c.NextFirst.Packet == 0 && end.At.Time-c.Final.Last.Time <= analysis.CloseWait
}

// keptOpen tells whether the server is known not to have hung up right after the final response: the client went on with the
// connection, or ended it before it had heard of an end, or the capture goes on without one. An end that was not captured shows in
// the acknowledgement of its FIN.
func keptOpen(c *analysis.Case) bool {
	if c.NextFirst.Packet != 0 {
		return true
	}
	if end, ok := hungUp(c, c.Client); ok {
		return end.At.Acked <= max(c.Final.Last.Off, c.RespBody.Last.Off) // a FIN takes one place behind the stream
	}
	by := c.Final.Last.Time + analysis.CloseWait
	return c.At > by && !ended(c, by)
}

// answered says the final response in the words of a sentence's beginning: a refusal or not.
func answered(c *analysis.Case) string {
	if c.Rejected() {
		return "Refused"
	}
	return "Answered"
}

// owedAtFinal says how much of the body the server's host had not received when it answered.
func owedAtFinal(c *analysis.Case) string {
	if n := c.N(); n >= 0 {
		return size(max(0, n-c.ReqBody.Read)) + " of body"
	}
	return "the rest of a chunked body"
}

// early is the evidence that the answer came before the body's end, and how sure that is: where the answer's
// acknowledgement tells what had arrived, and nothing is in doubt. That the capture ends is no doubt here: what is
// captured later cannot change what was so when the answer came.
func early(c *analysis.Case, parts analysis.Part) (marks []reassembly.Mark, sure *analysis.Confidence) {
	marks = []reassembly.Mark{c.Request.Last, c.Final.First, c.ReqBody.Last}
	for _, d := range c.Doubtful(parts) {
		if d.Kind != analysis.DoubtCaptureEnd {
			return marks, new(analysis.Inconclusive)
		}
	}
	return marks, ifSure(c.Final.First.Acked != reassembly.NoAck || !c.ReqBody.Complete)
}
