package analysis

import "testing"

// What a copy of an exchange was made with stays in the copy.
func TestAmendLeavesCopiesAlone(t *testing.T) {
	var x Exchange
	none := x
	x.Amend().Links = append(x.Sequel().Links, Link{Kind: LinkAuth, To: "1/2"})
	one := x
	x.Amend().Retry.Outcome = RetryNone
	x.Amend().Links = append(x.Sequel().Links, Link{Kind: LinkRepeat, To: "1/3"})
	if s := none.Sequel(); len(s.Links) != 0 || none.Retry() != (Retry{}) {
		t.Errorf("the copy of before has %+v", s)
	}
	if s := one.Sequel(); len(s.Links) != 1 || one.Retry() != (Retry{}) {
		t.Errorf("the copy in between has %+v", s)
	}
	if s := x.Sequel(); len(s.Links) != 2 || x.Retry().Outcome != RetryNone {
		t.Errorf("the exchange has %+v", s)
	}
}
