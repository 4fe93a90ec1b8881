package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"expectscope/analysis"
)

// advise says why a capture that was read whole holds no HTTP, where there is
// none, and which limits were hit. It tells whether nothing in the capture
// could be decoded, which counts as not read.
func (c *console) advise(s *analysis.Summary) (unread bool) {
	h := &s.Capture
	if len(s.Limits) > 0 {
		c.warn("limits were hit, so something was left out: "+counts(s.Limits), "analyze fewer files at a time, or a part of the time")
	}
	if s.Exchanges > 0 {
		return false
	}
	unsupported, undecoded := total(h.Unsupported), total(h.Undecoded)
	switch {
	case s.Packets == 0:
		c.warn("no packets in the capture", "check the interface and the filter of the capturing program; tcpdump -D lists interfaces")
	case unsupported == s.Packets:
		c.fail("no packet can be decoded: "+counts(h.Unsupported),
			"capture on Ethernet or on the interface any; the link types that can be decoded are those of IP networks")
		return true
	case unsupported+undecoded == s.Packets:
		noTCP(c, h)
	case s.Connections == 0:
		c.warn("no HTTP request: no TCP connection in the capture carries data", "check that the server was reached, and that the capture began before the request")
	case s.Orphans > 0:
		c.warn("no HTTP request, but responses: "+plural(s.Orphans, "response"), "capture both directions: check for an asymmetric route or a one-way mirror port")
	default:
		noHTTP(c, s)
	}
	return false
}

// noTCP says what there is instead of TCP.
func noTCP(c *console, h *analysis.CaptureHealth) {
	hint := "check the filter of the capturing program: tcpdump 'tcp'"
	if h.Undecoded["quic"] > 0 {
		hint = "HTTP/3 runs over QUIC, which is encrypted: capture behind the proxy that ends it, or turn HTTP/3 off for the test"
	}
	c.warn("no TCP in the capture: "+counts(h.Undecoded, h.Unsupported), hint)
}

// opaqueHints says what to do about connections of a kind that cannot be read.
var opaqueHints = []struct{ kind, name, hint string }{
	{"tls", "TLS", "give the keys, which a client or server writes that runs with SSLKEYLOGFILE=FILE: --keylog FILE; or capture where the traffic is plain, behind the proxy that ends TLS"},
}

// noHTTP says what the TCP connections carry instead of HTTP.
func noHTTP(c *console, s *analysis.Summary) {
	opaque := s.Capture.Opaque
	for _, o := range opaqueHints {
		if n := opaque[o.kind]; n > 0 && n == total(opaque) {
			c.warn("no HTTP request: all that is read of "+plural(s.Connections, "connection")+" is "+o.name, o.hint)
			return
		}
	}
	hint := "HTTP is found on every port; check that the capture holds whole packets (tcpdump -s 0) of the right host"
	for _, o := range opaqueHints {
		if opaque[o.kind] > 0 {
			hint = o.hint
			break
		}
	}
	text := "no HTTP request in " + plural(s.Connections, "TCP connection")
	if len(opaque) > 0 {
		text += ": " + counts(opaque)
	}
	c.warn(text, hint)
}

// plural is a number and its noun.
func plural(n uint64, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// total is the sum of counters.
func total(m map[string]uint64) (n uint64) {
	for _, v := range m {
		n += v
	}
	return n
}

// counts lists counters by name.
func counts(ms ...map[string]uint64) string {
	var words []string
	for _, m := range ms {
		for _, name := range slices.Sorted(maps.Keys(m)) {
			words = append(words, fmt.Sprintf("%d %s", m[name], name))
		}
	}
	return strings.Join(words, ", ")
}
