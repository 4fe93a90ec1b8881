package retry

import (
	"bytes"
	"math"
	"net/netip"
	"slices"
	"strings"

	"expectscope/analysis"
)

// Bounds of a linker: how many exchanges it follows at a time, how many of them for one client, and how long a row of legs it holds together.
const (
	maxLeads       = 4096
	maxClientLeads = 32
	maxLegs        = 64
)

// A Linker ties requests to the answers they follow from, other than a 417:
// the request that goes where a redirect points, the one that answers a
// challenge, the same one again after a failure or after no answer. It has the eyes of
// a [Matcher] and less to decide: what it misses accuses nobody, so it keeps
// no account of what was out of sight, and undoes a link only where a better one comes.
//
// It reads the exchanges it is given at any later call and writes their Links only. Memory is bounded.
type Linker struct {
	window  int64
	seq     uint64
	leads   map[*analysis.Exchange]*lead
	clients map[netip.Addr][]*lead // those that wait for a follow-up, oldest first
	waiting int
	dropped uint64
}

// A lead is an exchange that led to another, or that another led to.
type lead struct {
	attempt
	kind analysis.LinkKind // what may follow from it; none: nothing
	to   identity          // of what follows
	// until is the time by which a follow-up begins; due whether it matters enough that judgement waits for it.
	until      int64
	due        bool
	nonce      string
	prev, next *lead
	legs       int // how many are in front of it
}

// NewLinker returns a linker that holds follow-ups against Options.Window.
func NewLinker(o Options) *Linker {
	if o.Window <= 0 {
		o.Window = analysis.RetryWindow
	}
	return &Linker{window: o.Window, leads: map[*analysis.Exchange]*lead{}, clients: map[netip.Addr][]*lead{}}
}

// Wants tells whether a request of that client may follow from an answer that waits for it, so that it is to be kept and told to [Linker.Request].
func (l *Linker) Wants(client netip.Addr, h *analysis.Head) bool {
	if l.waiting == 0 {
		return false
	}
	for _, o := range l.clients[client.Unmap()] {
		if len(h.Target) == 0 || h.Target[0] != '/' || bytes.Equal(h.Target, []byte(o.to.target)) {
			return true
		}
	}
	return false
}

// Rejected hears of a final response of 300 or above to a kept exchange, when its head is complete.
func (l *Linker) Rejected(x *analysis.Exchange) {
	if l.of(x) || x.Notable() {
		l.open(x)
	}
}

// of tells whether an exchange is one that rules look at for more than its status.
func (l *Linker) of(x *analysis.Exchange) bool {
	_, expects := x.Request.Get("Expect")
	return expects || x.RetryOf != "" || l.leads[x] != nil
}

// Closed tells that the exchange is over. One that got no answer may be sent again.
func (l *Linker) Closed(x *analysis.Exchange) {
	if x.Final == nil && l.of(x) {
		l.open(x)
	}
	if o := l.leads[x]; o != nil {
		o.closed = true
		o.due = o.due || o.kind == analysis.LinkAuth && x.ReqBody.Sent > 0
	}
}

// open makes an exchange wait for what follows from it, if something can.
func (l *Linker) open(x *analysis.Exchange) {
	o := l.leads[x]
	switch {
	case o == nil:
		o = l.lead(x)
	case o.kind != analysis.LinkNone || o.legs >= maxLegs:
		return
	}
	if !o.aim(l.window) {
		return
	}
	at := o.id.client
	if as := l.clients[at]; len(as) >= maxClientLeads {
		l.dropped++
		l.shut(as[0])
	}
	if l.waiting >= maxLeads { // rather the newcomer than a walk for the oldest
		l.dropped++
		return
	}
	l.leads[x] = o
	o.open = true
	l.clients[at] = append(l.clients[at], o)
	l.waiting++
}

func (l *Linker) lead(x *analysis.Exchange) *lead {
	l.seq++
	return &lead{attempt: attempt{x: x, id: identify(x), seq: l.seq}}
}

// shut no longer waits for a follow-up.
func (l *Linker) shut(o *lead) {
	if !o.open {
		return
	}
	o.open = false
	l.waiting--
	at := o.id.client
	as := l.clients[at]
	if i := slices.Index(as, o); i >= 0 {
		as = slices.Delete(as, i, i+1)
	}
	if l.clients[at] = as; len(as) == 0 {
		delete(l.clients, at)
	}
}

// Request looks for what x follows from. Its head is complete. Called in order of delivery.
func (l *Linker) Request(x *analysis.Exchange) {
	if l.waiting == 0 {
		return
	}
	as := l.clients[x.Conn.Addr(x.Client).Addr().Unmap()]
	if len(as) == 0 || l.leads[x] != nil {
		return
	}
	c := l.lead(x)
	var best *lead
	for _, o := range as {
		if o.leads(c) && (best == nil || o.tieTo(c) < best.tieTo(c)) {
			best = o
		}
	}
	if best != nil {
		l.link(best, c)
	}
}

