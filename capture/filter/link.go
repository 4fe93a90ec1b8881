package filter

import (
	"fmt"
	"slices"
	"strings"

	"golang.org/x/net/bpf"

	"expectscope/capture"
)

// Ethertypes: what all network protocols are called here, whatever the link.
const (
	typeIPv4    = 0x0800
	typeARP     = 0x0806
	typeRARP    = 0x8035
	typeIPv6    = 0x86dd
	typeVLAN    = 0x8100
	typeQinQ    = 0x88a8
	typeOldQinQ = 0x9100
	typeMPLS    = 0x8847
	typePPPoED  = 0x8863
	typePPPoES  = 0x8864
	typeLLC     = 1500 // a number up to it is a length, and an 802.2 header follows
)

// A link says where things are in the frames of a link type.
type link struct {
	name string
	// network is the offset of the network protocol's header.
	network uint32
	// protocol is the test for a network protocol. It may read what kind
	// loads, the number that tells protocols apart where the link has one.
	protocol func(l *layout, ethertype uint32) test
	kind     value
	// addresses: the header starts with two Ethernet addresses.
	addresses bool
	// headless: the program does not see the link's header.
	headless bool
	// sent, where it is not nil, is what a packet's type must be for the
	// packet to be one that the capturing host sent.
	sent value
}

// outgoing is the type of a packet sent by the host that captured it
// (PACKET_OUTGOING).
const outgoing = 4

var links = map[capture.LinkType]*link{
	capture.LinkEthernet: {name: "Ethernet", network: 14, kind: octets{off: 12, size: 2}, protocol: ethertype, addresses: true},
	capture.LinkSLL:      {name: "Linux cooked", network: 16, kind: octets{off: 14, size: 2}, protocol: ethertype, sent: octets{off: 0, size: 2}},
	capture.LinkSLL2:     {name: "Linux cooked v2", network: 20, kind: octets{off: 0, size: 2}, protocol: ethertype, sent: octets{off: 10, size: 1}},
	capture.LinkRaw:      {name: "raw IP", protocol: version},
	capture.LinkIPv4:     {name: "raw IPv4", protocol: only(typeIPv4)},
	capture.LinkIPv6:     {name: "raw IPv6", protocol: only(typeIPv6)},
	capture.LinkNull:     {name: "BSD loopback", network: 4, kind: octets{off: 0, size: 4}, protocol: family},
	capture.LinkLoop:     {name: "OpenBSD loopback", network: 4, kind: octets{off: 0, size: 4}, protocol: family},
}

// cooked is what a kernel's program sees on a socket that has the link's header
// taken off: the header's fields are the kernel's to tell.
var cooked = &link{
	name: "cooked packet socket", kind: metadata(bpf.ExtProto), protocol: ethertype,
	headless: true, sent: metadata(bpf.ExtType),
}

// linkNames lists the link types filters can be compiled for.
func linkNames() string {
	var names []string
	for _, l := range links {
		names = append(names, l.name)
	}
	slices.Sort(names)
	return strings.Join(names, ", ")
}

// ethertype is for links that name the protocol by its Ethertype.
func ethertype(l *layout, ethertype uint32) test { return equal(l.kind, ethertype) }

// version is for raw IP, where only the packet itself tells: by its first four
// bits.
func version(l *layout, ethertype uint32) test {
	first := octets{off: l.network, size: 1}
	switch ethertype {
	case typeIPv4:
		return masked(first, 0xf0, 0x40)
	case typeIPv6:
		return masked(first, 0xf0, 0x60)
	}
	return constant(false)
}

// only is for links that carry one protocol.
func only(carried uint32) func(*layout, uint32) test {
	return func(_ *layout, ethertype uint32) test { return constant(ethertype == carried) }
}

// family is for BSD's loopback, which names the protocol by its address family,
// in network order or in that of the host that wrote it. AF_INET6 is 10 on
// Linux, 23 on Windows, 24 on NetBSD and OpenBSD, 28 on FreeBSD, 30 on macOS.
func family(l *layout, ethertype uint32) test {
	var families []uint32
	switch ethertype {
	case typeIPv4:
		families = []uint32{2}
	case typeIPv6:
		families = []uint32{30, 24, 28, 10, 23}
	}
	t := test(constant(false))
	for _, f := range families {
		t = some(equal(l.kind, f<<24), equal(l.kind, f), t)
	}
	return t
}

