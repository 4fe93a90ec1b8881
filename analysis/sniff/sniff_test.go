package sniff

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"expectscope/capture"
	"expectscope/reassembly"
)

// A piece is what one segment carries: ">" or "<" and its bytes, or "> gap", "> fin".
type piece struct {
	dir  reassembly.Dir
	data string
	gap  int
	end  bool
}

func up(s string) piece   { return piece{data: s} }
func down(s string) piece { return piece{dir: reassembly.Reverse, data: s} }

// A listener is the layer behind a sniffer: it keeps what reaches it and holds the order.
type listener struct {
	t      testing.TB
	client reassembly.Dir
	got    [2][]byte
	first  [2]uint64 // offset of the first byte
	next   [2]uint64 // offset behind the last one, 0 before
	gaps   int
	ends   []reassembly.Dir
	dead   bool
	odd    bool // the streams began with something else
}

func (l *listener) Data(c *reassembly.Chunk) {
	start := c.Mark.Off - uint64(len(c.Data))
	if l.next[c.Dir] == 0 {
		l.first[c.Dir] = start
	} else if l.next[c.Dir] != start {
		l.t.Errorf("direction %d: bytes from %d on come behind %d", c.Dir, start, l.next[c.Dir])
	}
	if slices.Contains(l.ends, c.Dir) {
		l.t.Errorf("direction %d: bytes come behind its end", c.Dir)
	}
	if len(c.Data) == 0 || c.TTL != ttl {
		l.t.Errorf("direction %d: a chunk of %d bytes with TTL %d", c.Dir, len(c.Data), c.TTL)
	}
	l.next[c.Dir] = c.Mark.Off
	l.got[c.Dir] = append(l.got[c.Dir], c.Data...)
}

func (l *listener) Gap(g *reassembly.Gap) {
	l.gaps++
	if l.next[g.Dir] != 0 && l.next[g.Dir] != g.At.Off-g.Len {
		l.t.Errorf("direction %d: a gap up to %d comes behind %d", g.Dir, g.At.Off, l.next[g.Dir])
	}
	l.next[g.Dir] = g.At.Off
}

func (l *listener) Resent(*reassembly.Resent) {}
func (l *listener) End(e *reassembly.End)     { l.ends = append(l.ends, e.Dir) }
func (l *listener) Dead() bool                { return l.dead }

const (
	ttl  = 57
	base = 1 << 20 // offsets begin here, so that 0 is none
	// most is how many bytes of a direction may be held without a decision: a PROXY header of version 1.
	most = 107
)

// hear plays pieces to a sniffer. It returns what it found, "http" or the name of something else or "" for nothing yet, and the
// layer behind it.
func hear(t testing.TB, joined bool, ps []piece) (found string, l *listener) {
	s := New(Options{
		Joined: joined,
		HTTP1: func(client reassembly.Dir) reassembly.Layer {
			if found != "" {
				t.Errorf("http is found after %s", found)
			}
			found, l = "http", &listener{t: t, client: client}
			return l
		},
		Opaque: func(kind string) {
			if found != "" {
				t.Errorf("%s is found after %s", kind, found)
			}
			found = kind
		},
	})
	off := [2]uint64{base, base}
	for i, p := range ps {
		off[p.dir] += uint64(len(p.data) + p.gap)
		m := reassembly.Mark{Time: int64(i), Packet: capture.Num(i + 1), Off: off[p.dir]}
		switch {
		case p.end:
			s.End(&reassembly.End{Dir: p.dir, At: m, How: reassembly.FIN})
		case p.gap > 0:
			s.Gap(&reassembly.Gap{Dir: p.dir, At: m, Len: uint64(p.gap)})
		default:
			b := []byte(p.data)
			s.Data(&reassembly.Chunk{Dir: p.dir, TTL: ttl, Mark: m, Data: b})
			if i == 0 && !joined && BeginsRequest(b) && (found != "http" || l.client != p.dir) {
				t.Errorf("%q begins a request, and %q is found", b, found)
			}
			clear(b) // the sniffer may not keep it
		}
		for d := range s.dirs {
			if n := s.dirs[d].held.Len(); n > most {
				t.Errorf("%d bytes of direction %d are held without a decision", n, d)
			}
		}
		if s.Dead() != (found != "" && found != "http") {
			t.Errorf("found %q, dead: %v", found, s.Dead())
		}
	}
	if l != nil {
		l.odd = s.odd > 0
	}
	return found, l
}

