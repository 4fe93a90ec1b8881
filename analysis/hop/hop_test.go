package hop

import (
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

const ms = int64(1e6)

// A scene is a matcher and exchanges told to it.
type scene struct {
	t  *testing.T
	m  *Matcher
	xs map[string]*analysis.Exchange
	n  capture.Num
}

func newScene(t *testing.T, o Options) *scene {
	return &scene{t: t, m: New(o), xs: map[string]*analysis.Exchange{}}
}

// opens begins an exchange at a time in ms: "front 10.0.0.1:1 10.0.0.2:80 PUT /up 100 | Expect: 100-continue | ...".
func (s *scene) opens(at int64, line string) *analysis.Exchange {
	s.t.Helper()
	words, fields, _ := strings.Cut(line, " | ")
	var name, from, to, method, target string
	var length int64
	if _, err := fmt.Sscan(words, &name, &from, &to, &method, &target, &length); err != nil {
		s.t.Fatalf("%s: %v", line, err)
	}
	s.n++
	x := &analysis.Exchange{ID: name, Stream: 1}
	x.Conn = &reassembly.Conn{First: s.n, Client: netip.MustParseAddrPort(from), Server: netip.MustParseAddrPort(to)}
	x.Conn.Tap = uint16(strings.Count(name, "'")) // names with a dash were captured elsewhere
	mark := reassembly.Mark{Time: at*ms + 1, Packet: s.n}
	x.Request = analysis.Message{Method: method, Target: target, First: mark, Last: mark}
	x.Request.Fields = analysis.ParseFields("\n" + strings.ReplaceAll(fields, " | ", "\n") + "\n")
	x.ReqBody.Declared, x.LastActivity = length, mark
	if length != 0 {
		x.ReqBody.Framing = analysis.FramingLength
	}
	s.xs[name] = x
	if x.Conn.Tap != 0 {
		s.m.Tap()
	}
	s.m.Opened(x)
	return x
}

// closes ends exchanges at a time in ms with a status and what their bodies hash to.
func (s *scene) closes(at int64, status int, body uint64, names ...string) {
	for _, name := range names {
		x := s.xs[name]
		x.Final = &analysis.Message{Status: status}
		x.Final.First.Time, x.Final.Last.Time = at*ms+1, at*ms+1
		x.ReqBody.Prefix[0] = uint32(body)
		x.State, x.At, x.LastActivity = analysis.Closed, at*ms+1, x.Final.Last
		s.m.Closed(x)
	}
}

// found is the link of an exchange in words, after it and the others were settled.
func (s *scene) found(names ...string) string {
	var all []string
	for _, name := range names {
		s.m.Settle(s.xs[name])
		for _, l := range s.xs[name].Sequel().Hops {
			words := fmt.Sprintf("%s %s %s %s: %s", name, l.Side, l.To, l.Confidence, l.By)
			if l.Why != "" {
				words += "; " + l.Why
			}
			all = append(all, words)
		}
	}
	return strings.Join(all, "\n")
}

const asks = " | Expect: 100-continue | User-Agent: curl"

// Each case is a front, a back that begins while it is open, and what is made of them.
func TestTwoHops(t *testing.T) {
	const front = "front 10.0.0.1:1 10.0.0.2:80 PUT /up 100" + asks
	for _, c := range []struct {
		what, front, back string
		bodies            [2]uint64
		want              string // of the front; "" none
	}{
		{"addresses and the body", "", "back 10.0.0.2:9 10.0.0.3:80 PUT /up 100 | User-Agent: curl", [2]uint64{7, 7}, "certain: address, body, alone"},
		{"another body", "", "back 10.0.0.2:9 10.0.0.3:80 PUT /up 100 | User-Agent: curl", [2]uint64{7, 8}, ""},
		{"addresses alone", "", "back 10.0.0.2:9 10.0.0.3:80 PUT /up 100 | User-Agent: curl", [2]uint64{}, "likely: address, alone; only addresses and time tie the two hops"},
		{"a path before it", "", "back 10.0.0.2:9 10.0.0.3:80 PUT /v1/up 100 | User-Agent: curl", [2]uint64{7, 7}, "certain: address, body, alone"},
		{"absolute-form", "", "back 10.0.0.2:9 10.0.0.3:80 PUT http://b/up 100 | User-Agent: curl", [2]uint64{7, 7}, "certain: address, body, alone"},
		{"another path", "", "back 10.0.0.2:9 10.0.0.3:80 PUT /down 100 | User-Agent: curl", [2]uint64{7, 7}, ""},
		{"another path with the same end", "", "back 10.0.0.2:9 10.0.0.3:80 PUT /v1/up 100 | User-Agent: curl", [2]uint64{}, "likely: address, alone; only addresses and time tie the two hops"},
		{"another end of the word", "front 10.0.0.1:1 10.0.0.2:80 PUT /b/up 100" + asks, "back 10.0.0.2:9 10.0.0.3:80 PUT /a/up 100 | User-Agent: curl", [2]uint64{7, 7}, ""},
		{"another method", "", "back 10.0.0.2:9 10.0.0.3:80 POST /up 100 | User-Agent: curl", [2]uint64{7, 7}, ""},
		{"another program", "", "back 10.0.0.2:9 10.0.0.3:80 PUT /up 100 | User-Agent: wget", [2]uint64{7, 7}, ""},
		{"another length", "", "back 10.0.0.2:9 10.0.0.3:80 PUT /up 99 | User-Agent: curl", [2]uint64{}, ""},
		{"recoded as chunked", "", "back 10.0.0.2:9 10.0.0.3:80 PUT /up -1 | User-Agent: curl", [2]uint64{7, 7}, "certain: address, body, alone"},
		{"the proxy's other address, and Via", "", "back 10.9.9.9:9 10.0.0.3:80 PUT /up 100 | User-Agent: curl | Via: 1.1 p", [2]uint64{7, 7}, "certain: body, via, alone"},
		{"the proxy's other address", "", "back 10.9.9.9:9 10.0.0.3:80 PUT /up 100 | User-Agent: curl", [2]uint64{7, 7}, "likely: body, alone; only one mark ties the two hops: body"},
		{"the proxy's other address, and what it passed on", "", "back 10.9.9.9:9 10.0.0.3:80 PUT /up 100 | User-Agent: curl", [2]uint64{}, "likely: alone; only time and what the proxy passed on tie the two hops"},
		{"nothing but time", "", "back 10.9.9.9:9 10.0.0.3:80 PUT /up 100 | Accept: */*", [2]uint64{}, "inconclusive: alone; only time ties the two hops"},
		{"Forwarded names the client", "", "back 10.9.9.9:9 10.0.0.3:80 PUT /up 100 | Forwarded: for=\"10.0.0.1:1\";proto=http", [2]uint64{7, 7}, "certain: body, forwarded, alone"},
		{"it names another client", "", "back 10.9.9.9:9 10.0.0.3:80 PUT /up 100 | X-Forwarded-For: 10.0.0.8", [2]uint64{7, 7}, "likely: body, alone; only one mark ties the two hops: body"},
		{"a request id, and another length", front + " | X-Request-ID: a", "back 10.0.0.2:9 10.0.0.3:80 PUT /up 0 | X-Request-ID: a | Via: 1.1 p", [2]uint64{}, "certain: address, request-id, via, alone"},
		{"an idempotency key, and another length", front + " | Idempotency-Key: a", "back 10.9.9.9:9 10.0.0.3:80 PUT /up 0 | Idempotency-Key: a", [2]uint64{}, "likely: request-id, alone; the two hops announce different content"},
		{"another trace", front + " | Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "back 10.0.0.2:9 10.0.0.3:80 PUT /up 100 | Traceparent: 00-0af7651916cd43dd8448eb211c80319d-00f067aa0ba902b7-01", [2]uint64{7, 7}, ""},
		{"the same trace", front + " | Traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01", "back 10.0.0.2:9 10.0.0.3:80 PUT /up 100 | Traceparent: 00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01", [2]uint64{}, "certain: address, trace, alone"},
		{"another digest", front + " | Content-MD5: a", "back 10.0.0.2:9 10.0.0.3:80 PUT /up 100 | Content-MD5: b", [2]uint64{}, ""},
		{"Via was taken off", front + " | Via: 1.1 o", "back 10.0.0.2:9 10.0.0.3:80 PUT /up 100", [2]uint64{7, 7}, ""},
		{"the client asks another server itself", "", "back 10.0.0.1:2 10.0.0.3:80 PUT /up 100 | User-Agent: curl", [2]uint64{7, 7}, ""},
		{"the same server is asked again", "", "back 10.0.0.2:2 10.0.0.2:80 PUT /up 100 | User-Agent: curl", [2]uint64{7, 7}, ""},
		{"towards the client", "", "back 10.0.0.3:2 10.0.0.1:80 PUT /up 100 | User-Agent: curl", [2]uint64{7, 7}, ""},
		{"all on one host", "front 127.0.0.1:1 127.0.0.1:80 PUT /up 100" + asks, "back 127.0.0.1:9 127.0.0.1:81 PUT /up 100 | User-Agent: curl", [2]uint64{7, 7}, "likely: body, alone; only one mark ties the two hops: body"},
	} {
		if c.front == "" {
			c.front = front
		}
		s := newScene(t, Options{})
		s.opens(0, c.front)
		s.opens(5, c.back)
		s.closes(20, 201, c.bodies[1], "back")
		s.closes(21, 201, c.bodies[0], "front")
		want := c.want
		if want != "" {
			want = "front hop back " + want
		}
		if got := s.found("front"); got != want {
			t.Errorf("%s: %q, want %q", c.what, got, want)
		}
	}
}

// The one behind begins while the one in front is open, and not before it.
func TestTimes(t *testing.T) {
	for _, c := range []struct {
		at   int64
		want bool
	}{{-1, false}, {0, true}, {30, true}, {31, false}} {
		s := newScene(t, Options{})
		back := func() {
			s.opens(c.at, "back 10.0.0.2:9 10.0.0.3:80 PUT /up 100"+asks)
		}
		if c.at < 0 {
			back()
		}
		s.opens(0, "front 10.0.0.1:1 10.0.0.2:80 PUT /up 100"+asks)
		s.closes(30, 201, 7, "front")
		if c.at >= 0 {
			back()
		}
		s.closes(c.at+5, 201, 7, "back")
		if got := s.found("front") != ""; got != c.want {
			t.Errorf("begun at %d ms: linked %t", c.at, got)
		}
	}
}

// Equal requests at one time are told apart by what names them, and else not at all.
func TestRivals(t *testing.T) {
	for _, c := range []struct{ what, a, b, want string }{
		{"nothing", "", "", ""},
		{"request ids", " | X-Request-ID: a | Via: 1.1 o", " | X-Request-ID: b | Via: 1.1 o", "f1 hop b1 certain: address, request-id, body, via, alone\nf2 hop b2 certain: address, request-id, body, via, alone"},
	} {
		s := newScene(t, Options{})
		s.opens(0, "f1 10.0.0.1:1 10.0.0.2:80 PUT /up 100"+asks+strings.ReplaceAll(c.a, " | Via: 1.1 o", ""))
		s.opens(0, "f2 10.0.0.1:2 10.0.0.2:80 PUT /up 100"+asks+strings.ReplaceAll(c.b, " | Via: 1.1 o", ""))
		s.opens(1, "b1 10.0.0.2:8 10.0.0.3:80 PUT /up 100 | User-Agent: curl"+c.a)
		s.opens(1, "b2 10.0.0.2:9 10.0.0.3:80 PUT /up 100 | User-Agent: curl"+c.b)
		s.closes(10, 201, 7, "b1", "b2")
		s.closes(11, 201, 7, "f1", "f2")
		if got := s.found("f1", "f2"); got != c.want {
			t.Errorf("%s:\n%s\nwant\n%s", c.what, got, c.want)
		}
		// What was judged is a rival still: what is left is not alone.
		s.m.Forget(s.xs["b1"])
		s.m.Forget(s.xs["f1"])
		if got := len(s.xs["f2"].Sequel().Hops); c.want == "" && got != 0 {
			t.Errorf("%s: %d links when the others were judged", c.what, got)
		}
	}
}

// The middle of three hops is behind one proxy and in front of another.
func TestChain(t *testing.T) {
	s := newScene(t, Options{})
	s.opens(0, "a 10.0.0.1:1 10.0.0.2:80 PUT /up 100"+asks)
	s.opens(1, "b 10.0.0.2:1 10.0.0.3:80 PUT /up 100"+asks)
	s.opens(2, "c 10.0.0.3:1 10.0.0.4:80 PUT /up 100"+asks)
	s.closes(10, 201, 7, "c")
	s.closes(11, 201, 7, "b")
	s.closes(12, 201, 7, "a")
	// Two of the same body are behind a, but one of them fits b better.
	want := "a hop b certain: address, body\nb hop_of a certain: address, body\nb hop c certain: address, body\nc hop_of b certain: address, body"
	got := strings.ReplaceAll(s.found("a", "b", "c"), ", alone", "")
	if got != want {
		t.Errorf("have\n%s\nwant\n%s", got, want)
	}
	if s.m.Up(s.xs["a"]) != s.xs["b"] || s.m.Down(s.xs["b"]) != s.xs["a"] || s.m.Pairs() != 2 {
		t.Error("Up, Down and Pairs say something else")
	}
}

// An exchange waits for the end of its other side, and no longer than the horizon.
func TestDeadline(t *testing.T) {
	s := newScene(t, Options{Horizon: 1000 * ms})
	s.opens(0, "front 10.0.0.1:1 10.0.0.2:80 PUT /up 100"+asks)
	s.opens(5, "back 10.0.0.2:9 10.0.0.3:80 PUT /up 100 | User-Agent: curl")
	s.closes(10, 201, 7, "back")
	if got, want := s.m.Deadline(s.xs["back"]), 1010*ms+1; got != want {
		t.Errorf("while the front is open the back waits until %d, want %d", got, want)
	}
	s.closes(11, 201, 7, "front")
	if got := s.m.Deadline(s.xs["back"]); got != 0 {
		t.Errorf("when both are over it waits until %d", got)
	}
	s.m.Settle(s.xs["back"])
	s.m.Forget(s.xs["back"])
	if len(s.xs["front"].Sequel().Hops) != 1 {
		t.Error("the link was not made when the first of the two was judged")
	}
	s.m.Forget(s.xs["front"])
	if n := len(s.m.groups) + len(s.m.legs); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}

// A server is a proxy once it was seen to be one; a 417 with nothing behind it is then its own.
func TestForwards(t *testing.T) {
	s := newScene(t, Options{})
	refused := func(name string) *analysis.Exchange {
		x := s.opens(100, name+" 10.0.0.1:5 10.0.0.2:80 PUT /no 100"+asks)
		s.closes(101, 417, 0, name)
		s.m.Settle(x)
		return x
	}
	if s.m.Forwards(refused("before")) {
		t.Error("a proxy before any link")
	}
	s.opens(0, "front 10.0.0.1:1 10.0.0.2:80 PUT /up 100"+asks)
	s.opens(5, "back 10.0.0.2:9 10.0.0.3:80 PUT /up 100 | User-Agent: curl")
	s.closes(10, 201, 7, "back")
	s.closes(11, 201, 7, "front")
	s.found("front")
	if !s.m.Forwards(refused("after")) {
		t.Error("no proxy after a link")
	}
	if s.m.Forwards(s.xs["front"]) {
		t.Error("what was passed on is said to be not")
	}
}

// Two places of capture: clocks may be apart, and what only they tie is not claimed.
func TestTaps(t *testing.T) {
	for _, c := range []struct {
		at         int64
		back, want string
		early      int64
	}{
		{5, "10.0.0.2:9", "certain: address, body, alone", 0},
		{-1500, "10.0.0.2:9", "certain: address, body, alone", 1500 * ms},
		{-2500, "10.0.0.2:9", "", 0},
		{2020, "10.0.0.2:9", "certain: address, body, alone", 0},
		{2100, "10.0.0.2:9", "", 0},
		{5, "10.9.9.9:9", "likely: body, alone; only one mark ties the two hops: body", 0},
	} {
		s := newScene(t, Options{Inputs: true})
		back := func() {
			s.opens(c.at, "back' "+c.back+" 10.0.0.3:80 PUT /up 100 | User-Agent: curl")
			s.closes(c.at+5, 201, 7, "back'")
		}
		if c.at < 0 {
			back()
		}
		s.opens(0, "front 10.0.0.1:1 10.0.0.2:80 PUT /up 100"+asks)
		s.closes(30, 201, 7, "front")
		if c.at >= 0 {
			back()
		}
		want := c.want
		if want != "" {
			want = "front hop back' " + want
		}
		if got := s.found("front"); got != want {
			t.Errorf("%d ms: %q, want %q", c.at, got, want)
		} else if want != "" && s.xs["front"].Sequel().Hops[0].Early != c.early {
			t.Errorf("%d ms: the clocks are said to be %d apart", c.at, s.xs["front"].Sequel().Hops[0].Early)
		}
	}
}

// The exchange in front takes longer, whatever the clocks say: this one cannot be behind the other.
func TestTapsTheLongerIsInFront(t *testing.T) {
	s := newScene(t, Options{Inputs: true})
	s.opens(0, "front 10.0.0.1:1 10.0.0.2:80 PUT /up 100"+asks)
	s.opens(1, "back' 10.9.9.9:9 10.0.0.3:80 PUT /up 100"+asks)
	s.closes(30, 201, 7, "front")
	s.closes(50, 201, 7, "back'")
	if got := s.found("front", "back'"); !strings.HasPrefix(got, "front hop_of back'") && !strings.HasPrefix(got, "front hop back'") {
		t.Errorf("no link: %q", got)
	} else if strings.Contains(got, "front hop back'") {
		t.Errorf("the shorter is in front: %q", got)
	}
}

// Wants costs nothing while nothing is asked for, and knows what may be another hop.
func TestWants(t *testing.T) {
	s := newScene(t, Options{})
	h := &analysis.Head{Method: []byte("PUT"), Target: []byte("/v1/up?x=/1")}
	if s.m.Wants(h) {
		t.Error("something is wanted of nothing")
	}
	s.opens(0, "front 10.0.0.1:1 10.0.0.2:80 PUT /up?x=/1 100"+asks)
	if !s.m.Wants(h) {
		t.Error("the other hop is not wanted")
	}
	if n := testing.AllocsPerRun(100, func() { s.m.Wants(h) }); n > 0 {
		t.Errorf("%v allocations", n)
	}
	for _, target := range []string{"/v1/up", "/up?x=1", "/down?x=/1", "*", "", "/"} {
		if s.m.Wants(&analysis.Head{Method: []byte("PUT"), Target: []byte(target)}) {
			t.Errorf("%q is wanted", target)
		}
	}
	match := s.m.Matches(s.xs["front"])
	if !match([]byte("PUT /a/up?x=/1 HTTP/1.1\r\n\r\n")) || match([]byte("GET /up?x=/1 HTTP/1.1\r\n\r\n")) || match([]byte("PUT\r\n")) || match(nil) {
		t.Error("Matches says something else")
	}
	if s.m.Noted(s.xs["front"]) {
		t.Error("what was opened is noted as new")
	}
	s.m.Revoked(s.xs["front"])
	if s.m.Wants(h) || len(s.m.groups)+len(s.m.legs) != 0 {
		t.Error("what was revoked is left")
	}
}

// A target without a path is that of the root, whichever form it has.
func TestWantsTheRoot(t *testing.T) {
	for _, pair := range [][2]string{{"http://a", "/"}, {"/", "http://a"}, {"http://a/?q", "/?q"}} {
		s := newScene(t, Options{})
		s.opens(0, "front 10.0.0.1:1 10.0.0.2:80 PUT "+pair[0]+" 100"+asks)
		if !s.m.Wants(&analysis.Head{Method: []byte("PUT"), Target: []byte(pair[1])}) {
			t.Errorf("%s is not wanted as the other hop of %s", pair[1], pair[0])
		}
	}
}

// Whatever comes, memory is bounded, it is said, and what was in a crowd is not alone.
func TestBounds(t *testing.T) {
	s := newScene(t, Options{Legs: 100, Reach: 16})
	for i := range 300 {
		s.opens(int64(i), fmt.Sprintf("x%d 10.0.0.1:%d 10.0.0.2:80 PUT /up 100"+asks, i, i+1))
	}
	if len(s.m.legs) != 16 || s.m.Dropped() != 284 {
		t.Errorf("%d legs in one group, %d dropped", len(s.m.legs), s.m.Dropped())
	}
	s.opens(300, "back 10.0.0.2:9 10.0.0.3:80 PUT /up 100 | User-Agent: curl")
	if got := s.found("x299"); got != "" {
		t.Errorf("alone in a crowd: %s", got)
	}
	for i := range 300 {
		s.opens(int64(i), fmt.Sprintf("y%d 10.0.0.1:%d 10.0.0.2:80 PUT /up/%d 100"+asks, i, i+1, i))
	}
	if len(s.m.legs) != 100 || len(s.m.order) > 2*100+64 {
		t.Errorf("%d legs in all, %d in order", len(s.m.legs), len(s.m.order))
	}
	for _, x := range s.xs {
		s.closes(1000, 201, 0, x.ID)
	}
	for _, x := range s.xs {
		s.m.Settle(x)
		s.m.Forget(x)
	}
	if n := len(s.m.legs) + len(s.m.groups); n != 0 {
		t.Errorf("%d entries are left", n)
	}
}
