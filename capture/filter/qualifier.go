package filter

import (
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
)

// Qualifiers say what an address, a port or a protocol is compared with.
type qualifiers struct {
	proto token // the protocol's keyword; no token where there is none
	dir   direction
	typ   string // host, net, port, portrange or proto
}

// A direction says which of source and destination must match.
type direction uint8

const (
	anyOf direction = iota
	source
	destination
	bothOf
)

// of joins the tests of source and destination.
func (d direction) of(src, dst test) test {
	switch d {
	case source:
		return src
	case destination:
		return dst
	case bothOf:
		return both{src, dst}
	}
	return either{src, dst}
}

// head reads qualifiers and what they qualify, or a protocol's keyword alone.
func (p *parser) head() test {
	q := qualifiers{typ: "host"}
	first := p.peek(0)
	if _, ok := protocols[first.text]; ok && first.kind == word {
		q.proto = p.next()
	}
	t := p.peek(0)
	if p.skip("broadcast", "multicast") {
		p.given = nil
		return p.cast(q.proto, t)
	}
	typed := p.skip("proto")
	if typed {
		q.typ = t.text
	} else {
		q.dir, typed = p.direction()
		if t = p.peek(0); p.skip("host", "net", "port", "portrange") {
			q.typ, typed = t.text, true
		}
	}
	switch {
	case typed:
		p.given = &q
		return p.operand()
	case q.proto.kind == word:
		p.given = nil
		return p.protocol(q.proto)
	}
	return p.bare(first)
}

// direction reads src, dst, or one of them joined with the other.
func (p *parser) direction() (d direction, ok bool) {
	first := p.peek(0)
	if !p.skip("src", "dst") {
		return anyOf, false
	}
	op, second := p.peek(0), p.peek(1)
	switch {
	case op.is("and", "or") && second.is("src", "dst") && second.text != first.text:
		p.next()
		p.next()
		if op.text == "and" {
			return bothOf, true
		}
		return anyOf, true
	case first.text == "src":
		return source, true
	}
	return destination, true
}

// qualified reads the one word that q qualifies.
func (p *parser) qualified(q qualifiers) test {
	switch q.typ {
	case "host", "net":
		return p.address(q)
	case "proto":
		return p.number(q)
	}
	return p.port(q)
}

// protocol is the test a protocol's keyword stands for.
func (p *parser) protocol(t token) test {
	k := protocols[t.text]
	switch {
	case isLink(t):
		return p.fail(t, "%q alone says nothing: host, proto, broadcast or multicast belongs behind it", t.text)
	case k.ethertype != 0:
		return p.network(t, k.ethertype)
	}
	return p.layout.carries(k)
}

// network tests for the network protocol that t asks for.
func (p *parser) network(t token, ethertype uint32) test {
	if p.layout.labels > 0 && ethertype != typeIPv4 && ethertype != typeIPv6 {
		return p.fail(t, "MPLS labels do not say what is behind them: only IPv4 and IPv6 can be told")
	}
	return p.layout.is(ethertype)
}

// carries tests for a protocol over IPv4 and over IPv6, there also behind a
// fragment header. Other extension headers are not followed, by tcpdump
// neither.
func (l *layout) carries(k protocol) test {
	v4 := every(l.is(typeIPv4), equal(l.at(9, 1), k.number))
	next := l.at(6, 1)
	v6 := every(l.is(typeIPv6), either{
		equal(next, k.number),
		both{equal(next, protoFragment), equal(l.at(40, 1), k.number)},
	})
	switch {
	case !k.v6:
		return v4
	case !k.v4:
		return v6
	}
	return some(v4, v6)
}

// isLink tells whether t is the keyword of the link itself.
func isLink(t token) bool { return t.is("ether", "link") }

// number reads what follows proto.
func (p *parser) number(q qualifiers) test {
	t := p.next()
	known := ipProtocols
	if isLink(q.proto) {
		known = etherProtocols
	}
	n, ok := known[t.text]
	switch {
	case t.kind == word:
		return p.fail(t, "%[1]q is a keyword: write \\%[1]s for the protocol's number", t.text)
	case t.kind == numeral:
		n = t.number
	case t.kind != name:
		return p.refuse(t, "a protocol's number or name belongs here")
	case !ok:
		return p.fail(t, "no protocol is known as %q: write its number", t.text)
	}
	k := protocol{number: n, v4: !q.proto.is("ip6"), v6: !q.proto.is("ip")}
	switch {
	case isLink(q.proto) && n <= typeLLC:
		return p.fail(t, "numbers up to %d are no Ethertypes: 802.2 frames cannot be filtered", typeLLC)
	case isLink(q.proto):
		return p.network(t, n)
	case q.proto.kind != end && !q.proto.is("ip", "ip6"):
		return p.fail(q.proto, "%q does not go with proto: ether, ip and ip6 do", q.proto.text)
	case n > 0xff:
		return p.fail(t, "%d is more than the largest protocol number of IP, 255", n)
	}
	return p.layout.carries(k)
}