// cut makes one-byte pieces of all data.
func cut(ps []piece) []piece {
	var small []piece
	for _, p := range ps {
		if p.data == "" {
			small = append(small, p)
		}
		for i := range len(p.data) {
			small = append(small, piece{dir: p.dir, data: p.data[i : i+1]})
		}
	}
	return small
}

const (
	get      = "GET / HTTP/1.1\r\nHost: a\r\n\r\n"
	ok200    = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
	hello    = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
	preface  = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
	proxied1 = "PROXY TCP4 192.0.2.1 192.0.2.2 56324 80\r\n"
	proxied2 = "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c\xc0\x00\x02\x01\xc0\x00\x02\x02\xdc\x04\x00\x50"
)

// TestBeginnings: what begins a connection decides what it is, whole or byte by byte.
func TestBeginnings(t *testing.T) {
	for _, c := range []struct {
		name   string
		ps     []piece
		want   string
		client reassembly.Dir
		up     string // what reaches the layer
		down   string
	}{
		{"request", []piece{up(get), down(ok200)}, "http", 0, get, ok200},
		{"response first", []piece{down(ok200), up(get)}, "http", 0, get, ok200},
		{"server is the initiator", []piece{up(ok200), down(get)}, "http", 1, ok200, get},
		{"held on both sides", []piece{up("GE"), down("HTT"), down("P/1.1 200 OK\r\n"), up("T / HTTP/1.1\r\n")}, "http", 0, "GET / HTTP/1.1\r\n", "HTTP/1.1 200 OK\r\n"},
		{"empty lines in front", []piece{up("\r\n\r\n" + get)}, "http", 0, "\r\n\r\n" + get, ""},
		{"unknown method", []piece{up("BREW /pot HTTP/1.1\r\n")}, "http", 0, "BREW /pot HTTP/1.1\r\n", ""},
		{"method that begins like others", []piece{up("PRINT / HTTP/1.1\r\n")}, "http", 0, "PRINT / HTTP/1.1\r\n", ""},
		{"method PRI, HTTP/1", []piece{up("PRI * HTTP/1.1\r\n")}, "http", 0, "PRI * HTTP/1.1\r\n", ""},
		{"HEAD is no HTTP", []piece{up("HEAD / HTTP/1.1\r\n")}, "http", 0, "HEAD / HTTP/1.1\r\n", ""},
		{"undecided", []piece{up("POS")}, "", 0, "", ""},
		{"undecided blank", []piece{up("POST ")}, "", 0, "", ""},
		{"long method", []piece{up(strings.Repeat("A", enough) + " / HTTP/1.1")}, "other", 0, "", ""},

		{"tls", []piece{up(hello)}, "tls", 0, "", ""},
		{"tls alert of the server", []piece{down("\x15\x03\x03\x00\x02\x02\x28")}, "tls", 0, "", ""},
		{"not quite tls", []piece{up("\x16\x02\x01")}, "other", 0, "", ""},
		{"http2", []piece{up(preface)}, "http2", 0, "", ""},
		{"ssh", []piece{down("SSH-2.0-OpenSSH_9.2\r\n")}, "ssh", 0, "", ""},
		{"HTTP/2 in words", []piece{up("HTTP/2 is not this\r\n")}, "other", 0, "", ""},
		{"binary", []piece{up("\x00\x01\x02")}, "other", 0, "", ""},
		{"control behind a word", []piece{up("GET \x00")}, "other", 0, "", ""},
		{"DEL behind a word", []piece{up("GET \x7f")}, "other", 0, "", ""},
		{"blank first", []piece{up(" GET / HTTP/1.1")}, "other", 0, "", ""},
		{"line ends only", []piece{up(strings.Repeat("\r\n", enough))}, "other", 0, "", ""},
		{"line ends without end", slices.Repeat([]piece{up("\r\n")}, 100), "other", 0, "", ""},

		{"PROXY v1", []piece{up(proxied1 + get), down(ok200)}, "http", 0, get, ok200},
		{"PROXY v1 alone", []piece{up(proxied1), up(get)}, "http", 0, get, ""},
		{"PROXY v1, then tls", []piece{up(proxied1 + hello)}, "tls", 0, "", ""},
		{"PROXY v1 twice", []piece{up(proxied1 + proxied1 + get)}, "http", 0, proxied1 + get, ""},
		{"PROXY v1 without an end", []piece{up("PROXY " + strings.Repeat("x", 200))}, "http", 0, "PROXY " + strings.Repeat("x", 200), ""},
		{"PROXY v2", []piece{up(proxied2 + get), down(ok200)}, "http", 0, get, ok200},
		{"PROXY v2 in two", []piece{up(proxied2[:20]), up(proxied2[20:] + get)}, "http", 0, get, ""},
		{"PROXY v2 alone", []piece{up(proxied2)}, "", 0, "", ""},
		{"PROXY v2, long", []piece{up(proxied2[:14] + "\x01\x00" + strings.Repeat("\x00", 256) + get)}, "http", 0, get, ""},
		{"PROXY v2, then tls", []piece{up(proxied2 + hello)}, "tls", 0, "", ""},
		{"almost PROXY v2", []piece{up("\r\n\r\n\x00\r\nQUIT!")}, "other", 0, "", ""},
	} {
		for _, ps := range [][]piece{c.ps, cut(c.ps)} {
			if c.want == "other" { // it is given up only when nothing known follows
				ps = append(slices.Clip(ps), slices.Repeat([]piece{up("\x01")}, patience)...)
			}
			found, l := hear(t, false, ps)
			if found != c.want {
				t.Errorf("%s in %d pieces: found %q, want %q", c.name, len(ps), found, c.want)
				continue
			}
			if l == nil {
				continue
			}
			if l.client != c.client || string(l.got[0]) != c.up || string(l.got[1]) != c.down {
				t.Errorf("%s in %d pieces: client %d, got %q and %q, want %d, %q and %q", c.name, len(ps), l.client, l.got[0], l.got[1], c.client, c.up, c.down)
			}
		}
	}
}

