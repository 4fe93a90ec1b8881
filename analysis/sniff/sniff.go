// Package sniff finds out by their first bytes what the streams of a
// connection carry, whatever the port, and hands them to the layer for it.
//
// A [Sniffer] is a [reassembly.Layer] that holds at most a few dozen bytes a direction until one of
// them decides; from then on it passes everything on. A connection joined in
// the middle is looked at wherever a segment begins, for as long as it takes.
// A PROXY protocol header in front is passed over.
package sniff

import (
	"bytes"
	"encoding/binary"

	"expectscope/reassembly"
)

// enough is how many bytes of a direction decide at the latest. patience is
// for how many segments a stream that begins with something else is watched: a
// proxy's handshake (SOCKS, RFC 1928) may stand in front.
const (
	enough   = 24
	patience = 8
)

// Options tell a Sniffer what to do with what it finds.
type Options struct {
	// Joined: the streams begin in the middle.
	Joined bool
	// HTTP1 gives the layer for HTTP/1.x; client is the direction of the requests.
	HTTP1 func(client reassembly.Dir) reassembly.Layer
	// HTTP2 gives the layer for HTTP/2; client is the direction of the requests, joined: it begins in the middle. Nil: it is opaque.
	HTTP2 func(client reassembly.Dir, joined bool) reassembly.Layer
	// Frames tells of bytes that begin a segment in the middle of a stream whether they are HTTP/2, and whether their sender is the client.
	Frames func(b []byte) (client, ok bool)
	// TLS gives the layer that reads TLS records; nil: they are opaque.
	TLS func() reassembly.Layer
	// Missed is told of each segment of a stream joined in the middle that begins nothing known; nil: nobody wants to know.
	Missed interface{ Overlooked() }
	// Opaque is told once what it is instead: "tls", "http2", "ssh", "other".
	Opaque func(kind string)
}

// A Sniffer looks at the beginning of a connection.
type Sniffer struct {
	o    Options
	next reassembly.Layer
	dead bool
	odd  int // segments seen since the streams turned out to begin with something else
	dirs [2]struct {
		held  reassembly.Held
		ended *reassembly.End
		skip  int  // bytes of a PROXY header still to pass over
		plain bool // no PROXY header can follow
		// joined: it is looked at wherever a segment begins, as all are with Options.Joined
		joined bool
	}
}

// New returns a Sniffer.
func New(o Options) *Sniffer {
	return &Sniffer{o: o}
}

// Dead tells that nothing more will be read.
func (s *Sniffer) Dead() bool {
	if d, ok := s.next.(interface{ Dead() bool }); ok {
		return d.Dead()
	}
	return s.dead
}

// Next is the layer that what comes is passed on to, nil before it is known: it may as well be given it directly.
func (s *Sniffer) Next() reassembly.Layer { return s.next }

// Data looks at a chunk, or passes it on.
func (s *Sniffer) Data(c *reassembly.Chunk) {
	if s.next != nil {
		s.next.Data(c)
		return
	}
	if s.dead {
		return
	}
	d := &s.dirs[c.Dir]
	if s.o.Joined || s.odd > 0 || d.joined {
		s.search(c)
		return
	}
	from := min(d.skip, len(c.Data))
	if d.skip -= from; from == len(c.Data) {
		return
	}
	d.held.Add(c, from)
	s.look(c.Dir)
}

// BeginsRequest tells whether b, with which a connection begins, is a request of HTTP/1.x for certain: a Sniffer that is given
// it first starts Options.HTTP1 at once.
func BeginsRequest(b []byte) bool {
	return !begins(b, proxyV1) && !begins(b, proxyV2) && classify(b) == request
}

// search looks for the beginning of a message where a segment begins; it must
// be whole, because content can begin with anything.
func (s *Sniffer) search(c *reassembly.Chunk) {
	var client reassembly.Dir
	switch k := classify(c.Data); {
	case k == tls, k == http2:
		s.dirs[c.Dir].held.Add(c, 0)
		s.found(k, c.Dir)
		return
	case k == response && len(c.Data) >= len("HTTP/1.1 200"):
		client = c.Dir.Other()
	case k == request && endsInVersion(c.Data):
		client = c.Dir
	default:
		s.searchFrames(c)
		return
	}
	s.dirs[c.Dir].held.Add(c, 0)
	s.start(s.o.HTTP1(client), client)
}

