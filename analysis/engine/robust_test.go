package engine

import (
	"fmt"
	"io"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/capture/script"
	"expectscope/reassembly"
)

// bomb is a layer with a fault: it panics at its n-th chunk, once, and passes the others on.
type bomb struct {
	reassembly.Layer
	left *int
}

func (b *bomb) Data(c *reassembly.Chunk) {
	if *b.left--; *b.left == 0 {
		panic("a fault of ours")
	}
	b.Layer.Data(c)
}

// faulty is an engine in which the layer of a client's connection panics at the client's n-th chunk.
func faulty(o Options, l Sink, client string, n int) *Engine {
	e := New(o, l)
	e.asm = reassembly.New(o.Assembler, func(c *reassembly.Conn) reassembly.Layer {
		layer := e.open(c)
		if s, ok := layer.(*session); ok && c.Client.Addr() == netip.MustParseAddr(client) {
			s.layer = &bomb{s.sniffer(c.Start == reassembly.MidStream, 1), &n}
		}
		return layer
	})
	return e
}

// TestPanic: a fault of ours costs the connection it showed in, is listed with its packet, and changes nothing of the others.
func TestPanic(t *testing.T) {
	text := bob + shift(alice, 20*time.Second) + theEnd
	src := parsed(t, text).Source(script.Options{})
	l := &log{}
	e := faulty(Options{All: true}, l, "10.0.0.2", 3)
	if err := e.Read(src, func() bool { return true }); err != nil {
		t.Fatal(err)
	}
	sum := e.Close(src)
	if ps := e.Panics(); len(ps) != 1 || ps[0].Value != "a fault of ours" || ps[0].Packet.Frame() == 0 {
		t.Errorf("panics: %+v", ps)
	}
	if sum.Limits["internal faults"] != 1 {
		t.Errorf("limits: %v", sum.Limits)
	}
	rest := &log{}
	for i := range l.findings {
		if l.findings[i].Client.Addr().String() == "10.0.0.1" {
			rest.findings = append(rest.findings, l.findings[i])
		}
	}
	for _, x := range l.exchanges { // what the lost connection had open ends in doubt
		if x.Conn.Client.Addr().String() == "10.0.0.2" && x.Ended == analysis.EndedIdle && len(x.Doubtful(analysis.PartAll)) == 0 {
			t.Errorf("%s ended without a doubt", x.ID)
		}
	}
	alone, _ := play(t, alice+theEnd, script.Options{})
	if got, want := rest.findingLines(), alone.findingLines(); got != want || want == "" {
		t.Errorf("the other connection:\n%swant:\n%s", got, want)
	}
}

// shift moves the times of a script whose lines start with @NNNms or @Ns.
func shift(text string, by time.Duration) string {
	var b strings.Builder
	for line := range strings.Lines(strings.TrimSpace(text)) {
		at, rest, _ := strings.Cut(strings.TrimSpace(line)[1:], " ")
		d, err := time.ParseDuration(at)
		if err != nil {
			panic(err)
		}
		fmt.Fprintf(&b, "@%s %s\n", d+by, rest)
	}
	return b.String()
}

// With Crash, a fault is one: tests see it.
func TestCrash(t *testing.T) {
	src := parsed(t, bob+theEnd).Source(script.Options{})
	e := faulty(Options{Crash: true}, &log{}, "10.0.0.2", 1)
	defer func() {
		if recover() == nil {
			t.Error("the panic was recovered")
		}
	}()
	_ = e.Read(src, func() bool { return true })
}

const refusedAndGone = `
@conn 10.0.0.1:40000 10.0.0.9:80
> PUT /up HTTP/1.1 | Host: h | Content-Length: 20000 | Expect: 100-continue
+10ms < HTTP/1.1 417 Expectation Failed | Content-Length: 0 | Connection: close
> fin
< fin
`

// feed gives an engine the packets of a conversation and returns the time of the last.
func feed(t *testing.T, e *Engine, text string) int64 {
	t.Helper()
	last := int64(0)
	for _, p := range parsed(t, text).Packets(script.Options{}) {
		e.Packet(&p)
		last = p.Time
	}
	return last
}

