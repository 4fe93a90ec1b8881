package analysis

import (
	"slices"
	"testing"

	"expectscope/reassembly"
)

// at is a mark: milliseconds, an offset of its own direction, an offset of the other that it acknowledges.
func at(ms int64, off, acked uint64) reassembly.Mark {
	return reassembly.Mark{Time: ms * 1e6, Packet: 1, Off: off, Acked: acked}
}

const noAck = reassembly.NoAck

// put is an upload of n content bytes that expects a 100: its head ends at 0 ms and offset 100.
func put(n int64, change ...func(*Exchange)) *Exchange {
	x := &Exchange{State: Closed, Ended: EndedComplete}
	x.Request = Message{
		Method: "PUT", Target: "/up", Version: "HTTP/1.1", First: at(0, 1, 0), Last: at(0, 100, 0),
		Fields: []Field{{Name: "Host", Value: "a"}, {Name: "Expect", Value: "100-continue"}},
	}
	x.ReqBody.Body = Body{Framing: FramingLength, Declared: n}
	for _, f := range change {
		f(x)
	}
	return x
}

func plain(x *Exchange) { x.Request.Fields = x.Request.Fields[:1] }

func open(x *Exchange) { x.State, x.Ended = Open, EndedNot }

// final is an answer at 20 ms that acknowledges the head.
func final(status int) func(*Exchange) {
	return func(x *Exchange) { x.Final = &Message{Status: status, First: at(20, 1, 100), Last: at(20, 50, 100)} }
}

func interim(status int, ms int64) func(*Exchange) {
	return func(x *Exchange) {
		x.Interim = append(x.Interim, Message{Status: status, First: at(ms, 1, 100), Last: at(ms, 25, 100)})
	}
}

// sent is n content bytes, first at some time, all of them before the final response had arrived.
func sent(n, ms int64) func(*Exchange) {
	return func(x *Exchange) {
		b := &x.ReqBody
		b.Sent, b.Early, b.Complete = n, n, n == b.Declared
		b.First, b.Last = at(ms, 101, 0), at(ms, 100+uint64(n), 0)
	}
}

func TestHeadStatus(t *testing.T) {
	yes := []int{300, 301, 304, 399, 401, 403, 404, 405, 406, 407, 410, 411, 412, 413, 414, 415, 417, 421, 426, 428, 429, 431, 451, 501, 503, 505, 511}
	no := []int{100, 200, 204, 299, 400, 402, 408, 409, 416, 418, 422, 424, 500, 502, 504, 507, 599}
	for _, s := range yes {
		if !HeadStatus(s) {
			t.Errorf("%d can be decided from the head", s)
		}
	}
	for _, s := range no {
		if HeadStatus(s) {
			t.Errorf("%d may need the content", s)
		}
	}
}

// What a host knew is told by acknowledgement; by time only where there is none.
func TestKnew(t *testing.T) {
	m := &Message{First: at(10, 1, 0), Last: at(12, 50, 0)}
	for _, c := range []struct {
		name       string
		b          reassembly.Mark
		m          *Message
		knew, sure bool
	}{
		{"no message", at(50, 1, 50), nil, false, true},
		{"acknowledges all of it", at(5, 1, 50), m, true, true},
		{"acknowledges more", at(5, 1, 51), m, true, true},
		{"acknowledges all but one byte", at(50, 1, 49), m, false, true},
		{"no acknowledgement, later", at(12, 1, noAck), m, true, false},
		{"no acknowledgement, before its end", at(11, 1, noAck), m, false, false},
	} {
		if knew, sure := Knew(c.b, c.m); knew != c.knew || sure != c.sure {
			t.Errorf("%s: %v, %v, want %v, %v", c.name, knew, sure, c.knew, c.sure)
		}
	}
}

