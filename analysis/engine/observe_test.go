package engine

import (
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expectscope/analysis"
	"expectscope/capture/script"
	"expectscope/reassembly"
)

// An onlooker notes what it is shown.
type onlooker struct{ saw []string }

func (o *onlooker) note(format string, args ...any) {
	o.saw = append(o.saw, fmt.Sprintf(format, args...))
}

func (o *onlooker) Data(c *reassembly.Chunk) {
	o.note("data %d %d..%d %q", c.Dir, c.Base+uint32(c.Mark.Off)-uint32(len(c.Data)), c.Mark.Off, firstWord(c.Data))
}
func (o *onlooker) Gap(g *reassembly.Gap)       { o.note("gap %d %d", g.Dir, g.Len) }
func (o *onlooker) Resent(r *reassembly.Resent) { o.note("resent %d %d", r.Dir, r.Len) }
func (o *onlooker) End(e *reassembly.End)       { o.note("end %d %s", e.Dir, e.How) }
func (o *onlooker) Opaque(kind string)          { o.note("opaque %s", kind) }

func (o *onlooker) Request(stream uint32, h *analysis.Head) {
	o.note("request %d %s", stream, h.Method)
}

func (o *onlooker) Interim(stream uint32, h *analysis.Head) {
	o.note("interim %d %d", stream, h.Status)
}

func (o *onlooker) Response(stream uint32, h *analysis.Head) {
	o.note("response %d %d", stream, h.Status)
}

func (o *onlooker) Orphan(after uint32, h *analysis.Head) { o.note("orphan %d %d", after, h.Status) }

func (o *onlooker) Body(stream uint32, d reassembly.Dir, _ []byte, n uint64, _ reassembly.Mark, _ uint64, _ bool) {
	o.note("body %d %d %d", stream, d, n)
}

func (o *onlooker) Frame(stream uint32, d reassembly.Dir, flow, _ uint64) {
	o.note("frame %d %d %d", stream, d, flow)
}

func (o *onlooker) Reset(stream uint32, r analysis.StreamReset) { o.note("reset %d %s", stream, r) }

func (o *onlooker) Lost(stream uint32, _ reassembly.Dir, n uint64, _ *reassembly.Gap) {
	o.note("lost %d %d", stream, n)
}

func (o *onlooker) Owed(stream uint32, next uint32, _ analysis.Owed) {
	o.note("owed %d %d", stream, next)
}

func (o *onlooker) Done(stream uint32, d reassembly.Dir, how analysis.Ended, _ reassembly.Mark) {
	o.note("done %d %d %s", stream, d, how)
}

func (o *onlooker) Doubt(stream uint32, k analysis.DoubtKind, _ analysis.Part, _ reassembly.Mark) {
	o.note("doubt %d %s", stream, k)
}

func firstWord(b []byte) string { return string(b[:min(4, len(b))]) }

// Who looks on sees the chunks before what is made of them, and changes nothing.
func TestObserve(t *testing.T) {
	const text = `@conn 10.0.0.1:40000 10.0.0.2:80 isn=1000,2000
> PUT /up HTTP/1.1 | Host: h | Content-Length: 5 | Expect: 100-continue
< HTTP/1.1 100 Continue
> body 5 [dup 1ms]
< HTTP/1.1 200 OK | Content-Length: 0
< HTTP/1.1 408 Request Timeout | Content-Length: 0
> "PRI * HTTP/2.0"
> fin
< fin
@conn 10.0.0.1:40001 10.0.0.2:81
> "SSH-2.0-x\r\n"
`
	alone, sum := play(t, text, script.Options{})
	var first, second onlooker
	conns := 0
	watched := &log{}
	e := New(Options{All: true, Crash: true, Observe: func(c *reassembly.Conn) analysis.Observer {
		conns++
		if c.Server.Port() == 80 {
			return &first
		}
		return &second
	}}, watched)
	src := parsed(t, text).Source(script.Options{})
	if err := e.Read(src, func() bool { return true }); err != nil {
		t.Fatal(err)
	}
	sum2 := e.Close(src)
	if diff := cmp.Diff(alone.all(), watched.all()); diff != "" || sum.Exchanges != sum2.Exchanges {
		t.Errorf("what is said (-alone +watched):\n%s", diff)
	}
	want := []string{
		`data 0 1001..70 "PUT "`, "request 1 PUT",
		`data 1 2001..25 "HTTP"`, "interim 1 100",
		`data 0 1071..75 "abcd"`, "body 1 0 5", "done 1 0 complete",
	}
	if got := first.saw[:min(len(want), len(first.saw))]; !slices.Equal(got, want) {
		t.Errorf("it begins\n%q, want\n%q", got, want)
	}
	for _, w := range []string{"resent 0 5", "response 1 200", "orphan 1 408", "end 0 fin"} {
		if !slices.Contains(first.saw, w) {
			t.Errorf("%q is not in %q", w, first.saw)
		}
	}
	if !slices.Contains(second.saw, "opaque ssh") || conns != 2 {
		t.Errorf("%d connections, the second: %q", conns, second.saw)
	}
}