// TestTickSettles: time alone settles a 417 that was not repeated, at its horizon and not before; no packet is needed.
func TestTickSettles(t *testing.T) {
	l := &log{}
	e := New(Options{Crash: true}, l)
	last := feed(t, e, refusedAndGone)
	second := int64(time.Second)
	for s := int64(1); s*second < analysis.LinkHorizon-second; s++ {
		e.Tick(last + s*second)
	}
	if len(l.exchanges) != 0 {
		t.Errorf("judged before the horizon: %s", l.all())
	}
	e.Tick(last + analysis.LinkHorizon + second)
	if len(l.exchanges) != 1 || l.exchanges[0].Retry().Outcome != analysis.RetryNone || l.exchanges[0].State != analysis.Settled {
		t.Fatalf("at the horizon: %s", l.all())
	}
	if as := l.accuses(); !slices.Contains(as, "417-no-retry") {
		t.Errorf("certain accusations: %v", as)
	}
	before := len(l.findings)
	if sum := e.Close(nil); sum.NotRetried != 1 || len(l.findings) != before {
		t.Errorf("at the end: %d not retried, %d findings more", sum.NotRetried, len(l.findings)-before)
	}
}

// An exchange that has its answer settles when the connection's end can no longer be part of it.
func TestTickSettlesAnswered(t *testing.T) {
	l := &log{}
	e := New(Options{All: true, Crash: true}, l)
	last := feed(t, e, "@conn 10.0.0.1:40000 10.0.0.9:80\n> GET / HTTP/1.1 | Host: h\n< HTTP/1.1 204 No Content\n")
	e.Tick(last + analysis.CloseWait/2)
	if len(l.exchanges) != 0 {
		t.Errorf("judged at once: %s", l.all())
	}
	e.Tick(last + 2*analysis.CloseWait)
	if len(l.exchanges) != 1 {
		t.Errorf("not judged: %s", l.all())
	}
}

// A quiet source hands out packets, then says so many times that it is idle, then ends.
type quiet struct {
	capture.Source
	idle int
}

func (q *quiet) Next(p *capture.Packet) error {
	err := q.Source.Next(p)
	if err == io.EOF && q.idle > 0 {
		q.idle--
		return capture.ErrIdle
	}
	return err
}

// TestIdle: each quiet second of a source lets one second of capture time pass.
func TestIdle(t *testing.T) {
	l := &log{}
	e := New(Options{Crash: true}, l)
	src := &quiet{parsed(t, refusedAndGone).Source(script.Options{}), 30}
	checks := 0
	if err := e.Read(src, func() bool { checks++; return true }); err != nil {
		t.Fatal(err)
	}
	last := src.Stats().Inputs[0].Last
	if passed := e.now - last; passed != 30*int64(time.Second) {
		t.Errorf("30 quiet seconds let %v pass", time.Duration(passed))
	}
	if checks < 30 {
		t.Errorf("%d checks in 30 quiet seconds", checks)
	}
}

// When check says so, reading stops.
func TestStop(t *testing.T) {
	e := New(Options{Crash: true}, &log{})
	src := &quiet{parsed(t, refusedAndGone).Source(script.Options{}), 30}
	if err := e.Read(src, func() bool { return false }); err != nil || src.idle != 29 {
		t.Errorf("%v, %d quiet seconds left", err, src.idle)
	}
}

// A broken source is told, and what was read before is judged.
func TestBrokenSource(t *testing.T) {
	l := &log{}
	e := New(Options{Crash: true}, l)
	src := &broken{parsed(t, refusedAndGone).Source(script.Options{})}
	if err := e.Read(src, func() bool { return true }); err != io.ErrUnexpectedEOF {
		t.Errorf("the error is %v", err)
	}
	if e.Close(src); len(l.exchanges) != 1 {
		t.Errorf("%d exchanges, want 1", len(l.exchanges))
	}
}

type broken struct{ capture.Source }

