package retry

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

// A script is a written history that is played to a matcher as the engine would, one step a line:
//
//	@A 10.0.0.1:4000 10.0.0.9:80 [tap]        declares connection A; else the client is 10.0.0.1 and the server 10.0.0.9:80
//	r A 5 PUT /up 100 Expect | Host: a        r is a request on A at 5 ms with 100 content bytes ("-": chunked, "0": none)
//	r 417 20                                  its final response at 20 ms; 417 of a request with Expect is a refusal
//	r answered 40                             the content of that response ends at 40 ms
//	r closed 40                               it ended at 40 ms, its body whole, without an answer
//	r body 1 2 3                              its prefix hashes
//	r closed | r revoked | r forgotten
//	blind CLIENT SERVER FROM TO why           addresses or "any", times in ms
//	settle 60000 [end]                        settles every refused exchange that was not forgotten, oldest first
//
// Words after the length: Expect adds the field, unaware sends the head without
// an acknowledgement of what the server sent, noack without any.
type script struct {
	t     *testing.T
	m     *Matcher
	l     *Linker
	conns map[string]*conn
	xs    map[string]*analysis.Exchange
	names []string
	gone  map[string]bool
}

type conn struct {
	*reassembly.Conn
	stream     uint32
	sent, rcvd uint64
}

const ms = int64(1e6)

func play(t *testing.T, m *Matcher, text string) *script {
	t.Helper()
	s := &script{t: t, m: m, l: NewLinker(Options{}), conns: map[string]*conn{}, xs: map[string]*analysis.Exchange{}, gone: map[string]bool{}}
	for line := range strings.Lines(text) {
		line, _, _ = strings.Cut(line, "#")
		if strings.TrimSpace(line) != "" {
			s.step(line)
		}
	}
	return s
}

func (s *script) step(line string) {
	s.t.Helper()
	head, fields, _ := strings.Cut(line, "|")
	w := strings.Fields(head)
	switch {
	case strings.HasPrefix(w[0], "@"):
		s.declare(w)
		return
	case w[0] == "blind":
		s.m.Blind(addr(w[1]), addr(w[2]), s.time(w[3]), s.time(w[4]), strings.Join(w[5:], " "))
		return
	case w[0] == "settle":
		for _, n := range s.names {
			if x := s.xs[n]; !s.gone[n] && x.Final != nil && x.Final.Status == 417 && x.Retry().Outcome != analysis.RetryUnknown {
				s.m.Settle(x, s.time(w[1]), len(w) > 2)
			}
		}
		return
	}
	x := s.xs[w[0]]
	switch {
	case x == nil && len(w) > 5:
		s.request(w, strings.Split(fields, "|"))
	case x == nil:
		s.t.Fatalf("no such exchange: %s", line)
	case w[1] == "closed":
		x.State = analysis.Closed
		if len(w) > 2 { // without an answer
			x.Ended, x.ReqBody.Complete, x.LastActivity.Time = analysis.EndedRST, true, s.time(w[2])
		}
		s.m.Closed(x)
		s.l.Closed(x)
	case w[1] == "revoked":
		s.gone[w[0]] = true
		s.m.Revoked(x)
		s.l.Revoked(x)
	case w[1] == "forgotten":
		s.gone[w[0]] = true
		s.m.Forget(x)
		s.l.Forget(x)
	case w[1] == "body":
		for i, h := range w[2:] {
			x.ReqBody.Prefix[i] = uint32(s.number(h))
		}
	case w[1] == "answered":
		x.RespBody.Sent = 1
		x.RespBody.Last.Time = s.time(w[2])
		x.LastActivity.Time = s.time(w[2])
	default:
		s.respond(x, s.conns[x.Request.Reason], int(s.number(w[1])), s.time(w[2]), strings.Split(fields, "|"))
	}
}

func (s *script) declare(w []string) {
	c := s.conn(w[0][1:])
	c.Client, c.Server = netip.MustParseAddrPort(w[1]), netip.MustParseAddrPort(w[2])
	if len(w) > 3 {
		c.Tap = uint16(s.number(w[3]))
	}
}