// searchFrames looks for frames of HTTP/2 where a segment begins.
func (s *Sniffer) searchFrames(c *reassembly.Chunk) {
	if s.o.Frames == nil || s.o.HTTP2 == nil {
		s.tire()
		return
	}
	byClient, ok := s.o.Frames(c.Data)
	if !ok {
		s.tire()
		return
	}
	client := c.Dir
	if !byClient {
		client = c.Dir.Other()
	}
	s.dirs[c.Dir].held.Add(c, 0)
	s.start(s.o.HTTP2(client, true), client)
}

// tire counts a segment that is nothing known; in the end the connection is left alone.
func (s *Sniffer) tire() {
	if s.Joined() {
		if s.o.Missed != nil {
			s.o.Missed.Overlooked()
		}
		return
	}
	if s.odd++; s.odd > patience {
		s.opaque(other)
	}
}

// endsInVersion tells whether the first line of b is whole and ends like a request line.
func endsInVersion(b []byte) bool {
	line, _, ok := bytes.Cut(bytes.TrimLeft(b, "\r\n"), []byte{'\n'})
	n := bytes.LastIndexByte(line, ' ')
	return ok && n > 0 && bytes.HasPrefix(line[n+1:], []byte("HTTP/1."))
}

// look decides by the bytes held of a direction, if they suffice.
func (s *Sniffer) look(dir reassembly.Dir) {
	d := &s.dirs[dir]
	b := d.held.Bytes()
	if !d.plain {
		switch n, more := proxyHeader(b); {
		case more:
			return
		case n > 0:
			s.pass(dir, n)
			return
		}
		d.plain = true
	}
	switch k := classify(b); k {
	case undecided:
	case request:
		s.start(s.o.HTTP1(dir), dir)
	case response:
		s.start(s.o.HTTP1(dir.Other()), dir.Other())
	case other:
		s.o.Joined = s.Joined()
		s.dirs[0].held, s.dirs[1].held = reassembly.Held{}, reassembly.Held{}
		s.tire()
	default:
		s.found(k, dir)
	}
}

// found hands on what is no HTTP/1.x to its layer, if there is one.
func (s *Sniffer) found(k kind, first reassembly.Dir) {
	switch {
	case k == tls && s.o.TLS != nil:
		s.start(s.o.TLS(), first)
	case k == http2 && s.o.HTTP2 != nil:
		s.start(s.o.HTTP2(first, false), first)
	case k == settings && s.o.HTTP2 != nil:
		s.start(s.o.HTTP2(first.Other(), false), first.Other())
	default:
		s.opaque(k)
	}
}

// pass drops the first n bytes of a direction, of which some may still have to come.
func (s *Sniffer) pass(dir reassembly.Dir, n int) {
	d := &s.dirs[dir]
	d.plain, d.skip = true, n
	d.held.Replay(dir, s.Data)
}

func (s *Sniffer) opaque(k kind) {
	s.dead = true
	s.dirs[0].held, s.dirs[1].held = reassembly.Held{}, reassembly.Held{}
	s.o.Opaque(kindNames[k])
}

// start hands on what was held, the client's direction first: nothing of it
// can answer what the other side said.
func (s *Sniffer) start(next reassembly.Layer, client reassembly.Dir) {
	s.next = next
	for _, d := range [...]reassembly.Dir{client, client.Other()} {
		s.dirs[d].held.Replay(d, s.next.Data)
	}
	for d := range s.dirs {
		if e := s.dirs[d].ended; e != nil {
			s.next.End(e)
		}
	}
}

// Gap passes a hole on; before a decision the beginning is lost with it.
func (s *Sniffer) Gap(g *reassembly.Gap) {
	switch {
	case s.next != nil:
		s.next.Gap(g)
	case !s.dead:
		d := &s.dirs[g.Dir]
		d.held, d.joined = reassembly.Held{}, true
	}
}

// Joined tells whether what is handed on begins in the middle.
func (s *Sniffer) Joined() bool { return s.o.Joined || s.dirs[0].joined || s.dirs[1].joined }

// Torn tells whether the beginning of a direction's stream is missing although the connection's was seen.
func (s *Sniffer) Torn(d reassembly.Dir) bool { return s.dirs[d].joined }

