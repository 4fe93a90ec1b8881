package tui

import (
	"fmt"
	"net/netip"
	"time"

	"expectscope/analysis"
	"expectscope/analysis/store"
	"expectscope/capture"
	"expectscope/reassembly"
)

// epoch is the time of the fixture's first packet.
var epoch = time.Date(2026, 2, 3, 4, 5, 6, 0, time.UTC).UnixNano()

// A script builds exchanges one after another, as an engine would.
type script struct {
	frame uint64
	at    int64
	conn  *reassembly.Conn
	x     *analysis.Exchange
	n     uint32
}

func (s *script) mark() reassembly.Mark {
	s.frame++
	return reassembly.Mark{Time: s.at, Packet: capture.MakeNum(1, s.frame), Acked: reassembly.NoAck}
}

func (s *script) wait(d time.Duration) *script { s.at += int64(d); return s }

func (s *script) connect(client, server string) *script {
	at := s.at
	s.conn = &reassembly.Conn{
		First: s.mark().Packet, Client: netip.MustParseAddrPort(client), Server: netip.MustParseAddrPort(server),
		SYN: at, SYNACK: at + ms, ACK: at + ms, Seen: [2]bool{true, true},
	}
	s.n = 0
	return s
}

// request begins an exchange; head lines are separated by | as in transcripts.
func (s *script) request(method, target string, length int64, fields ...string) *script {
	s.n++
	head := method + " " + target + " HTTP/1.1\r\nHost: files.example\r\n"
	for _, f := range fields {
		head += f + "\r\n"
	}
	if length >= 0 {
		head += fmt.Sprintf("Content-Length: %d\r\n", length)
	}
	head += "\r\n"
	m := s.mark()
	s.x = &analysis.Exchange{
		ID: fmt.Sprintf("%d/%d", s.conn.First.Frame(), s.n), Conn: s.conn, Stream: s.n, State: analysis.Settled, Ended: analysis.EndedComplete,
		Request: analysis.Message{Method: method, Target: target, Version: "HTTP/1.1", Head: head, Fields: analysis.ParseFields(head), First: m, Last: m},
	}
	if length >= 0 {
		s.x.ReqBody.Body = analysis.Body{Framing: analysis.FramingLength, Declared: length}
	}
	return s
}

func (s *script) answer(status int, reason string, fields ...string) *script {
	head := fmt.Sprintf("HTTP/1.1 %d %s\r\n", status, reason)
	for _, f := range fields {
		head += f + "\r\n"
	}
	head += "\r\n"
	m := s.mark()
	r := analysis.Message{Status: status, Reason: reason, Version: "HTTP/1.1", Head: head, Fields: analysis.ParseFields(head), First: m, Last: m}
	if status < 200 {
		s.x.Interim = append(s.x.Interim, r)
	} else {
		s.x.Final = &r
	}
	s.x.LastActivity, s.x.At = m, s.at
	return s
}

func (s *script) body(n int64, took time.Duration) *script {
	b := &s.x.ReqBody
	b.Sent, b.First = n, s.mark()
	switch {
	case s.x.Final != nil:
		b.Tail = n
	case s.x.Continue() != nil:
		b.Invited, b.Read = n, n
	default:
		b.Early, b.Read = n, n
	}
	s.wait(took)
	b.Last, b.Complete = s.mark(), n == b.Declared
	return s
}

// found is what a rule says of the current exchange.
func (s *script) found(rule, title string, v analysis.Severity, summary string) analysis.Finding {
	x := s.x
	f := analysis.Finding{
		Rule: rule, Title: title, Exchange: x.ID, Severity: v, Confidence: analysis.Certain, Summary: summary,
		Fault: []analysis.Fault{analysis.FaultServer}, Clauses: []analysis.Clause{{RFC: 9110, Section: "10.1.1", Level: "SHOULD"}},
		Client: x.Conn.Addr(x.Client), Server: x.Conn.Addr(x.ServerDir()), Method: x.Request.Method, Target: x.Request.Target,
		UserAgent: x.UserAgent(), ServerSoftware: x.Software(), Time: x.Request.Last.Time,
		Evidence: []capture.Num{x.Request.Last.Packet}, Fix: []string{"server: answer Expect: 100-continue at once"},
	}
	if x.Final != nil {
		f.Status = x.Final.Status
		f.Evidence = append(f.Evidence, x.Final.Last.Packet)
	}
	if n, ok := x.Wasted(); ok {
		f.Wasted = n
	}
	return f
}

