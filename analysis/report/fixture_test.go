package report

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

// A result is an exchange with its findings, as the engine hands them over.
type result struct {
	x        *analysis.Exchange
	findings []analysis.Finding
}

// epoch is the time of the fixture's first packet: 2026-02-03 04:05:06 UTC.
var epoch = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC).UnixNano()

const msec = int64(time.Millisecond)

// mark is a mark at a time after epoch in a frame of input 1.
func mark(at int64, frame uint64) reassembly.Mark {
	return reassembly.Mark{Time: epoch + at, Packet: capture.MakeNum(1, frame), Acked: reassembly.NoAck}
}

func newConn(frame uint64, client, server string) *reassembly.Conn {
	return &reassembly.Conn{
		First: capture.MakeNum(1, frame), Seen: [2]bool{true, true},
		Client: netip.MustParseAddrPort(client), Server: netip.MustParseAddrPort(server),
	}
}

// put is a PUT of n bytes, its head complete at that time.
func put(c *reassembly.Conn, stream uint32, target string, n, at int64, frame uint64, fields ...analysis.Field) *analysis.Exchange {
	return &analysis.Exchange{
		ID: fmt.Sprintf("%d/%d", c.First.Frame(), stream), Conn: c, Stream: stream, State: analysis.Settled,
		Request: analysis.Message{
			Method: "PUT", Target: target, Version: "HTTP/1.1", First: mark(at, frame), Last: mark(at, frame),
			Fields: append([]analysis.Field{{Name: "Host", Value: "files.example"}}, fields...),
		},
		ReqBody: analysis.RequestBody{Body: analysis.Body{Framing: analysis.FramingLength, Declared: n}},
		Ended:   analysis.EndedComplete,
	}
}

func response(status int, reason string, at int64, frame uint64) analysis.Message {
	return analysis.Message{
		Status: status, Reason: reason, Version: "HTTP/1.1", First: mark(at, frame), Last: mark(at, frame),
		Fields: []analysis.Field{{Name: "server", Value: "nginx/1.22.1"}},
	}
}

func final(x *analysis.Exchange, status int, reason string, at int64, frame uint64) {
	m := response(status, reason, at, frame)
	x.Final, x.LastActivity, x.At = &m, m.Last, m.Last.Time
}

// finding is what a rule found on x.
func finding(x *analysis.Exchange, rule, title string, s analysis.Severity, summary string, frames ...uint64) analysis.Finding {
	f := analysis.Finding{
		Rule: rule, Exchange: x.ID, Title: title, Severity: s, Confidence: analysis.Certain, Summary: summary,
		Client: x.Conn.Client, Server: x.Conn.Server, Method: x.Request.Method, Target: x.Request.Target,
		UserAgent: x.UserAgent(), ServerSoftware: x.Software(), Time: x.Request.Last.Time,
		Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "SHOULD"}},
	}
	if x.Final != nil {
		f.Status = x.Final.Status
	}
	for _, n := range frames {
		f.Evidence = append(f.Evidence, capture.MakeNum(1, n))
	}
	return f
}

var (
	expect = analysis.Field{Name: "Expect", Value: "100-continue"}
	curl   = analysis.Field{Name: "User-Agent", Value: "curl/7.88.1"}
)

// inOrder is an upload that was invited and accepted.
func inOrder() *analysis.Exchange {
	x := put(newConn(1, "10.0.0.1:40000", "10.0.0.2:80"), 1, "/in-order", 1_500_000, 0, 4, expect, curl,
		analysis.Field{Name: "Via", Value: "1.1 a"}, analysis.Field{Name: "via", Value: "1.1 \"b\""})
	x.Interim = []analysis.Message{response(100, "Continue", 2*msec, 6)}
	b := &x.ReqBody
	b.Sent, b.Invited, b.Read, b.Complete = 1_500_000, 1_500_000, 1_500_000, true
	b.First, b.Last = mark(3*msec+500, 7), mark(40*msec, 300)
	final(x, 201, "Created", 42*msec+123, 310)
	return x
}