// TestJoined: in the middle of a connection only a whole first line at the beginning of a segment begins something.
func TestJoined(t *testing.T) {
	for _, c := range []struct {
		name   string
		ps     []piece
		want   string
		client reassembly.Dir
		up     string
		down   string
	}{
		{"request", []piece{up("tail of a body"), up(get)}, "http", 0, get, ""},
		{"response", []piece{down("tail"), down(ok200), up(get)}, "http", 0, get, ok200},
		{"response of the initiator", []piece{up(ok200)}, "http", 1, ok200, ""},
		{"words", []piece{up("the quick brown fox\r\njumps over\r\n"), up("PUT it there\n")}, "", 0, "", ""},
		{"words, then a request", []piece{up("PUT it there\n"), up(get)}, "http", 0, get, ""},
		{"request line without an end", []piece{up("GET /long HTTP/1.1")}, "", 0, "", ""},
		{"request line in the middle of a segment", []piece{up("x\r\n" + get)}, "", 0, "", ""},
		{"request line of HTTP/2", []piece{up("GET / HTTP/2.0\r\n")}, "", 0, "", ""},
		{"status line without a status", []piece{down("HTTP/1.1 \r\n")}, "", 0, "", ""},
		{"empty line in front", []piece{up("\r\n" + get)}, "http", 0, "\r\n" + get, ""},
		{"binary", []piece{up("\x00\x01\x02\x03"), down("\xff")}, "", 0, "", ""},
		{"tls", []piece{down("\x17\x03\x03\x40\x00")}, "tls", 0, "", ""},
		{"PROXY in the middle is content", []piece{up(proxied1)}, "", 0, "", ""},
	} {
		found, l := hear(t, true, c.ps)
		if found != c.want {
			t.Errorf("%s: found %q, want %q", c.name, found, c.want)
		}
		if l != nil && (l.client != c.client || string(l.got[0]) != c.up || string(l.got[1]) != c.down) {
			t.Errorf("%s: client %d, got %q and %q, want %d, %q and %q", c.name, l.client, l.got[0], l.got[1], c.client, c.up, c.down)
		}
	}
}

