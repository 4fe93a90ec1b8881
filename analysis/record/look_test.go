package record

import (
	"bytes"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// looker keeps the exchanges that closed.
type looker struct {
	journal
	all []*analysis.Exchange
}

func (l *looker) Closed(x *analysis.Exchange) { l.all = append(l.all, x) }

// bytes tells content, in pieces of so many bytes.
func (p *player) bytes(s uint32, d reassembly.Dir, text string, piece int) {
	for len(text) > 0 {
		n := min(piece, len(text))
		p.off[d] += uint64(n)
		p.r.Body(s, d, []byte(text[:n]), uint64(n), p.mark(d, allAcked), p.acked[d.Other()], false)
		text = text[n:]
	}
}

const (
	expecting = "> request PUT /a HTTP/1.1 | Host: a | Content-Length: 100 | Expect: 100-continue"
	silentPUT = "> request PUT /a HTTP/1.1 | Host: a | Content-Length: 100"
	refusal   = "< final 1 HTTP/1.1 403 Forbidden | Content-Length: 0"
)

// looked is the exchange of a request whose content is told in pieces, what is missing in front of them, and a refusal.
func looked(t *testing.T, request, front, content string, piece int) *analysis.Exchange {
	t.Helper()
	l := &looker{}
	p := newPlayer(t, l, &Pool{}, false)
	p.line(request)
	if front != "" {
		p.line(front)
	}
	p.bytes(1, reassembly.Forward, content, piece)
	p.line(refusal)
	p.line("< done 1 complete")
	p.line("> done 1 fin")
	if len(l.all) != 1 {
		t.Fatalf("%d exchanges", len(l.all))
	}
	return l.all[0]
}

func TestInner(t *testing.T) {
	const get = "GET /x HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, c := range []struct{ name, request, front, content, want string }{
		{"a request", expecting, "", get, "GET"},
		{"not to its first field", expecting, "", "GET /x HTTP/1.1\r\nHos", ""},
		{"text", expecting, "", "GET up, stand up\r\n", ""},
		{"a target beyond what is looked at", expecting, "", "GET /" + strings.Repeat("x", analysis.LookAt) + " HTTP/1.1\r\nHost: a\r\n", ""},
		{"a piece lost in front", expecting, "> lost 1 10", get, ""},
		{"a piece cut off in front", expecting, "> snap 1 10", get, ""},
		{"nobody looked when it began", silentPUT, "", get, ""},
	} {
		for _, piece := range []int{len(c.content), 1, 7} {
			if got := looked(t, c.request, c.front, c.content, piece).ReqBody.Inner; got != c.want {
				t.Errorf("%s, by %d: %q, want %q", c.name, piece, got, c.want)
			}
		}
	}
}

// The head that was taken for a request and is taken back is what the content begins with.
func TestInnerTakenBack(t *testing.T) {
	l := &looker{}
	p := newPlayer(t, l, &Pool{}, false)
	for _, line := range []string{
		expecting, refusal, "< done 1 complete", "> owed 1 2 next unknown", "> request GET /in HTTP/1.1 | Host: a", "> owed 1 2 body body", "> done 1 complete",
	} {
		p.line(line)
	}
	if len(l.all) != 1 || l.all[0].ReqBody.Inner != "GET" {
		t.Errorf("%d exchanges: %+v", len(l.all), l.all)
	}
}

func TestEcho(t *testing.T) {
	const value = "<script>x</script>"
	answer := func(expect, final, content string, piece int) reassembly.Mark {
		l := &looker{}
		p := newPlayer(t, l, &Pool{}, false)
		p.line("> request GET / HTTP/1.1 | Expect: " + expect)
		p.line("> done 1 complete")
		p.line("< final 1 " + final + " | Content-Length: 100")
		if content == "" {
			p.line("< snap 1 100")
		}
		p.bytes(1, reassembly.Reverse, content+value, piece)
		p.line("< done 1 complete")
		return l.all[0].Sequel().Echo
	}
	const refused, failed = "HTTP/1.1 417 Expectation Failed", "HTTP/1.1 500 Internal Server Error"
	far := string(bytes.Repeat([]byte("="), analysis.LookAt-len(value)+1))
	for _, c := range []struct {
		name, expect, final, content string
		want                         bool
	}{
		{"repeated", value, refused, "The page says ", true},
		{"as far as is looked", value, refused, far[1:], true},
		{"farther", value, refused, far, false},
		{"behind content that is not at hand", value, refused, "", false},
		{"another value", "<b>", refused, "The page says ", false},
		{"no markup", "100-continue", refused, "The page says ", false},
		{"another status", value, failed, "The page says ", false},
	} {
		for _, piece := range []int{len(c.content) + len(value), 1, 7} {
			if got := answer(c.expect, c.final, c.content, piece); (got.Packet != 0) != c.want {
				t.Errorf("%s, by %d: %v", c.name, piece, got)
			}
		}
	}
}

// Where a message ends, and when the next request was answered.
func TestEndAndNextFinal(t *testing.T) {
	l := &looker{}
	p := newPlayer(t, l, &Pool{}, false)
	for _, line := range []string{
		"> request PUT /a HTTP/1.1 | Transfer-Encoding: chunked | Expect: 100-continue", "> chunk 1 10", "> framing 5", "> done 1 complete",
		"< final 1 HTTP/1.1 201 Created | Content-Length: 3", "< body 1 3", "< done 1 complete",
	} {
		p.line(line)
	}
	x := l.all[0]
	if x.ReqBody.End.Off != x.ReqBody.Last.Off+7 || x.RespBody.End.Off != x.RespBody.Last.Off || x.RespBody.End.Packet == 0 {
		t.Errorf("the request ends at %+v, the response at %+v", x.ReqBody.End, x.RespBody.End)
	}
	p.line("> request GET /b HTTP/1.1")
	p.line("> done 2 complete")
	if x.NextFinal.Packet != 0 {
		t.Errorf("answered at %+v before it was", x.NextFinal)
	}
	p.line("< final 2 HTTP/1.1 200 OK | Content-Length: 0")
	if x.NextFinal.Packet != p.num {
		t.Errorf("the next request was answered at %+v, want packet %d", x.NextFinal, p.num)
	}
}

// A request whose fields give no single length is kept without Expect.
func TestOddIsKept(t *testing.T) {
	for _, odd := range []bool{true, false} {
		l := &looker{}
		p := newPlayer(t, l, &Pool{}, false)
		h := p.head(reassembly.Forward, "POST / HTTP/1.1 | Content-Length: 5 | Transfer-Encoding: chunked", allAcked)
		h.Odd = odd
		p.r.Request(1, h)
		p.line("> done 1 complete")
		p.line("< final 1 HTTP/1.1 200 OK | Content-Length: 0")
		p.line("< done 1 complete")
		if got := len(l.all) == 1; got != odd {
			t.Errorf("odd %v, kept %v", odd, got)
		}
	}
}
