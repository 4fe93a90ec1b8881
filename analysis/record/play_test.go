package record

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

// A player tells a recorder the events of one connection and keeps what a protocol machine would know: how far each
// direction has come, and what its sender had received.
//
//	+1s                                     at the beginning of any line: time passes; 1ms if absent
//	> request PUT /up HTTP/1.1 | Host: a    the next stream opens; its framing is that of its fields
//	< interim 1 HTTP/1.1 100 Continue       < final 1 …    < orphan 1 …
//	> body 1 5000                           content
//	> chunk 1 4096                          content inside the chunked coding; > framing 5: bytes of the coding alone
//	> snap 1 100    > lost 1 100 [unacked]  content that is not at hand
//	> resent 100 20 [conflict]              20 bytes again, 100 bytes before the end of the direction
//	> done 1 complete                       or fin, rst, idle, capture-end, upgraded, tunnel, unfinished
//	> owed 1 2 next unknown                 what client and server took stream 2 for, in the body of stream 1
//	> doubt 1 gap
//	[ack 50]  [noack]                       at the end: what the line acknowledges, all that was sent if absent
type player struct {
	t     testing.TB
	r     *Recorder
	off   [2]uint64
	acked [2]uint64
	num   capture.Num
	now   int64
	next  uint32
}

func newConn() *reassembly.Conn {
	return &reassembly.Conn{
		First: capture.MakeNum(1, 7), Seen: [2]bool{true, true},
		Client: netip.MustParseAddrPort("10.0.0.1:40000"), Server: netip.MustParseAddrPort("10.0.0.2:80"),
	}
}

func newPlayer(t testing.TB, s Sink, p *Pool, all bool) *player {
	return &player{t: t, r: New(s, p, newConn(), reassembly.Forward, "", all), now: 1e9, next: 1}
}

const allAcked = ^uint64(0) - 1

// mark is where direction d stands; it acknowledges so much of the other one.
func (p *player) mark(d reassembly.Dir, acked uint64) reassembly.Mark {
	p.num++
	p.now += 1e6
	switch acked {
	case allAcked:
		p.acked[d] = max(p.acked[d], p.off[d.Other()])
		acked = p.acked[d]
	case reassembly.NoAck:
	default:
		p.acked[d] = max(p.acked[d], acked)
	}
	return reassembly.Mark{Time: p.now, Packet: p.num, Off: p.off[d], Acked: acked}
}

// head makes a head of a line, sent by d.
func (p *player) head(d reassembly.Dir, line string, acked uint64) *analysis.Head {
	h := &analysis.Head{Text: []byte(strings.ReplaceAll(line, " | ", "\r\n") + "\r\n\r\n")}
	p.off[d]++
	h.First = p.mark(d, acked)
	p.off[d] += uint64(len(h.Text) - 1)
	h.Last = h.First
	h.Last.Off = p.off[d]
	first := analysis.FirstLine(string(h.Text))
	if d == p.r.client {
		m, u, v := analysis.SplitRequestLine(first)
		h.Method, h.Target, h.Version = []byte(m), []byte(u), []byte(v)
	} else {
		v, r := analysis.SplitStatusLine(first)
		h.Version, h.Reason = []byte(v), []byte(r)
		_, _ = fmt.Sscanf(first[len(v):], "%d", &h.Status)
	}
	m := analysis.Message{Fields: analysis.ParseFields(string(h.Text))}
	_, h.Expect = m.Get("Expect")
	c, _ := m.Get("Connection")
	h.Close = c == "close"
	if _, ok := m.Get("Transfer-Encoding"); ok {
		h.Framing, h.Length = analysis.FramingChunked, -1
	} else if n, ok := m.Get("Content-Length"); ok {
		h.Framing = analysis.FramingLength
		h.Length, _ = strconv.ParseInt(n, 10, 64)
	}
	return h
}

// content is the n bytes of a fixed stream from index from on.
func content(from, n uint64) []byte {
	b := make([]byte, n)
	for i := range b {
		v := from + uint64(i)
		b[i] = byte(v>>8*7 ^ v*31)
	}
	return b
}