func (b *broken) Next(p *capture.Packet) error {
	err := b.Source.Next(p)
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

// Packets the capturing program missed may hold a repeat: its absence is not certain then. A file often says so only at its
// end; an interface says so while it is read, which is in time for what settles meanwhile.
func TestDrops(t *testing.T) {
	for how, src := range map[string]capture.Source{
		"said at the end":       parsed(t, refusedAndGone+"+20s @end\n").Source(script.Options{}),
		"said while it is read": &quiet{parsed(t, refusedAndGone).Source(script.Options{}), 70},
	} {
		src.Stats().Inputs[0].Drops, src.Stats().Inputs[0].DropsKnown = 7, true
		l, sum := analyze(t, src, Options{Crash: true})
		if sum.Capture.Drops != 7 || !sum.Capture.DropsKnown || sum.Refused417 != 1 {
			t.Errorf("%s: %d refused, %+v", how, sum.Refused417, sum.Capture)
		}
		if as := l.accuses(); slices.Contains(as, "417-no-retry") {
			t.Errorf("%s: certain of %v, retry %+v", how, as, l.exchanges[0].Retry())
		}
	}
}

// A clock that was set back is followed, and counted.
func TestClockSetBack(t *testing.T) {
	l := &log{}
	e := New(Options{All: true, Crash: true}, l)
	feed(t, e, alice+theEnd)
	feed(t, e, strings.ReplaceAll(bob, "10.0.0.2", "10.0.0.3")) // begins 90 s before the end of the other
	sum := e.Close(nil)
	if sum.Limits["clock set back"] != 1 {
		t.Errorf("limits: %v", sum.Limits)
	}
	if len(l.exchanges) != 4 || sum.Retried != 1 {
		t.Errorf("%d exchanges, %d retried", len(l.exchanges), sum.Retried)
	}
}

// The number of connections followed at once is bounded, and what was dropped for it is counted.
func TestConnectionLimit(t *testing.T) {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, "@conn c%d 10.0.0.1:%d 10.0.0.9:80\n> GET / HTTP/1.1 | Host: h\n", i, 40000+i)
	}
	src := parsed(t, b.String()).Source(script.Options{})
	l, sum := analyze(t, src, Options{All: true, Crash: true, Assembler: reassembly.Options{Conns: 4}})
	if sum.Limits["connections"] != 16 || sum.Exchanges != 20 || len(l.exchanges) != 20 {
		t.Errorf("limits %v, %d exchanges, %d told", sum.Limits, sum.Exchanges, len(l.exchanges))
	}
}

// The number of exchanges that wait to be judged is bounded; the oldest is judged early.
func TestWaitingLimit(t *testing.T) {
	told := tally{}
	e := New(Options{All: true, Crash: true}, &told)
	s := &session{e: e, conn: &reassembly.Conn{}}
	for i := range maxWaiting + 3 {
		x := &analysis.Exchange{ID: fmt.Sprint(i), Conn: s.conn, State: analysis.Closed, At: 1e18, Final: &analysis.Message{Status: 200}}
		e.settle.add(s, x)
	}
	if e.sum.Limits["exchanges waiting for what follows"] != 3 || told.n != 3 || told.last != "2" {
		t.Errorf("limits %v, %d judged, last %s", e.sum.Limits, told.n, told.last)
	}
	if e.settle.run(e, true); told.n != maxWaiting+3 || len(e.settle.waiting) != 0 {
		t.Errorf("in the end %d judged, %d waiting", told.n, len(e.settle.waiting))
	}
}

// A tally is a sink that counts exchanges.
type tally struct {
	n    int
	last string
}

func (c *tally) Exchange(x *analysis.Exchange) { c.n, c.last = c.n+1, x.ID }
func (c *tally) Finding(*analysis.Finding)     {}

// TestAllocationBudget: a connection that is kept alive for 1,000 exchanges without Expect costs next to nothing a packet.
func TestAllocationBudget(t *testing.T) {
	var b strings.Builder
	b.WriteString("@conn 10.0.0.1:40000 10.0.0.9:80\n")
	for range 1000 {
		b.WriteString("> GET /page HTTP/1.1 | Host: h | User-Agent: x | Accept: */*\n< HTTP/1.1 200 OK | Content-Length: 3000\n< body 3000\n")
	}
	packets := parsed(t, b.String()).Packets(script.Options{})
	e := New(Options{Crash: true}, &log{})
	exchanges := uint64(0)
	var p capture.Packet                       // one for all, as in Read: Options.Keep gets its address
	allocs := testing.AllocsPerRun(1, func() { // the first run, which does not count, grows tables
		for i := range packets {
			p = packets[i]
			p.Time += int64(exchanges) * 1e9 // the same addresses once more, later
			e.Packet(&p)
		}
		exchanges = e.sum.Exchanges
	})
	if e.sum.Exchanges != 2000 {
		t.Fatalf("%d exchanges, want 2,000", e.sum.Exchanges)
	}
	each := allocs / float64(len(packets))
	t.Logf("%.4f allocations a packet", each)
	if each > 0.02 {
		t.Errorf("%.4f allocations a packet of %d, want at most 0.02", each, len(packets))
	}
}
