package script

import "testing"

// Traffic parses, is the same each time, and has many connections at once.
func TestTraffic(t *testing.T) {
	for _, p := range Profiles {
		text := Traffic(p, 7)
		if text != Traffic(p, 7) || text == Traffic(p, 8) {
			t.Errorf("%s: not one text for each block", p)
		}
		s, err := Parse(text)
		if err != nil {
			t.Fatalf("%s: %v", p, err)
		}
		packets := s.Packets(Options{})
		if len(packets) < 500 {
			t.Errorf("%s: %d packets", p, len(packets))
		}
		turns := 0
		for i := 1; i < len(packets); i++ {
			if string(packets[i].Data[26:38]) != string(packets[i-1].Data[26:38]) {
				turns++
			}
		}
		if turns < len(packets)/4 && p != Upload {
			t.Errorf("%s: connections take turns %d times in %d packets", p, turns, len(packets))
		}
	}
}
