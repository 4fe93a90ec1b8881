package report

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"expectscope/analysis"
	"expectscope/capture"
)

// The whole of a connection in the order of time, with what was still owed where the next request began.
func TestConnectionLadder(t *testing.T) {
	x, next := swallowed()
	x.Ends = next.Ends
	got := strings.Join(ConnectionLadder([]*analysis.Exchange{x, next}, 80), "\n")
	inOrderOf(t, got, "client 10.0.0.1:51766", "0 s  │─ PUT /noexpect/a.bin  Expect: 100-continue", "417 Expectation Failed", "body withheld: 350,000 bytes",
		"350,000 bytes still owed here", "client meant a new request, server read more of the body", "4.0 ms  │─ PUT /noexpect/a.bin ─", "body: 350,000 bytes", "400 Bad Request", "FIN", "RST")
	if strings.Count(got, " FIN ") != 1 {
		t.Errorf("the connection ended once:\n%s", got)
	}
	for width := range 200 {
		narrow(t, strings.Join(ConnectionLadder([]*analysis.Exchange{hostile(), stopped()}, width), "\n"), max(width, 1))
	}
}

// Places on the scale are true to time.
func TestScale(t *testing.T) {
	x := inOrder() // head 0, 100 at 2 ms, body 3.5 to 40 ms, final at 42 ms
	got := Scale(x, nil, 43)
	line := got[0]
	if len(line) != 43 || line[0] != 'R' || line[2] != '1' || line[42] != 'F' || line[1] != '~' || line[10] != '=' || line[39] != '=' || line[41] != '~' {
		t.Errorf("the scale is %q", line)
	}
	inOrderOf(t, got[1], "0 to 42 ms", "a column is 977 us")
	x, next := swallowed()
	if got := Scale(x, next, 50); got[0][49] != 'N' || !strings.Contains(got[0], "F") || strings.Contains(got[0], "=") {
		t.Errorf("with a repeat: %q", got[0])
	}
	for width := range 200 {
		for _, x := range []*analysis.Exchange{hostile(), stopped(), unanswered(), inOrder()} {
			for _, l := range Scale(x, nil, width) {
				if ansi.StringWidth(l) > max(width, 20) {
					t.Errorf("%d columns of %d: %q", ansi.StringWidth(l), width, l)
				}
			}
		}
	}
}

func TestTally(t *testing.T) {
	results, sum := fixture()
	tally := NewTally()
	for i := range results {
		r := &results[i]
		tally.Add(r.x, func(yield func(*analysis.Finding) bool) {
			for j := range r.findings {
				if !yield(&r.findings[j]) {
					return
				}
			}
		})
	}
	inOrderOf(t, tally.Verdict(sum), "Two of 12 exchanges went wrong", "one request began where body bytes were still owed", "To change: the client")
}

func TestShow(t *testing.T) {
	nums := []capture.Num{capture.MakeNum(1, 4), capture.MakeNum(1, 6), capture.MakeNum(2, 9)}
	for _, c := range []struct{ got, want string }{
		{Filter(nums), "frame.number in {4,6}"},
		{Filter(nil), ""},
		{Grouped(1234567), "1,234,567"},
		{Size(350_000), "350,000 bytes"},
		{Span(1_000_000_000), "1.00 s"},
		{Shorten("/a/long/path", 9), "/a/l…path"},
	} {
		if c.got != c.want {
			t.Errorf("%q, want %q", c.got, c.want)
		}
	}
	_, sum := fixture()
	lines := Health(sum, Options{Width: 60})
	inOrderOf(t, strings.Join(lines, "\n"), "CAPTURE", "cut off", "not HTTP", "LIMITS")
	for _, l := range lines {
		if ansi.StringWidth(l) > 60 {
			t.Errorf("%q is wider than 60", l)
		}
	}
}

// trial is an exchange of a client on a path with 10 ms of round trip: 100,000 bytes that take 10 ms to send.
func trial(expects bool, status int, sent int64) *analysis.Exchange {
	x := inOrder()
	x.Interim, x.Conn.SYN, x.Conn.SYNACK, x.Conn.ACK = nil, epoch, epoch+5*msec, epoch+10*msec
	if !expects {
		x.Request.Fields = nil
	}
	b := &x.ReqBody
	*b = analysis.RequestBody{
		Body:  analysis.Body{Framing: analysis.FramingLength, Declared: 100_000, Sent: sent, Complete: sent == 100_000},
		Early: sent,
	}
	if sent > 0 {
		b.First, b.Last = mark(100*msec, 7), mark(110*msec, 8)
	}
	final(x, status, "", 200*msec, 9)
	return x
}

func TestBalance(t *testing.T) {
	var b Balance
	if _, ok := b.BreakEven(); ok || b.Advice() != "" {
		t.Error("out of nothing comes an advice")
	}
	for range 20 {
		b.Add(trial(true, 201, 100_000))
	}
	even, ok := b.BreakEven()
	if !ok || even < 0.4999 || even > 0.5001 {
		t.Errorf("the break-even is %v, %v, want 10 ms / (10 ms + 10 ms)", even, ok)
	}
	if b.Expect != 20 || b.Ignored != 20 || b.Paid != 20*100*msec || b.Saved != 0 || b.Wasted != 0 {
		t.Errorf("%+v", b)
	}
	if !strings.Contains(b.Advice(), "never answers") {
		t.Errorf("the advice is %q", b.Advice())
	}
	b.Add(trial(true, 403, 0))
	b.Add(trial(true, 417, 0))
	if b.Rejected != 2 || b.Refused != 1 || b.Saved != 100_000 || b.Paid != 20*100*msec+10*msec {
		t.Errorf("after two refusals: %+v", b)
	}
	if !strings.Contains(b.Advice(), "too few are rejected") {
		t.Errorf("the advice is %q", b.Advice())
	}
	b.Add(trial(true, 403, 100_000))
	if b.Wasted != 100_000 || b.Paid != 21*100*msec+10*msec {
		t.Errorf("after a refusal in vain: %+v", b)
	}
	var plain Balance
	for i := range 20 {
		plain.Add(trial(false, []int{201, 413, 413}[i%3], 100_000))
	}
	if plain.Expect != 0 || plain.Plain != 20 || plain.PlainRejected != 13 || !strings.Contains(plain.Advice(), "turn Expect on") {
		t.Errorf("%+v: %q", plain, plain.Advice())
	}
}
