// Package retry finds the requests that repeat refused ones: after a 417 a
// client should send its request again without the expectation (RFC 9110,
// Section 10.1.1), on the same connection or on another.
//
// The engine tells a [Matcher] of each refusal, of each later request of that
// client, and of what could not be seen; the matcher links each refused
// exchange to at most one repeat, and each repeat to at most one refusal, best
// evidence first and oldest refusal first. A repeat that is refused again is
// the next link of a chain. [Matcher.Settle] writes down what became of a
// refused exchange, and how sure that is: "it was not repeated" is said only
// of a window that the capture shows whole.
//
// The package judges nothing, reads no clock and does not guess what is hidden:
// a client that was out of sight has an unknown fate. Memory is bounded by
// [Options], whatever the traffic.
package retry

import (
	"net/netip"
	"slices"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// Options are the limits of a matcher; what is zero or less takes the default. Times are nanoseconds.
type Options struct {
	// Window is how long a client has to repeat a request before the absence
	// of a repeat counts; [analysis.RetryWindow] by default.
	Window int64
	// Horizon is how long after the refusal a repeat is still recognised, at
	// least Window; [analysis.LinkHorizon] by default.
	Horizon int64
	// Originals bounds how many refused exchanges are followed at a time; 10,000 by default.
	Originals int
}

// A Matcher links refused exchanges to their repeats. It keeps the exchanges it
// is given, reads them at any later call, and writes their Retry, RetryOf and
// RetryDelay only, as soon as a link is made or undone. They must not be reused
// for other exchanges while an exchange of the same chain is not forgotten.
type Matcher struct {
	o   Options
	seq uint64 // numbers attempts and refusals in order of delivery

	attempts map[*analysis.Exchange]*attempt
	// addresses has an entry while an original from there is open.
	addresses map[netip.Addr]*address
	groups    map[key]*group
	conns     map[*reassembly.Conn][]*attempt // open originals, oldest refusal first
	blind     blindness
	rivals    []*attempt // scratch of best

	originals int        // followed, that is refused and not forgotten
	order     []*attempt // originals, oldest first; forgotten ones are skipped
	spares    int        // in all groups
	dropped   uint64
}

// New returns a matcher with the given limits.
func New(o Options) *Matcher {
	if o.Window <= 0 {
		o.Window = analysis.RetryWindow
	}
	if o.Horizon <= 0 {
		o.Horizon = analysis.LinkHorizon
	}
	if o.Originals <= 0 {
		o.Originals = 10_000
	}
	o.Horizon = max(o.Horizon, o.Window)
	return &Matcher{
		o:         o,
		attempts:  map[*analysis.Exchange]*attempt{},
		addresses: map[netip.Addr]*address{},
		groups:    map[key]*group{},
		conns:     map[*reassembly.Conn][]*attempt{},
	}
}

// An attempt is an exchange the matcher follows: an original (refused), a
// candidate that was put to use, or both.
type attempt struct {
	x   *analysis.Exchange
	id  identity
	seq uint64 // order of first mention: no repeat comes before its original

	refused   uint64 // order of the refusal; 0: not an original
	open      bool   // an original that can still be linked, or whose link can still fall
	closed    bool
	forgotten bool

	// The links. Those of a forgotten attempt are cut, those that lead to it stay.
	prev, next *attempt
	chain      *chain // nil: alone

	// Of an original, about its link: how strong it is, whether the order
	// on the connection is known from acknowledgements, how many originals the repeat could have been for (0: not asked),
	// and whether several clients were seen behind the address.
	tier   analysis.Tier
	sure   bool
	rivals int
	shared bool

	// near is the first follow-up that fails one condition, differs which.
	near    *analysis.Exchange
	differs string
	nearOf  *attempt
}

// A key is what an original and its repeat share to the letter (the target folded to origin-form).
type key struct {
	client         netip.Addr
	tap            uint16
	method, target string
}

// A group is the originals with one key that are open, oldest refusal first, and the
// candidates that repeat one of them which another candidate repeats already.
type group struct {
	originals, spares []*attempt
}

// An address is what is known of an IPv4 address or an IPv6 /64 with an open original.
type address struct {
	open   []*attempt // oldest refusal first
	voices map[voice]*tongues
	blind  blinds
	// methods and targets count those of open, so that a request that has neither need not be held against each: see Passes.
	methods, targets map[string]int
}

// place is the unit clients are looked up by: the address, or the /64 of an IPv6 address.
func place(a netip.Addr) netip.Addr {
	a = a.Unmap()
	if a.Is6() {
		if p, err := a.WithZone("").Prefix(64); err == nil {
			return p.Addr()
		}
	}
	return a
}

// Wants tells whether the exchanges of that client are to be kept and told to
// [Matcher.Request]: a refused exchange of it, or of its IPv6 /64, is open.
func (m *Matcher) Wants(client netip.Addr) bool {
	if len(m.addresses) == 0 {
		return false
	}
	return m.addresses[place(client)] != nil
}

// Refused opens x as an original. It has an Expect field, of any class, and a 417 whose head is
// complete. Called once per such exchange, in order of delivery.
func (m *Matcher) Refused(x *analysis.Exchange) {
	if x.Final == nil {
		return
	}
	a := m.attempts[x]
	switch {
	case a == nil:
		a = m.attempt(x)
		m.attempts[x] = a
	case a.refused != 0:
		return
	}
	m.seq++
	a.refused = m.seq
	m.order = append(m.order, a)
	m.originals++
	m.reopen(a)
	m.hear(a)
	m.bound()
}

// Request looks for the original that x repeats. The head of x is complete and Wants said true of its client.
// Called in order of delivery, and for an exchange that is refused later before
// Refused. A candidate with an Expect field is a repeat too (rule 417-retry-still-expects).
func (m *Matcher) Request(x *analysis.Exchange) {
	if m.attempts[x] != nil {
		return
	}
	c := m.attempt(x)
	ad := m.addresses[place(c.id.client)]
	if ad == nil {
		return
	}
	m.hear(c)
	if m.assign(c) || m.spare(c) || m.follow(c, ad) {
		m.attempts[x] = c
	}
}

// Closed tells that the body counts and prefix hashes of x are final. A link across
// connections whose two bodies turn out to begin differently is undone, and both sides are matched anew.
func (m *Matcher) Closed(x *analysis.Exchange) {
	a := m.attempts[x]
	if a == nil {
		return
	}
	a.closed = true
	if a.prev != nil {
		m.verify(a.prev)
	}
	m.verify(a)
}

// Revoked takes x back: it was no exchange but content of another one (RFC
// 9112, Section 6.3). Its links are undone, and what it was linked to is matched anew.
func (m *Matcher) Revoked(x *analysis.Exchange) {
	a := m.attempts[x]
	if a == nil {
		return
	}
	o, c := a.prev, a.next
	switch {
	case o == nil:
	case o.forgotten:
		m.split(a.chain, a.chain.index(x))
	default:
		m.unlink(o)
	}
	if c != nil {
		m.unlink(a)
	}
	if a.nearOf != nil {
		a.nearOf.near, a.nearOf.differs = nil, ""
	}
	m.remove(a)
	x.Amend().Retry = analysis.Retry{}
	x.RetryOf, x.RetryDelay = "", 0
	if c != nil && !c.forgotten {
		m.reuse(c)
	}
	if o != nil {
		m.rematch(o)
	}
}

// Forget frees what is kept of x, after it was judged and written. Chains and near
// follow-ups of exchanges that are not forgotten still name x.
func (m *Matcher) Forget(x *analysis.Exchange) {
	if a := m.attempts[x]; a != nil {
		m.remove(a)
	}
}

// Dropped is how many refused exchanges were given up unsettled because more
// than Options.Originals were followed at a time.
func (m *Matcher) Dropped() uint64 { return m.dropped }

func (m *Matcher) attempt(x *analysis.Exchange) *attempt {
	m.seq++
	return &attempt{x: x, id: identify(x), seq: m.seq}
}

func (a *attempt) key() key {
	return key{a.id.client, a.x.Conn.Tap, a.id.method, a.id.target}
}

// bound gives up the oldest originals when there are too many.
func (m *Matcher) bound() {
	for m.originals > m.o.Originals {
		oldest := m.order[0]
		m.order = m.order[1:]
		if !oldest.forgotten {
			m.dropped++
			m.remove(oldest)
		}
	}
	if len(m.order) > 2*m.originals+64 {
		m.order = slices.DeleteFunc(slices.Clone(m.order), func(a *attempt) bool { return a.forgotten })
	}
}

// remove forgets an attempt. Its own links are cut, so that a chain does not hold on to every attempt it ever had.
func (m *Matcher) remove(a *attempt) {
	m.shut(a)
	m.unspare(a)
	delete(m.attempts, a.x)
	if a.refused != 0 {
		m.originals--
	}
	a.forgotten, a.prev, a.next, a.near, a.nearOf = true, nil, nil, nil, nil
}

// reopen makes an original available to candidates.
func (m *Matcher) reopen(o *attempt) {
	if o.open || o.forgotten {
		return
	}
	o.open = true
	at := place(o.id.client)
	ad := m.addresses[at]
	if ad == nil {
		ad = &address{voices: map[voice]*tongues{}, methods: map[string]int{}, targets: map[string]int{}, blind: m.blind.take(at)}
		m.addresses[at] = ad
	}
	k := o.key()
	g := m.groups[k]
	if g == nil {
		g = &group{}
		m.groups[k] = g
	}
	ad.open = insert(ad.open, o)
	ad.methods[o.id.method]++
	ad.targets[o.id.target]++
	g.originals = insert(g.originals, o)
	m.conns[o.x.Conn] = insert(m.conns[o.x.Conn], o)
}

// shut takes an original out of the lists candidates are held against.
func (m *Matcher) shut(o *attempt) {
	if !o.open {
		return
	}
	o.open = false
	at := place(o.id.client)
	ad := m.addresses[at]
	o.shared = o.shared || ad.shared(o)
	less(ad.methods, o.id.method)
	less(ad.targets, o.id.target)
	if ad.open = without(ad.open, o); len(ad.open) == 0 {
		delete(m.addresses, at)
		m.blind.put(at, ad.blind)
	}
	if left := without(m.conns[o.x.Conn], o); len(left) > 0 {
		m.conns[o.x.Conn] = left
	} else {
		delete(m.conns, o.x.Conn)
	}
	k := o.key()
	g := m.groups[k]
	if g.originals = without(g.originals, o); len(g.originals) == 0 {
		delete(m.groups, k)
		m.spares -= len(g.spares)
		for _, s := range g.spares {
			m.release(s)
		}
	}
}

// release lets go of a candidate that was neither refused nor linked.
func (m *Matcher) release(a *attempt) {
	if a.refused == 0 && a.prev == nil {
		delete(m.attempts, a.x)
	}
}

// insert keeps as sorted by refusal.
func insert(as []*attempt, a *attempt) []*attempt {
	i := len(as)
	for i > 0 && as[i-1].refused > a.refused {
		i--
	}
	return slices.Insert(as, i, a)
}

// less counts down.
func less(counts map[string]int, k string) {
	if counts[k]--; counts[k] == 0 {
		delete(counts, k)
	}
}

func without(as []*attempt, a *attempt) []*attempt {
	if i := slices.Index(as, a); i >= 0 {
		return slices.Delete(as, i, i+1)
	}
	return as
}