func (s *script) conn(name string) *conn {
	c := s.conns[name]
	if c == nil {
		n := len(s.conns) + 1
		c = &conn{Conn: &reassembly.Conn{
			First:  capture.MakeNum(1, uint64(n)),
			Client: netip.AddrPortFrom(addr("10.0.0.1"), uint16(4000+n)), Server: netip.MustParseAddrPort("10.0.0.9:80"),
		}}
		s.conns[name] = c
	}
	return c
}

func (s *script) request(w, fields []string) {
	c := s.conn(w[1])
	c.stream++
	c.sent += 100
	at := reassembly.Mark{Time: s.time(w[2]), Packet: capture.Num(len(s.xs) + 1), Off: c.sent, Acked: c.rcvd}
	x := &analysis.Exchange{ID: w[0], Conn: c.Conn, Stream: c.stream, LastActivity: at}
	x.Request = analysis.Message{Method: w[3], Target: w[4], Version: "HTTP/1.1", Reason: w[1]} // Reason: for respond
	switch w[5] {
	case "0":
	case "-":
		x.ReqBody.Framing, x.ReqBody.Declared = analysis.FramingChunked, -1
	default:
		x.ReqBody.Framing, x.ReqBody.Declared = analysis.FramingLength, s.number(w[5])
	}
	for _, word := range w[6:] {
		switch word {
		case "Expect":
			fields = append(fields, "Expect: 100-continue")
		case "unaware":
			at.Acked = 0
		case "noack":
			at.Acked = reassembly.NoAck
		default:
			s.t.Fatalf("word: %q", word)
		}
	}
	x.Request.First, x.Request.Last = at, at
	x.Request.Fields = parse(fields)
	s.xs[w[0]], s.names = x, append(s.names, w[0])
	if s.m.Wants(c.Client.Addr()) {
		ask(s.t, s.m, x)
	}
	s.l.Request(x)
}

// parse reads field lines; what has no colon is none.
func parse(lines []string) (fs []analysis.Field) {
	for _, f := range lines {
		if name, value, ok := strings.Cut(f, ": "); ok {
			fs = append(fs, analysis.Field{Name: strings.TrimSpace(name), Value: strings.TrimSpace(value)})
		}
	}
	return fs
}

func (s *script) respond(x *analysis.Exchange, c *conn, status int, at int64, fields []string) {
	c.rcvd += 50
	mark := reassembly.Mark{Time: at, Packet: 1000, Off: c.rcvd, Acked: c.sent}
	x.Final = &analysis.Message{Status: status, Version: "HTTP/1.1", First: mark, Last: mark}
	x.Final.Fields = parse(fields)
	x.LastActivity = mark
	if status >= 300 {
		defer s.l.Rejected(x)
	}
	if _, ok := x.Request.Get("Expect"); ok && status == 417 {
		s.m.Refused(x)
	}
}

// fate is one line about each refused exchange that was not taken back.
func (s *script) fate() string {
	var b strings.Builder
	for _, n := range s.names {
		x := s.xs[n]
		r := x.Retry()
		if r.Outcome == analysis.RetryNotAsked {
			continue
		}
		fmt.Fprintf(&b, "%s %s", n, r.Outcome)
		if r.By != "" {
			fmt.Fprintf(&b, " by %s %s +%d", r.By, tierName[r.Tier], s.xs[r.By].RetryDelay/ms)
			if of := s.xs[r.By].RetryOf; of != n {
				s.t.Errorf("%s is repeated by %s, which says it repeats %q", n, r.By, of)
			}
		}
		if r.Near != "" {
			fmt.Fprintf(&b, " near %s %s", r.Near, r.Differs)
		}
		fmt.Fprintf(&b, " %s", r.Confidence)
		if r.Blind {
			b.WriteString(" blind")
		}
		if r.Why != "" {
			fmt.Fprintf(&b, ": %s", r.Why)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

var tierName = [...]string{"none", "conn", "key", "credential", "agent", "address"}

func addr(s string) netip.Addr {
	if s == "any" {
		return netip.Addr{}
	}
	return netip.MustParseAddr(s)
}

func (s *script) number(w string) int64 {
	s.t.Helper()
	n, err := strconv.ParseInt(w, 10, 64)
	if err != nil {
		s.t.Fatal(err)
	}
	return n
}

// time is in milliseconds after a moment of 2024.
func (s *script) time(w string) int64 { s.t.Helper(); return epoch + s.number(w)*ms }

const epoch = int64(1_700_000_000_000_000_000)