// TestSomethingInFront: what is nothing known is watched for a few segments, because a handshake of a proxy may stand in front;
// only a whole first line ends that.
func TestSomethingInFront(t *testing.T) {
	socks := []piece{up("\x05\x01\x00"), down("\x05\x00"), up("\x05\x01\x00\x01\xc0\x00\x02\x01\x00\x50"), down("\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00")}
	for _, c := range []struct {
		name string
		ps   []piece
		want string
		up   string
	}{
		{"SOCKS, then a request", append(slices.Clip(socks), up(get)), "http", get},
		{"SOCKS, then tls", append(slices.Clip(socks), up(hello)), "tls", ""},
		{"SOCKS, then half a request line", append(slices.Clip(socks), up("GET / HT")), "", ""},
		{"watched to the last", append(slices.Repeat([]piece{up("\x01")}, patience), up(get)), "http", get},
		{"given up", append(slices.Repeat([]piece{up("\x01")}, patience+1), up(get)), "other", ""},
	} {
		found, l := hear(t, false, c.ps)
		if found != c.want {
			t.Errorf("%s: found %q, want %q", c.name, found, c.want)
		}
		if l != nil && string(l.got[0]) != c.up {
			t.Errorf("%s: got %q, want %q", c.name, l.got[0], c.up)
		}
	}
}

// TestGaps: behind a hole a direction goes on as if it were joined there; the other one stands.
func TestGaps(t *testing.T) {
	gap := func(d reassembly.Dir) piece { return piece{dir: d, gap: 5} }
	for _, c := range []struct {
		name string
		ps   []piece
		want string
		up   string
		down string
	}{
		{"first bytes missing", []piece{gap(0), up("tail"), up(get)}, "http", get, ""},
		{"begun, then missing", []piece{up("GE"), gap(0), up("tail"), up(get)}, "http", get, ""},
		{"the answer's beginning missing", []piece{up("GE"), gap(1), up("T / HTTP/1.1\r\n"), down("x")}, "http", "GET / HTTP/1.1\r\n", "x"},
		{"half a line, then missing on the other side", []piece{up("GET"), gap(1), up(" /a HTTP/1.1\r\n"), up("POST / HTTP/1.1\r\n")}, "http", "GET /a HTTP/1.1\r\nPOST / HTTP/1.1\r\n", ""},
		{"something else, and missing on the other side", []piece{gap(1), up("\x00"), up("PUT it there\n"), up(get)}, "http", get, ""},
		{"inside a PROXY header", []piece{up(proxied2[:16]), gap(0), up("rest"), up(get)}, "http", get, ""},
		{"behind the decision", []piece{up(get), gap(0), up("x")}, "http", get + "x", ""},
		{"behind something else", []piece{up(hello), gap(0), up(get)}, "tls", "", ""},
	} {
		found, l := hear(t, false, c.ps)
		if found != c.want {
			t.Errorf("%s: found %q, want %q", c.name, found, c.want)
		}
		if l != nil && (string(l.got[0]) != c.up || string(l.got[1]) != c.down) {
			t.Errorf("%s: got %q and %q, want %q and %q", c.name, l.got[0], l.got[1], c.up, c.down)
		}
	}
}

// The layer hears whether the streams begin in the middle.
func TestSaysJoined(t *testing.T) {
	for _, c := range []struct {
		joined, gap, want bool
	}{{false, false, false}, {true, false, true}, {false, true, true}} {
		s := New(Options{Joined: c.joined, HTTP1: func(reassembly.Dir) reassembly.Layer { return &listener{t: t} }})
		if c.gap {
			s.Gap(&reassembly.Gap{Dir: reassembly.Reverse, Len: 1})
		}
		if s.Joined() != c.want {
			t.Errorf("%+v: joined is %v", c, s.Joined())
		}
	}
}