func (l *Linker) link(o, c *lead) {
	if old := o.next; old != nil { // a redirect that was followed with another method, and then as it should be
		old.prev = nil
	}
	o.next, c.prev, c.legs = c, o, o.legs+1
	l.leads[c.x] = c
	link := analysis.Link{Kind: o.kind, To: c.x.ID, Tier: o.tieTo(c), Confidence: analysis.Likely}
	if _, sure := o.before(c); sure && link.Tier <= analysis.TierKey {
		link.Confidence = analysis.Certain
	}
	o.x.Amend().Links = []analysis.Link{link} // a new one: what was handed out does not change
	if o.kind != analysis.LinkRedirect || o.id.method == c.id.method {
		l.shut(o)
	}
}

// leads tells whether c can follow from o.
func (o *lead) leads(c *lead) bool {
	after, _ := o.before(c)
	switch {
	case !after || o.x.Conn.Tap != c.x.Conn.Tap || c.x.Request.First.Time > o.until:
		return false
	case o.to.target != c.id.target || !o.to.sameHost(&c.id) || o.id.conflicts(&c.id):
		return false
	}
	switch o.kind {
	case analysis.LinkRedirect:
		return o.next == nil && !asks(c.id.method) || o.id.method == c.id.method
	case analysis.LinkAuth:
		v := credentials(c.x, o.x.Final.Status)
		return o.id.method == c.id.method && v != "" && v != credentials(o.x, o.x.Final.Status)
	}
	return o.id.method == c.id.method && sameLength(o.x, c.x) && !contradicted(o.x, c.x)
}

// asks tells of a method that only asks about a resource: it is sent beside a request, not in its place.
func asks(method string) bool { return method == "OPTIONS" || method == "HEAD" }

// before tells whether c began after what it would follow from, and whether acknowledgements say so.
func (o *lead) before(c *lead) (before, sure bool) {
	if o.x.Final != nil {
		return begins(o.x, c.x)
	}
	return o.x.Conn != c.x.Conn && c.x.Request.First.Time >= o.x.LastActivity.Time, true
}

// tieTo is how strongly c, which can follow from o, is tied to it. A challenge's nonce that comes back is a key.
func (o *lead) tieTo(c *lead) analysis.Tier {
	t := tier(&o.attempt, &c.attempt)
	if t > analysis.TierKey && o.nonce != "" && strings.Contains(credentials(c.x, o.x.Final.Status), o.nonce) {
		return analysis.TierKey
	}
	return t
}

// Revoked takes x back: it was no exchange.
func (l *Linker) Revoked(x *analysis.Exchange) {
	c := l.leads[x]
	if c == nil {
		return
	}
	if o := c.prev; o != nil {
		o.next, o.x.Amend().Links = nil, nil
	}
	if n := c.next; n != nil {
		n.prev = nil
	}
	l.Forget(x)
}

// Expire stops waiting for follow-ups whose time has passed.
func (l *Linker) Expire(now int64) {
	if l.waiting == 0 {
		return
	}
	for _, o := range l.leads {
		if o.open && o.until < now {
			l.shut(o)
		}
	}
}

// Legs returns the exchanges x is linked with, oldest first, and which of them is x; nil when it is not linked.
func (l *Linker) Legs(x *analysis.Exchange) ([]*analysis.Exchange, int) {
	o := l.leads[x]
	if o == nil || o.prev == nil && o.next == nil {
		return nil, 0
	}
	var legs []*analysis.Exchange
	for p := o.prev; p != nil; p = p.prev {
		legs = append(legs, p.x)
	}
	slices.Reverse(legs)
	at := len(legs)
	for n := o; n != nil; n = n.next {
		legs = append(legs, n.x)
	}
	return legs, at
}

// Deadline is the capture time in nanoseconds at which x need not be waited for any more: when what follows from
// it is over, or can no longer come; [math.MaxInt64] while that is not known.
func (l *Linker) Deadline(x *analysis.Exchange) int64 {
	o := l.leads[x]
	if o == nil {
		return x.LastActivity.Time
	}
	for o.next != nil {
		if o = o.next; !o.closed && !o.forgotten {
			return math.MaxInt64
		}
	}
	if o.open && o.due {
		return o.until
	}
	return o.x.LastActivity.Time
}

// Forget frees what is kept of x, after it was judged. The legs it is one of still name it.
func (l *Linker) Forget(x *analysis.Exchange) {
	if o := l.leads[x]; o != nil {
		l.shut(o)
		o.forgotten = true
		delete(l.leads, x)
	}
}

// Dropped is how many exchanges were given up because too many waited for what follows.
func (l *Linker) Dropped() uint64 { return l.dropped }
