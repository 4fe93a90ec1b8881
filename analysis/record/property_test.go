package record

import (
	"fmt"
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// keeper is a sink that copies what is counted.
type keeper struct {
	nothing
	wants bool
	xs    []analysis.Exchange
}

func (k *keeper) Wants(*analysis.Head) bool { return k.wants }

func (k *keeper) Noted(*analysis.Exchange) {}
func (k *keeper) Counted(x *analysis.Exchange) {
	c := *x
	c.Doubts = append([]analysis.Doubt(nil), x.Doubts...)
	if x.Final != nil {
		f := *x.Final
		c.Final = &f
	}
	k.xs = append(k.xs, c)
}

// nothing is a sink that does not listen.
type nothing struct{}

func (nothing) Wants(*analysis.Head) bool   { return false }
func (nothing) Opened(*analysis.Exchange)   {}
func (nothing) Refused(*analysis.Exchange)  {}
func (nothing) Rejected(*analysis.Exchange) {}
func (nothing) Closed(*analysis.Exchange)   {}
func (nothing) Revoked(*analysis.Exchange)  {}
func (nothing) Noted(*analysis.Exchange)    {}
func (nothing) Counted(*analysis.Exchange)  {}
func (nothing) Orphan(*analysis.Head)       {}

// An act is a step of a random exchange. Content is said by its length, answers by status.
type act struct {
	kind   string // body, coding, lost, unsent, interim, final
	n      uint64
	status int
	behind uint64 // how much of what the other side sent is not acknowledged by it
}

// acts draws the steps of one exchange: interim answers, at most one final, content all the time.
func acts(t *rapid.T) []act {
	answered := false
	return rapid.SliceOfN(rapid.Custom(func(t *rapid.T) act {
		a := act{
			kind: rapid.SampledFrom([]string{"body", "body", "body", "coding", "lost", "unsent", "interim", "final"}).Draw(t, "kind"),
			n:    rapid.Uint64Range(1, 3000).Draw(t, "n"), behind: rapid.SampledFrom([]uint64{0, 0, 0, 1, 20, 60, 1000, 9000}).Draw(t, "behind"),
		}
		switch a.kind {
		case "interim":
			a.status = rapid.SampledFrom([]int{100, 100, 102, 103}).Draw(t, "status")
		case "final":
			if answered {
				a.kind = "body"
			}
			answered = true
			a.status = rapid.SampledFrom([]int{200, 403, 417}).Draw(t, "status")
		}
		return a
	}), 0, 30).Draw(t, "acts")
}

// A sentByte is a content byte as the wire has it: where it lies and what its sender acknowledged.
type sentByte struct{ off, acked uint64 }

// A ledger counts a body by the definitions of rules.md, section 5, one byte at a time.
type ledger struct {
	bytes           []sentByte
	invite, verdict uint64
	known           uint64 // what the final response acknowledges
	before          int    // how many bytes were sent before the final response
}

func (l *ledger) body() (b analysis.RequestBody) {
	for i, s := range l.bytes {
		b.Sent++
		tail := l.verdict > 0 && i >= l.before && s.acked >= l.verdict
		switch {
		case tail:
			b.Tail++
		case l.invite > 0 && s.acked >= l.invite:
			b.Invited++
		default:
			b.Early++
		}
		switch {
		case l.verdict == 0 || tail:
		case i < l.before && s.off <= l.known:
			b.Read++
		default:
			b.Crossing++
		}
	}
	return b
}

// perform plays acts as one exchange. cut says into how many pieces a run of content is cut. It returns the ledger of it.
func perform(p *player, as []act, expect bool, cut func(n uint64) []uint64) *ledger {
	head := "PUT /up HTTP/1.1 | Host: a | Content-Length: 100000"
	if expect {
		head += " | Expect: 100-continue"
	}
	s, l := p.next, &ledger{}
	p.r.Request(s, p.head(reassembly.Forward, head, allAcked))
	p.next++
	seen := p.off[reassembly.Forward] // what the server has acknowledged so far
	for _, a := range as {
		knows := func(d reassembly.Dir) uint64 {
			o := p.off[d.Other()]
			return max(p.acked[d], o-min(o, a.behind))
		}
		switch a.kind {
		case "coding":
			p.off[0] += a.n % 20
		case "body":
			k := knows(reassembly.Forward)
			for i := range a.n {
				l.bytes = append(l.bytes, sentByte{p.off[0] + i + 1, k})
			}
			now, num := p.now, p.num
			for _, n := range cut(a.n) {
				p.now, p.num = now, num // pieces of one segment
				p.body(s, reassembly.Forward, n, k)
			}
		case "lost", "unsent":
			k := p.off[1]
			for i := range a.n {
				if a.kind == "lost" {
					l.bytes = append(l.bytes, sentByte{p.off[0] + i + 1, k})
				}
			}
			p.lost(s, reassembly.Forward, a.n, a.kind == "lost")
			seen = max(seen, p.off[0]) // it was acknowledged, or given up: no answer ends inside it
		case "interim":
			seen = max(seen, knows(reassembly.Reverse))
			p.r.Interim(s, p.head(reassembly.Reverse, fmt.Sprintf("HTTP/1.1 %d X", a.status), seen))
			if a.status == 100 && l.invite == 0 {
				l.invite = p.off[1]
			}
		case "final":
			seen = max(seen, knows(reassembly.Reverse))
			p.r.Response(s, p.head(reassembly.Reverse, fmt.Sprintf("HTTP/1.1 %d X | Content-Length: 0", a.status), seen))
			l.verdict, l.known, l.before = p.off[1], seen, len(l.bytes)
		}
	}
	p.r.Done(s, reassembly.Forward, analysis.EndedFIN, p.mark(reassembly.Forward, allAcked))
	p.r.Done(s, reassembly.Reverse, analysis.EndedFIN, p.mark(reassembly.Reverse, allAcked))
	return l
}

func whole(n uint64) []uint64 { return []uint64{n} }

// counts are the figures of a body that count bytes.
func counts(b analysis.RequestBody) analysis.RequestBody {
	return analysis.RequestBody{Body: analysis.Body{Sent: b.Sent}, Early: b.Early, Invited: b.Invited, Tail: b.Tail, Read: b.Read, Crossing: b.Crossing}
}

// Whatever happens in whatever order, the sums are right, and each figure is what counting byte by byte gives.
func TestAccounting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		k := &keeper{wants: rapid.Bool().Draw(t, "kept")}
		p := newPlayer(nil, k, &Pool{}, false)
		l := perform(p, acts(t), rapid.Bool().Draw(t, "expect"), whole)
		x := &k.xs[0]
		b := &x.ReqBody
		if b.Sent != b.Early+b.Invited+b.Tail {
			t.Errorf("sent %d is not early %d + invited %d + tail %d", b.Sent, b.Early, b.Invited, b.Tail)
		}
		if x.Final != nil && b.Sent != b.Read+b.Crossing+b.Tail {
			t.Errorf("sent %d is not read %d + crossing %d + tail %d", b.Sent, b.Read, b.Crossing, b.Tail)
		}
		if diff := cmp.Diff(l.body(), counts(*b)); diff != "" {
			t.Errorf("byte by byte (-) and as counted (+):\n%s", diff)
		}
	})
}

