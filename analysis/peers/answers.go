package peers

import (
	"hash/maphash"
	"slices"
	"strings"

	"expectscope/analysis"
)

// maxTwins bounds the requests whose kind of answer is remembered to find the same one answered otherwise.
const maxTwins = 64

// A place is where comparable requests go.
type place struct {
	where
	analysis.Answers
	began   bool // there was an answer, and
	refused bool // this kind was the last
	twins   []twin
	stands  *analysis.Exchange
}

// where is what comparable requests have in common, beside the client's address.
type where struct{ authority, method, folder, agent string }

// A twin is a request that may come again to the letter, and whether it was refused.
type twin struct {
	target  uint64
	length  int64
	refused bool
}

// seed is the same for a whole run: hashes are compared, and never shown.
var seed = maphash.MakeSeed()

// folder is a target up to its last part, without the query.
func folder(target string) string {
	path, _, _ := strings.Cut(target, "?")
	return path[:strings.LastIndexByte(path, '/')+1]
}

func whereOf(x *analysis.Exchange) where {
	return where{strings.ToLower(x.Authority()), x.Request.Method, folder(x.Request.Target), x.UserAgent()}
}

// answered takes note of how an expectation was answered, and of a body that was taken without one.
func (c *client) answered(m *Memory, x *analysis.Exchange) {
	exact := x.Request.ExpectClass() == analysis.ExactExpect && !x.HTTP10()
	refused := x.Final != nil && x.Final.Status == 417
	accepted := x.Continue() != nil || x.Final != nil && x.Final.Status < 300
	_, expect := x.Request.Get("Expect")
	if x.N() == 0 || len(x.Doubtful(analysis.PartRequest|analysis.PartInterim|analysis.PartFinal)) > 0 || refused == accepted {
		return
	}
	if expect && !exact {
		return
	}
	p := c.place(m, whereOf(x))
	if !expect {
		if accepted && p.began {
			p.Taken = max(p.Taken, x.N())
		}
		return
	}
	p.count(x, refused)
	if refused && p.stands == nil && (p.BySize() || p.Intermittent()) {
		p.stands = x
		m.stand(x).place = p
	}
}

// count adds an answer.
func (p *place) count(x *analysis.Exchange, refused bool) {
	if p.began && p.refused != refused {
		p.Turns++
	}
	n, ttl := x.N(), responseTTL(x)
	small, large, times, ttls := &p.SmallestAccepted, &p.LargestAccepted, &p.Accepted, &p.Accepts
	if refused {
		small, large, times, ttls = &p.SmallestRefused, &p.LargestRefused, &p.Refused, &p.Refuses
	}
	switch {
	case *times == 0:
		*small, *large, *ttls = n, n, ttl
	case n < 0 || *small < 0:
		*small, *large = -1, max(*large, n)
	default:
		*small, *large = min(*small, n), max(*large, n)
	}
	if *ttls != ttl {
		*ttls = 0
	}
	*times++
	p.began, p.refused = true, refused
	t := twin{maphash.String(seed, x.Request.Target), n, refused}
	i := slices.IndexFunc(p.twins, func(o twin) bool { return o.target == t.target && o.length == n })
	if i >= 0 {
		p.Twins = p.Twins || p.twins[i].refused != refused
	} else if len(p.twins) < maxTwins {
		p.twins = append(p.twins, t)
	}
	same := 0
	for i := range p.Samples {
		if p.Samples[i].Refused == refused {
			same++
		}
	}
	if same < analysis.MaxSamples/2 {
		p.Samples = append(slices.Clip(p.Samples), kind(x, refused))
	}
}

// kind is a sample of an answer that may have been a 100, whatever came behind it.
func kind(x *analysis.Exchange, refused bool) analysis.Sample {
	s := sample(x)
	if m := x.Continue(); m != nil && !refused {
		s.Final = m.Last
	}
	s.Refused = refused
	return s
}

// responseTTL is that of the first response.
func responseTTL(x *analysis.Exchange) uint8 {
	if len(x.Interim) > 0 {
		return x.Interim[0].TTL
	}
	return x.Final.TTL
}

// place is the entry of a place, which was asked just now.
func (c *client) place(m *Memory, w where) *place {
	i := slices.IndexFunc(c.places, func(p *place) bool { return p.where == w })
	if i >= 0 {
		p := c.places[i]
		c.places = append(slices.Delete(c.places, i, i+1), p)
		return p
	}
	if len(c.places) == maxPlaces {
		if c.places[0].Refused > 0 { // uploads go to ever new places: that is no loss
			m.dropped++
		}
		m.give(c.places[0].stands)
		c.places = slices.Delete(c.places, 0, 1)
	}
	w = where{strings.Clone(w.authority), strings.Clone(w.method), strings.Clone(w.folder), strings.Clone(w.agent)}
	p := &place{where: w}
	p.SmallestAccepted, p.LargestAccepted, p.SmallestRefused, p.LargestRefused, p.Taken = -1, -1, -1, -1, -1
	c.places = append(c.places, p)
	return p
}