func put(st *store.Store, x *analysis.Exchange, found ...analysis.Finding) {
	st.Exchange(x)
	for i := range found {
		st.Finding(&found[i])
	}
}

const (
	expect = "Expect: 100-continue"
	curl   = "User-Agent: curl/7.88.1"
	nginx  = "Server: nginx/1.22.1"
)

// hostileTarget holds what an attacker would put into a request line: escape sequences, direction marks, wide, combining and
// joined characters, flags, bytes that are not UTF-8.
const hostileTarget = "/\x1b]0;owned\x07/\u202etxt.exe/資料夾/e\u0301/❤️👩‍💻🇩🇪/\xff\x85/\u009b31m/a-rather-long-path/with/many/segments?q=\t"

// fixture is a run with one of each: in order, refused and repeated into a desynchronised connection, refused and
// never repeated by a hostile client, ignored, still waiting, without Expect.
func fixture() *store.Store {
	st := store.New()
	s := &script{at: epoch}
	s.connect("10.0.0.1:40000", "10.0.0.2:80").wait(time.Millisecond).request("PUT", "/in-order", 1_500_000, expect, curl)
	s.wait(2*time.Millisecond).answer(100, "Continue").wait(time.Millisecond).body(1_500_000, 37*time.Millisecond).wait(2*time.Millisecond).answer(201, "Created", nginx)
	put(st, s.x)

	s.connect("10.0.0.1:51766", "10.0.0.3:8101").request("PUT", "/noexpect/a.bin", 350_000, expect, curl).wait(3*time.Millisecond).answer(417, "Expectation Failed", nginx)
	first := s.x
	reuse := s.found("body-withheld-reuse", "Body withheld, connection reused", analysis.Error, "A new request began where 350,000 bytes of body were owed after the 417.")
	open := s.found("early-final-no-close", "Early refusal, connection left open", analysis.Warning, "Refused with 417 without close.")
	open.Cause = reuse.Rule
	got := s.found("417-received", "Expectation refused", analysis.Notice, "The server refused Expect: 100-continue with 417.")
	s.wait(time.Millisecond).request("PUT", "/noexpect/a.bin", 350_000, curl)
	first.Owed = &analysis.Owed{At: s.x.Request.First, Bytes: 350_000, Client: analysis.ReadAsNext, Server: analysis.ReadAsBody}
	first.NextHead, first.NextFirst = s.x.Request.Last, s.x.Request.First
	first.Amend().Retry = analysis.Retry{Outcome: analysis.RetrySameConn, By: s.x.ID, Confidence: analysis.Certain}
	s.wait(time.Millisecond).body(350_000, 20*time.Millisecond).wait(5*time.Millisecond).answer(400, "Bad Request", nginx)
	s.x.RetryOf, s.x.RetryDelay = first.ID, ms
	s.x.Ends = new([2]reassembly.End)
	s.x.Ends[1] = reassembly.End{Dir: 1, At: s.mark(), How: reassembly.FIN}
	put(st, first, reuse, open, got)
	put(st, s.x, s.found("waste-rejected", "Body sent and refused", analysis.Notice, "350,000 bytes were sent and refused with 400."))

	s.wait(4*time.Second).connect("[2001:db8::1]:40000", "[2001:db8::2]:443").request("PUT", hostileTarget, 20_000, expect, "User-Agent: =HYPERLINK(\"http://evil\")\x1b[2J")
	s.wait(400*time.Millisecond).answer(417, "Expectation\x1b[31m Failed", nginx).body(12_000, 100*time.Millisecond)
	s.x.Amend().Retry.Outcome = analysis.RetryNone
	s.x.Doubts = []analysis.Doubt{{Kind: analysis.DoubtGap, Part: analysis.PartReqBody, At: s.mark()}}
	gone := s.found("417-no-retry", "No retry after 417", analysis.Warning, "Nothing followed the 417 for 10 s: "+hostileTarget)
	gone.Confidence, gone.Fault = analysis.Likely, []analysis.Fault{analysis.FaultClient}
	put(st, s.x, gone)

	for i := range 6 {
		wait := []time.Duration{350, 1000, 1001, 1002, 3000, 5000}[i] * time.Millisecond
		s.wait(10*time.Millisecond).connect(fmt.Sprintf("10.0.0.7:%d", 42000+i), "10.0.0.2:80").request("PUT", fmt.Sprintf("/slow/%d", i), 9000, expect, curl)
		s.wait(wait).body(9000, 2*time.Millisecond).wait(8*time.Millisecond).answer(201, "Created", nginx)
		f := s.found("expect-timeout", "Client gave up waiting", analysis.Notice, fmt.Sprintf("The client waited %v for a 100 that never came.", wait))
		f.Lost = wait
		put(st, s.x, f)
	}
	s.wait(time.Second).connect("10.0.0.9:1234", "10.0.0.2:80").request("POST", "/poll", 10, expect, curl)
	s.x.Ended, s.x.LastActivity, s.x.At = analysis.EndedCapture, s.x.Request.Last, s.at+14*ms*1000
	put(st, s.x)
	s.connect("10.0.0.9:1235", "10.0.0.2:80").request("GET", "/plain", -1, curl).wait(time.Millisecond).answer(200, "OK", nginx)
	put(st, s.x)
	st.Progress(1_000_000, 1_000_000)
	st.Close(&analysis.Summary{
		Packets: s.frame, Bytes: 2_345_678, Connections: 12, Exchanges: 13, Finals: 12, Interims: 1, Open: 1, Expect: 10, Refused417: 2, Retried: 1, NotRetried: 1,
		BodySent: 1_916_000, WastedBytes: 362_000, Waited: 11_353 * ms,
		Capture: analysis.CaptureHealth{First: epoch, Last: s.at, Doubts: 1, BadChecksums: 5, Inputs: []capture.Input{{Name: "upload.pcap", Packets: s.frame}}},
	}, false, nil)
	return st
}

