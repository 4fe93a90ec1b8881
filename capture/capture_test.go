package capture

import "testing"

// A number holds the input and the frame, and within an input later frames have larger ones.
func TestNum(t *testing.T) {
	const most = 1<<frameBits - 1
	for _, c := range []struct {
		input int
		frame uint64
	}{{1, 1}, {1, most}, {2, 1}, {65535, 7}} {
		n := MakeNum(c.input, c.frame)
		if n.Input() != c.input || n.Frame() != c.frame {
			t.Errorf("input %d frame %d became %d %d", c.input, c.frame, n.Input(), n.Frame())
		}
		if n == 0 {
			t.Errorf("input %d frame %d names no packet", c.input, c.frame)
		}
	}
	if MakeNum(1, most) >= MakeNum(2, 1) {
		t.Error("a later input's packet has the smaller number")
	}
}