// A layout is where things are at one point of an expression: vlan, mpls and
// pppoes move what is read after them.
type layout struct {
	*link
	// kind and network are the link's until they are moved.
	kind     value
	network  uint32
	protocol func(l *layout, ethertype uint32) test
	// header is where the innermost link header starts; addressed tells
	// whether it is the Ethernet header.
	header    uint32
	addressed bool
	// labels counts the MPLS labels passed.
	labels int
	// stripped: the next VLAN tag is the one the kernel took off.
	stripped bool
}

func newLayout(l *link, stripped bool) layout {
	return layout{
		link: l, kind: l.kind, network: l.network, protocol: l.protocol,
		addressed: l.addresses, stripped: stripped,
	}
}

// is tests for a network protocol.
func (l *layout) is(ethertype uint32) test { return l.protocol(l, ethertype) }

// at is size octets of the network protocol's header.
func (l *layout) at(off uint32, size int) value { return octets{off: l.network + off, size: size} }

// behind is size octets of what the IPv4 header carries.
func (l *layout) behind(off uint32, size int) value {
	return octets{off: l.network + off, size: size, behind: true, header: l.network}
}

// vlan passes a VLAN tag, with the given identifier where id is not negative.
func (l *layout) vlan(id int) (test, error) {
	switch {
	case l.labels > 0:
		return nil, fmt.Errorf("there is no VLAN tag behind an MPLS label: put vlan before mpls")
	case !l.addressed:
		return nil, fmt.Errorf("there are no VLAN tags on this link (%s)", l.where())
	}
	if l.stripped {
		l.stripped = false
		if id < 0 {
			return constant(true), nil
		}
		return masked(metadata(bpf.ExtVLANTag), 0xfff, uint32(id)), nil
	}
	t := some(l.is(typeVLAN), l.is(typeQinQ), l.is(typeOldQinQ))
	if id >= 0 {
		t = every(t, masked(l.at(0, 2), 0xfff, uint32(id)))
	}
	l.kind = l.at(2, 2)
	l.network += 4
	return t, nil
}

// mpls passes an MPLS label (RFC 3032, Section 2.1), with the given value where
// id is not negative.
func (l *layout) mpls(id int) (test, error) {
	var t test
	switch {
	case l.labels > 0:
		t = masked(octets{off: l.network - 2, size: 1}, 1, 0) // not the bottom of the stack
	case !l.addressed:
		return nil, fmt.Errorf("there are no MPLS labels on this link (%s)", l.where())
	default:
		t = l.is(typeMPLS)
	}
	if id >= 0 {
		t = every(t, masked(l.at(0, 4), 0xfffff000, uint32(id)<<12))
	}
	l.labels++
	l.network += 4
	l.protocol = labelled
	return t, nil
}

// labelled is for what follows MPLS labels: the last one says that it is the
// last, and nothing says what comes after it.
func labelled(l *layout, ethertype uint32) test {
	return every(masked(octets{off: l.network - 2, size: 1}, 1, 1), version(l, ethertype))
}

// pppoes passes a PPPoE session header and PPP's protocol field (RFC 2516,
// Section 4), of the given session where id is not negative.
func (l *layout) pppoes(id int) (test, error) {
	if l.labels > 0 || l.kind == nil || l.header > 0 {
		return nil, fmt.Errorf("there are no PPPoE sessions on this link (%s)", l.where())
	}
	t := l.is(typePPPoES)
	if id >= 0 {
		t = every(t, masked(l.at(0, 4), 0xffff, uint32(id)))
	}
	l.header = l.network + 6
	l.kind = octets{off: l.header, size: 2}
	l.network += 8
	l.addressed = false
	l.protocol = ppp
	return t, nil
}

// ppp is for PPP, which has its own numbers for IP; others are compared as they
// are.
func ppp(l *layout, ethertype uint32) test {
	switch ethertype {
	case typeIPv4:
		ethertype = 0x0021
	case typeIPv6:
		ethertype = 0x0057
	}
	return equal(l.kind, ethertype)
}

// where names the link an expression has arrived at, for messages.
func (l *layout) where() string {
	if l.header > 0 {
		return "PPP"
	}
	return l.name
}