func TestHadBody(t *testing.T) {
	x := put(10, sent(10, 15))
	for _, c := range []struct {
		name      string
		x         *Exchange
		m         *Message
		had, sure bool
	}{
		{"no message", x, nil, false, true},
		{"no body", put(10), &Message{First: at(20, 1, 200)}, false, true},
		{"acknowledges the head", x, &Message{First: at(20, 1, 100)}, false, true},
		{"acknowledges one byte of it", x, &Message{First: at(20, 1, 101)}, true, true},
		{"no acknowledgement, later", x, &Message{First: at(20, 1, noAck)}, true, false},
		{"no acknowledgement, before", x, &Message{First: at(15, 1, noAck)}, false, false},
	} {
		if had, sure := c.x.HadBody(c.m); had != c.had || sure != c.sure {
			t.Errorf("%s: %v, %v, want %v, %v", c.name, had, sure, c.had, c.sure)
		}
	}
}

// EarlyFinal and FromHead of one table: a refusal that came early could be decided from the head, whatever its status.
func TestEarlyFinal(t *testing.T) {
	late := func(x *Exchange) { x.Final.First.Acked = 100 + uint64(x.ReqBody.Sent); x.ReqBody.Read = x.ReqBody.Sent }
	for _, c := range []struct {
		name        string
		x           *Exchange
		early, head bool
	}{
		{"no final", put(10), false, false},
		{"body withheld", put(10, final(400)), true, true},
		{"body withheld, accepted", put(10, final(200)), true, false},
		{"part of the body", put(10, sent(4, 5), final(422)), true, true},
		{"whole body, received before", put(10, sent(10, 5), final(422), late), false, false},
		{"whole body, received before, 403", put(10, sent(10, 5), final(403), late), false, true},
		{"whole body, on the way", put(10, sent(10, 5), final(422), late, func(x *Exchange) { x.ReqBody.Crossing = 1 }), true, true},
		{"whole body, finished after it", put(10, sent(10, 5), final(422), late, func(x *Exchange) { x.ReqBody.Tail = 1 }), true, true},
		{"no acknowledgement, before the body's end", put(10, sent(10, 30), final(422), func(x *Exchange) { x.Final.First.Acked = noAck }), true, true},
		{"no acknowledgement, behind the body", put(10, sent(10, 5), final(422), func(x *Exchange) { x.Final.First.Acked = noAck }), false, false},
		{"no body", put(0, final(404), func(x *Exchange) { x.ReqBody.Framing = FramingNone }), false, true},
		{"head cut off", put(-1, final(422), func(x *Exchange) { x.ReqBody.Framing = FramingUnknown }), false, false},
	} {
		if got := c.x.EarlyFinal(); got != c.early {
			t.Errorf("%s: early is %v", c.name, got)
		}
		if got := c.x.FromHead(); got != c.head {
			t.Errorf("%s: from the head is %v", c.name, got)
		}
	}
}

// What was sent, wasted, saved, and left unsent; -1 stands for not known.
func TestBytes(t *testing.T) {
	chunked := func(x *Exchange) { x.ReqBody.Framing = FramingChunked }
	none := func(x *Exchange) { x.ReqBody.Framing = FramingNone }
	for _, c := range []struct {
		name                     string
		x                        *Exchange
		n, unsent, wasted, saved int64
	}{
		{"open", put(10, sent(4, 5)), 10, 6, -1, 0},
		{"accepted", put(10, sent(10, 5), final(201)), 10, 0, 0, 0},
		{"accepted early", put(10, final(200)), 10, 10, 0, 0},
		{"redirected", put(10, sent(4, 5), final(307)), 10, 6, 4, 0},
		{"refused whole", put(10, sent(10, 5), final(403)), 10, 0, 10, 0},
		{"withheld", put(10, final(403)), 10, 10, 0, 10},
		{"withheld after 417: the repeat sends it", put(10, final(417)), 10, 10, 0, 0},
		{"withheld without Expect", put(10, final(403), plain), 10, 10, 0, 0},
		{"chunked", put(-1, sent(4, 5), final(403), chunked), -1, -1, 4, 0},
		{"chunked, withheld", put(-1, final(403), chunked), -1, -1, 0, 0},
		{"chunked, ended without content", put(-1, final(403), chunked, func(x *Exchange) { x.ReqBody.Complete = true }), -1, -1, 0, 0},
		{"no body", put(7, final(403), none), 0, 0, 0, 0},
		{"more than declared", put(10, sent(12, 5), final(403)), 10, 0, 12, 0},
	} {
		known := func(n int64, ok bool) int64 {
			if !ok {
				return -1
			}
			return n
		}
		if got := c.x.N(); got != c.n {
			t.Errorf("%s: N is %d, want %d", c.name, got, c.n)
		}
		if got := known(c.x.Unsent()); got != c.unsent {
			t.Errorf("%s: unsent is %d, want %d", c.name, got, c.unsent)
		}
		if got := known(c.x.Wasted()); got != c.wasted {
			t.Errorf("%s: wasted is %d, want %d", c.name, got, c.wasted)
		}
		if got := c.x.Saved(); got != c.saved {
			t.Errorf("%s: saved is %d, want %d", c.name, got, c.saved)
		}
	}
}

