package tui

import (
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/analysis/store"
)

// What is counted while a file is read is what the summary says of it at its end.
func TestCountsSoFar(t *testing.T) {
	n := fixture().Snapshot()
	whole := count(n, nil).summary
	n.Progress = store.Progress{Read: 5}
	g := count(n, nil)
	far := g.summary
	if far.Expect != whole.Expect || far.Refused417 != whole.Refused417 || far.Retried != whole.Retried || far.NotRetried != whole.NotRetried || far.WastedBytes != whole.WastedBytes {
		t.Errorf("so far %+v\nat the end %+v", far, whole)
	}
	if g.done || g.health != nil {
		t.Error("an end is told of that was not seen")
	}
	o := overview{}
	th := newTheme(plainLook)
	text := strings.Join(o.content(&th, 80, g), "\n")
	if !strings.Contains(text, "so far:") || !strings.Contains(text, "known when the capture was read to its end") {
		t.Errorf("the page does not say that it is not the end:\n%s", text)
	}
}

// A refusal whose client hung up early was likely not repeated, and one where the capture merely ends nobody knows of: the list and the count
// say the same.
func TestAbandoned(t *testing.T) {
	for _, c := range []struct {
		confidence analysis.Confidence
		want       string
		counted    analysis.Summary
	}{
		{analysis.Likely, "never?", analysis.Summary{NotRetried: 1}},
		{analysis.Inconclusive, "?", analysis.Summary{RetryUnknown: 1}},
	} {
		s, st := &script{at: epoch}, store.New()
		s.connect("10.0.0.1:1234", "10.0.0.2:80").request("PUT", "/a", 9, expect).answer(417, "Expectation Failed")
		s.x.Amend().Retry.Outcome = analysis.RetryUnknown
		f := s.found("417-no-retry", "No retry after 417", analysis.Warning, "It hung up.")
		f.Confidence = c.confidence
		put(st, s.x, f)
		st.Progress(1, 2)
		n := st.Snapshot()
		if got := retry(row{x: n.Exchanges.At(0)}); got != c.want {
			t.Errorf("%v: the list says %q, want %q", c.confidence, got, c.want)
		}
		if got := count(n, nil).summary; got.NotRetried != c.counted.NotRetried || got.RetryUnknown != c.counted.RetryUnknown {
			t.Errorf("%v: counted %d not, %d unknown", c.confidence, got.NotRetried, got.RetryUnknown)
		}
	}
}

// Each wait is counted once, in the bin of its time-out.
func TestWaitBins(t *testing.T) {
	g := count(fixture().Snapshot(), nil)
	sum := 0
	for _, n := range g.waits {
		sum += n
	}
	if sum != g.waited {
		t.Errorf("%d waits in the bins, %d counted", sum, g.waited)
	}
	for i, b := range waitBins {
		want := map[string]int{"  0.35 s": 2, "     1 s": 3, "     3 s": 1, "     5 s": 1}[b.label]
		if b.known != "" && strings.HasSuffix(b.label, " s") && b.label != "   2.7 s" && g.waits[i] != want {
			t.Errorf("%s: %d waits, want %d", b.label, g.waits[i], want)
		}
		if i > 0 && b.upTo <= waitBins[i-1].upTo {
			t.Errorf("the bin %s ends before it begins", b.label)
		}
	}
}

// Bars: the worst first, and none is longer than its room.
func TestBars(t *testing.T) {
	g := count(fixture().Snapshot(), nil)
	if g.rules[0].severity != analysis.Error || g.rules[0].name != "body-withheld-reuse" || len(g.rules) != 6 {
		t.Errorf("the rules are %v", g.rules)
	}
	if len(g.servers) != 2 || g.servers[0].name != "10.0.0.3:8101" || g.servers[0].n != 350_000 {
		t.Errorf("the servers are %v", g.servers)
	}
	for _, c := range []struct {
		n, most int64
		room    int
		want    int
	}{{10, 10, 20, 20}, {1, 1000, 20, 1}, {0, 10, 20, 0}, {5, 10, 20, 10}, {5, 10, 0, 0}, {5, 10, -4, 0}} {
		if got := width(blocks(c.n, c.most, c.room)); got != c.want {
			t.Errorf("%d of %d in %d columns: %d blocks, want %d", c.n, c.most, c.room, got, c.want)
		}
	}
}

// Everybody who waited or wasted has a line in the balance sheet.
func TestBalances(t *testing.T) {
	g := count(fixture().Snapshot(), nil)
	if len(g.balances) != 5 || g.balances[0].Wasted != 350_000 || g.balances[2].Expect != 6 || g.balances[2].Paid < 11_353*ms {
		t.Errorf("the balances are %+v", g.balances)
	}
}

// Values that say what is not known, or known otherwise.
func TestValues(t *testing.T) {
	snap := fixture().Snapshot()
	at := func(id string) row { return row{x: snap.Find(id)} }
	first := row{x: snap.Exchanges.At(0)}
	last := row{x: snap.Exchanges.At(10)}
	for _, c := range []struct{ got, want string }{
		{answers(first), "100 201"},
		{answers(last), "none"},
		{sent(first), "1.5 MB/1.5 MB"},
		{sent(at("7/1")), "0/350,000"},
		{sent(row{x: snap.Exchanges.At(11)}), ""},
		{retry(at("7/1")), "same"},
		{retry(at("7/2")), "is one"},
		{retry(at("15/1")), "never"},
		{retry(first), ""},
		{mark(at("7/1")), "E"},
		{mark(first), ""},
		{outcome(last.x), "waits for the server"},
		{outcome(first.x), "201 Created"},
		{path("/a?b"), "/a"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	many := *first.x
	for range 20 {
		many.Interim = append(many.Interim, analysis.Message{Status: 103})
	}
	if got := answers(row{x: &many}); got != "100 103 … 201" {
		t.Errorf("many interim responses: %q", got)
	}
	chunked := *first.x
	chunked.ReqBody.Framing, chunked.ReqBody.Declared = analysis.FramingChunked, -1
	if got := sent(row{x: &chunked}); got != "1.5 MB/chunked" {
		t.Errorf("a chunked body: %q", got)
	}
}