// body tells n content bytes that follow on what was sent of the stream.
func (p *player) body(s uint32, d reassembly.Dir, n, acked uint64) {
	from := uint64(0)
	if e := p.r.find(s); e != nil && d == p.r.client {
		from = uint64(e.x.ReqBody.Sent)
	}
	p.off[d] += n
	p.r.Body(s, d, content(from, n), n, p.mark(d, acked), p.acked[d.Other()], false)
}

func (p *player) lost(s uint32, d reassembly.Dir, n uint64, arrived bool) {
	p.off[d] += n
	p.r.Lost(s, d, n, &reassembly.Gap{Dir: d, At: p.mark(d, allAcked), Len: n, Acked: arrived})
}

var endings = map[string]analysis.Ended{
	"unfinished": analysis.EndedNot, "complete": analysis.EndedComplete, "fin": analysis.EndedFIN, "rst": analysis.EndedRST,
	"idle": analysis.EndedIdle, "capture-end": analysis.EndedCapture, "upgraded": analysis.EndedUpgraded, "tunnel": analysis.EndedTunnel,
}

var readings = map[string]analysis.Reading{"unknown": analysis.ReadUnknown, "body": analysis.ReadAsBody, "next": analysis.ReadAsNext}

// line plays one line.
func (p *player) line(line string) {
	p.t.Helper()
	acked := allAcked
	if before, mod, ok := strings.Cut(line, " ["); ok {
		line, mod = before, strings.TrimSuffix(mod, "]")
		switch {
		case mod == "noack":
			acked = reassembly.NoAck
		case strings.HasPrefix(mod, "ack "):
			acked = number(p.t, mod[4:])
		default:
			line += " " + mod
		}
	}
	if strings.HasPrefix(line, "+") {
		step, rest, _ := strings.Cut(line, " ")
		d, err := time.ParseDuration(step[1:])
		if err != nil {
			p.t.Fatalf("%s: %v", line, err)
		}
		p.now, line = p.now+int64(d)-1e6, rest
	}
	w := strings.Fields(line)
	d := reassembly.Forward
	if w[0] == "<" {
		d = reassembly.Reverse
	}
	rest := func(n int) string { return strings.Join(w[n:], " ") }
	if w[1] == "request" {
		h := p.head(d, rest(2), acked)
		p.r.Request(p.next, h)
		p.next++
		return
	}
	n := number(p.t, w[2])
	p.event(w[1], d, uint32(n), n, w, rest, acked)
}

// event plays the event of a line whose first number is n, most often a stream.
func (p *player) event(word string, d reassembly.Dir, s uint32, n uint64, w []string, rest func(int) string, acked uint64) {
	p.t.Helper()
	switch word {
	case "interim":
		p.r.Interim(s, p.head(d, rest(3), acked))
	case "final":
		p.r.Response(s, p.head(d, rest(3), acked))
	case "orphan":
		p.r.Orphan(s, p.head(d, rest(3), acked))
	case "body":
		p.body(s, d, number(p.t, w[3]), acked)
	case "chunk":
		size := number(p.t, w[3])
		p.off[d] += uint64(len(fmt.Sprintf("%x\r\n", size)))
		p.body(s, d, size, acked)
		p.off[d] += 2
	case "framing":
		p.off[d] += n
	case "snap":
		size := number(p.t, w[3])
		p.off[d] += size
		p.r.Body(s, d, nil, size, p.mark(d, acked), 0, true)
	case "lost":
		p.lost(s, d, number(p.t, w[3]), len(w) == 4)
	case "resent":
		m := p.mark(d, acked)
		m.Off -= n
		size := number(p.t, w[3])
		m.Off += size
		p.r.Resent(&reassembly.Resent{Dir: d, At: m, Len: size, Conflict: len(w) == 5})
	case "done":
		how, ok := endings[w[3]]
		if !ok {
			p.t.Fatalf("no ending: %s", w[3])
		}
		p.r.Done(s, d, how, p.mark(d, acked))
	case "owed":
		p.r.Owed(s, uint32(number(p.t, w[3])), analysis.Owed{At: p.mark(d, acked), Bytes: 10, Client: readings[w[4]], Server: readings[w[5]]})
	case "doubt":
		for k := analysis.DoubtGap; k <= analysis.DoubtInternal; k++ {
			if k.String() == w[3] {
				p.r.Doubt(s, k, analysis.PartRequest, p.mark(d, acked))
			}
		}
	default:
		p.t.Fatalf("no such event: %s", word)
	}
}

