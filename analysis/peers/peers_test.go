package peers

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

const ms = int64(1e6)

// teller makes exchanges of one client after another.
type teller struct {
	*Memory
	n int
}

// ask is an exchange of a client: "PUT /a 100", then statuses, and fields behind "|": those of the request,
// with "<" in front those of the final response.
func (l *teller) ask(client, text string) *analysis.Exchange {
	l.n++
	head, fields, _ := strings.Cut(text, "|")
	w := strings.Fields(head)
	at := reassembly.Mark{Time: int64(l.n) * ms, Packet: 1}
	x := &analysis.Exchange{ID: fmt.Sprint(l.n), Conn: &reassembly.Conn{Client: netip.AddrPortFrom(netip.MustParseAddr(client), 4000), Server: netip.MustParseAddrPort("10.0.0.9:80")}}
	x.Request = analysis.Message{Method: w[0], Target: w[1], Version: "HTTP/1.1", First: at, Last: at}
	x.ReqBody.Framing = analysis.FramingLength
	_, _ = fmt.Sscan(w[2], &x.ReqBody.Declared)
	if x.ReqBody.Declared < 0 {
		x.ReqBody.Framing = analysis.FramingChunked
	}
	if !strings.Contains(fields, "Expect") && !strings.Contains(text, "retry") {
		x.Request.Fields = []analysis.Field{{Name: "Expect", Value: "100-continue"}}
	}
	for _, word := range w[3:] {
		status, m := 0, &analysis.Message{TTL: 64, First: at, Last: at}
		if word == "retry" {
			x.RetryOf = "0"
			continue
		}
		_, _ = fmt.Sscan(word, &status)
		if m.Status = status; status < 200 {
			x.Interim = append(x.Interim, *m)
		} else {
			x.Final = m
		}
	}
	for f := range strings.SplitSeq(fields, "|") {
		name, value, ok := strings.Cut(strings.TrimSpace(f), ": ")
		if answer, is := strings.CutPrefix(name, "<"); is && x.Final != nil {
			x.Final.Fields = append(x.Final.Fields, analysis.Field{Name: answer, Value: value})
		} else if ok {
			x.Request.Fields = append(x.Request.Fields, analysis.Field{Name: name, Value: value})
		}
	}
	l.Opened(x)
	if x.Final != nil {
		x.State = analysis.Closed
		l.Closed(x)
	}
	return x
}

// told plays exchanges of one client and says what the last to stand for something stands for.
func told(t *testing.T, lines string) string {
	t.Helper()
	l, out := teller{Memory: New()}, ""
	var last *analysis.Exchange
	for line := range strings.Lines(strings.TrimSpace(lines)) {
		if x := l.ask("10.0.0.1", strings.TrimSpace(line)); l.Stands(x) {
			if last != nil {
				t.Errorf("%s stands for something, and so does %s", x.ID, last.ID)
			}
			last = x
		}
	}
	if last == nil {
		return "nothing"
	}
	p := l.Of(last)
	if a := p.Answers; a != nil {
		out = fmt.Sprintf("%s: %d/%d, %d turns", last.ID, a.Accepted, a.Refused, a.Turns)
		if a.BySize() {
			out += fmt.Sprintf(", by size %d<%d", max(a.LargestAccepted, a.Taken), a.SmallestRefused)
		}
		if a.Intermittent() {
			out += ", intermittent"
		}
		if a.Twins {
			out += ", twins"
		}
	}
	if p.Leak != nil {
		out += fmt.Sprintf("%s: leak %v, %d:%d", last.ID, p.Leak.Fields, p.Leak.Behind, p.Leak.Plain)
	}
	return out
}

