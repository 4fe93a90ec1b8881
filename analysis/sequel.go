package analysis

import "expectscope/reassembly"

// A Sequel is what few exchanges have: what became of a refused expectation, and other things that came of a request or behind its
// answer. Most exchanges that are kept have none of it, and many are kept: it is larger than what it would save to have it at hand.
type Sequel struct {
	// Retry is what became of a refused expectation; its zero value means: not asked.
	Retry Retry
	// Links are the requests that followed from how this one was answered, other than its repeat after a 417.
	Links []Link
	// Hops are the same exchange on the other sides of proxies.
	Hops []Hop
	// Resets are the resets of its HTTP/2 stream, in the order in which they were captured.
	Resets []StreamReset
	// Orphans are response heads that came after Final (or with no request
	// seen at all) while no request was outstanding.
	Orphans []Message
	// Echo is the mark of the segment in which the content of a 4xx answer had repeated, as sent, an Expect
	// value that holds markup; zero when it did not within [LookAt] bytes.
	Echo reassembly.Mark
}

// Sequel is what few exchanges have, all zero for most. The slices must not be changed.
func (x *Exchange) Sequel() Sequel {
	if x.sequel == nil {
		return Sequel{}
	}
	return *x.sequel
}

// Retry is what became of a refused expectation; its zero value means: not asked.
func (x *Exchange) Retry() Retry {
	if x.sequel == nil {
		return Retry{}
	}
	return x.sequel.Retry
}

// Amend returns the sequel to be written to, at once: it is a new one, so that copies of x that were made before keep theirs.
func (x *Exchange) Amend() *Sequel {
	s := x.Sequel()
	x.sequel = &s
	return x.sequel
}
