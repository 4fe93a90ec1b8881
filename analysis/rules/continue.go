package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// awaits tells whether the server owed an answer to the head before the content: a 100-continue
// expectation, HTTP/1.1 or later, and content to come (RFC 9110, Section 10.1.1).
func awaits(c *analysis.Case) bool {
	return c.Expects() && !c.HTTP10() && c.N() != 0
}

// unasked tells whether the client's host had received neither a 100 nor the final response when it sent the
// first content byte. Sure is false where no acknowledgement tells.
func unasked(c *analysis.Case) (yes, sure bool) {
	if c.ReqBody.Sent == 0 {
		return false, true
	}
	invited, sure1 := analysis.Knew(c.ReqBody.First, c.Continue())
	answered, sure2 := analysis.Knew(c.ReqBody.First, c.Final)
	return !invited && !answered, sure1 && sure2
}

// timedOut tells whether the client waited for a 100 and then sent the content without one, and
// how long it waited. Sure is as for unasked.
func timedOut(c *analysis.Case) (wait int64, yes, sure bool) {
	wait, sent := c.Wait()
	alone, sure := unasked(c)
	return wait, awaits(c) && sent && alone && wait >= analysis.NoWait, sure
}

// measured tells whether the handshake told the round-trip time. What the connection's acknowledgements tell is the least of some
// parts of it: enough for an estimate, not for a certain claim that somebody was slow.
func measured(c *analysis.Case) bool {
	_, handshake := c.Conn.RTT()
	return handshake
}

// idled tells whether the server's host is known to have had the request head for longer than an answer may take when something
// came. A head may have been lost on the way, and its repetition be missing from the capture.
func idled(c *analysis.Case, until reassembly.Mark) bool {
	return c.HeadHeard != 0 && until.Time-c.HeadHeard >= analysis.LateContinue
}

// thinking is how long the server took for its first 100: from the head's capture, less the way to the server
// and back. Known is false where the connection tells nothing about that way.
func thinking(c *analysis.Case, m *analysis.Message) (ns int64, known bool) {
	way := c.Conn.ServerRTT(c.Client)
	return m.First.Time - c.Request.Last.Time - way, way > 0
}

// blind tells whether bytes are missing from one of the parts (rules.md's G1, G4 and evictions): the
// finding rests on what was not seen, so it must not be made at all.
func blind(c *analysis.Case, parts analysis.Part) bool {
	return doubted(c, parts, analysis.DoubtGap, analysis.DoubtOneSided, analysis.DoubtEvicted)
}

// doubted tells whether a doubt of one of the kinds touches one of the parts.
func doubted(c *analysis.Case, parts analysis.Part, kinds ...analysis.DoubtKind) bool {
	for _, d := range c.Doubtful(parts) {
		for _, k := range kinds {
			if d.Kind == k {
				return true
			}
		}
	}
	return false
}

// cut tells whether the request head may lack fields, so that an absent one proves nothing.
func cut(c *analysis.Case) bool {
	return doubted(c, analysis.PartRequest, analysis.DoubtSnapLen, analysis.DoubtGap, analysis.DoubtEvicted, analysis.DoubtMidStream)
}

// hungUp is how the host that sends in direction d ended the connection: by its FIN or its own RST, or the stream of HTTP/2
// alone: by RST_STREAM. Ok is false when it did none of these, as far as seen.
func hungUp(c *analysis.Case, d reassembly.Dir) (end reassembly.End, ok bool) {
	if r := c.ResetBy(d); r != nil && !r.GoAway {
		return reassembly.End{Dir: d, At: r.At, How: reassembly.RST, Sender: true}, true
	}
	end = c.End(d)
	return end, end.How == reassembly.FIN || end.How == reassembly.RST && end.Sender
}

// hungUpFirst is hungUp where the other side had not done so before. A FIN takes one place behind the stream, so that
// who acknowledges more than the stream had seen it; where neither had, the order of capture decides. The other side's FIN
// may not have been captured.
func hungUpFirst(c *analysis.Case, d reassembly.Dir) (end reassembly.End, ok bool) {
	end, ok = hungUp(c, d)
	other, too := hungUp(c, d.Other())
	switch {
	case !ok:
		return end, false
	case !too:
		return end, !knewEnd(c, &end)
	case end.At.Acked != reassembly.NoAck && end.At.Acked > other.At.Off:
		return end, false
	case other.At.Acked != reassembly.NoAck && other.At.Acked > end.At.Off:
		return end, true
	}
	return end, before(end.At, other.At)
}

// knewEnd tells whether the host that ended the connection had received more by then than what the other one said: its FIN, which
// was not captured, or is not borne out yet.
func knewEnd(c *analysis.Case, end *reassembly.End) bool {
	other := end.Dir.Other()
	return http1(c) && c.Conn.Ahead[other] && end.At.Acked != reassembly.NoAck && end.At.Acked > said(c, other)
}

// said is how far the exchange reaches in the stream of direction d.
func said(c *analysis.Case, d reassembly.Dir) uint64 {
	if d == c.Client {
		return max(c.Request.Last.Off, c.ReqBody.Last.Off, c.ReqBody.End.Off)
	}
	off := max(c.RespBody.Last.Off, c.RespBody.End.Off)
	for i := range c.Interim {
		off = max(off, c.Interim[i].Last.Off)
	}
	if c.Final != nil {
		off = max(off, c.Final.Last.Off)
	}
	return off
}

// thread is what hungUp says that somebody ended.
func thread(c *analysis.Case) string {
	if len(c.Sequel().Resets) > 0 {
		return "stream"
	}
	return "connection"
}

// before orders marks as they were captured: by packet, as clocks may jump.
func before(a, b reassembly.Mark) bool { return a.Packet < b.Packet }

// http1 tells whether the exchange is HTTP/1.x, where the connection's bytes say which message they belong to. The
// rules about owed bodies and closing have no meaning on a stream of HTTP/2.
func http1(c *analysis.Case) bool { return !c.HTTP2() }

// ifSure is what may be claimed: nil, the most, or less where knowledge rests on the order of capture.
func ifSure(sure bool) *analysis.Confidence {
	if sure {
		return nil
	}
	return new(analysis.Likely)
}
