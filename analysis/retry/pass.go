package retry

import (
	"bytes"
	"net/netip"
	"slices"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// Passes tells of a request whether [Matcher.Wants] speaks for its client, and then whether
// [Matcher.Request] would do nothing more with it, so that it need not be kept: it
// saves making strings of a head that is no repeat. What the request tells of who
// speaks from the address is noted. It passes only when that is sure: no open original has its
// method and target, and it could not be taken for the follow-up of one.
func (m *Matcher) Passes(conn *reassembly.Conn, client netip.Addr, h *analysis.Head) (wanted, passes bool) {
	if len(m.addresses) == 0 {
		return false, true
	}
	ad := m.addresses[place(client)]
	client = client.Unmap()
	switch {
	case ad == nil:
		return false, true
	case h.Expect || len(h.Target) == 0 || h.Target[0] != '/': // another form names its own authority
		return true, false
	}
	w := hearken(h.Text)
	if ad.targets[string(h.Target)] > 0 || ad.methods[string(h.Method)] > 0 {
		switch {
		case m.groups[key{client, conn.Tap, string(h.Method), string(h.Target)}] != nil,
			resembles(m.conns[conn], h), w.ties && resembles(ad.open, h):
			return true, false
		}
	}
	if t := ad.voices[voice{client, string(w.authority(conn, client))}]; t != nil {
		t.hear(w.agent, w.cookie)
	}
	return true, true
}

// resembles tells whether a request could fail only one of the conditions to be the repeat of one of these originals: see follow.
func resembles(originals []*attempt, h *analysis.Head) bool {
	n := h.Length
	if h.Framing == analysis.FramingNone {
		n = 0
	}
	for _, o := range slices.Backward(newest(originals, nearReach)) {
		switch {
		case o.next != nil || o.near != nil:
		case string(h.Target) == o.id.target, string(h.Method) == o.id.method && agree(n, o.x.N()):
			return true
		}
	}
	return false
}

// words are what a head has of what ties requests together or tells clients apart: views into it.
type words struct {
	host, agent, cookie []byte
	ties                bool // it has credentials or a discriminator
}

// hearken reads a head for its words.
func hearken(head []byte) (w words) {
	s := analysis.NewFieldScanner(head)
	for {
		f, ok := s.Next()
		if !ok {
			return w
		}
		name, value := head[f.NameStart:f.NameEnd], head[f.ValueStart:f.ValueEnd]
		switch {
		case named(name, "Host"):
			first(&w.host, value)
		case named(name, "User-Agent"):
			first(&w.agent, value)
		case named(name, "Cookie"):
			first(&w.cookie, value)
			w.ties = true
		case named(name, "Authorization"), discriminates(name):
			w.ties = true
		}
	}
}

func first(to *[]byte, value []byte) {
	if len(*to) == 0 {
		*to = value
	}
}

func named(name []byte, as string) bool {
	return len(name) == len(as) && bytes.EqualFold(name, []byte(as))
}

// discriminates tells whether a field is one of the discriminators.
func discriminates(name []byte) bool {
	for i := range discriminators {
		if named(name, discriminators[i].field) {
			return true
		}
	}
	return false
}

// authority is the host as [identity] has it: in lower case, without the port of the scheme.
func (w *words) authority(conn *reassembly.Conn, client netip.Addr) []byte {
	plain := true
	for _, c := range w.host {
		plain = plain && c != ':' && (c < 'A' || c > 'Z') && c < 0x80
	}
	if plain {
		return w.host
	}
	id := identity{server: conn.Server}
	if conn.Client.Addr().Unmap() != client {
		id.server = conn.Client
	}
	id.locate("/", string(w.host))
	return []byte(id.authority)
}
