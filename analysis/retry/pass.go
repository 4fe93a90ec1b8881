package retry

import (
	"bytes"
	"net/netip"
	"strings"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// passReach bounds how many open originals a request is held against before it is kept after all.
const passReach = 32

// maxHeard bounds the kinds of request that are remembered of an address.
const maxHeard = 256

// Passes tells of a request of a client [Matcher.Wants] speaks for that
// [Matcher.Request] would do nothing with it, so that it need not be kept: it
// saves making strings of a head that is no repeat. True only when it is
// sure: another method or target than every open original's, another
// connection, nothing by which it could be tied to one, and a Host and
// User-Agent that were heard before.
func (m *Matcher) Passes(conn *reassembly.Conn, client netip.Addr, h *analysis.Head) bool {
	ad := m.addresses[place(client)]
	switch {
	case ad == nil:
		return true
	case h.Expect || len(h.Target) == 0 || h.Target[0] != '/' || len(ad.open) > passReach || len(m.conns[conn]) > 0:
		return false
	}
	w := hearken(conn, client, h.Text)
	if !w.plain || !ad.heard[w.sum] {
		return false
	}
	for _, o := range ad.open {
		switch {
		case string(h.Target) == o.id.target && string(h.Method) == o.id.method,
			len(w.cookie) > 0 && string(w.cookie) == o.id.cookie,
			len(w.authorization) > 0 && string(w.authorization) == o.id.authorization:
			return false
		}
	}
	return true
}

// heed remembers who was heard, for Passes.
func (ad *address) heed(x *analysis.Exchange) {
	if len(ad.heard) < maxHeard && strings.HasPrefix(x.Request.Target, "/") { // another form names its own authority
		if w := hearken(x.Conn, x.Conn.Addr(x.Client).Addr(), []byte(x.Request.Head)); w.plain {
			ad.heard[w.sum] = true
		}
	}
}

// words are what a head has of what ties requests together or tells clients apart.
type words struct {
	sum                   uint64 // a hash of what tells clients behind an address apart
	cookie, authorization []byte
	plain                 bool // there is nothing else
}

// hearken reads a head for its words. The client's address and the server's port
// count too: an IPv6 /64 has many addresses, and the port completes the authority.
func hearken(conn *reassembly.Conn, client netip.Addr, head []byte) words {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	w := words{sum: offset, plain: true}
	port := conn.Server.Port()
	if conn.Client.Addr().Unmap() != client.Unmap() {
		port = conn.Client.Port()
	}
	w.sum = (w.sum ^ uint64(port)) * prime
	for _, c := range client.As16() {
		w.sum = (w.sum ^ uint64(c)) * prime
	}
	s := analysis.NewFieldScanner(head)
	for {
		f, ok := s.Next()
		if !ok {
			return w
		}
		name, value := head[f.NameStart:f.NameEnd], head[f.ValueStart:f.ValueEnd]
		switch {
		case bytes.EqualFold(name, []byte("Host")), bytes.EqualFold(name, []byte("User-Agent")):
		case bytes.EqualFold(name, []byte("Cookie")):
			w.plain = w.plain && w.cookie == nil
			w.cookie = value
		case bytes.EqualFold(name, []byte("Authorization")):
			w.plain = w.plain && w.authorization == nil
			w.authorization = value
			continue // nobody is told apart by it
		case discriminates(name):
			w.plain = false
			continue
		default:
			continue
		}
		for _, c := range head[f.NameStart:f.ValueEnd] {
			w.sum = (w.sum ^ uint64(c)) * prime
		}
	}
}

// discriminates tells whether a field is one of the discriminators.
func discriminates(name []byte) bool {
	for i := range discriminators {
		if d := discriminators[i].field; len(d) == len(name) && bytes.EqualFold(name, []byte(d)) {
			return true
		}
	}
	return false
}
