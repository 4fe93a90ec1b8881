package hop

import (
	"math/bits"
	"slices"
	"strings"

	"expectscope/analysis"
)

// A fit says why an exchange behind a proxy may be the one in front of it.
type fit struct {
	by analysis.Tie
	// taps: they were captured at two places. early: how long before the one in front the one behind seems to have begun.
	taps  bool
	early int64
	// lengths: the requests do not announce the same content, so that only what identifies them can tie them.
	lengths bool
	// like: the request behind has every field of the one in front that a proxy passes on, and the answer is the same and came first there.
	like bool
}

// Marks of a request that name it, or content, or a proxy.
const (
	strong = analysis.TieTrace | analysis.TieRequestID
	marks  = strong | analysis.TieBody | analysis.TieVia | analysis.TieForwarded
)

// score compares fits: what names a request counts more than what many share.
func (f *fit) score() int {
	n := 8*bits.OnesCount16(uint16(f.by&strong)) + bits.OnesCount16(uint16(f.by&^strong))
	if f.by&analysis.TieBody != 0 {
		n++
	}
	return n
}

func (f *fit) marks() int { return bits.OnesCount16(uint16(f.by & marks)) }

// fits tells whether b can be the exchange behind the proxy that a was had with.
func (m *Matcher) fits(a, b *leg) (fit, bool) {
	f := fit{taps: a.x.Conn.Tap != b.x.Conn.Tap}
	if a.x.Conn == b.x.Conn || !f.meet(a, b) || !f.reach(a, b) {
		return f, false
	}
	if a.x.Request.Method != b.x.Request.Method || !endsAlike(a.id().target, b.id().target) || !f.tie(a, b) {
		return f, false
	}
	f.lengths = differ(a.x, b.x)
	f.like = !f.taps && f.answered(a, b) && carried(a.x, b.x)
	return f, true
}

// endsAlike tells whether one target is the other with something in front of its path.
func endsAlike(a, b string) bool {
	if len(a) < len(b) {
		a, b = b, a
	}
	return strings.HasSuffix(a, b)
}

// meet compares times: b began while a was open.
func (f *fit) meet(a, b *leg) bool {
	slack := int64(0)
	if f.taps {
		slack = analysis.ClockSlack
	}
	begun := b.x.Request.Last.Time - a.x.Request.Last.Time
	f.early = max(0, -begun)
	if begun < -slack || a.over && b.x.Request.Last.Time > finished(a)+slack {
		return false
	}
	if !f.taps {
		return true
	}
	// Clocks aside, the proxy waits for its origin: the exchange in front takes longer.
	return !sameAnswer(a, b) || took(a) >= took(b)
}

// finished is when an exchange that is over had its answer.
func finished(l *leg) int64 {
	if l.x.Final == nil {
		return l.ended
	}
	return max(l.x.Final.Last.Time, l.x.RespBody.Last.Time)
}

// took is the time from the end of the request head to that of the final one.
func took(l *leg) int64 { return l.x.Final.Last.Time - l.x.Request.Last.Time }

func sameAnswer(a, b *leg) bool {
	return a.x.Final != nil && b.x.Final != nil && a.x.Final.Status == b.x.Final.Status
}

// answered tells whether both got the same answer, the one behind first.
func (f *fit) answered(a, b *leg) bool {
	return sameAnswer(a, b) && b.x.Final.First.Time <= a.x.Final.First.Time
}

// reach compares addresses: the proxy has the connection behind it from an address of its own, to another server.
func (f *fit) reach(a, b *leg) bool {
	client, proxy := a.id().client.Addr(), a.id().server.Addr()
	from, to := b.id().client.Addr(), b.id().server.Addr()
	switch {
	case a.id().server == b.id().server || a.id().client == b.id().client:
		return false // one server asked twice, one connection captured twice
	case from == client && client != proxy:
		return false // the client itself asks another server
	case to == client && to != from:
		return false // the other way round
	}
	if from == proxy && proxy != client {
		f.by |= analysis.TieAddress
	}
	return true
}

// tie compares what a proxy passes on or adds; false when something speaks against it.
func (f *fit) tie(a, b *leg) bool {
	p, q := a.id(), b.id()
	switch known := p.trace != "" && q.trace != ""; {
	case known && p.trace != q.trace:
		return false
	case known:
		f.by |= analysis.TieTrace
	}
	if p.request != "" && p.request == q.request {
		f.by |= analysis.TieRequestID
	}
	if p.digest != "" && q.digest != "" {
		if p.digest != q.digest {
			return false
		}
		f.by |= analysis.TieBody
	}
	for i, h := range a.x.ReqBody.Prefix {
		if k := b.x.ReqBody.Prefix[i]; h != 0 && k != 0 {
			if h != k {
				return false
			}
			f.by |= analysis.TieBody
		}
	}
	if q.forwarded == p.client.Addr() && (q.named != p.named || q.forwarded != p.forwarded) {
		f.by |= analysis.TieForwarded
	}
	longer := len(q.via) == len(p.via)+1 && slices.Equal(p.via, q.via[:len(p.via)])
	if longer {
		f.by |= analysis.TieVia
	}
	// A proxy adds itself to Via or nothing, and leaves User-Agent as it is; one that does otherwise has to be known by more.
	same := p.agent == q.agent || p.agent == "" || q.agent == ""
	return f.by&strong != 0 || same && (longer || slices.Equal(p.via, q.via))
}

// differ tells whether the requests announce different content, none included, and neither recodes the other's (RFC 9112, Section 7).
func differ(a, b *analysis.Exchange) bool {
	n, k := a.N(), b.N()
	return n != k && n >= 0 && k >= 0 || n < 0 && k == 0 || n == 0 && k < 0
}

// ofTheHop are fields a proxy changes or takes off: they speak of one hop, or tell what was added.
var ofTheHop = [...]string{
	"Host", "Connection", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "Transfer-Encoding", "Upgrade", "Content-Length",
	"Expect", "Via", "Forwarded", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "X-Real-IP", "Traceparent",
	"Proxy-Authorization", "Proxy-Authenticate",
}

// carried tells whether the request behind has every field of the one in front that a proxy passes on.
func carried(a, b *analysis.Exchange) bool {
	n := 0
	for i := range a.Request.Fields {
		f := &a.Request.Fields[i]
		if among(ofTheHop[:], f.Name) {
			continue
		}
		if !slices.Contains(b.Request.Values(f.Name), f.Value) {
			return false
		}
		n++
	}
	return n > 0
}
