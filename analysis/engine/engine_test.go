package engine

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/capture/script"
)

// A log is a sink that keeps what it hears.
type log struct {
	exchanges []analysis.Exchange
	findings  []analysis.Finding
}

func (l *log) Exchange(x *analysis.Exchange) { l.exchanges = append(l.exchanges, *x) }
func (l *log) Finding(f *analysis.Finding)   { l.findings = append(l.findings, *f) }

// find is the exchange whose ID ends so; there must be one.
func (l *log) find(t testing.TB, id string) *analysis.Exchange {
	t.Helper()
	for i := range l.exchanges {
		if strings.HasSuffix(l.exchanges[i].ID, id) {
			return &l.exchanges[i]
		}
	}
	t.Fatalf("no exchange %s among %d", id, len(l.exchanges))
	return nil
}

// rules are the findings of an exchange as "rule severity", sorted.
func (l *log) rules(x *analysis.Exchange) []string {
	var rs []string
	for _, f := range l.findings {
		if f.Exchange == x.ID {
			rs = append(rs, f.Rule+" "+f.Severity.String())
		}
	}
	slices.Sort(rs)
	return rs
}

// accuses are the findings that are certain and at least warnings, one a line, without the packets they stand on.
func (l *log) accuses() []string {
	var as []string
	for _, f := range l.findings {
		if f.Severity >= analysis.Warning && f.Confidence == analysis.Certain {
			as = append(as, f.Rule)
		}
	}
	return as
}

