package engine

import (
	"fmt"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/capture/script"
)

// uploads is a conversation of one client: each word is an upload of that many bytes, with "!" behind it a refused one, every three seconds.
func uploads(words string) string {
	var b strings.Builder
	for i, word := range strings.Fields(words) {
		n, refused := strings.CutSuffix(word, "!")
		fmt.Fprintf(&b, "@%ds @conn 10.0.0.1:%d 10.0.0.9:80\n> PUT /up/%d HTTP/1.1 | Host: h | Content-Length: %s | Expect: 100-continue\n", 3*i, 40000+i, i, n)
		if refused {
			b.WriteString("+9ms < HTTP/1.1 417 Expectation Failed | Content-Length: 0 | Connection: close\n")
		} else {
			fmt.Fprintf(&b, "+9ms < HTTP/1.1 100 Continue\n> body %s\n< HTTP/1.1 201 Created | Content-Length: 0 | Connection: close\n", n)
		}
		b.WriteString("> fin\n< fin\n")
	}
	return b.String() + "+200s @end\n"
}

// spans are the findings about several exchanges, one a line.
func (l *log) spans() string {
	var b strings.Builder
	for _, f := range l.findings {
		if spanning(f.Rule) {
			fmt.Fprintf(&b, "%s %s %s: %s\n", f.Exchange, f.State, f.Rule, f.Summary)
		}
	}
	return b.String()
}

// In a file a subject is said once, on the exchange that completed it, with all that came later.
func TestSubjectOfAFile(t *testing.T) {
	const words = "100! 100 100! 100 100! 100! 100"
	l, sum := play(t, uploads(words), script.Options{})
	const want = "21/1 final 417-intermittent: Of 7 comparable requests with Expect, 3 were accepted and 4 refused with 417, in turn.\n"
	if got := l.spans(); got != want {
		t.Errorf("got %swant %s", got, want)
	}
	n := 0
	for i := range l.exchanges {
		if l.exchanges[i].ID == "21/1" {
			n++
		}
	}
	if n != 1 || sum.Findings["417-intermittent"] != 1 || sum.Refused417 != 4 {
		t.Errorf("told %d times, counted %d; %d refused", n, sum.Findings["417-intermittent"], sum.Refused417)
	}
	few, _ := analyze(t, parsed(t, uploads(words)).Source(script.Options{}), Options{Crash: true})
	if few.spans() != want {
		t.Errorf("without ordinary exchanges: %s", few.spans())
	}
}

// What stood for a pattern that did not last is judged as any other.
func TestSubjectRefuted(t *testing.T) {
	l, _ := play(t, uploads("100 900! 100 900! 2000"), script.Options{})
	if got := l.spans(); !strings.Contains(got, "417-intermittent") || strings.Contains(got, "by-size") {
		t.Errorf("a larger upload passed, yet: %s", got)
	}
	for i := range l.exchanges {
		if x := &l.exchanges[i]; x.Request.Target == "/up/3" && l.rules(x) == nil {
			t.Error("the exchange it would have been said of has no findings")
		}
	}
}

// Live it is said when it is known, revised as it grows, and taken back when it is refuted.
func TestSubjectLive(t *testing.T) {
	live := func(words string) string {
		l, sum := analyze(t, parsed(t, uploads(words)).Source(script.Options{}), Options{Live: true, Crash: true})
		if n := sum.Findings["417-by-size"]; n != 1 {
			t.Errorf("%s: counted %d times", words, n)
		}
		return l.spans()
	}
	grows := live("10 900! 20 800! " + strings.Repeat("30 ", 90))
	if strings.Count(grows, " final 417-by-size") < 4 || !strings.Contains(grows, "92 up to 30 bytes were accepted") {
		t.Errorf("it is not revised:\n%s", grows)
	}
	if refuted := live("10 900! 20 800! " + strings.Repeat("30 ", 30) + strings.Repeat("950 ", 40)); !strings.Contains(refuted, "withdrawn 417-by-size") || !strings.Contains(refuted, "final 417-intermittent") {
		t.Errorf("it is not taken back:\n%s", refuted)
	}
}

// The memory gives up the clients heard longest ago: what was known of them is said then.
func TestSubjectGivenUp(t *testing.T) {
	var b strings.Builder
	b.WriteString(strings.TrimSuffix(uploads("100! 100 100!"), "+200s @end\n"))
	b.WriteString("+100s @conn 10.9.9.9:1 10.0.0.9:80\n")
	for i := range 1100 {
		fmt.Fprintf(&b, "@conn 10.1.%d.%d:4000 10.0.0.9:80\n> PUT /x HTTP/1.1 | Host: h | Content-Length: 5 | Expect: 100-continue\n+1ms < HTTP/1.1 100 Continue\n> body 5\n< HTTP/1.1 200 OK | Content-Length: 0\n", i/256, i%256)
	}
	b.WriteString("+1s @end\n")
	l, sum := play(t, b.String(), script.Options{})
	if !strings.Contains(l.spans(), "417-intermittent") || sum.Limits["clients remembered"] == 0 {
		t.Errorf("%s, limits %v", l.spans(), sum.Limits)
	}
	last := l.exchanges[len(l.exchanges)-1]
	if last.Conn.Client.Addr().String() == "10.0.0.1" {
		t.Error("it was held to the end")
	}
}

// A loop that goes on longer than a repeat is waited for is seen whole, and said once.
func TestSlowLoop(t *testing.T) {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, "@%ds @conn 10.0.0.1:%d 10.0.0.9:80\n> PUT /up HTTP/1.1 | Host: h | Content-Length: 100 | Expect: 100-continue\n+9ms < HTTP/1.1 417 Expectation Failed | Content-Length: 0 | Connection: close\n> fin\n< fin\n", 30*i, 40000+i)
	}
	l, _ := play(t, b.String()+"+200s @end\n", script.Options{})
	n := 0
	for _, f := range l.findings {
		if f.Rule == "417-loop" {
			n++
			if f.Exchange != "1/1" || !strings.Contains(f.Summary, "20 times with Expect within 570 s (one every 30.0 s)") {
				t.Errorf("%s: %s", f.Exchange, f.Summary)
			}
		}
	}
	if n != 1 {
		t.Errorf("said %d times", n)
	}
}

// Live, a loop is told anew as it doubles.
func TestSlowLoopLive(t *testing.T) {
	var b strings.Builder
	for i := range 20 {
		fmt.Fprintf(&b, "@%ds @conn 10.0.0.1:%d 10.0.0.9:80\n> PUT /up HTTP/1.1 | Host: h | Content-Length: 100 | Expect: 100-continue\n+9ms < HTTP/1.1 417 Expectation Failed | Content-Length: 0 | Connection: close\n> fin\n< fin\n", 30*i, 40000+i)
	}
	l, _ := analyze(t, parsed(t, b.String()+"+200s @end\n").Source(script.Options{}), Options{Live: true, Crash: true})
	provisional := 0
	for _, f := range l.findings {
		if f.Rule == "417-loop" && f.State == analysis.Provisional {
			provisional++
		}
	}
	if provisional < 2 || provisional > 5 {
		t.Errorf("told %d times while it goes on", provisional)
	}
}
