package retry

import "net/netip"

// Bounds on what is remembered of the blind. Where they are hit, older spans run together, which says "unknown" too often, never too seldom.
const (
	maxBlinds = 64
	maxHosts  = 1024
)

// A blind is a span of capture time in which something of a client could not be seen.
type blind struct {
	client, server netip.Addr // invalid: any
	from, to       int64
	why            string
}

// blinds are in order of mention.
type blinds []blind

func (bs blinds) add(b blind) blinds {
	if n := len(bs); n > 0 {
		if l := &bs[n-1]; l.client == b.client && l.server == b.server && l.why == b.why && b.from <= l.to && l.from <= b.to {
			l.from, l.to = min(l.from, b.from), max(l.to, b.to)
			return bs
		}
	}
	if len(bs) < maxBlinds {
		return append(bs, b)
	}
	a, l := bs[0], bs[1]
	if a.client != l.client {
		l.client = netip.Addr{}
	}
	if a.server != l.server {
		l.server = netip.Addr{}
	}
	l.from, l.to = min(a.from, l.from), max(a.to, l.to)
	copy(bs[1:], bs[2:])
	bs[0], bs[len(bs)-1] = l, b
	return bs
}

// over finds a span that overlaps from..to and may concern that client and server.
func (bs blinds) over(client, server netip.Addr, from, to int64) (why string, ok bool) {
	for i := len(bs) - 1; i >= 0; i-- {
		b := &bs[i]
		if b.from <= to && from <= b.to && (!b.client.IsValid() || b.client == client) && (!b.server.IsValid() || b.server == server) {
			return b.why, true
		}
	}
	return "", false
}

// blindness is what could not be seen of everyone, and of clients without an
// open original: a window may open later over a span told before. Two
// generations of limited size hold the latter, so that the newest are kept.
type blindness struct {
	all         blinds
	young, aged map[netip.Addr]blinds
}

// put remembers spans of a place until they are taken, or too many others came.
func (n *blindness) put(place netip.Addr, bs blinds) {
	if len(bs) == 0 {
		return
	}
	if n.young == nil || len(n.young) >= maxHosts {
		n.young, n.aged = map[netip.Addr]blinds{}, n.young
	}
	n.young[place] = bs
}

// take returns what is remembered of a place and no longer keeps it.
func (n *blindness) take(place netip.Addr) blinds {
	bs, ok := n.young[place]
	if !ok {
		bs = n.aged[place]
	}
	delete(n.young, place)
	delete(n.aged, place)
	return bs
}

// Blind tells that between the capture times from and to something that client
// sent to that server could not be seen: a hole, a connection that cannot be read, dropped packets. An invalid address
// stands for any. It may be called before the original opens that it concerns. Why completes the sentence "it is not
// known whether a repeat followed: …".
func (m *Matcher) Blind(client, server netip.Addr, from, to int64, why string) {
	b := blind{client.Unmap(), server.Unmap(), from, max(from, to), why}
	if !b.client.IsValid() {
		m.blind.all = m.blind.all.add(b)
		return
	}
	at := place(b.client)
	if ad := m.addresses[at]; ad != nil {
		ad.blind = ad.blind.add(b)
		return
	}
	m.blind.put(at, m.blind.take(at).add(b))
}

// unseen says what of the window after a refusal could not be seen. The original is open.
func (m *Matcher) unseen(o *attempt, from, to int64) (why string, ok bool) {
	client, server := o.id.client, o.id.server.Addr()
	if why, ok = m.blind.all.over(client, server, from, to); ok {
		return why, true
	}
	return m.addresses[place(client)].blind.over(client, server, from, to)
}
