package engine

import (
	"fmt"
	"slices"
	"testing"

	"expectscope/analysis"
	"expectscope/capture/script"
)

// TestHolesAroundUpgrade drops each packet of a connection that becomes HTTP/2 with its second request, and cuts it to
// segments in which holes fall anywhere: what is said of each request is what is said of the whole, or in doubt.
func TestHolesAroundUpgrade(t *testing.T) {
	rowsOf := func(l *log) (rows map[string]string, doubtful map[string]bool) {
		rows, doubtful = map[string]string{}, map[string]bool{}
		for i := range l.exchanges {
			x := &l.exchanges[i]
			key := fmt.Sprint(x.Request.Method, x.Request.Target, x.Request.ExpectClass() != analysis.NoExpect)
			row := fmt.Sprintf("%d of %d,", x.ReqBody.Sent, x.ReqBody.Declared) // not its number: a request that was not seen does not count
			for k := range x.Interim {
				row += fmt.Sprint(" ", x.Interim[k].Status)
			}
			if x.Final != nil {
				row += fmt.Sprint(" ", x.Final.Status)
			}
			rows[key], doubtful[key] = row, len(x.Doubts) > 0
		}
		return rows, doubtful
	}
	for _, name := range []string{"h2c-upgrade", "h2c-second"} {
		s := parsed(t, conversations(t)[name])
		for _, size := range []int{0, 200, 1000} {
			ps := s.Packets(script.Options{SegmentSize: size})
			all, _ := analyze(t, newReplay(ps), Options{All: true, Crash: true})
			want, _ := rowsOf(all)
			right, marked, absent := 0, 0, 0
			for i := range ps {
				l, sum := analyze(t, newReplay(slices.Concat(ps[:i], ps[i+1:])), Options{All: true, Crash: true})
				got, doubtful := rowsOf(l)
				for key, row := range want {
					switch {
					case got[key] == row:
						right++
					case got[key] == "" && (sum.Capture.Gaps > 0 || len(sum.Capture.Opaque) > 0):
						absent++
					case doubtful[key]:
						marked++
					default:
						t.Errorf("%s in segments of %d without packet %d: %s is %q, want %q", name, size, i+1, key, got[key], row)
					}
				}
				for key, row := range got {
					if want[key] == "" && !doubtful[key] {
						t.Errorf("%s in segments of %d without packet %d: %s was never sent: %q", name, size, i+1, key, row)
					}
				}
				for _, bad := range unproven(all, l) {
					t.Errorf("%s in segments of %d without packet %d: %s", name, size, i+1, bad)
				}
			}
			t.Logf("%s in segments of %d: %d packets, %d rows right, %d marked, %d absent; whole: %v", name, size, len(ps), right, marked, absent, want)
		}
	}
}
