package analysis

import "strings"

// Side says on which side of a proxy the same exchange is seen.
type Side uint8

// Behind: between the proxy and its origin. InFront: between the client and the proxy.
const (
	Behind Side = iota
	InFront
)

// String is the word for it in the output contract.
func (s Side) String() string { return [...]string{"hop", "hop_of"}[s] }

// Tie is a set of what two exchanges have in common that makes them two hops of one.
type Tie uint16

// The ties. Address: the proxy's address is the server's on one hop and the client's on the other, and no other host's. Trace: one
// trace id. RequestID: one request or idempotency key. Body: the content begins alike, or one digest is announced. Via: the
// proxy put itself on the list (RFC 9110, Section 7.6.3). Forwarded: the proxy names the client (RFC 7239). Alone: no other exchange comes into question.
const (
	TieAddress Tie = 1 << iota
	TieTrace
	TieRequestID
	TieBody
	TieVia
	TieForwarded
	TieAlone
)

var tieNames = [...]string{"address", "trace", "request-id", "body", "via", "forwarded", "alone"}

// Names are the words for them in the output contract, in a fixed order.
func (t Tie) Names() []string {
	var names []string
	for i, name := range tieNames {
		if t&(1<<i) != 0 {
			names = append(names, name)
		}
	}
	return names
}

// String lists the words.
func (t Tie) String() string { return strings.Join(t.Names(), ", ") }

// A Hop ties an exchange to the same one on the other side of a proxy.
type Hop struct {
	// Side is where the other one is.
	Side Side
	// To is the ID of the other one.
	To         string
	Confidence Confidence
	By         Tie
	// Why says what is missing for more confidence, "" when nothing is.
	Why string
	// Taps tells that the two were captured at different places, whose clocks may differ.
	Taps bool
	// Early is by how many nanoseconds the hop behind seems to have begun before the one in front: at least so far
	// the clocks of the two places are apart.
	Early int64
}

// HopTo is the exchange's tie to the same one on a side, and whether there is one.
func (x *Exchange) HopTo(s Side) (Hop, bool) {
	for _, h := range x.Sequel().Hops {
		if h.Side == s {
			return h, true
		}
	}
	return Hop{}, false
}