// swallowed is a refused upload whose body was withheld, and the repeat that the server took for the body.
func swallowed() (x, next *analysis.Exchange) {
	c := newConn(20, "10.0.0.1:51766", "10.0.0.2:8101")
	x = put(c, 1, "/noexpect/a.bin", 350_000, 100*msec, 24, expect, curl)
	final(x, 417, "Expectation Failed", 103*msec, 26)
	x.NextFirst, x.NextHead = mark(104*msec, 28), mark(104*msec, 28)
	x.Owed = &analysis.Owed{At: mark(104*msec, 28), Bytes: 350_000, Client: analysis.ReadAsNext, Server: analysis.ReadAsBody, Next: "20/2"}
	next = put(c, 2, "/noexpect/a.bin", 350_000, 104*msec, 28, curl)
	b := &next.ReqBody
	b.Sent, b.Early, b.Read, b.Complete = 350_000, 350_000, 350_000, true
	b.First, b.Last = mark(105*msec, 29), mark(125*msec, 44)
	final(next, 400, "Bad Request", 130*msec, 46)
	next.Final.Close = true
	next.RetryOf, next.RetryDelay = x.ID, 1*msec
	next.Ends = new([2]reassembly.End)
	next.Ends[1] = reassembly.End{Dir: 1, At: mark(131*msec, 47), How: reassembly.FIN}
	next.Ends[0] = reassembly.End{Dir: 0, At: mark(1331*msec, 48), How: reassembly.RST, Sender: true}
	x.Amend().Retry = analysis.Retry{Outcome: analysis.RetrySameConn, By: next.ID, Tier: analysis.TierConn, Confidence: analysis.Certain}
	return x, next
}

// ignored is an upload whose Expect the server ignored: the client waited, then sent.
func ignored(i int64) *analysis.Exchange {
	at := (1000 + 10*i) * msec
	x := put(newConn(uint64(400+10*i), fmt.Sprintf("10.0.0.7:%d", 42000+i), "10.0.0.2:80"), 1, fmt.Sprintf("/slow/%d", i), 9_000, at, uint64(403+10*i), expect, curl)
	b := &x.ReqBody
	b.Sent, b.Early, b.Read, b.Complete = 9_000, 9_000, 9_000, true
	b.First, b.Last = mark(at+(1000+i)*msec, uint64(404+10*i)), mark(at+(1002+i)*msec, uint64(405+10*i))
	final(x, 201, "Created", at+(1010+i)*msec, uint64(406+10*i))
	return x
}

// hostile is a refused upload that was never repeated, with what an attacker would put into its fields.
func hostile() *analysis.Exchange {
	c := newConn(600, "[2001:db8::1]:40000", "[2001:db8::2]:443")
	x := put(c, 1, "/\x1b]0;owned\x07/\u202etxt.exe/資料夾/"+string([]byte{0xff, 0x85})+"/a-rather-long-path/with/many/segments/that/does/not/fit/a/line?of=eighty&columns",
		20_000, 5000*msec, 604, expect, analysis.Field{Name: "User-Agent", Value: "=HYPERLINK(\"http://evil\")\r\n\tx"})
	x.ReqBody.Sent, x.ReqBody.Early, x.ReqBody.Tail, x.ReqBody.Crossing = 12_000, 5_000, 7_000, 5_000
	x.ReqBody.First, x.ReqBody.Last = mark(5300*msec, 605), mark(5900*msec, 608)
	final(x, 417, "Expectation Failed", 5400*msec, 606)
	x.Amend().Retry.Outcome = analysis.RetryNone
	x.Doubts = []analysis.Doubt{{Kind: analysis.DoubtGap, Part: analysis.PartReqBody, At: mark(5500*msec, 607)}}
	return x
}

// hanging exchanges were open at the end: a request without answer, an upload that stopped.
func unanswered() *analysis.Exchange {
	x := put(newConn(700, "10.0.0.9:1234", "10.0.0.2:80"), 1, "/poll", 0, 6000*msec, 704)
	x.Request.Method, x.ReqBody.Framing, x.State, x.Ended = "GET", analysis.FramingNone, analysis.Settled, analysis.EndedCapture
	x.LastActivity, x.At = x.Request.Last, epoch+20_000*msec
	return x
}

func stopped() *analysis.Exchange {
	x := put(newConn(800, "10.0.0.9:1235", "10.0.0.2:80"), 1, "/upload", 1<<20, 7000*msec, 804, expect, curl)
	x.Interim = []analysis.Message{response(100, "Continue", 7001*msec, 805)}
	x.ReqBody.Sent, x.ReqBody.Invited = 4096, 4096
	x.ReqBody.First, x.ReqBody.Last = mark(7002*msec, 806), mark(7002*msec, 806)
	x.Ended = analysis.EndedCapture
	x.LastActivity, x.At = mark(7002*msec, 806), epoch+20_000*msec
	return x
}

