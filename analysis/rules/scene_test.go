package rules

import (
	"fmt"
	"net/netip"
	"testing"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

// A scene is an exchange told by hand: what a capture would have to show for one rule to speak or to be silent. Times are
// milliseconds since the request head, offsets count each direction from 0.
type scene struct {
	analysis.Case
	packet         capture.Num
	client, server uint64 // how much each direction has carried
	acksGone       bool
}

const (
	t0      = int64(1_700_000_000_000_000_000)
	headLen = 200
)

// asks begins a scene with a request head: its method and version as "PUT HTTP/1.1", n announced content bytes
// (-1: chunked), and field lines "Name: value".
func asks(method string, n int64, fields ...string) *scene {
	s := &scene{packet: 3, client: headLen}
	s.Exchange = &analysis.Exchange{ID: "1/1", State: analysis.Settled, Conn: &reassembly.Conn{
		First: 1, Client: netip.MustParseAddrPort("10.0.0.1:40000"), Server: netip.MustParseAddrPort("10.0.0.2:80"),
		SYN: t0 - 3e6, SYNACK: t0 - 2e6, ACK: t0 - 1e6, Seen: [2]bool{true, true},
	}}
	s.HeadHeard = t0 + 1
	s.Ends = new([2]reassembly.End)
	s.Chain = []*analysis.Exchange{s.Exchange}
	_, _ = fmt.Sscanf(method, "%s %s", &s.Request.Method, &s.Request.Version)
	s.Request.Target = "/up"
	for _, f := range fields {
		s.Request.Fields = append(s.Request.Fields, analysis.ParseFields("x\r\n"+f+"\r\n")...)
	}
	s.Request.Head = string(make([]byte, headLen))
	s.Request.First = s.mark(0, 1, 0)
	s.Request.Last = s.Request.First
	s.Request.Last.Off = headLen
	s.ReqBody.Declared, s.ReqBody.Framing = n, analysis.FramingLength
	switch {
	case n == 0:
		s.ReqBody.Framing, s.ReqBody.Complete = analysis.FramingNone, true
	case n < 0:
		s.ReqBody.Framing = analysis.FramingChunked
	}
	s.At = t0 + 60e9
	return s
}

// upload is the common beginning: a PUT that expects a 100.
func upload(n int64, fields ...string) *scene {
	return asks("PUT HTTP/1.1", n, append([]string{"Host: a", "Expect: 100-continue"}, fields...)...)
}

func (s *scene) mark(ms float64, off, acked uint64) reassembly.Mark {
	s.packet++
	if s.acksGone {
		acked = reassembly.NoAck
	}
	return reassembly.Mark{Time: t0 + int64(ms*1e6), Packet: s.packet, Off: off, Acked: acked}
}

// blindAcks makes every later segment acknowledge nothing that compares.
func (s *scene) blindAcks() *scene {
	s.acksGone = true
	return s
}

// body sends n content bytes; the client has received the first acked bytes of the server.
func (s *scene) body(ms float64, n int64, acked uint64) *scene {
	m := s.mark(ms, s.client+uint64(n), acked)
	if s.ReqBody.Sent == 0 {
		s.ReqBody.First = m
		s.ReqBody.First.Off = s.client + 1
	}
	s.client += uint64(n)
	s.ReqBody.Last = m
	s.ReqBody.Sent += n
	switch {
	case s.Final != nil && acked >= s.Final.Last.Off && !s.acksGone:
		s.ReqBody.Tail += n
	case s.Final != nil:
		s.ReqBody.Crossing += n
	}
	s.ReqBody.Complete = s.ReqBody.Sent == s.ReqBody.Declared
	return s
}

// says is a response head of 50 bytes; the server has received the first acked bytes of the client.
func (s *scene) says(ms float64, status int, acked uint64, fields ...string) *scene {
	m := analysis.Message{Status: status, Version: "HTTP/1.1", Head: "HTTP/1.1 X\r\n", First: s.mark(ms, s.server+1, acked)}
	m.Last = m.First
	m.Last.Off = s.server + 50
	s.server += 50
	for _, f := range fields {
		m.Head += f + "\r\n"
		m.Close = m.Close || f == "Connection: close"
	}
	m.Fields = analysis.ParseFields(m.Head)
	switch {
	case s.Final != nil:
		s.Amend().Orphans = append(s.Sequel().Orphans, m)
	case status < 200 && status != 101:
		s.Interim = append(s.Interim, m)
	default:
		s.Final = &m
		got := int64(max(acked, headLen) - headLen)
		s.ReqBody.Read = min(got, s.ReqBody.Sent)
		s.ReqBody.Crossing = s.ReqBody.Sent - s.ReqBody.Read
	}
	return s
}

// ends is the end of a direction by its own sender.
func (s *scene) ends(ms float64, d reassembly.Dir, how reassembly.Ending) *scene {
	off, acked := s.client, s.server
	if d == reassembly.Reverse {
		off, acked = acked, off
	}
	s.Ends[d] = reassembly.End{Dir: d, At: s.mark(ms, off, acked), How: how, Sender: how == reassembly.RST}
	s.Ended = analysis.EndedFIN
	return s
}

// next is the head of the client's next request.
func (s *scene) next(ms float64) *scene {
	s.NextFirst = s.mark(ms, s.client+1, s.server)
	s.NextHead = s.NextFirst
	s.NextHead.Off += headLen - 1
	return s
}

// but changes a detail.
func (s *scene) but(f func(*analysis.Exchange)) *scene {
	f(s.Exchange)
	return s
}

// lacks is a doubt.
func (s *scene) lacks(k analysis.DoubtKind, p analysis.Part) *scene {
	s.AddDoubt(k, p, reassembly.Mark{})
	return s
}

// verdict is what one rule says of a scene through Judge: "severity confidence: sentence", "" when it is silent.
func (s *scene) verdict(id string) string {
	for _, f := range Judge(&s.Case) {
		if f.Rule == id {
			return fmt.Sprintf("%s %s: %s", f.Severity, f.Confidence, f.Summary)
		}
	}
	return ""
}

// A row is a scene and what one rule must say of it.
type row struct {
	name string
	s    *scene
	want string
}

// try holds a rule to its rows.
func try(t *testing.T, id string, rows ...row) {
	t.Helper()
	for _, r := range rows {
		if got := r.s.verdict(id); got != r.want {
			t.Errorf("%s, %s:\n got %q\nwant %q", id, r.name, got, r.want)
		}
	}
}
