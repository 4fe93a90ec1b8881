package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// What the rules about the connection's end share.

// stayed tells whether the server still had not ended the connection when analysis.CloseWait had passed behind its whole final
// response, without the client having ended it in that time. Until is when it did end it, or what shows that it went on;
// sure is Inconclusive where nothing more of the connection was seen, so that its end may have been missed.
func stayed(c *analysis.Case) (until reassembly.Mark, yes bool, sure analysis.Confidence) {
	over := c.RespBody.End
	if !c.RespBody.Complete || over.Packet == 0 {
		return until, false, sure
	}
	server, gone := hungUp(c, c.ServerDir())
	client, left := hungUp(c, c.Client)
	switch wait := over.Time + analysis.CloseWait; {
	case c.NextFinal.Packet != 0:
		return c.NextFinal, true, analysis.Certain
	case gone && server.At.Off > over.Off: // it said more behind its answer
		return server.At, true, analysis.Certain
	case left && client.At.Time <= wait:
		return until, false, sure
	case gone:
		return server.At, server.At.Time > wait, analysis.Certain
	case ended(c, wait):
		return until, false, sure
	default:
		return reassembly.Mark{Time: c.At}, c.At >= wait, analysis.Inconclusive
	}
}

// ended tells whether the server may have ended the connection by a time although nothing that ends it was taken in: its FIN or RST, or
// the client's, is not borne out yet; or it was not captured, and shows in its acknowledgement, or in a connection that took the ports.
func ended(c *analysis.Case, by int64) bool {
	end := c.End(c.ServerDir())
	return c.Conn.Ending != [2]bool{} || c.Conn.Ahead[c.ServerDir()] && end.How != reassembly.FIN || end.How == reassembly.Reused && end.At.Time <= by
}

// lasted says for how long the server kept the connection behind its final response.
func lasted(c *analysis.Case, until reassembly.Mark) string {
	return span(until.Time - c.RespBody.End.Time)
}

// closes tells whether the server announced the end of the connection in so many words, or has ended it, before the client's
// host sent the bytes marked b; and whether acknowledgements tell.
func closes(c *analysis.Case, b reassembly.Mark) (yes, sure bool) {
	if c.Final == nil || c.Final.Status == 101 || !http1(c) {
		return false, true
	}
	if c.Final.CloseOption() {
		return analysis.Knew(b, c.Final)
	}
	end, gone := hungUp(c, c.ServerDir())
	if !gone || end.How != reassembly.FIN || b.Acked == reassembly.NoAck {
		return false, true
	}
	return b.Acked > end.At.Off, true // a FIN takes one place behind the stream
}