// How content was cut into chunks changes nothing of a body, its prefixes and its first byte's place among it.
func TestCutting(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		as := acts(t)
		run := func(cut func(uint64) []uint64) analysis.Exchange {
			k := &keeper{}
			perform(newPlayer(nil, k, &Pool{}, false), as, true, cut)
			return k.xs[0]
		}
		one := run(whole)
		cut := run(func(n uint64) []uint64 {
			var pieces []uint64
			for n > 0 {
				k := rapid.Uint64Range(1, n).Draw(t, "piece")
				pieces, n = append(pieces, k), n-k
			}
			return pieces
		})
		if !reflect.DeepEqual(one.ReqBody, cut.ReqBody) {
			t.Errorf("whole and cut (-whole +cut):\n%s", cmp.Diff(one.ReqBody, cut.ReqBody))
		}
	})
}

// An entry that was used before leaves no trace in the exchange that uses it next.
func TestPoolLeavesNoTrace(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		all := rapid.SliceOfN(rapid.Custom(acts), 2, 6).Draw(t, "exchanges")
		expect := rapid.SliceOfN(rapid.Bool(), len(all), len(all)).Draw(t, "expect")
		wants := rapid.SliceOfN(rapid.Bool(), len(all), len(all)).Draw(t, "wanted")
		run := func(pool func() *Pool) *keeper {
			k := &keeper{}
			for i := range all {
				k.wants = wants[i]
				p := newPlayer(nil, k, pool(), false)
				perform(p, all[i], expect[i], whole)
				p.r.retire() // as the next request would
			}
			return k
		}
		shared := &Pool{}
		used := run(func() *Pool { return shared })
		fresh := run(func() *Pool { return &Pool{} })
		if len(shared.free) != 1 {
			t.Errorf("%d entries were needed for one exchange at a time", len(shared.free))
		}
		for i := range used.xs {
			used.xs[i].Conn, fresh.xs[i].Conn = nil, nil
		}
		if diff := cmp.Diff(fresh.xs, used.xs, cmp.AllowUnexported(analysis.Exchange{})); diff != "" {
			t.Errorf("with fresh entries (-) and used ones (+):\n%s", diff)
		}
	})
}
