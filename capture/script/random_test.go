package script

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// A draft is a random conversation and what it should come to.
type draft struct {
	text strings.Builder
	// want is what each side sends.
	want map[netip.AddrPort]string
	isn  map[netip.AddrPort]uint32
}

// drafts draws conversations of up to three connections, without damage.
func drafts(t *rapid.T) *draft {
	t.Helper()
	d := &draft{want: map[netip.AddrPort]string{}, isn: map[netip.AddrPort]uint32{}}
	n := rapid.IntRange(1, 3).Draw(t, "connections")
	unseen := make([][2]int, n) // lines of the other side that this one may not have received
	for i := range n {
		a, b := fmt.Sprintf("10.0.0.1:%d", 40000+i), fmt.Sprintf("10.0.0.2:%d", 80+i)
		isn := [2]uint32{rapid.Uint32().Draw(t, "isn"), rapid.Uint32().Draw(t, "isn")}
		d.isn[netip.MustParseAddrPort(a)], d.isn[netip.MustParseAddrPort(b)] = isn[0], isn[1]
		fmt.Fprintf(&d.text, "@conn c%d %s %s rtt=%dms mss=%d isn=%d,%d\n", i, a, b,
			rapid.IntRange(0, 50).Draw(t, "rtt"), rapid.IntRange(1, 300).Draw(t, "mss"), isn[0], isn[1])
	}
	for range rapid.IntRange(1, 15).Draw(t, "lines") {
		i := rapid.IntRange(0, n-1).Draw(t, "connection")
		from := rapid.IntRange(0, 1).Draw(t, "side")
		size := rapid.IntRange(1, 900).Draw(t, "size")
		addr := netip.AddrPortFrom(netip.AddrFrom4([4]byte{10, 0, 0, byte(1 + from)}), uint16([]int{40000, 80}[from]+i))
		fmt.Fprintf(&d.text, "+%dus c%d%c body %d", rapid.IntRange(0, 60_000).Draw(t, "wait"), i, "><"[from], size)
		blind := rapid.IntRange(0, unseen[i][from]).Draw(t, "lines unseen")
		if blind > 0 {
			fmt.Fprintf(&d.text, " [blind %d]", blind)
		}
		unseen[i][from] = blind
		unseen[i][1-from]++
		d.text.WriteByte('\n')
		d.want[addr] += string(content(size))
	}
	t.Logf("script:\n%s", &d.text)
	return d
}

// Whatever is said arrives: each side's stream is what its lines say, in every
// variant, the arithmetic of TCP holds, and line times do not depend on how the
// lines are cut.
func TestRandomConversations(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := drafts(rt)
		s := parse(rt, d.text.String())
		for _, size := range []int{0, 1, 100} {
			tapes := readAll(rt, s.Packets(Options{SegmentSize: size}))
			audit(rt, s, tapes)
			firsts := map[time.Duration]bool{}
			for _, r := range tapes {
				firsts[r.at] = true
			}
			for _, a := range s.acts {
				if !firsts[a.at] {
					rt.Errorf("size %d: nothing was captured at %v, the time of line %d", size, a.at, a.line)
				}
			}
			for addr, want := range d.want {
				if got := stream(rt, tapes, addr, d.isn[addr]); got != want {
					rt.Errorf("size %d: %v sent %d bytes, want %d", size, addr, len(got), len(want))
				}
			}
		}
	})
}

// Everything that was sent is acknowledged in the end, whoever was blind to it.
func TestRandomConversationsAreAcknowledged(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		d := drafts(rt)
		s := parse(rt, d.text.String())
		reached := map[netip.AddrPort]uint32{}
		for _, r := range readAll(rt, s.Packets(Options{})) {
			reached[r.dst] = r.ack
		}
		for addr, want := range d.want {
			if got := int(reached[addr] - d.isn[addr] - 1); got != len(want) {
				rt.Errorf("%d of %d bytes of %v are acknowledged", got, len(want), addr)
			}
		}
	})
}