// cast is the test for frames or packets to all, or to a group. Without the
// network's mask the broadcast addresses of IP are those of every network.
func (p *parser) cast(proto, t token) test {
	l := &p.layout
	switch {
	case proto.is("ip") && t.text == "broadcast":
		to := l.at(16, 4)
		return every(l.is(typeIPv4), either{equal(to, 0), equal(to, 0xffffffff)})
	case proto.is("ip"):
		return every(l.is(typeIPv4), compared{l.at(16, 1), bpf.JumpGreaterOrEqual, number(224)})
	case proto.is("ip6") && t.text == "multicast":
		return every(l.is(typeIPv6), equal(l.at(24, 1), 0xff))
	case proto.kind == word && !isLink(proto):
		return p.fail(proto, "%q does not go with %s", proto.text, t.text)
	case !l.addressed:
		return p.fail(t, "there are no Ethernet addresses on this link (%s)", l.where())
	case t.text == "broadcast":
		return station(0, [6]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff})
	}
	return compared{octets{off: 0, size: 1}, bpf.JumpBitsSet, number(1)}
}

// ports are the ports from low to high, over one protocol of IP or over any
// that has ports.
type ports struct{ low, high, over uint32 }

// port reads what follows port or portrange.
func (p *parser) port(q qualifiers) test {
	t := p.next()
	k := protocols[q.proto.text]
	switch {
	case q.proto.is("ip", "ip6"):
		return p.fail(q.proto, "%[1]q has no ports: write %[1]s and %[2]s", q.proto.text, q.typ)
	case q.proto.kind == word && !k.ports:
		return p.fail(q.proto, "%q has no ports: tcp, udp and sctp have", q.proto.text)
	}
	r, ok := ports{low: t.number, high: t.number}, t.kind == numeral
	if t.kind == name {
		r, ok = named(t.text, q.typ == "portrange")
	}
	switch {
	case t.kind != numeral && t.kind != name:
		return p.refuse(t, "a port's number or name belongs here")
	case !ok && q.typ == "portrange":
		return p.fail(t, "no port or range of ports is known as %q: write it as numbers, 8000-8080", t.text)
	case !ok:
		return p.fail(t, "no port is known as %q: write its number", t.text)
	case r.high > 0xffff:
		return p.fail(t, "%d is more than the largest port, 65535", r.high)
	case k.number != 0 && r.over != 0 && r.over != k.number:
		return p.fail(t, "%q is not a port of %s", t.text, q.proto.text)
	case k.number != 0:
		r.over = k.number
	}
	return p.layout.port(r, q.dir)
}

// named looks up a port's name, or a range of names or numbers.
func named(s string, isRange bool) (r ports, ok bool) {
	one, ok := services[s]
	if ok || !isRange {
		return ports{one.port, one.port, one.over}, ok
	}
	from, to, _ := strings.Cut(s, "-")
	a, okFrom := servicePort(from)
	b, okTo := servicePort(to)
	r = ports{low: min(a.port, b.port), high: max(a.port, b.port)}
	if a.over == b.over {
		r.over = a.over
	}
	return r, okFrom && okTo
}

// servicePort is a port by number or name.
func servicePort(s string) (service, bool) {
	if n, err := strconv.ParseUint(s, 10, 32); err == nil {
		return service{port: uint32(n)}, true
	}
	v, ok := services[s]
	return v, ok
}

// port tests for packets with a port in r, over IPv6 where nothing is between
// the two headers, and over IPv4 in a first fragment.
func (l *layout) port(r ports, d direction) test {
	over := []uint32{protoSCTP, protoTCP, protoUDP}
	if r.over != 0 {
		over = []uint32{r.over}
	}
	carried := func(field value) test {
		var ts []test
		for _, n := range over {
			ts = append(ts, equal(field, n))
		}
		return some(ts...)
	}
	v6 := every(l.is(typeIPv6), carried(l.at(6, 1)), d.of(r.has(l.at(40, 2)), r.has(l.at(42, 2))))
	v4 := every(l.is(typeIPv4), carried(l.at(9, 1)), l.first(), d.of(r.has(l.behind(0, 2)), r.has(l.behind(2, 2))))
	return some(v6, v4)
}

// first tests that an IPv4 packet is whole or a first fragment: only that has
// the header of what it carries.
func (l *layout) first() test {
	return not(compared{l.at(6, 2), bpf.JumpBitsSet, number(0x1fff)})
}

func (r ports) has(v value) test {
	if r.low == r.high {
		return equal(v, r.low)
	}
	return both{
		compared{v, bpf.JumpGreaterOrEqual, number(r.low)},
		compared{v, bpf.JumpLessOrEqual, number(r.high)},
	}
}