// An exchange that is open, or was at the capture's end, waits for somebody.
func TestWaiting(t *testing.T) {
	atEnd := func(x *Exchange) { x.State, x.Ended = Settled, EndedCapture }
	for _, c := range []struct {
		name, want string
		x          *Exchange
	}{
		{"closed", "", put(10)},
		{"answered", "", put(10, open, final(200))},
		{"asked", "server", put(10, open)},
		{"asked, at the capture's end", "server", put(10, atEnd)},
		{"asked, 103 is no answer", "server", put(10, open, interim(103, 5))},
		{"invited", "client", put(10, open, interim(100, 5))},
		{"not asked", "client", put(10, open, plain)},
		{"half sent", "client", put(10, open, sent(4, 5))},
		{"sent", "server", put(10, open, sent(10, 5))},
		{"no body", "server", put(0, open, func(x *Exchange) { x.ReqBody.Framing = FramingNone })},
	} {
		if got := c.x.Waiting(); got != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// WaitedForContinue is what Expect cost in time.
func TestWaitedForContinue(t *testing.T) {
	for _, c := range []struct {
		name string
		x    *Exchange
		ms   int64
	}{
		{"until the body", put(10, interim(100, 20), sent(10, 30)), 30},
		{"until the first answer", put(10, interim(103, 7), interim(100, 20)), 7},
		{"until the final", put(10, final(417)), 20},
		{"for ever", put(10, open), 0},
		{"not asked", put(10, plain, sent(10, 30)), 0},
		{"clock set back", put(10, sent(10, -30)), 0},
	} {
		if got := c.x.WaitedForContinue(); got != c.ms*1e6 {
			t.Errorf("%s: %d ns, want %d ms", c.name, got, c.ms)
		}
	}
	if ns, ok := put(10).Wait(); ns != 0 || ok {
		t.Errorf("without a body byte the wait is %d, %v", ns, ok)
	}
}

func TestAuthority(t *testing.T) {
	for _, c := range []struct{ method, target, host, want string }{
		{"PUT", "/up", "a:8080", "a:8080"},
		{"PUT", "http://b:81/up", "a", "b:81"},
		{"PUT", "HTTP://b", "a", "b"},
		{"PUT", "http://b?q=1", "a", "b"},
		{"PUT", "/redirect?to=http://c/", "a", "a"},
		{"CONNECT", "d:443", "a", "d:443"},
		{"OPTIONS", "*", "a", "a"},
		{"PUT", "/up", "", ""},
	} {
		x := put(0, func(x *Exchange) { x.Request.Method, x.Request.Target = c.method, c.target })
		x.Request.Fields[0].Value = c.host
		if got := x.Authority(); got != c.want {
			t.Errorf("%s %s, Host %q: %q, want %q", c.method, c.target, c.host, got, c.want)
		}
	}
}

func TestSoftware(t *testing.T) {
	named := func(s string) []Field { return []Field{{Name: "server", Value: s}} }
	x := put(10, interim(103, 5), interim(100, 6))
	if got := x.Software(); got != "" {
		t.Errorf("nobody said a name: %q", got)
	}
	x.Interim[1].Fields = named("proxy")
	if got := x.Software(); got != "proxy" {
		t.Errorf("the interim response said proxy: %q", got)
	}
	final(200)(x)
	if got := x.Software(); got != "proxy" {
		t.Errorf("the final response said nothing: %q", got)
	}
	x.Final.Fields = named("origin")
	if got := x.Software(); got != "origin" {
		t.Errorf("the final response said origin: %q", got)
	}
	x.Request.Fields = append(x.Request.Fields, Field{Name: "User-Agent", Value: "curl"})
	if got := x.UserAgent(); got != "curl" {
		t.Errorf("the client said curl: %q", got)
	}
}

func TestTraits(t *testing.T) {
	for _, c := range []struct {
		name string
		x    *Exchange
		want Trait
	}{
		{"ordinary", put(0, plain, final(200), func(x *Exchange) { x.ReqBody.Framing = FramingNone }), 0},
		{"expects", put(10, sent(10, 5), final(200)), TraitExpect},
		{"odd Expect", put(10, sent(10, 5), final(200), func(x *Exchange) { x.Request.Fields[1].Value = "" }), TraitExpect},
		{"interim", put(10, plain, sent(10, 5), interim(103, 1), final(200)), TraitInterim},
		{"refused early", put(10, final(417)), TraitExpect | TraitRefused | TraitRejected | TraitEarlyFinal},
		{"refused whole, no Expect", put(10, plain, sent(10, 5), final(417)), TraitRefused | TraitRejected},
		{"redirected", put(10, plain, sent(10, 5), final(303)), TraitRejected},
		{"upgraded", put(10, plain, sent(10, 5), final(101)), TraitUpgrade},
		{"stalled", put(10, open), TraitExpect | TraitStalled},
		{"owed", put(10, plain, sent(10, 5), final(200), func(x *Exchange) { x.Owed = &Owed{} }), TraitOwed},
		{"orphan", put(10, plain, sent(10, 5), final(200), func(x *Exchange) { x.Amend().Orphans = make([]Message, 1) }), TraitOrphan},
		{"a repeat", put(10, plain, sent(10, 5), final(200), func(x *Exchange) { x.RetryOf = "1/1" }), TraitRetry},
		{"retry asked", put(10, plain, sent(10, 5), final(200), func(x *Exchange) { x.Amend().Retry.Outcome = RetryNone }), TraitRetry},
	} {
		if got := c.x.Traits(); got != c.want {
			t.Errorf("%s: %011b, want %011b", c.name, got, c.want)
		}
	}
}

// A redirect that answers a whole form without Expect is no waste.
func TestCharged(t *testing.T) {
	for _, c := range []struct {
		name string
		x    *Exchange
		want bool
	}{
		{"open", put(10), false},
		{"form redirected", put(10, plain, sent(10, 5), final(303)), false},
		{"accepted", put(10, plain, sent(10, 5), final(200)), false},
		{"redirected early", put(10, plain, sent(4, 5), final(307)), true},
		{"redirected in spite of Expect", put(10, sent(10, 5), final(307)), true},
		{"a repeat redirected", put(10, plain, sent(10, 5), final(307), func(x *Exchange) { x.RetryOf = "1/1" }), true},
		{"refused", put(10, plain, sent(10, 5), final(400)), true},
	} {
		if got := c.x.Charged(); got != c.want {
			t.Errorf("%s: %v", c.name, got)
		}
	}
}

// A doubt is noted once a kind; its parts add up.
func TestDoubts(t *testing.T) {
	x := put(10)
	x.AddDoubt(DoubtGap, PartReqBody, at(1, 1, 1))
	x.AddDoubt(DoubtSnapLen, PartRequest, at(2, 2, 2))
	x.AddDoubt(DoubtGap, PartFinal, at(3, 3, 3))
	if len(x.Doubts) != 2 || x.Doubts[0] != (Doubt{DoubtGap, PartReqBody | PartFinal, at(1, 1, 1)}) {
		t.Errorf("doubts: %+v", x.Doubts)
	}
	if ds := x.Doubtful(PartFinal | PartInterim); len(ds) != 1 || ds[0].Kind != DoubtGap {
		t.Errorf("doubts of the final response: %+v", ds)
	}
	if ds := x.Doubtful(PartEnding); ds != nil {
		t.Errorf("doubts of the ending: %+v", ds)
	}
}

// A case's neighbours in its chain.
func TestChain(t *testing.T) {
	a, b, c := put(1), put(2), put(3)
	for i, want := range [][2]*Exchange{{nil, b}, {a, c}, {b, nil}} {
		k := Case{Exchange: [...]*Exchange{a, b, c}[i], Chain: []*Exchange{a, b, c}, Index: i}
		if k.Prev() != want[0] || k.Next() != want[1] {
			t.Errorf("attempt %d has the wrong neighbours", i)
		}
	}
}

// Every word has a name, and no two share one.
func TestWords(t *testing.T) {
	distinct := func(kind string, words ...string) {
		seen := map[string]bool{}
		for _, w := range words {
			if seen[w] {
				t.Errorf("%s: %q twice", kind, w)
			}
			seen[w] = true
		}
	}
	distinct("framing", FramingNone.String(), FramingLength.String(), FramingChunked.String(), FramingClose.String(), FramingH2.String(), FramingTunnel.String(), FramingUnknown.String())
	var ends, doubts, outcomes []string
	for e := EndedNot; e <= EndedTunnel; e++ {
		ends = append(ends, e.String())
	}
	for k := DoubtGap; k <= DoubtInternal; k++ {
		doubts = append(doubts, k.String())
	}
	for r := RetryNotAsked; r <= RetryUnknown; r++ {
		outcomes = append(outcomes, r.String())
	}
	distinct("ended", ends...)
	distinct("doubt", doubts...)
	distinct("retry", outcomes...)
	distinct("severity", Info.String(), Notice.String(), Warning.String(), Error.String())
	distinct("confidence", Inconclusive.String(), Likely.String(), Certain.String())
	distinct("fault", FaultUnknown.String(), FaultClient.String(), FaultServer.String(), FaultIntermediary.String())
	distinct("state", Final.String(), Provisional.String(), Withdrawn.String())
	distinct("reading", ReadUnknown.String(), ReadAsBody.String(), ReadAsNext.String())
	for c, want := range map[Clause]string{
		{RFC: 9110, Section: "10.1.1", Level: "SHOULD"}: "RFC 9110 §10.1.1 SHOULD",
		{RFC: 9112, Section: "9.3"}:                     "RFC 9112 §9.3",
	} {
		if got := c.String(); got != want {
			t.Errorf("clause %q, want %q", got, want)
		}
	}
}

// Fields that are still to be read from the head say what those that were taken apart say, at no cost.
func TestLines(t *testing.T) {
	const head = "PUT / HTTP/1.1\r\nHost: a\r\nExpect : 100-continue\r\nX: 1\r\n 2\r\nX: 3\r\n\r\n"
	read, parsed := Message{Head: head}, Message{Head: head, Fields: ParseFields(head)}
	if got, want := slices.Collect(read.Lines()), slices.Collect(parsed.Lines()); !slices.Equal(got, want) || len(want) != 4 {
		t.Errorf("the lines are %v, want %v", got, want)
	}
	if read.ExpectClass() != ObfuscatedExpect || !slices.Equal(read.Values("x"), parsed.Values("x")) {
		t.Errorf("class %v, values %q", read.ExpectClass(), read.Values("x"))
	}
	for _, m := range []*Message{&read, &parsed} {
		if got := testing.AllocsPerRun(100, func() {
			if v, ok := m.Get("host"); !ok || v != "a" {
				t.Fatalf("Host is %q", v)
			}
		}); got > 0 {
			t.Errorf("%.0f allocations to get a field", got)
		}
	}
}
