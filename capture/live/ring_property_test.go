package live

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"
)

// Whatever the kernel puts into its blocks, round after round, is handed out
// once, whole and in order, however reading and writing alternate.
func TestRingAgainstAList(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const size, blocks = 2048, 3
		r := &ring{mem: make([]byte, size*blocks), size: size}
		var sent, got []string
		writes, reads := 0, 0 // blocks
		read := func() {
			var f frame
			for r.next(&f) {
				got = append(got, string(f.data()))
			}
		}
		for range rapid.IntRange(0, 30).Draw(t, "steps") {
			full := writes-reads == blocks
			if !full && rapid.Bool().Draw(t, "write") {
				var rs []record
				for range rapid.IntRange(0, 5).Draw(t, "records") {
					data := fmt.Sprintf("%d%0*d", len(sent), rapid.IntRange(0, 200).Draw(t, "size"), 0)
					sent = append(sent, data)
					rs = append(rs, record{data: data, wire: len(data) + 9, room: rapid.IntRange(1, 64).Draw(t, "room")})
				}
				copy(r.mem[writes%blocks*size:], block(size, rs...))
				writes++
				continue
			}
			if r.held {
				reads++ // it stays in use until take gives it back
			}
			if r.take() != (writes > reads) {
				t.Fatalf("%d blocks were written and %d read, and taking one says %v", writes, reads, r.held)
			}
			read()
		}
		for r.take() {
			read()
		}
		if fmt.Sprint(got) != fmt.Sprint(sent) || r.malformed != 0 {
			t.Fatalf("sent %q\n got %q, %d malformed", sent, got, r.malformed)
		}
	})
}