func TestAnswers(t *testing.T) {
	for _, c := range []struct{ says, lines, want string }{
		{"in turn", "PUT /a 10 417\nPUT /a 10 100 201\nPUT /a 10 417", "3: 1/2, 2 turns, intermittent, twins"},
		{"no twins", "PUT /d/a 10 417\nPUT /d/b 11 100 201\nPUT /d/c 12 417", "3: 1/2, 2 turns, intermittent"},
		{"what follows is counted", "PUT /a 10 417\nPUT /a 10 100 201\nPUT /a 10 417\nPUT /a 10 200\nPUT /a 10 417", "3: 2/3, 4 turns, intermittent, twins"},
		{"one change", "PUT /a 10 100 201\nPUT /a 10 100 201\nPUT /a 10 417\nPUT /a 10 417", "nothing"},
		{"one refusal", "PUT /a 10 100 201\nPUT /a 10 417\nPUT /a 10 100 201", "nothing"},
		{"different folders", "PUT /a/x 10 417\nPUT /b/x 10 100 201\nPUT /a/x 10 417", "nothing"},
		{"different methods", "PUT /a 10 417\nPOST /a 10 100 201\nPUT /a 10 417", "nothing"},
		{"different programs", "PUT /a 10 417 | User-Agent: a\nPUT /a 10 100 201 | User-Agent: b\nPUT /a 10 417 | User-Agent: a", "nothing"},
		{"different authorities", "PUT /a 10 417 | Host: a\nPUT /a 10 100 201 | Host: b\nPUT /a 10 417 | Host: a", "nothing"},
		{"another expectation", "PUT /a 10 417 | Expect: x\nPUT /a 10 100 201\nPUT /a 10 417 | Expect: x", "nothing"},
		{"chunked ones", "PUT /a -1 417\nPUT /a -1 100 201\nPUT /a -1 417", "3: 1/2, 2 turns, intermittent, twins"},
		{"a failure is no acceptance", "PUT /a 10 417\nPUT /a 10 500\nPUT /a 10 417", "nothing"},
		{"by length", "PUT /a 10 100 201\nPUT /b 90 417\nPUT /c 20 100 201\nPUT /d 80 417", "4: 2/2, 3 turns, by size 20<80"},
		{"a larger one passes", "PUT /a 10 100 201\nPUT /b 90 417\nPUT /c 85 100 201\nPUT /d 80 417", "4: 2/2, 3 turns, intermittent"},
		{"a larger one passes without Expect", "PUT /a 10 100 201\nPUT /b 90 417\nPUT /b 90 201 retry\nPUT /c 20 100 201\nPUT /d 80 417", "nothing"},
		{"two of either kind, not in turn", "PUT /a 10 100 201\nPUT /c 20 100 201\nPUT /b 90 417\nPUT /d 80 417", "nothing"},
		{"the small ones are refused", "PUT /a 10 417\nPUT /b 90 100 201\nPUT /c 20 417\nPUT /d 80 100 201", "nothing"},
		{"fields that come behind a 100", strings.Repeat("PUT /a 10 200 | <Server: s\n", 3) +
			strings.Repeat("PUT /a 10 100 200 | <Server: s | <X-Id: 1 | <X-At: 2\n", 3), "6: leak [x-at x-id], 3:3"},
		{"not behind each", strings.Repeat("PUT /a 10 200\n", 3) + "PUT /a 10 100 200\n" + strings.Repeat("PUT /a 10 100 200 | <X-Id: 1\n", 3), "nothing"},
		{"two are too few", strings.Repeat("PUT /a 10 200\n", 2) + strings.Repeat("PUT /a 10 100 200 | <X-Id: 1\n", 3), "nothing"},
		{"with another status", strings.Repeat("PUT /a 10 201\n", 3) + strings.Repeat("PUT /a 10 100 200 | <X-Id: 1\n", 3), "nothing"},
		{"what goes with the content", strings.Repeat("PUT /a 10 200\n", 3) + strings.Repeat("PUT /a 10 100 200 | <ETag: 1\n", 3), "nothing"},
	} {
		if got := told(t, c.lines); got != c.want {
			t.Errorf("%s: %s, want %s", c.says, got, c.want)
		}
	}
}

func TestHoard(t *testing.T) {
	l := teller{Memory: New()}
	var xs []*analysis.Exchange
	for range analysis.HoardLimit + 10 {
		xs = append(xs, l.ask("10.0.0.1", "PUT /a 10 100"))
	}
	l.Tick(int64(l.n) * ms)
	if slices.ContainsFunc(xs, l.Stands) {
		t.Error("a burst is a hoard")
	}
	for _, x := range xs[:10] {
		x.ReqBody.Sent = 1
	}
	l.Tick(analysis.StallTime + 100*ms)
	if slices.ContainsFunc(xs, l.Stands) {
		t.Error("50 are a hoard")
	}
	xs = append(xs, l.ask("10.0.0.1", "PUT /a 10"))
	l.Tick(2*analysis.StallTime + 200*ms)
	if !l.Stands(xs[10]) || l.Stands(xs[11]) {
		t.Fatal("the oldest of 51 does not stand for them, or another does")
	}
	h := l.Of(xs[10]).Hoard
	if h.Peak != 51 || h.Invited != 50 || h.Shared || h.Since != xs[10].Request.Last.Time || len(h.Samples) != analysis.MaxSamples {
		t.Errorf("%+v", *h)
	}
	l.Revoked(xs[10])
	l.ask("10.0.0.1", "PUT /a 10 | X-Forwarded-For: 10.1.1.1").Final = &analysis.Message{}
	l.Tick(3*analysis.StallTime + 300*ms)
	if l.Of(xs[10]) != nil && l.Of(xs[10]).Hoard != nil {
		t.Error("what never was an exchange stands for a hoard")
	}
}

