package retry

import (
	"net/netip"
	"slices"

	"expectscope/analysis"
)

// Bounds of a search: reach is how many of the newest originals of its connection, and of the oldest with its
// key, a candidate is held against; nearReach how many of the newest of its connection and its client as a
// follow-up; maxSpares is per group. They bound the time a request can cost, whatever the client does.
const (
	reach     = 1024
	nearReach = 64
	maxSpares = 64
)

// assign links a candidate to the best open original: the strongest tier, and in it the oldest refusal. It
// tells whether there was one. Originals that could equally have been meant are marked, as the choice among them is a guess.
func (m *Matcher) assign(c *attempt) bool {
	k := c.key()
	g := m.groups[k]
	if g == nil {
		return false
	}
	best, rivals := analysis.TierConn, m.rivals[:0]
	for _, o := range newest(m.conns[c.x.Conn], reach) {
		if o.next == nil && o.key() == k && m.repeats(o, c) {
			rivals = append(rivals, o)
		}
	}
	if len(rivals) == 0 {
		best, rivals = m.elsewhere(g.originals[:min(reach, len(g.originals))], c, rivals)
	}
	m.rivals = rivals
	if len(rivals) == 0 {
		return false
	}
	for _, o := range rivals {
		o.rivals = max(o.rivals, len(rivals))
	}
	m.link(rivals[0], c, best)
	clear(rivals)
	return true
}

// elsewhere collects the originals that share the strongest tie to c.
func (m *Matcher) elsewhere(originals []*attempt, c *attempt, rivals []*attempt) (analysis.Tier, []*attempt) {
	best := analysis.TierNone
	for _, o := range originals {
		if o.next != nil || !m.repeats(o, c) {
			continue
		}
		switch t := tier(o, c); {
		case best == analysis.TierNone || t < best:
			best, rivals = t, append(rivals[:0], o)
		case t == best:
			rivals = append(rivals, o)
		}
	}
	return best, rivals
}

func newest(as []*attempt, n int) []*attempt { return as[max(0, len(as)-n):] }

// repeats tells whether c can be a repeat of o. Client, method and target are
// equal already: they are the group's key.
func (m *Matcher) repeats(o, c *attempt) bool {
	return m.follows(o, c) && sameLength(o.x, c.x) && o.id.sameHost(&c.id) && !o.id.conflicts(&c.id) && !contradicted(o.x, c.x)
}

// follows tells whether c began after the refusal of o and within the horizon. The order of first
// mention must agree, so that no chain can close to a ring whatever the times say.
func (m *Matcher) follows(o, c *attempt) bool {
	if o.seq >= c.seq || c.x.Request.First.Time-finished(o.x) > m.o.Horizon {
		return false
	}
	after, _ := begins(o.x, c.x)
	return after
}

// tier is how strongly c, which can be a repeat of o, is tied to it.
func tier(o, c *attempt) analysis.Tier {
	switch {
	case o.x.Conn == c.x.Conn:
		return analysis.TierConn
	case o.id.keyed(&c.id):
		return analysis.TierKey
	case o.id.credited(&c.id):
		return analysis.TierCredential
	case o.id.agent != "" && o.id.agent == c.id.agent:
		return analysis.TierAgent
	}
	return analysis.TierAddress
}

// link makes c the repeat of o.
func (m *Matcher) link(o, c *attempt, t analysis.Tier) {
	o.next, c.prev, o.tier = c, o, t
	_, o.sure = begins(o.x, c.x)
	m.unspare(c)
	m.join(o, c)
	m.write(o)
	if t == analysis.TierConn || c.closed {
		m.shut(o) // only Revoked can undo it, which opens it again
	}
}

// unlink undoes the link of o. What was written and forgotten stays as it is.
func (m *Matcher) unlink(o *attempt) {
	c := o.next
	m.split(o.chain, o.chain.index(o.x)+1)
	o.next, c.prev, o.tier = nil, nil, analysis.TierNone
	if !o.forgotten {
		o.x.Amend().Retry = analysis.Retry{}
		m.reopen(o)
	}
	if !c.forgotten {
		c.x.RetryOf, c.x.RetryDelay = "", 0
	}
}

// verify looks at the link of o again after one of its two ends closed.
func (m *Matcher) verify(o *attempt) {
	c := o.next
	if c == nil || o.forgotten || c.forgotten {
		return
	}
	if contradicted(o.x, c.x) {
		m.unlink(o)
		m.reuse(c)
		m.rematch(o)
		return
	}
	m.write(o)
	if c.closed {
		m.shut(o)
	}
}