// many is a store of n exchanges with a finding on every second one.
func many(n int) *store.Store {
	st := store.New()
	s := &script{at: epoch}
	for i := range n {
		if i%8 == 0 {
			s.connect(fmt.Sprintf("10.%d.%d.%d:%d", i>>20&255, i>>12&255, i>>4&255, 1024+i%60000), fmt.Sprintf("10.0.0.%d:80", i%7))
		}
		s.wait(time.Millisecond).request("PUT", fmt.Sprintf("/upload/bucket-%d/object-%d", i%100, i), 100_000, expect, curl, "Accept: */*", "Content-Type: application/octet-stream")
		date := "Date: " + time.Unix(0, s.at).UTC().Format(time.RFC1123)
		if i%2 == 0 {
			s.answer(100, "Continue").body(100_000, time.Millisecond).answer(201, "Created", nginx, date)
			put(st, s.x)
			continue
		}
		s.body(int64(i%100_000), time.Millisecond).answer(417, "Expectation Failed", nginx, date)
		put(st, s.x, s.found([]string{"417-no-retry", "417-late", "waste-rejected"}[i/2%3], "Title", analysis.Severity(i/2%4), fmt.Sprintf("%d bytes were refused with 417 after 1 ms.", i%100_000)))
	}
	st.Close(&analysis.Summary{Exchanges: uint64(n)}, false, nil)
	return st
}
