package extract

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/capture/decode"
	"expectscope/reassembly"
)

// A Reading learns of chosen exchanges what is to be written. It is a sink of
// analysis/engine, which also has to ask it whom to show connections
// ([Reading.Observe]). It keeps the places of these connections and the
// comments; to redact, the heads of their messages too, covered.
type Reading struct {
	chosen   map[string]bool // exchanges
	wanted   map[capture.Num]bool
	all      bool    // connections are wanted
	covers   *covers // nil: nothing is covered
	comments map[capture.Num][]string
	say      func(capture.Num) string // in place of comments; nil: those
	tracks   map[route][]*track
	secrets  []func() []byte
}

// NewReading reads the exchanges that a [Choice] settled on, to redact them or as they are.
func NewReading(exchanges map[string]bool, redact bool) *Reading {
	r := &Reading{
		chosen: exchanges, wanted: map[capture.Num]bool{},
		comments: map[capture.Num][]string{}, tracks: map[route][]*track{},
	}
	if redact {
		r.covers = newCovers()
	}
	for id := range exchanges {
		r.wanted[first(id)] = true
	}
	return r
}

// NewRedaction reads all connections that carry data, to redact them. say is what
// is said of a packet, in place of what findings do; "" for nothing.
func NewRedaction(say func(capture.Num) string) *Reading {
	r := NewReading(nil, true)
	r.all, r.say = true, say
	return r
}

// Secrets keeps how to get the secrets of a connection, if its packets are to be written. The engine calls it for each that it decrypts.
func (r *Reading) Secrets(c *reassembly.Conn, log func() []byte) {
	if r.wanted[c.First] {
		r.secrets = append(r.secrets, log)
	}
}

// Log is the key log of what [Reading.Secrets] kept: whoever has it reads these connections.
func (r *Reading) Log() []byte {
	var log []byte
	for _, of := range r.secrets {
		log = append(log, of()...)
	}
	return log
}

// Exchange is of no concern: what there is to know of one is in its packets.
func (r *Reading) Exchange(*analysis.Exchange) {}

// Finding keeps what a finding says of its evidence. A summary may quote what is to
// be covered, so with that the title has to do.
func (r *Reading) Finding(f *analysis.Finding) {
	if !r.chosen[f.Exchange] {
		return
	}
	text := f.Summary
	if r.covers != nil {
		text = f.Title
	}
	text = fmt.Sprintf("%s (%s, %s): %s", f.Rule, f.Severity, f.Confidence, text)
	for _, n := range f.Evidence {
		if !slices.Contains(r.comments[n], text) {
			r.comments[n] = append(r.comments[n], text)
		}
	}
}

// comment is what is said of a packet: a line for each finding; "" for nothing.
func (r *Reading) comment(n capture.Num) string {
	if r.say != nil {
		return r.say(n)
	}
	return strings.Join(r.comments[n], "\n")
}

// A route is the two ends of a connection, in an order that does not depend on
// who speaks, as one tap sees them.
type route struct {
	tap       uint16
	low, high decode.Endpoint
}

func routeOf(tap uint16, a, b decode.Endpoint) route {
	if c := cmp.Or(slices.Compare(a.Addr[:], b.Addr[:]), cmp.Compare(a.Port, b.Port)); c > 0 {
		a, b = b, a
	}
	return route{tap, a, b}
}

// A track is a connection on its route: it begins with its first packet and ends before that of the next.
type track struct {
	first  capture.Num
	wanted bool
	client decode.Endpoint
	stream *stream // nil: its packets are written as they are
}

// Observe says who looks at a connection: nobody, or what learns to cover its
// streams. The engine calls it once for each connection that carries data.
func (r *Reading) Observe(c *reassembly.Conn) analysis.Observer {
	client := endpoint(c.Client.Addr().As16(), c.Client.Port())
	k := routeOf(c.Tap, client, endpoint(c.Server.Addr().As16(), c.Server.Port()))
	wanted := r.all || r.wanted[c.First]
	if !wanted && len(r.tracks[k]) == 0 {
		return nil
	}
	t := &track{first: c.First, wanted: wanted, client: client}
	r.tracks[k] = append(r.tracks[k], t)
	if !wanted || r.covers == nil {
		return nil
	}
	t.stream = &stream{covers: r.covers}
	return t.stream
}

func endpoint(addr [16]byte, port uint16) decode.Endpoint {
	return decode.Endpoint{Addr: addr, Port: port}
}

// Lacks are exchanges that were chosen and of which nothing was seen now: the
// capture is not the one it was. Sorted.
func (r *Reading) Lacks() []string {
	seen := map[capture.Num]bool{}
	for _, ts := range r.tracks {
		for _, t := range ts {
			seen[t.first] = t.wanted
		}
	}
	var ids []string
	for id := range r.chosen {
		if !seen[first(id)] {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids
}

// track is the chosen connection that a segment belongs to, nil if it is of another.
func (r *Reading) track(s *decode.Segment) *track {
	ts := r.tracks[routeOf(s.Tap, s.Src, s.Dst)]
	for i := len(ts) - 1; i >= 0; i-- {
		if ts[i].first <= s.Packet {
			if ts[i].wanted {
				return ts[i]
			}
			return nil
		}
	}
	return nil
}