// Resent passes a retransmission on.
func (s *Sniffer) Resent(r *reassembly.Resent) {
	if s.next != nil {
		s.next.Resent(r)
	}
}

// End passes the end of a direction on.
func (s *Sniffer) End(e *reassembly.End) {
	if s.next != nil {
		s.next.End(e)
		return
	}
	end := *e
	s.dirs[e.Dir].ended = &end
	if s.odd > 0 && !s.dead && s.dirs[e.Dir.Other()].ended != nil {
		s.opaque(other)
	}
}

type kind uint8

const (
	undecided kind = iota
	request
	response
	tls
	http2
	settings // of a server that speaks HTTP/2 and does not wait for the client's preface
	ssh
	other
)

var kindNames = [...]string{tls: "tls", http2: "http2", settings: "http2", ssh: "ssh", other: "other"}

// connPreface is what HTTP/2 begins with (RFC 9113, Section 3.4), as far as it tells.
const connPreface = "PRI * HTTP/2.0"

// isSettings says whether b begins with the header of a SETTINGS frame as a connection begins with (RFC 9113, Section 6.5).
func isSettings(b []byte) kind {
	want := [...]byte{0, 0, 0, 4, 0, 0, 0, 0, 0}
	for i, c := range b[:min(len(b), len(want))] {
		if c != want[i] && (i != 2 || c%6 != 0) {
			return other
		}
	}
	if len(b) < len(want) {
		return undecided
	}
	return settings
}

// classify says what begins with b.
func classify(b []byte) kind {
	all := len(b)
	b = bytes.TrimLeft(b, "\r\n")
	switch {
	case all-len(b) >= enough: // so many line ends are no slip of a client (RFC 9112, Section 2.2)
		return other
	case len(b) == 0:
		return undecided
	case b[0] >= 0x14 && b[0] <= 0x17: // a TLS record (RFC 8446, Section 5.1)
		if len(b) < 3 {
			return undecided
		}
		if b[1] == 3 && b[2] <= 4 {
			return tls
		}
		return other
	case begins(b, connPreface):
		return whole(b, connPreface, http2)
	case b[0] == 0:
		return isSettings(b)
	case begins(b, "HTTP/1."):
		return whole(b, "HTTP/1.", response)
	case begins(b, "SSH-"):
		return whole(b, "SSH-", ssh)
	}
	return requestLine(b)
}

// begins tells whether b and word agree as far as both go.
func begins(b []byte, word string) bool {
	n := min(len(b), len(word))
	return string(b[:n]) == word[:n]
}

func whole(b []byte, word string, k kind) kind {
	if len(b) < len(word) {
		return undecided
	}
	return k
}

// requestLine: a token, white space, something that is no control character.
// The HTTP/1 machine looks at the rest of the line.
func requestLine(b []byte) kind {
	n := 0
	for n < len(b) && token(b[n]) {
		n++
	}
	switch {
	case n == len(b) && n < enough:
		return undecided
	case n == 0 || n >= enough || (b[n] != ' ' && b[n] != '\t'):
		return other
	case n+1 == len(b):
		return undecided
	case b[n+1] < ' ' && b[n+1] != '\t' || b[n+1] == 0x7f:
		return other
	}
	return request
}

// token: a tchar of RFC 9110, Section 5.6.2.
func token(c byte) bool {
	switch {
	case c >= '0' && c <= '9', c|0x20 >= 'a' && c|0x20 <= 'z':
		return true
	}
	return c > ' ' && c < 0x7f && bytes.IndexByte([]byte("!#$%&'*+-.^_`|~"), c) >= 0
}

const (
	proxyV1 = "PROXY "
	proxyV2 = "\r\n\r\n\x00\r\nQUIT\n"
)

// proxyHeader is the length of a PROXY protocol header (version 1 or 2) at the
// beginning of b, 0 if there is none; more: it cannot be said yet.
func proxyHeader(b []byte) (n int, more bool) {
	switch {
	case begins(b, proxyV1):
		end := bytes.IndexByte(b, '\n')
		if end < 0 {
			return 0, len(b) < 107
		}
		return end + 1, false
	case begins(b, proxyV2):
		if len(b) < 16 {
			return 0, true
		}
		return 16 + int(binary.BigEndian.Uint16(b[14:])), false
	}
	return 0, false
}
