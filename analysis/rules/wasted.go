package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// What the rules about wasted bytes share. Each exchange's bytes are counted
// once, by waste-rejected; the other rules say how a part of the same bytes came about
// and stand under it, so only findings without a cause may be added up.

// wasted tells whether the request has an Expect field and content that was sent and refused.
func wasted(c *analysis.Case) bool {
	return c.Rejected() && c.ReqBody.Sent > 0 && !plain(c.Exchange)
}

// byAck tells whether acknowledgements say what the client knew when it sent the body, and not only the order of capture.
func byAck(c *analysis.Case) bool {
	return c.ReqBody.First.Acked != reassembly.NoAck && c.ReqBody.Last.Acked != reassembly.NoAck
}

// split is what may be claimed of Early, Invited and Tail: nothing for sure without acknowledgements.
func split(c *analysis.Case) *analysis.Confidence {
	if byAck(c) {
		return nil
	}
	return new(analysis.Inconclusive)
}

// amount is a number of content bytes of this request: "about" where some are missing from the capture.
func amount(c *analysis.Case, n int64) string {
	if c.ReqBody.Lost > 0 {
		return "about " + size(n)
	}
	return size(n)
}

// obliged tells whether what was sent after the refusal had to be: the server kept the connection, and then
// a message must be completed before the next (RFC 9112, Section 9.3).
func obliged(c *analysis.Case) bool {
	if c.Final.Close || c.HTTP2() { // a stream can be reset at any time
		return false
	}
	end, ended := hungUp(c, c.ServerDir())
	return !ended || !before(end.At, c.ReqBody.Last)
}

// A share is one of the three classes of wasted bytes, and who is to change what about it.
type share struct {
	bytes int64
	when  string
	fault analysis.Fault
	fix   analysis.FixKey
}

// largest is the class that most of the body belongs to.
func largest(c *analysis.Case) share {
	b := &c.ReqBody
	shares := [...]share{
		{b.Early, "before any answer", analysis.FaultClient, "c-wait"},
		{b.Invited, "after a 100", analysis.FaultServer, "s-late100"},
		{b.Tail, "after the refusal", analysis.FaultClient, "c-close"},
	}
	if !c.FromHead() { // such a status may need the content, so it was right to ask for it
		shares[1].fault, shares[1].fix = analysis.FaultUnknown, ""
	}
	if obliged(c) {
		shares[2].fault, shares[2].fix = analysis.FaultServer, "s-close"
	}
	most := shares[0]
	for _, s := range shares[1:] {
		if s.bytes > most.bytes {
			most = s
		}
	}
	return most
}