// What is asked of a proxy comes from many.
func TestShared(t *testing.T) {
	for fields, want := range map[string]bool{"| User-Agent: a": false, "| Via: 1.1 p": true, "| User-Agent: b": true} {
		l := teller{Memory: New()}
		l.ask("10.0.0.1", "PUT /a 10 200 | User-Agent: a")
		l.ask("10.0.0.1", "PUT /a 10 200 "+fields)
		if got := l.clients[netip.MustParseAddr("10.0.0.1")].shared; got != want {
			t.Errorf("%s: shared %v", fields, got)
		}
	}
}

func TestVoices(t *testing.T) {
	l := teller{Memory: New()}
	for range 3 {
		l.ask("10.0.0.1", "PUT /a 10 100 201 | <Server: nginx | <Via: 1.1 a")
	}
	x := l.ask("10.0.0.1", "PUT /a 10 417 | <Server: gate")
	want := []analysis.Voice{{TTL: 64, Count: 3}, {Software: "nginx", Via: "1.1 a", TTL: 64, Count: 3}, {Software: "gate", TTL: 64, Refuses: true, Count: 1}}
	if got := l.Of(x).Voices; !slices.Equal(got, want) {
		t.Errorf("%+v", got)
	}
	x.Conn.Server = netip.MustParseAddrPort("10.0.0.8:80")
	if got := l.Of(x).Voices; got != nil {
		t.Errorf("another server has the voices %+v", got)
	}
	for i := range 2 * maxVoices {
		l.ask("10.0.0.1", fmt.Sprintf("PUT /a 10 201 | <Server: s%d", i))
	}
	if n := len(l.clients[netip.MustParseAddr("10.0.0.1")].voices); n != maxVoices {
		t.Errorf("%d voices", n)
	}
}

// The clients heard longest ago are given up, and what they stood for is handed back.
func TestBounds(t *testing.T) {
	l := teller{Memory: New()}
	l.ask("10.0.0.1", "PUT /a 10 417")
	l.ask("10.0.0.1", "PUT /a 10 100 201")
	x := l.ask("10.0.0.1", "PUT /a 10 417")
	for i := range Clients - 1 {
		l.ask(fmt.Sprintf("10.1.%d.%d", i/256, i%256), "PUT /a 10 200")
	}
	if l.Dropped() != 0 || !l.Stands(x) {
		t.Fatalf("%d clients, and %d dropped", len(l.clients), l.Dropped())
	}
	l.ask("10.1.0.0", "PUT /a 10 200")
	l.ask("10.2.0.0", "PUT /a 10 200")
	if l.Dropped() != 1 || len(l.clients) != Clients || l.Stands(x) || !slices.Equal(l.Gone(), []*analysis.Exchange{x}) || l.Gone() != nil {
		t.Errorf("%d dropped, %d clients", l.Dropped(), len(l.clients))
	}
	if p := l.Of(x); p.Answers == nil || p.Answers.Refused != 2 {
		t.Error("what is handed back was lost")
	}
	l.Forget(x)
	if l.Of(x) != nil {
		t.Error("a forgotten exchange stands for something")
	}
	for i := range 2 * maxPlaces {
		l.ask("10.9.0.0", fmt.Sprintf("PUT /%d/a 10 417", i))
	}
	c := l.clients[netip.MustParseAddr("10.9.0.0")]
	if len(c.places) != maxPlaces || len(c.targets) != maxPlaces {
		t.Errorf("%d places, %d targets", len(c.places), len(c.targets))
	}
	for range maxOpen + 10 {
		l.ask("10.9.0.0", "PUT /a 10")
	}
	if len(c.open) != maxOpen || !c.hoard.More {
		t.Errorf("%d open, more %v", len(c.open), c.hoard.More)
	}
}

// Nothing is remembered of an ordinary exchange.
func TestOrdinary(t *testing.T) {
	m := New()
	x := &analysis.Exchange{Conn: &reassembly.Conn{}, Final: &analysis.Message{Status: 404}}
	if n := testing.AllocsPerRun(10, func() { m.Opened(x); m.Closed(x); m.Tick(1) }); n != 0 || len(m.clients) != 0 {
		t.Errorf("%v allocations, %d clients", n, len(m.clients))
	}
}

// An exchange that is over is held by nobody: a client that asks once an hour would keep all it ever said.
func TestHoldsWhatIsOpen(t *testing.T) {
	l := &teller{Memory: New()}
	for range 3 {
		l.ask("10.0.0.1", "PUT /a 100 100 200")
	}
	for _, c := range l.clients {
		if len(c.open) != 0 {
			t.Errorf("%d exchanges that are over are held", len(c.open))
		}
	}
}
