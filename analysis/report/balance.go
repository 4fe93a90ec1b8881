package report

import (
	"net/netip"

	"expectscope/analysis"
)

// enough is how many exchanges an advice needs.
const enough = 20

// A Balance is what Expect cost and what it saved between a client and a server. The zero value is empty.
type Balance struct {
	Client netip.Addr
	Server netip.AddrPort
	// Expect counts exchanges with 100-continue, Rejected those of them with a final status of 300 or above, Refused
	// those with 417, Ignored those whose client sent its body without having seen any answer.
	Expect, Rejected, Refused, Ignored int
	// Plain counts exchanges with a body and without Expect, PlainRejected those of them that a server could have rejected by their head.
	Plain, PlainRejected int
	// Paid is the time in nanoseconds accepted requests waited for a 100 or for the end of their patience, and a round trip for each 417.
	Paid int64
	// Saved is the body bytes that Expect kept from being sent in vain (a 417's are sent after all), Wasted those that were sent in vain.
	Saved, Wasted int64

	rtt, rtts       int64 // sum and number of round-trip times
	declared, known int64 // sum and number of declared lengths
	moved, took     int64 // body bytes and the time they took, for the rate
}

// Add counts an exchange of that client and server.
func (b *Balance) Add(x *analysis.Exchange) {
	if n, ok := x.Wasted(); ok && x.Charged() {
		b.Wasted += n
	}
	if ns, _ := x.Conn.RTT(); ns > 0 {
		b.rtt, b.rtts = b.rtt+ns, b.rtts+1
	}
	if n := x.N(); n > 0 {
		b.declared, b.known = b.declared+n, b.known+1
	}
	body := &x.ReqBody
	if d := body.Last.Time - body.First.Time; d > 0 {
		b.moved, b.took = b.moved+body.Sent, b.took+d
	}
	if !x.Expects() {
		if body.Framing != analysis.FramingNone {
			b.Plain++
			if x.FromHead() && x.Final.Status != 417 {
				b.PlainRejected++
			}
		}
		return
	}
	b.Expect++
	switch {
	case x.Rejected():
		b.Rejected++
		b.Saved += x.Saved()
		if x.Final.Status == 417 {
			b.Refused++
			ns, _ := x.Conn.RTT()
			b.Paid += ns
		}
	case x.Final != nil:
		b.Paid += x.WaitedForContinue()
	}
	if body.Sent > 0 && body.Early > 0 && x.WaitedForContinue() >= analysis.NoWait {
		b.Ignored++
		if x.Rejected() {
			b.Paid += x.WaitedForContinue()
		}
	}
}

// BreakEven is the share of rejected requests from which on Expect is worth its wait, p* = RTT / (RTT + N/R) with the mean length N and
// rate R of the bodies; false when the capture does not tell all three.
func (b *Balance) BreakEven() (float64, bool) {
	if b.rtts == 0 || b.known == 0 || b.took == 0 || b.moved == 0 {
		return 0, false
	}
	rtt := float64(b.rtt) / float64(b.rtts)
	sending := float64(b.declared) / float64(b.known) / (float64(b.moved) / float64(b.took))
	return rtt / (rtt + sending), true
}

// Advice is what to change, "" when the capture shows too little or nothing is to be gained.
func (b *Balance) Advice() string {
	even, ok := b.BreakEven()
	switch {
	case b.Expect >= enough && b.Ignored == b.Expect && b.Rejected == 0:
		return "turn Expect off: the server never answers it"
	case ok && b.Expect >= enough && float64(b.Rejected)/float64(b.Expect) < even:
		return "turn Expect off: too few are rejected"
	case ok && b.Plain >= enough && b.PlainRejected > 0 && float64(b.PlainRejected)/float64(b.Plain) > even:
		return "turn Expect on: many are rejected by their head"
	}
	return ""
}
