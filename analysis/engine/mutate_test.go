package engine

import (
	"fmt"
	"io"
	"net/netip"
	"slices"

	"expectscope/analysis"
	"expectscope/capture"
)

// A mutation makes of a capture another one that the same conversation could have left behind, had the capture been
// worse: it takes packets, which it must not change, and the index of one of them. Nil: it does not apply there.
type mutation struct {
	name string
	make func(ps []capture.Packet, i int) []capture.Packet
}

// mutations leave the conversation as it was; what they take away, nobody can know. Nothing may be certain of what they
// leave that is not certain of the whole.
var mutations = []mutation{
	{"cut", func(ps []capture.Packet, i int) []capture.Packet { return ps[:i] }},
	{"begun", func(ps []capture.Packet, i int) []capture.Packet { return ps[i:] }},
	{"dropped", func(ps []capture.Packet, i int) []capture.Packet { return slices.Concat(ps[:i], ps[i+1:]) }},
	{"side lost", func(ps []capture.Packet, i int) []capture.Packet { return otherSide(ps, i) }},
	{"doubled", func(ps []capture.Packet, i int) []capture.Packet { return slices.Insert(slices.Clone(ps), i, ps[i]) }},
	{"doubled late", func(ps []capture.Packet, i int) []capture.Packet {
		again := ps[i]
		at := min(i+4, len(ps))
		again.Time = ps[at-1].Time
		return slices.Insert(slices.Clone(ps), at, again)
	}},
	{"swapped", func(ps []capture.Packet, i int) []capture.Packet {
		if i+1 == len(ps) {
			return nil
		}
		out := slices.Clone(ps)
		out[i], out[i+1] = out[i+1], out[i]
		return out
	}},
	{"swapped and stamped anew", func(ps []capture.Packet, i int) []capture.Packet {
		const near = 1e6 // further apart, other times would be another truth
		if i+1 == len(ps) || ps[i+1].Time-ps[i].Time > near || ps[i+1].Time < ps[i].Time {
			return nil
		}
		out := slices.Clone(ps)
		out[i], out[i+1] = out[i+1], out[i]
		out[i].Time, out[i+1].Time = out[i+1].Time, out[i].Time
		return out
	}},
	{"snapped to headers", snapped(func(int) int { return 54 })},
	{"snapped behind the first line", snapped(func(int) int { return 54 + 40 })},
	{"snapped in half", snapped(func(n int) int { return 54 + (n-54)/2 })},
	{"snapped by an octet", snapped(func(n int) int { return n - 1 })},
}

// snapped cuts the packet to a length that depends on its own.
func snapped(to func(n int) int) func([]capture.Packet, int) []capture.Packet {
	return func(ps []capture.Packet, i int) []capture.Packet {
		n := len(ps[i].Data)
		k := to(n)
		if k < 0 || k >= n {
			return nil
		}
		out := slices.Clone(ps)
		out[i].Data = ps[i].Data[:k:k]
		return out
	}
}

// otherSide leaves out every packet that goes the way of packet i (Ethernet or cooked frames do not matter: addresses are
// compared as the octets from the network header on say, which is where the two ends of one connection differ).
func otherSide(ps []capture.Packet, i int) []capture.Packet {
	src, ok := sender(&ps[i])
	if !ok {
		return nil
	}
	var out []capture.Packet
	for k := range ps {
		if from, ok := sender(&ps[k]); !ok || from != src {
			out = append(out, ps[k])
		}
	}
	return out
}

// sender is who sent a frame of IPv4 on Ethernet.
func sender(p *capture.Packet) (netip.AddrPort, bool) {
	b := p.Data
	if p.Link != capture.LinkEthernet || len(b) < 38 || b[12] != 8 || b[13] != 0 || b[14] != 0x45 {
		return netip.AddrPort{}, false
	}
	a, _ := netip.AddrFromSlice(b[26:30])
	return netip.AddrPortFrom(a, uint16(b[34])<<8|uint16(b[35])), true
}

// replay hands packets out as one input, numbered anew.
type replay struct {
	packets []capture.Packet
	n       uint64
	stats   capture.Stats
}

func newReplay(ps []capture.Packet) *replay {
	return &replay{packets: ps, stats: capture.Stats{Inputs: []capture.Input{{Name: "replay"}}}}
}

func (r *replay) Next(p *capture.Packet) error {
	if int(r.n) == len(r.packets) {
		return io.EOF
	}
	*p = r.packets[r.n]
	r.n++
	p.Num = capture.MakeNum(1, r.n)
	in := &r.stats.Inputs[0]
	in.Packets = r.n
	in.Last = max(in.Last, p.Time)
	return nil
}

func (r *replay) Stats() *capture.Stats { return &r.stats }
func (r *replay) Close() error          { return nil }

// A request is told from others of its client by when it was sent, and by its text where its first copy is not there.
type request struct {
	rule           string
	client, server netip.AddrPort
	time           int64
	method, target string
}

// accusations are, for each rule, the requests about which it is certain of a warning or an error.
func (l *log) accusations() map[string][]request {
	by := map[string]*analysis.Exchange{}
	for i := range l.exchanges {
		by[l.exchanges[i].ID] = &l.exchanges[i]
	}
	as := map[string][]request{}
	for _, f := range l.findings {
		if f.Severity >= analysis.Warning && f.Confidence == analysis.Certain {
			as[f.Rule] = append(as[f.Rule], requestOf(f.Rule, by[f.Exchange]))
		}
	}
	return as
}

func requestOf(rule string, x *analysis.Exchange) request {
	return request{
		rule, x.Conn.Addr(x.Client), x.Conn.Addr(x.ServerDir()), x.Request.First.Time, x.Request.Method, x.Request.Target,
	}
}

// unproven are the certain accusations of l that whole, of which l is a part, does not make.
func unproven(whole, l *log) []string {
	var bad []string
	had := whole.accusations()
	near := func(a, b int64) bool { return max(a-b, b-a) <= 1e6 } // mutations stamp anew by so much
	inWhole := func(t int64) bool {
		return slices.ContainsFunc(whole.exchanges, func(x analysis.Exchange) bool { return near(x.Request.First.Time, t) })
	}
	for rule, rs := range l.accusations() {
		known := slices.Concat(had[rule], had[borneOut[rule]])
		used := make([]bool, len(known))
		for _, r := range rs {
			i := slices.IndexFunc(known, func(k request) bool {
				if k.rule != rule { // it says it of the first of a chain
					return k.client.Addr() == r.client.Addr() && k.server == r.server && k.method == r.method && k.target == r.target
				}
				if near(k.time, r.time) != inWhole(r.time) {
					return false
				}
				return k.client == r.client && k.server == r.server && k.method == r.method && k.target == r.target
			})
			if i < 0 || used[i] && known[i].rule == rule {
				bad = append(bad, fmt.Sprintf("%s of %s %s by %s", rule, r.method, r.target, r.client))
				continue
			}
			used[i] = true
		}
	}
	slices.Sort(bad)
	return bad
}