func number(t testing.TB, s string) uint64 {
	t.Helper()
	n, err := strconv.ParseUint(s, 10, 62)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// journal is a sink that writes down what it hears.
type journal struct {
	wants bool
	lines []string
	// rejected are the ids Rejected was called with.
	rejected []string
}

func (j *journal) say(format string, args ...any) {
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) Wants(*analysis.Head) bool     { return j.wants }
func (j *journal) Opened(x *analysis.Exchange)   { j.say("opened %s %s", x.ID, x.Request.Target) }
func (j *journal) Rejected(x *analysis.Exchange) { j.rejected = append(j.rejected, x.ID) }
func (j *journal) Refused(x *analysis.Exchange)  { j.say("refused %s", x.ID) }
func (j *journal) Revoked(x *analysis.Exchange)  { j.say("revoked %s", x.ID) }
func (j *journal) Closed(x *analysis.Exchange) {
	j.say("closed %s", strings.Join(described(x), "\n  "))
}

func (j *journal) Noted(*analysis.Exchange) {}

func (j *journal) Counted(x *analysis.Exchange) {
	j.say("counted stream %d, %d bytes sent", x.Stream, x.ReqBody.Sent)
}
func (j *journal) Orphan(h *analysis.Head) { j.say("orphan %d", h.Status) }

// described is an exchange in words.
func described(x *analysis.Exchange) []string {
	first := fmt.Sprintf("%s: %s", x.ID, x.Ended)
	if ns, ok := x.Wait(); ok {
		first += fmt.Sprintf(", body after %s", time.Duration(ns))
	}
	lines := []string{first, messageLine(&x.Request, x.Request.Method+" "+x.Request.Target)}
	for i := range x.Interim {
		lines = append(lines, messageLine(&x.Interim[i], strconv.Itoa(x.Interim[i].Status)))
	}
	if x.Final != nil {
		lines = append(lines, messageLine(x.Final, strconv.Itoa(x.Final.Status)+" "+x.Final.Reason))
	}
	for _, m := range x.Sequel().Orphans {
		lines = append(lines, messageLine(&m, "orphan "+strconv.Itoa(m.Status)))
	}
	lines = append(lines, "request "+bodyLine(&x.ReqBody, true), "response "+bodyLine(&analysis.RequestBody{Body: x.RespBody}, false))
	if o := x.Owed; o != nil {
		lines = append(lines, fmt.Sprintf("owed: client %s, server %s %s, next %q", o.Client, o.Server, o.ServerSure, o.Next))
	}
	if x.NextHead.Packet != 0 {
		lines = append(lines, fmt.Sprintf("next head at %d-%d", x.NextFirst.Off, x.NextHead.Off))
	}
	if x.HeadResent {
		lines = append(lines, "head resent")
	}
	for _, d := range x.Doubts {
		lines = append(lines, fmt.Sprintf("doubt %s %09b", d.Kind, d.Part))
	}
	return lines
}

func messageLine(m *analysis.Message, what string) string {
	s := fmt.Sprintf("%s %s, %d fields, %d bytes at %d-%d", what, m.Version, len(slices.Collect(m.Lines())), len(m.Head), m.First.Off, m.Last.Off)
	if m.Close {
		s += ", close"
	}
	return s
}

func bodyLine(b *analysis.RequestBody, request bool) string {
	s := fmt.Sprintf("%s %d: sent %d", b.Framing, b.Declared, b.Sent)
	if request {
		s += fmt.Sprintf(" = early %d + invited %d + tail %d = read %d + crossing %d + tail %d", b.Early, b.Invited, b.Tail, b.Read, b.Crossing, b.Tail)
	}
	if b.Lost > 0 {
		s += fmt.Sprintf(", lost %d", b.Lost)
	}
	if b.Resent > 0 {
		s += fmt.Sprintf(", resent %d", b.Resent)
	}
	if b.Sent > 0 {
		s += fmt.Sprintf(", at %d-%d", b.First.Off, b.Last.Off)
	}
	if b.Complete {
		s += ", complete"
	}
	return s
}
