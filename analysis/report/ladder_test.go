package report

import (
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

func drawn(x, next *analysis.Exchange) string { return strings.Join(Ladder(x, next, 80), "\n") }

func TestLadderOrder(t *testing.T) {
	x := inOrder()
	x.Interim = append(x.Interim, response(103, "Early Hints", 20*msec, 100))
	inOrderOf(t, drawn(x, nil), "client 10.0.0.1:40000", "10.0.0.2:80 server\n",
		"0 s  │─ PUT /in-order  Expect: 100-continue ─", ">│ #4\n", "2.0 ms  │<", " 100 Continue ─│ #6\n",
		"3.0 ms  │═ body: 1,500,000 bytes in 37 ms ═", ">│ #7\n", "20 ms  │<", " 103 Early Hints ─│ #100\n", "42 ms  │<", " 201 Created ─│ #310")
}

// Where coarse time stamps are equal the packets' order decides.
func TestLadderEqualTimes(t *testing.T) {
	x := inOrder()
	for _, m := range []*reassembly.Mark{&x.Interim[0].Last, &x.ReqBody.First, &x.ReqBody.Last, &x.Final.Last} {
		m.Time = epoch
	}
	inOrderOf(t, drawn(x, nil), "#4\n", "#6\n", "body: 1,500,000 bytes ═", "#7\n", "#310")
}

// A pause is drawn from the time on from which a client can be said to wait.
func TestLadderSilence(t *testing.T) {
	x := inOrder()
	x.Interim, x.ReqBody.First.Time = nil, epoch+silence-1
	if got := drawn(x, nil); strings.Contains(got, "┆") {
		t.Errorf("a pause below %s:\n%s", span(silence), got)
	}
	x.ReqBody.First.Time = epoch + silence
	x.ReqBody.Last.Time = epoch + 3*silence
	x.Final.Last.Time = epoch + 3*silence + 1
	inOrderOf(t, drawn(x, nil), "┆ ", "50 ms", " ┆\n", "body: 1,500,000 bytes in 100 ms")
	if got := drawn(x, nil); strings.Count(got, "┆") != 2 {
		t.Errorf("the time in which the body was sent is no pause:\n%s", got)
	}
}

func TestLadderBody(t *testing.T) {
	x := inOrder()
	x.ReqBody.Framing, x.ReqBody.Declared = analysis.FramingChunked, -1
	inOrderOf(t, drawn(x, nil), "body: 1,500,000 bytes in 37 ms")
	x.ReqBody.Sent, x.ReqBody.Complete = 0, false
	inOrderOf(t, drawn(x, nil), "201 Created", "body withheld   ")
	x.ReqBody.Complete = true
	if got := drawn(x, nil); strings.Contains(got, "body") {
		t.Errorf("an empty chunked body was not withheld:\n%s", got)
	}
	x.ReqBody = analysis.RequestBody{}
	if got := drawn(x, nil); strings.Contains(got, "body") {
		t.Errorf("there is no body:\n%s", got)
	}
	inOrderOf(t, drawn(hostile(), nil), "body: 5,000 of 20,000 bytes ═", "417 Expectation Failed", "body: 7,000 bytes after the final response ═", "never repeated")
}

// The end of the connection is drawn with the exchange it belongs to, a reset at the side that sent it.
func TestLadderEnds(t *testing.T) {
	x, next := swallowed()
	x.Ends = next.Ends
	both := drawn(x, next)
	if strings.Count(both, " FIN ") != 1 || strings.Count(both, " RST ") != 1 {
		t.Errorf("the connection ended once:\n%s", both)
	}
	inOrderOf(t, both, "repeated on the same connection, 350,000 bytes still owed", "400 Bad Request, then close", "<", "FIN ─│ #47", "─ RST ─")
	x.NextHead = reassembly.Mark{}
	inOrderOf(t, drawn(x, nil), "417 Expectation Failed", "FIN ─│ #47", "─ RST ─", "repeated as 20/2")
	x.Ends[reassembly.Forward].Sender = false
	if got := drawn(x, nil); strings.Contains(got, "RST") {
		t.Errorf("this side did not send the reset:\n%s", got)
	}
}

// A stream of HTTP/2 can end alone.
func TestLadderResets(t *testing.T) {
	x := inOrder()
	x.Amend().Resets = []analysis.StreamReset{
		{Dir: reassembly.Reverse, At: reassembly.Mark{Time: epoch + 50*msec, Packet: 400}},
		{Dir: reassembly.Forward, Code: 8, At: reassembly.Mark{Time: epoch + 60*msec, Packet: 401}},
		{Dir: reassembly.Reverse, Code: 0x99, NotProcessed: true, GoAway: true, At: reassembly.Mark{Time: epoch + 70*msec, Packet: 402}},
	}
	inOrderOf(t, drawn(x, nil), "201 Created", "│<", " RST_STREAM NO_ERROR ─│ #400\n", "│─ RST_STREAM CANCEL ─", ">│ #401\n", " GOAWAY 0x99, not processed ─│ #402")
}

func TestLadderRepeat(t *testing.T) {
	x, next := swallowed()
	next.Conn = newConn(50, "10.0.0.1:51770", "10.0.0.2:8101")
	inOrderOf(t, drawn(x, next), "417 Expectation Failed", "repeated on a new connection, from 10.0.0.1:51770", "4.0 ms  │─ PUT /noexpect/a.bin ─")
	for outcome, want := range map[analysis.RetryOutcome]string{
		analysis.RetryNone: "never repeated", analysis.RetryUnknown: "whether it was repeated cannot be seen", analysis.RetryNewConn: "repeated as 20/2",
	} {
		x.Amend().Retry.Outcome = outcome
		inOrderOf(t, drawn(x, nil), want)
	}
	x.Amend().Retry.Outcome = analysis.RetryNotAsked
	if got := drawn(x, nil); strings.Contains(got, "repeated") {
		t.Errorf("nobody asked:\n%s", got)
	}
}

func TestLadderHang(t *testing.T) {
	inOrderOf(t, drawn(unanswered(), nil), "GET /poll", "┆", "still waiting for the server after 14.0 s")
	inOrderOf(t, drawn(stopped(), nil), "body: 4,096 of 1,048,576 bytes", "still waiting for the client after 13.0 s")
}

// No width makes it panic or go beyond.
func TestLadderWidths(t *testing.T) {
	x, next := swallowed()
	for width := range 200 {
		for _, drawing := range [][]string{Ladder(x, next, width), Ladder(hostile(), nil, width), Ladder(stopped(), nil, width)} {
			narrow(t, strings.Join(drawing, "\n"), max(width, 1))
		}
	}
}
