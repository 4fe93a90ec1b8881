package engine

import (
	"testing"

	"expectscope/reassembly"
)

// What exchanges share of a connection's ends is one value as long as it is the same, and does not change in their hands.
func TestEndsAreShared(t *testing.T) {
	s := &session{}
	if s.shareEnds() != nil {
		t.Error("neither direction has ended, and yet there is something to share")
	}
	s.ends[0] = reassembly.End{How: reassembly.FIN}
	one := s.shareEnds()
	if one == nil || one != s.shareEnds() {
		t.Error("two exchanges do not share the same ends")
	}
	s.ends[1] = reassembly.End{Dir: 1, How: reassembly.RST}
	both := s.shareEnds()
	if *both != s.ends || one[1].How != reassembly.Open {
		t.Errorf("after the second end: %v; before it: %v", *both, *one)
	}
}
