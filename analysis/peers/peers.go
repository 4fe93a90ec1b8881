// Package peers remembers what several exchanges of one client say together:
// how a server answers comparable expectations, how many of them the client
// keeps open, which fields come behind a 100 only, and how the answers of a
// server's address introduce themselves.
//
// The engine tells a [Memory] of exchanges with an Expect field or a 100, and
// of the repeats of refused ones; no other exchange costs anything here. Each
// subject is said of one exchange, the one that completes the pattern, which
// then stands for it ([Memory.Stands]); the engine judges that one last, or
// again when more is known.
//
// A memory has no clock, judges nothing, and is bounded: it knows the clients
// heard last, a number of subjects of each, and a number of samples of each
// subject. What it gives up is counted.
package peers

import (
	"net/netip"
	"slices"

	"expectscope/analysis"
)

// The bounds of a memory: clients, and of each of them places it asks, servers, targets and open expectations.
const (
	Clients   = 1024
	maxPlaces = 16
	maxVoices = 16
	maxOpen   = 4096
)

// A Memory is what is remembered of clients and the servers they talk to. It reads exchanges it was told of at any later
// call, as long as they are open.
type Memory struct {
	clients map[netip.Addr]*client
	root    client // ring of the clients, the one heard last behind it
	stands  map[*analysis.Exchange]*standing
	many    map[*client]bool // with more open expectations than HoardLimit
	gone    []*analysis.Exchange
	dropped uint64
	words   vocabulary
	names   []string // room of namesOf
}

// A client is what is remembered of one address.
type client struct {
	addr       netip.Addr
	prev, next *client
	places     []*place  // the one asked last at the end
	targets    []*target // likewise
	voices     []voiced
	open       []*analysis.Exchange // asked, as far as known open and withheld
	pruneAt    int
	hoard      analysis.Hoard
	hoarder    *analysis.Exchange // stands for the hoard
	agent      string
	shared     bool
}

// A standing is what an exchange stands for.
type standing struct {
	place  *place
	target *target
	hoard  *client
	given  bool // the memory has given it up: nothing will be added
}

// New returns an empty memory.
func New() *Memory {
	m := &Memory{clients: map[netip.Addr]*client{}, stands: map[*analysis.Exchange]*standing{}, many: map[*client]bool{}, words: vocabulary{}}
	m.root.prev, m.root.next = &m.root, &m.root
	return m
}

// Opened hears of a kept exchange whose request head is complete.
func (m *Memory) Opened(x *analysis.Exchange) {
	if x.Expects() && x.N() != 0 {
		m.client(x).asks(m, x)
	}
}

// Closed hears of a kept exchange that is over. Called once for each.
func (m *Memory) Closed(x *analysis.Exchange) {
	if !speaks(x) {
		return
	}
	c := m.client(x)
	c.met(x)
	c.hear(x)
	c.compare(m, x)
	c.answered(m, x)
}

// Revoked takes x back: it was no exchange.
func (m *Memory) Revoked(x *analysis.Exchange) {
	if c := m.clients[x.Conn.Addr(x.Client).Addr().Unmap()]; c != nil {
		c.open = slices.DeleteFunc(c.open, func(o *analysis.Exchange) bool { return o == x })
		if c.hoarder == x {
			c.hoarder, c.hoard = nil, analysis.Hoard{}
		}
	}
	m.Forget(x)
}

// speaks tells whether an exchange is one to remember.
func speaks(x *analysis.Exchange) bool {
	_, expect := x.Request.Get("Expect")
	return expect || len(x.Interim) > 0 || x.RetryOf != ""
}

// client is the entry of the exchange's client, which was heard just now.
func (m *Memory) client(x *analysis.Exchange) *client {
	addr := x.Conn.Addr(x.Client).Addr().Unmap()
	c := m.clients[addr]
	if c == nil {
		if len(m.clients) >= Clients {
			m.forget(m.root.prev)
		}
		c = &client{addr: addr}
		m.clients[addr] = c
	} else {
		c.prev.next, c.next.prev = c.next, c.prev
	}
	c.prev, c.next = &m.root, m.root.next
	c.prev.next, c.next.prev = c, c
	return c
}

// forget gives up a client.
func (m *Memory) forget(c *client) {
	m.dropped++
	c.prev.next, c.next.prev = c.next, c.prev
	delete(m.clients, c.addr)
	delete(m.many, c)
	for _, p := range c.places {
		m.give(p.stands)
	}
	for _, t := range c.targets {
		m.give(t.stands)
	}
	m.give(c.hoarder)
}

// give tells that nothing will be added to what x stands for.
func (m *Memory) give(x *analysis.Exchange) {
	if s := m.stands[x]; s != nil && !s.given {
		s.given = true
		m.gone = append(m.gone, x)
	}
}

// stand makes x stand for what set adds.
func (m *Memory) stand(x *analysis.Exchange) *standing {
	s := m.stands[x]
	if s == nil {
		s = &standing{}
		m.stands[x] = s
	}
	return s
}

// Stands tells whether x stands for a subject to which more may be added.
func (m *Memory) Stands(x *analysis.Exchange) bool {
	s := m.stands[x]
	return s != nil && !s.given
}

// Gone returns the exchanges that stood for something until it was given up since the last call.
func (m *Memory) Gone() []*analysis.Exchange {
	xs := m.gone
	m.gone = nil
	return xs
}

// Forget frees what x stands for, after it was judged for the last time.
func (m *Memory) Forget(x *analysis.Exchange) { delete(m.stands, x) }

// Of is what is remembered about the exchange, a copy; nil when that is nothing.
func (m *Memory) Of(x *analysis.Exchange) *analysis.Peers {
	c, s := m.clients[x.Conn.Addr(x.Client).Addr().Unmap()], m.stands[x]
	if c == nil && s == nil {
		return nil
	}
	p := &analysis.Peers{}
	if c != nil {
		p.Voices = c.heard(x)
	}
	if s == nil {
		return p
	}
	if s.place != nil {
		a := s.place.Answers
		p.Answers = &a
	}
	if s.target != nil {
		l := s.target.leak()
		p.Leak = &l
	}
	if s.hoard != nil {
		h := s.hoard.hoard
		p.Hoard = &h
	}
	return p
}

// Size grows with what is remembered of the subjects x stands for.
func (m *Memory) Size(x *analysis.Exchange) int {
	s, n := m.stands[x], 0
	if s == nil {
		return 0
	}
	if s.place != nil {
		n += s.place.Accepted + s.place.Refused
	}
	if s.target != nil {
		n += s.target.behind + s.target.plain
	}
	if s.hoard != nil {
		n += s.hoard.hoard.Peak
	}
	return n
}

// Dropped is how many clients, and subjects of a client, were given up for newer ones.
func (m *Memory) Dropped() uint64 { return m.dropped }

// sample is what is kept of an exchange as an example.
func sample(x *analysis.Exchange) analysis.Sample {
	s := analysis.Sample{ID: x.ID, Request: x.Request.Last}
	if x.Final != nil {
		s.Final, s.Refused = x.Final.Last, x.Final.Status == 417
	} else if m := x.Continue(); m != nil {
		s.Final = m.Last
	}
	return s
}