// fixture is one run: the results in order and the summary.
func fixture() ([]result, *analysis.Summary) {
	withheld, repeat := swallowed()
	evil, silent := hostile(), unanswered()
	reuse := finding(withheld, "body-withheld-reuse", "Body withheld, connection reused", analysis.Error,
		"a new request began where 350,000 bytes of body were owed", 24, 26, 28, 46)
	reuse.Fault = []analysis.Fault{analysis.FaultClient, analysis.FaultServer}
	reuse.Fix = []string{"nginx: close after the refusal (keepalive_timeout 0 in that location)", "curl: -H 'Expect:'"}
	reuse.Related = []string{repeat.ID}
	open := finding(withheld, "early-final-no-close", "Early refusal, connection left open", analysis.Warning, "the 417 left the connection open", 26)
	open.Cause, open.Fault = reuse.Rule, []analysis.Fault{analysis.FaultServer}
	refused := finding(withheld, "417-received", "Expectation refused", analysis.Notice, "the server refused the expectation", 26)
	refused.Cause = open.Rule
	eaten := finding(repeat, "waste-savable", "Expect would have saved this body", analysis.Notice, "350,000 bytes were sent and refused", 28, 46)
	eaten.Wasted = 350_000
	gone := finding(evil, "417-no-retry", "417 was never retried", analysis.Warning, "nothing followed the 417 for 10 s: "+evil.Request.Target, 604, 606)
	gone.Fault, gone.Wasted, gone.Confidence = []analysis.Fault{analysis.FaultClient}, 12_000, analysis.Likely
	results := []result{
		{inOrder(), nil},
		{withheld, []analysis.Finding{reuse, open, refused}},
		{repeat, []analysis.Finding{eaten}},
	}
	for i := range int64(5) {
		x := ignored(i)
		f := finding(x, "expect-timeout", "Client gave up waiting", analysis.Notice, "the client waited 1.0 s for a 100 that never came", x.Request.Last.Packet.Frame(), x.ReqBody.First.Packet.Frame())
		f.Lost = time.Duration((1000 + i) * msec)
		tiny := finding(x, "expect-tiny", "Expect for a tiny body", analysis.Info, "9,000 bytes", 403)
		results = append(results, result{x, []analysis.Finding{f, tiny}})
	}
	hang := finding(silent, "no-answer", "Request without answer", analysis.Notice, "no answer for 14 s", 704)
	hang.Confidence = analysis.Inconclusive
	results = append(results, result{evil, []analysis.Finding{gone}}, result{silent, []analysis.Finding{hang}}, result{stopped(), nil})
	s := &analysis.Summary{
		Packets: 1808, Bytes: 2_345_678, Connections: 10, Exchanges: 12, Finals: 9, Interims: 2, Open: 2, Expect: 9,
		Refused417: 2, Retried: 1, NotRetried: 1, BodySent: 1_911_096, WastedBytes: 362_000, SavedBytes: 0, Waited: 5012 * msec,
		Findings: map[string]uint64{"body-withheld-reuse": 1, "417-no-retry": 1, "expect-timeout": 5, "expect-tiny": 5},
		Limits:   map[string]uint64{"connections": 3},
		Capture: analysis.CaptureHealth{
			First: epoch, Last: epoch + 20_000*msec, Truncated: true, Drops: 2, DropsKnown: true, Snapped: 4,
			Unsupported: map[string]uint64{"IEEE802_11": 7}, Gaps: 1, GapBytes: 1460, Doubts: 1,
			Opaque: map[string]uint64{"tls": 3, "ssh": 1}, TLS: 5, Decrypted: 2, Sealed: map[string]uint64{"files.example": 2, "(no name)": 1}, Undecoded: map[string]uint64{"udp": 40, "arp": 2}, BadChecksums: 5, Strays: 6, IgnoredResets: 7,
			Inputs: []capture.Input{{
				Name: "upload\x1b.pcap", Packets: 1808, Bytes: 2_345_678, First: epoch, Last: epoch + 20_000*msec,
				Err: errors.New("ends in the middle of a record at byte 133270"),
			}},
		},
	}
	return results, s
}

// feed writes a run.
func feed(w Writer, results []result, s *analysis.Summary) error {
	for i := range results {
		if err := w.Exchange(results[i].x); err != nil {
			return err
		}
		for j := range results[i].findings {
			if err := w.Finding(&results[i].findings[j]); err != nil {
				return err
			}
		}
	}
	return w.Close(s)
}