// findingLines are the findings without packet numbers and times of day: what cutting and interleaving must not change.
func (l *log) findingLines() string {
	var lines []string
	for _, f := range l.findings {
		_, ordinal, _ := strings.Cut(f.Exchange, "/")
		lines = append(lines, fmt.Sprintf("%s #%s %s: %s %s, wasted %d, saved %d, cause %q\n",
			f.Client, ordinal, f.Rule, f.Severity, f.Confidence, f.Wasted, f.Saved, f.Cause))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

// all is everything that was heard, in words.
func (l *log) all() string {
	var b strings.Builder
	for i := range l.exchanges {
		x := &l.exchanges[i]
		fmt.Fprintf(&b, "%s %s %s %d %s %+v %+v %+v %+v %+v %q %d %+v %+v\n", x.ID, x.Request.Method, x.Request.Target, x.State, x.Ended,
			x.ReqBody, x.RespBody, x.Final, x.Interim, x.Retry(), x.RetryOf, x.At, x.Doubts, x.Ends)
	}
	for _, f := range l.findings {
		fmt.Fprintf(&b, "%+v\n", f)
	}
	return b.String()
}

func parsed(t testing.TB, text string) *script.Script {
	t.Helper()
	s, err := script.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// analyze runs a source through an engine to its end.
func analyze(t testing.TB, src capture.Source, o Options) (*log, *analysis.Summary) {
	t.Helper()
	l := &log{}
	e := New(o, l)
	if err := e.Read(src, func() bool { return true }); err != nil {
		t.Fatal(err)
	}
	return l, e.Close(src)
}

// play runs a conversation through an engine; a panic is one.
func play(t testing.TB, text string, o script.Options) (*log, *analysis.Summary) {
	t.Helper()
	return analyze(t, parsed(t, text).Source(o), Options{All: true, Crash: true})
}

// conversations are those of testdata/pcaps, by name.
func conversations(t testing.TB) map[string]string {
	t.Helper()
	files, err := filepath.Glob("../../testdata/pcaps/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	all := map[string]string{}
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range a.Files {
			if f.Name == "conversation" {
				all[strings.TrimSuffix(filepath.Base(file), ".txtar")] = string(f.Data)
			}
		}
	}
	return all
}

// The repeat on a new connection is tied to the refused request, and counted.
func TestRetryOnNewConnection(t *testing.T) {
	l, sum := play(t, conversations(t)["retry-new-connection"], script.Options{})
	first, again := &l.exchanges[0], &l.exchanges[1]
	if first.Request.ExpectClass() == analysis.NoExpect {
		first, again = again, first
	}
	if first.Retry().Outcome != analysis.RetryNewConn || first.Retry().By != again.ID || again.RetryOf != first.ID || again.RetryDelay <= 0 {
		t.Errorf("the refused exchange says %+v, its repeat %q after %d ns", first.Retry(), again.RetryOf, again.RetryDelay)
	}
	if sum.Refused417 != 1 || sum.Retried != 1 || sum.NotRetried != 0 || sum.RetryUnknown != 0 {
		t.Errorf("refused %d, retried %d, not %d, unknown %d", sum.Refused417, sum.Retried, sum.NotRetried, sum.RetryUnknown)
	}
	if sum.Connections != 2 || sum.Exchanges != 2 || sum.Finals != 2 || sum.Expect != 1 {
		t.Errorf("%d connections, %d exchanges, %d finals, %d with Expect", sum.Connections, sum.Exchanges, sum.Finals, sum.Expect)
	}
}

const (
	alice = `
@0s @conn a 10.0.0.1:40000 10.0.0.9:80
@10ms a> PUT /a HTTP/1.1 | Host: h | Content-Length: 20000 | Expect: 100-continue
@60ms a< HTTP/1.1 100 Continue
@90ms a> body 20000
@300ms a< HTTP/1.1 403 Forbidden | Content-Length: 0
@400ms a> PUT /a2 HTTP/1.1 | Host: h | Content-Length: 5000 | Expect: 100-continue
@1500ms a> body 5000
@1600ms a< HTTP/1.1 200 OK | Content-Length: 0
@1700ms a> fin
@1750ms a< fin
`
	bob = `
@5ms @conn b 10.0.0.2:40000 10.0.0.9:80
@20ms b> PUT /b HTTP/1.1 | Host: h | Content-Length: 30000 | Expect: 100-continue
@70ms b< HTTP/1.1 417 Expectation Failed | Content-Length: 0
@120ms b> PUT /b HTTP/1.1 | Host: h | Content-Length: 30000
@140ms b> body 30000
@350ms b< HTTP/1.1 201 Created | Content-Length: 0
@450ms b> fin
@500ms b< fin
`
	theEnd = "@90s @end\n"
)

// TestInterleaved: two connections whose packets alternate say what each says alone.
func TestInterleaved(t *testing.T) {
	lines := slices.Concat(strings.Split(strings.TrimSpace(alice), "\n"), strings.Split(strings.TrimSpace(bob), "\n"))
	at := func(line string) int {
		n, unit := 0, ""
		if _, err := fmt.Sscanf(line, "@%d%s", &n, &unit); err != nil {
			t.Fatal(err)
		}
		return n
	}
	slices.SortStableFunc(lines, func(a, b string) int { return at(a) - at(b) })
	both, _ := play(t, strings.Join(lines, "\n")+"\n"+theEnd, script.Options{})
	one, _ := play(t, alice+theEnd, script.Options{})
	other, _ := play(t, bob+theEnd, script.Options{})
	apart := log{findings: slices.Concat(one.findings, other.findings)}
	if got, want := both.findingLines(), apart.findingLines(); got != want || want == "" {
		t.Errorf("together:\n%sapart:\n%s", got, want)
	}
	if len(both.exchanges) != 4 {
		t.Errorf("%d exchanges, want 4", len(both.exchanges))
	}
}

// Clients that ask for the same thing are kept apart by their address, requests of one by their order.
func TestOrdinals(t *testing.T) {
	l, _ := play(t, alice+theEnd, script.Options{})
	for i, target := range []string{"/a", "/a2"} {
		if x := l.find(t, fmt.Sprintf("/%d", i+1)); x.Request.Target != target || x.Stream != uint32(i+1) || x.State != analysis.Settled {
			t.Errorf("exchange %s is %s, stream %d, %d", x.ID, x.Request.Target, x.Stream, x.State)
		}
	}
}

// With several inputs, ids say which.
func TestMultiIDs(t *testing.T) {
	src := parsed(t, alice+theEnd).Source(script.Options{})
	l, _ := analyze(t, src, Options{Multi: true, Crash: true})
	if len(l.exchanges) == 0 || !strings.HasPrefix(l.exchanges[0].ID, "1:") {
		t.Errorf("exchanges %+v", l.exchanges)
	}
}

// What is no HTTP is counted by what it is, and nothing is said of it.
func TestOpaque(t *testing.T) {
	l, sum := play(t, `
@conn t 10.0.0.1:40000 10.0.0.9:443
> "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
@conn s 10.0.0.1:40001 10.0.0.9:22
< "SSH-2.0-x\r\n"
@conn h 10.0.0.1:40002 10.0.0.9:80
> "PRI * HTTP/2.0\r\n\r\nNO\r\n\r\n"
`+theEnd, script.Options{})
	for _, kind := range []string{"tls", "ssh", "other"} {
		if sum.Capture.Opaque[kind] != 1 {
			t.Errorf("%d connections are %s, want 1", sum.Capture.Opaque[kind], kind)
		}
	}
	if len(l.exchanges) != 0 || len(l.findings) != 0 {
		t.Errorf("exchanges %+v, findings %+v", l.exchanges, l.findings)
	}
}

// Without All, an exchange that nothing is to be said of is counted and not told.
func TestOrdinaryIsOnlyCounted(t *testing.T) {
	text := `
@conn 10.0.0.1:40000 10.0.0.9:80
> GET / HTTP/1.1 | Host: h
< HTTP/1.1 200 OK | Content-Length: 5
< body 5
> POST / HTTP/1.1 | Host: h | Content-Length: 5
> body 5
< HTTP/1.1 204 No Content
` + theEnd
	l, sum := analyze(t, parsed(t, text).Source(script.Options{}), Options{Crash: true})
	if len(l.exchanges) != 0 || sum.Exchanges != 2 || sum.Finals != 2 || sum.BodySent != 5 {
		t.Errorf("%d told; %d counted, %d finals, %d bytes", len(l.exchanges), sum.Exchanges, sum.Finals, sum.BodySent)
	}
	if l, _ = play(t, text, script.Options{}); len(l.exchanges) != 2 {
		t.Errorf("with All, %d told, want 2", len(l.exchanges))
	}
}
