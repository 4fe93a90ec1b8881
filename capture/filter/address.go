package filter

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"
)

// address reads what follows host or net.
func (p *parser) address(q qualifiers) test {
	t := p.next()
	switch t.kind {
	case numeral, dotted:
		return p.address4(q, t)
	case address6:
		return p.address6(q, t)
	case hardware:
		switch {
		case !isLink(q.proto) || q.typ != "host":
			return p.fail(t, "%q is a MAC address: write ether host", t.text)
		case !p.layout.addressed:
			return p.fail(t, "there are no Ethernet addresses on this link (%s)", p.layout.where())
		}
		return q.dir.of(station(6, t.mac), station(0, t.mac))
	case name:
		return p.fail(t, "%q is not an address: names are not looked up, write the address", t.text)
	case word:
		return p.fail(t, "%q is a keyword: an address belongs behind %s", t.text, q.typ)
	}
	return p.refuse(t, "an address belongs here")
}

// station tests for a MAC address at off.
func station(off uint32, mac [6]byte) test {
	return both{
		equal(octets{off: off + 2, size: 4}, binary.BigEndian.Uint32(mac[2:])),
		equal(octets{off: off, size: 2}, uint32(binary.BigEndian.Uint16(mac[:]))),
	}
}

// address4 reads an IPv4 address or network that starts at t. One with fewer
// than four numbers is a network, also behind host; a number alone is one
// behind net, and an address elsewhere.
func (p *parser) address4(q qualifiers, t token) test {
	addr, length, ok := dottedQuad(t.text)
	switch {
	case t.kind == numeral && q.typ == "net":
		for addr, length = t.number, 32; addr != 0 && addr>>24 == 0; length -= 8 {
			addr <<= 8
		}
	case t.kind == numeral:
		addr, length = t.number, 32
	case !ok:
		return p.fail(t, "%q is not an IPv4 address", t.text)
	}
	mask := ^uint32(0) << (32 - length)
	if u := p.peek(0); u.is("/", "mask") {
		mask, ok = p.mask(q, u)
		switch {
		case !ok:
			return constant(false)
		case addr&^mask != 0:
			return p.fail(t, "%q has bits outside the mask: write %s", t.text, quad(addr&mask))
		}
	}
	l := &p.layout
	over := func(ethertype, src, dst uint32) test {
		return every(l.is(ethertype), q.dir.of(masked(l.at(src, 4), mask, addr), masked(l.at(dst, 4), mask, addr)))
	}
	ip := over(typeIPv4, 12, 16)
	switch {
	case q.proto.is("ip"), q.proto.kind == end && l.labels > 0:
		return ip
	case q.proto.is("arp", "rarp"):
		return every(p.network(q.proto, protocols[q.proto.text].ethertype), over(protocols[q.proto.text].ethertype, 14, 24))
	case q.proto.kind == end:
		return some(ip, over(typeARP, 14, 24), over(typeRARP, 14, 24))
	}
	return p.misplaced(q, "IPv4")
}

// misplaced refuses a protocol whose header does not hold such addresses.
func (p *parser) misplaced(q qualifiers, addresses string) test {
	instead := "write " + q.typ + " without it"
	if protocols[q.proto.text].number != 0 {
		instead = "write " + q.proto.text + " and " + q.typ
	}
	return p.fail(q.proto, "%q has no %s addresses: %s", q.proto.text, addresses, instead)
}

// mask reads a mask in either form behind an IPv4 network.
func (p *parser) mask(q qualifiers, form token) (mask uint32, ok bool) {
	if q.typ != "net" {
		p.fail(form, "a mask goes with net, not with host")
		return 0, false
	}
	p.next()
	t := p.peek(0)
	if form.text == "/" {
		n := p.numeral("a mask's length")
		if n > 32 {
			p.fail(t, "%d is more than the longest mask, 32", n)
		}
		return ^uint32(0) << (32 - n), p.err == nil
	}
	p.expect(dotted, "a mask of four numbers with dots belongs here")
	mask, bits, ok := dottedQuad(p.next().text)
	if p.err == nil && (!ok || bits != 32) {
		p.fail(t, "%q is not a mask of four numbers", t.text)
	}
	return mask, p.err == nil
}

// dottedQuad reads one to four decimal numbers as the upper bytes of an IPv4
// address, and counts their bits. A leading zero means octal to some programs
// and nothing to others, so it is not read.
func dottedQuad(s string) (addr uint32, bits int, ok bool) {
	for _, part := range strings.Split(s, ".") {
		n, err := strconv.ParseUint(part, 10, 8)
		if err != nil || bits == 32 || len(part) > 1 && part[0] == '0' {
			return 0, 0, false
		}
		bits += 8
		addr |= uint32(n) << (32 - bits)
	}
	return addr, bits, true
}

func quad(addr uint32) string {
	return netip.AddrFrom4([4]byte(binary.BigEndian.AppendUint32(nil, addr))).String()
}

// address6 reads an IPv6 address or network that starts at t.
func (p *parser) address6(q qualifiers, t token) test {
	length := uint32(128)
	if u := p.peek(0); u.is("/") {
		if q.typ != "net" {
			return p.fail(u, "a mask goes with net, not with host")
		}
		p.next()
		u = p.peek(0)
		if length = p.numeral("a mask's length"); length > 128 {
			return p.fail(u, "%d is more than the longest mask, 128", length)
		}
	}
	prefix := netip.PrefixFrom(netip.AddrFrom16(t.addr.As16()), int(length))
	switch {
	case prefix.Masked().Addr() != prefix.Addr():
		return p.fail(t, "%q has bits outside the mask: write %s", t.text, prefix.Masked().Addr())
	case q.proto.kind != end && !q.proto.is("ip6"):
		return p.misplaced(q, "IPv6")
	}
	l := &p.layout
	return every(l.is(typeIPv6), q.dir.of(l.within(prefix, 8), l.within(prefix, 24)))
}

// within tests for an IPv6 address at off. What the mask leaves out is not read.
func (l *layout) within(prefix netip.Prefix, off uint32) test {
	addr := prefix.Addr().As16()
	ts := []test{constant(true)}
	for i := 0; 8*i < prefix.Bits(); i += 4 {
		mask := ^uint32(0) << max(0, 32-(prefix.Bits()-8*i))
		ts = append(ts, masked(l.at(off+uint32(i), 4), mask, binary.BigEndian.Uint32(addr[i:])))
	}
	return every(ts...)
}
