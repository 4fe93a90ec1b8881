package rules

import (
	"cmp"
	"strings"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// What the rules about 417 and about what became of it share.

// refused tells whether a request with an Expect field of any kind was answered 417 (RFC 9110, Section 15.5.18).
func refused(c *analysis.Case) bool {
	return refusedExchange(c.Exchange) && c.Request.ExpectClass() != analysis.NoExpect
}

func refusedExchange(x *analysis.Exchange) bool { return x.Final != nil && x.Final.Status == 417 }

// unrepeated tells whether a repeat was due, for a refused 100-continue and a body that still has to
// travel (RFC 9110, Section 10.1.1), and none is known.
func unrepeated(c *analysis.Case) bool {
	return refusedExchange(c.Exchange) && c.Expects() && c.N() != 0 && c.Next() == nil
}

// unseen says what may have hidden a repeat, "" when nothing did. A capture that merely ends
// too soon hides nothing: what the client did until then counts.
func unseen(c *analysis.Case) string {
	const decides = analysis.PartRequest | analysis.PartFinal | analysis.PartFollowing
	r := c.Retry()
	switch {
	case r.Outcome == analysis.RetryUnknown && (r.Blind || c.WindowPassed):
		return cmp.Or(r.Why, "something in the window was out of sight")
	case doubted(c, analysis.PartAll, analysis.DoubtDrops):
		return "the capture lost packets"
	case doubted(c, analysis.PartAll, analysis.DoubtOneSided):
		return "only one direction was captured"
	case blind(c, decides):
		return "bytes of this connection are missing"
	}
	return ""
}

// plain tells whether a request has no Expect field at all.
func plain(x *analysis.Exchange) bool { return x.Request.ExpectClass() == analysis.NoExpect }

// asksAgain tells whether a request expects 100-continue, be it in disguise.
func asksAgain(x *analysis.Exchange) bool {
	switch x.Request.ExpectClass() {
	case analysis.ExactExpect, analysis.ListExpect, analysis.ObfuscatedExpect:
		return true
	}
	return false
}

// insisted counts the links of a chain whose repeat expects again what was just refused, and
// finds the first original that was repeated so, -1 if none was.
func insisted(chain []*analysis.Exchange) (links, first int) {
	first = -1
	for i := 1; i < len(chain); i++ {
		if refusedExchange(chain[i-1]) && asksAgain(chain[i]) {
			if links++; first < 0 {
				first = i - 1
			}
		}
	}
	return links, first
}

// gap is the time from the end of a refusal to the beginning of its repeat, in nanoseconds, without what it
// took to open the repeat's connection where that happened in between.
func gap(from, to *analysis.Exchange) int64 {
	end := max(from.Final.Last.Time, from.RespBody.Last.Time)
	d := to.Request.First.Time - end
	if conn := to.Conn; conn != from.Conn && conn.SYN != 0 && conn.ACK != 0 {
		d -= max(0, conn.ACK-max(conn.SYN, end))
	}
	return max(0, d)
}

// linked is what may be claimed of the repeat: what analysis/retry is sure of.
func linked(c *analysis.Case) *analysis.Confidence { return new(c.Retry().Confidence) }

// handover is the evidence of a repeat: the refusal and the repeat's head.
func handover(c *analysis.Case, to *analysis.Exchange) []reassembly.Mark {
	return []reassembly.Mark{c.Final.Last, to.Request.Last}
}

// asked is the expectation as it may stand in a sentence.
func asked(c *analysis.Case) string {
	if c.Request.ExpectClass() == analysis.ExactExpect {
		return "Expect: 100-continue"
	}
	v, _ := c.Request.Expect()
	return "Expect: " + quoted(v)
}

// viaHTTP10 tells whether HTTP/1.0 was spoken somewhere along the way, which cannot carry a 100:
// by either head, or by a hop that Via names (RFC 9110, Section 7.6.3).
func viaHTTP10(c *analysis.Case) bool {
	if c.HTTP10() || strings.HasPrefix(c.Final.Version, "HTTP/1.0") {
		return true
	}
	for _, via := range append(c.Request.Values("Via"), c.Final.Values("Via")...) {
		for hop := range strings.SplitSeq(via, ",") {
			received, _, _ := strings.Cut(strings.TrimSpace(hop), " ")
			if received == "1.0" || strings.EqualFold(received, "HTTP/1.0") {
				return true
			}
		}
	}
	return false
}