// reuse finds a new use for a candidate that lost its original.
func (m *Matcher) reuse(c *attempt) {
	if !m.assign(c) && !m.spare(c) {
		m.release(c)
	}
}

// rematch gives an original that lost its repeat the best of the spare candidates.
func (m *Matcher) rematch(o *attempt) {
	if o.next != nil || o.forgotten {
		return
	}
	var best *attempt
	for _, s := range m.groups[o.key()].spares {
		if m.repeats(o, s) && (best == nil || tier(o, s) < tier(o, best)) {
			best = s
		}
	}
	if best != nil {
		m.link(o, best, tier(o, best))
	}
}

// spare keeps a candidate that repeats an original which is taken, in case that link falls.
func (m *Matcher) spare(c *attempt) bool {
	g := m.groups[c.key()]
	if g == nil || len(g.spares) >= maxSpares || m.spares >= m.o.Originals {
		return false
	}
	for _, o := range g.originals[:min(reach, len(g.originals))] {
		if o.next != nil && o.next != c && m.repeats(o, c) {
			g.spares = append(g.spares, c)
			m.spares++
			return true
		}
	}
	return false
}

func (m *Matcher) unspare(c *attempt) {
	g := m.groups[c.key()]
	if g == nil {
		return
	}
	if n := len(g.spares); n > 0 {
		g.spares = without(g.spares, c)
		m.spares -= n - len(g.spares)
	}
}

// follow notes a candidate as the near follow-up of the newest original it fits: it fails one
// condition only, and the same connection, a strong discriminator or
// credentials tie the two. One with an Expect field is none, or a busy client would hide what it never repeated.
func (m *Matcher) follow(c *attempt, ad *address) bool {
	if c.id.expects {
		return false
	}
	for _, open := range [...][]*attempt{m.conns[c.x.Conn], ad.open} {
		for _, o := range slices.Backward(newest(open, nearReach)) {
			if o.next != nil || o.near != nil || !m.follows(o, c) || !tied(o, c) {
				continue
			}
			if d := difference(o, c); d != "" {
				o.near, o.differs, c.nearOf = c.x, d, o
				return true
			}
		}
	}
	return false
}

// tied is what a near follow-up needs beside its likeness.
func tied(o, c *attempt) bool {
	return o.x.Conn.Tap == c.x.Conn.Tap && (o.x.Conn == c.x.Conn || o.id.keyed(&c.id) || o.id.credited(&c.id)) &&
		o.id.sameHost(&c.id) && !o.id.conflicts(&c.id) && !contradicted(o.x, c.x)
}

// difference names the one condition that c fails to be a repeat of o, "" when it is not one. A request without
// content whose method changed fails in the method alone: its length follows from it.
func difference(o, c *attempt) string {
	length := sameLength(o.x, c.x)
	switch {
	case o.id.client != c.id.client:
		if length && o.id.method == c.id.method && o.id.target == c.id.target {
			return "address" // of one IPv6 /64
		}
	case o.id.target != c.id.target:
		if length && o.id.method == c.id.method {
			return "target"
		}
	case o.id.method != c.id.method:
		if length || c.x.ReqBody.Framing == analysis.FramingNone {
			return "method"
		}
	case !length:
		return "length"
	}
	return ""
}

// A voice is an origin as asked for from one client address; tongues is what
// asked. More than one User-Agent or Cookie means that several clients share the address.
type voice struct {
	client    netip.Addr
	authority string
}

type tongues struct {
	agent, cookie string
	several       bool
}

// hear notes who speaks from an address. Only origins with an open original have an entry, so there are no more of them.
func (m *Matcher) hear(a *attempt) {
	ad := m.addresses[place(a.id.client)]
	v := voice{a.id.client, a.id.authority}
	t := ad.voices[v]
	if t == nil {
		if a.refused == 0 {
			return
		}
		t = &tongues{}
		ad.voices[v] = t
	}
	t.hear([]byte(a.id.agent), []byte(a.id.cookie))
}

func (t *tongues) hear(agent, cookie []byte) {
	t.several = t.several || unlike(t.agent, agent) || unlike(t.cookie, cookie)
	if t.agent == "" {
		t.agent = string(agent)
	}
	if t.cookie == "" {
		t.cookie = string(cookie)
	}
}

// unlike is differ for what was just heard.
func unlike(known string, heard []byte) bool {
	return known != "" && len(heard) > 0 && known != string(heard)
}

func (ad *address) shared(o *attempt) bool {
	t := ad.voices[voice{o.id.client, o.id.authority}]
	return t != nil && t.several
}