// Ends that came before the decision reach the layer behind all bytes, later ones at once; Dead is the layer's word then.
func TestEnds(t *testing.T) {
	fin := func(d reassembly.Dir) piece { return piece{dir: d, end: true} }
	_, l := hear(t, false, []piece{up("G"), fin(1), up("ET / HTTP/1.1\r\n"), fin(0)})
	if l == nil || fmt.Sprint(l.ends) != "[1 0]" || string(l.got[0]) != "GET / HTTP/1.1\r\n" {
		t.Fatalf("the layer heard %+v", l)
	}
	s := New(Options{HTTP1: func(reassembly.Dir) reassembly.Layer { return l }})
	s.Data(&reassembly.Chunk{TTL: ttl, Mark: reassembly.Mark{Off: l.next[0]}, Data: nil})
	if s.Dead() {
		t.Error("an empty chunk decides")
	}
	l = &listener{t: t}
	s.Data(&reassembly.Chunk{TTL: ttl, Mark: reassembly.Mark{Off: base + 16}, Data: []byte("GET / HTTP/1.1\r\n")})
	if s.Dead() {
		t.Error("dead before the layer is")
	}
	if l.dead = true; !s.Dead() {
		t.Error("the layer is dead, the sniffer is not")
	}
}

// A decided sniffer costs no allocation.
func TestNoAllocation(t *testing.T) {
	s := New(Options{HTTP1: func(reassembly.Dir) reassembly.Layer { return nothing{} }})
	c := &reassembly.Chunk{Data: []byte(get)}
	s.Data(c)
	if n := testing.AllocsPerRun(100, func() { s.Data(c) }); n != 0 {
		t.Errorf("%v allocations a chunk, want 0", n)
	}
}

type nothing struct{}

func (nothing) Data(*reassembly.Chunk)    {}
func (nothing) Gap(*reassembly.Gap)       {}
func (nothing) Resent(*reassembly.Resent) {}
func (nothing) End(*reassembly.End)       {}

// HTTP/2 begins with the client's preface, or with the server's SETTINGS; in the middle with frames whose sender can be told.
func TestHTTP2(t *testing.T) {
	const settings = "\x00\x00\x06\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x64"
	for _, c := range []struct {
		name   string
		joined bool
		ps     []piece
		want   string
	}{
		{"preface", false, []piece{up(preface), down(settings)}, "http2 0"},
		{"server first", false, []piece{down(settings), up(preface)}, "http2 0"},
		{"server is the initiator", false, []piece{down(preface)}, "http2 1"},
		{"settings that are none", false, []piece{down("\x00\x00\x07\x04\x00\x00\x00\x00\x00"), up(get)}, "http"},
		{"preface in the middle", true, []piece{down("xyz"), up(preface)}, "http2 0"},
		{"frames in the middle", true, []piece{up("data"), up("frames of a client")}, "http2 0 joined"},
		{"frames of the server", true, []piece{down("frames of a server")}, "http2 0 joined"},
	} {
		for _, ps := range [][]piece{c.ps, cut(c.ps)} {
			found := ""
			l := &listener{t: t}
			s := New(Options{
				Joined: c.joined,
				HTTP1:  func(reassembly.Dir) reassembly.Layer { found = "http"; return l },
				Opaque: func(kind string) { found = kind },
				Frames: func(b []byte) (client, ok bool) {
					return strings.HasSuffix(string(b), "client"), strings.HasPrefix(string(b), "frames")
				},
				HTTP2: func(client reassembly.Dir, joined bool) reassembly.Layer {
					found = fmt.Sprintf("http2 %d", client)
					if joined {
						found += " joined"
					}
					return l
				},
			})
			var off [2]uint64
			for i, p := range ps {
				off[p.dir] += uint64(len(p.data))
				s.Data(&reassembly.Chunk{Dir: p.dir, TTL: ttl, Mark: reassembly.Mark{Packet: capture.Num(i + 1), Off: base + off[p.dir]}, Data: []byte(p.data)})
			}
			whole := len(ps) == len(c.ps)
			if found != c.want && (whole || !c.joined && c.want != "http") { // behind something else a beginning must be whole
				t.Errorf("%s in %d pieces: %q, want %q", c.name, len(ps), found, c.want)
			}
		}
	}
}
