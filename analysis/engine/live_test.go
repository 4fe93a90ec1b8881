package engine

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"expectscope/analysis"
	"expectscope/capture/script"
)

// says are the findings in the order in which they were told, as "rule state".
func (l *log) says() []string {
	var ss []string
	for _, f := range l.findings {
		ss = append(ss, f.Rule+" "+f.State.String())
	}
	return ss
}

// live plays a conversation with Options.Live, letting time pass by the second where the script is silent.
func live(t *testing.T, text string) *log {
	t.Helper()
	l := &log{}
	e := New(Options{Live: true, Crash: true}, l)
	for _, p := range parsed(t, text).Packets(script.Options{}) {
		for e.now != 0 && p.Time-e.now > int64(time.Second) {
			e.Tick(e.now + int64(time.Second))
		}
		e.Packet(&p)
	}
	e.Close(nil)
	return l
}

// followed checks that what was said provisionally was replaced or withdrawn in the end, once.
func followed(t *testing.T, l *log) {
	t.Helper()
	last := map[string]analysis.FindingState{}
	for _, f := range l.findings {
		last[f.Rule+" "+f.Exchange] = f.State
		if f.Summary == "" || f.Title == "" {
			t.Errorf("%s %s: summary %q, title %q", f.Rule, f.State, f.Summary, f.Title)
		}
	}
	for i := range l.exchanges {
		if x := &l.exchanges[i]; x.At < x.LastActivity.Time {
			t.Errorf("%s was watched until %d, before its last byte came at %d", x.ID, x.At, x.LastActivity.Time)
		}
	}
	for what, state := range last {
		if state == analysis.Provisional {
			t.Errorf("%s stays provisional", what)
		}
	}
	if n := len(l.exchanges); n == 0 || l.exchanges[n-1].State != analysis.Settled {
		t.Errorf("the last word on an exchange is not the settled one")
	}
}

// TestLiveStall: an exchange is told when it opens; while it hangs so is that, once, and it is withdrawn when it goes on.
func TestLiveStall(t *testing.T) {
	l := live(t, `
@conn 10.0.0.1:40000 10.0.0.9:80
> PUT /up HTTP/1.1 | Host: h | Content-Length: 20000 | Expect: 100-continue
+20s < HTTP/1.1 100 Continue
+10ms > body 20000
+20ms < HTTP/1.1 201 Created | Content-Length: 0
> fin
< fin
+20s @end
`)
	if x := &l.exchanges[0]; x.State != analysis.Open || x.Final != nil || x.Request.Target != "/up" {
		t.Errorf("first told: %s in state %d", x.Request.Target, x.State)
	}
	ss := l.says()
	stalls := 0
	for _, s := range ss {
		if s == "expect-stall provisional" {
			stalls++
		}
	}
	if stalls != 1 || !slices.Contains(ss, "expect-stall withdrawn") || !slices.Contains(ss, "late-100 final") {
		t.Errorf("said: %v", ss)
	}
	followed(t, l)
}

// TestLiveNoRetry: when the window has passed, the missing repeat is told; a repeat within the horizon replaces that.
func TestLiveNoRetry(t *testing.T) {
	const repeat = `
+30s @conn again 10.0.0.1:40001 10.0.0.9:80
> PUT /up HTTP/1.1 | Host: h | Content-Length: 20000
> body 20000
+10ms < HTTP/1.1 201 Created | Content-Length: 0
> fin
< fin
`
	for _, c := range []struct{ name, then, want string }{
		{"no repeat", "+80s @end\n", "417-no-retry final"},
		{"late repeat", strings.TrimPrefix(repeat, "\n") + "+60s @end\n", "417-no-retry withdrawn"},
	} {
		l := live(t, refusedAndGone+c.then)
		ss := l.says()
		if i, j := slices.Index(ss, "417-no-retry provisional"), slices.Index(ss, c.want); i < 0 || j < i {
			t.Errorf("%s: said: %v", c.name, ss)
		}
		if c.then != "+80s @end\n" && !slices.Contains(ss, "417-retry-delayed final") {
			t.Errorf("%s: said: %v", c.name, ss)
		}
		followed(t, l)
	}
}

// What is said in the end does not depend on whether it was watched live.
func TestLiveEndsAlike(t *testing.T) {
	for name, text := range conversations(t) {
		watched := live(t, text)
		whole, _ := analyze(t, parsed(t, text).Source(script.Options{}), Options{Crash: true})
		final := map[string]bool{}
		for _, f := range watched.findings {
			if key := fmt.Sprintf("%s %s %s %s", f.Exchange, f.Rule, f.Severity, f.Confidence); f.State == analysis.Final {
				final[key] = true
			}
		}
		want := map[string]bool{}
		for _, f := range whole.findings {
			want[fmt.Sprintf("%s %s %s %s", f.Exchange, f.Rule, f.Severity, f.Confidence)] = true
		}
		for key := range want {
			if !final[key] {
				t.Errorf("%s: live does not say %s", name, key)
			}
		}
		for key := range final {
			if !want[key] {
				t.Errorf("%s: only live says %s", name, key)
			}
		}
		followed(t, watched)
	}
}

// A clock that is set while a capture goes on proves nothing: live, an hour
// that passes between two packets without a quiet second is no hour.
func TestClockSetLive(t *testing.T) {
	const text = `
@conn 10.0.0.1:40000 10.0.0.2:80
> PUT /a HTTP/1.1 | Host: a | Content-Length: 5000 | Expect: 100-continue
< HTTP/1.1 417 Expectation Failed | Content-Length: 0 | Connection: close
@conn 10.0.0.1:40001 10.0.0.2:80
> PUT /b HTTP/1.1 | Host: a | Content-Length: 5000 | Expect: 100-continue
`
	certain := func(o Options, by time.Duration) (rules []string, limits map[string]uint64) {
		l := &log{}
		o.Crash = true
		e := New(o, l)
		ps := parsed(t, text).Packets(script.Options{})
		for i := range ps {
			e.Packet(&ps[i])
		}
		late := ps[len(ps)-1] // an acknowledgement, say
		late.Num++
		late.Time += int64(by)
		e.Packet(&late)
		sum := e.Close(nil)
		for _, f := range l.findings {
			if f.Confidence == analysis.Certain && (f.Rule == "417-no-retry" || f.Rule == "expect-stall") {
				rules = append(rules, f.Rule)
			}
		}
		return rules, sum.Limits
	}
	if rules, _ := certain(Options{}, time.Hour); !slices.Contains(rules, "417-no-retry") {
		t.Errorf("in a file an hour is an hour: %v", rules)
	}
	if rules, limits := certain(Options{Live: true}, time.Hour); len(rules) != 0 || limits["clock set forward"] != 1 {
		t.Errorf("forward: certain %v, limits %v", rules, limits)
	}
	if rules, limits := certain(Options{Live: true}, -time.Hour); len(rules) != 0 || limits["clock set back"] != 1 {
		t.Errorf("back: certain %v, limits %v", rules, limits)
	}
}
