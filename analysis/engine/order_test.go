package engine

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/capture/script"
	"expectscope/reassembly"
)

// A capture that begins behind the handshake, and took the 100 before the request that it answers, shows nobody who waited in vain.
func TestAnswerCapturedBeforeItsRequest(t *testing.T) {
	const text = `@conn 10.0.0.1:40000 10.0.0.2:80
> PUT /up HTTP/1.1 | Host: a | Content-Length: 5 | Expect: 100-continue
< HTTP/1.1 100 Continue
+400ms > body 5
< HTTP/1.1 201 Created | Content-Length: 0
+20s @end
`
	packets := parsed(t, text).Packets(script.Options{})
	with := func(s string) int {
		return slices.IndexFunc(packets, func(p capture.Packet) bool { return bytes.Contains(p.Data, []byte(s)) })
	}
	request, invitation := with("PUT /up"), with("100 Continue")
	packets[request], packets[invitation] = packets[invitation], packets[request]
	for _, tc := range []struct {
		name  string
		from  int // packet
		doubt bool
	}{{"whole", 0, false}, {"without the handshake", 3, true}} {
		l, _ := analyze(t, &tampered{packets: packets[tc.from:]}, Options{Crash: true})
		x := l.find(t, "/1")
		doubt := slices.ContainsFunc(x.Doubts, func(d analysis.Doubt) bool { return d.Kind == analysis.DoubtGap })
		claim := slices.ContainsFunc(l.findings, func(f analysis.Finding) bool {
			return (f.Rule == "no-100" || f.Rule == "expect-timeout") && f.Confidence > analysis.Inconclusive
		})
		if doubt != tc.doubt || claim || (len(x.Interim) == 0) != tc.doubt {
			t.Errorf("%s: %d interim responses, doubts %+v\n%s", tc.name, len(x.Interim), x.Doubts, l.findingLines())
		}
	}
}

// A 417 that is captured behind what its client asked next may have been repeated in between: what went by was not held against it,
// whether it was kept or not, so the window was not seen whole.
func TestRefusalCapturedLate(t *testing.T) {
	const another = `@0s @conn z 10.0.0.2:40000 10.0.0.9:80
@2ms z> PUT /z HTTP/1.1 | Host: h | Content-Length: 20 | Expect: 100-continue
@4ms z< HTTP/1.1 417 No | Content-Length: 0
`
	const text = `@5ms @conn a 10.0.0.1:40000 10.0.0.9:80
@10ms a> PUT /up HTTP/1.1 | Host: h | Content-Length: 20 | Expect: 100-continue
@60ms a< HTTP/1.1 417 Expectation Failed | Content-Length: 0
@70ms @conn b 10.0.0.1:40001 10.0.0.9:80
@80ms b> PUT /other HTTP/1.1 | Host: h | Content-Length: 20%s
@81ms b> body 20
@90ms b< HTTP/1.1 201 Created | Content-Length: 0
@90s @end
`
	for _, tc := range []struct{ name, before, fields string }{
		{"not kept", "", ""},
		{"kept", "", " | Expect: 100-continue"},
		{"not kept, beside another client that was refused", another, ""},
	} {
		packets := parsed(t, tc.before+fmt.Sprintf(text, tc.fields)).Packets(script.Options{})
		with := func(s string) int {
			return slices.IndexFunc(packets, func(p capture.Packet) bool { return bytes.Contains(p.Data, []byte(s)) })
		}
		refusal, last := with("417 Expectation"), with("201 Created")
		late := packets[refusal]
		packets = slices.Insert(packets, last+1, late)
		packets = slices.Delete(packets, refusal, refusal+1)
		l, _ := analyze(t, &tampered{packets: packets}, Options{Crash: true})
		i := slices.IndexFunc(l.exchanges, func(x analysis.Exchange) bool { return x.Request.Target == "/up" && x.Final.Status == 417 })
		if i < 0 {
			t.Fatalf("%s: no refusal among %d exchanges", tc.name, len(l.exchanges))
		}
		if r := l.exchanges[i].Retry(); r.Outcome != analysis.RetryUnknown || !strings.Contains(r.Why, "came to light") {
			t.Errorf("%s: %+v", tc.name, r)
		}
	}
}

// An exchange that is taken back while it waits to be judged never was one.
func TestTakenBackWhileItWaits(t *testing.T) {
	l := &log{}
	e := New(Options{Crash: true}, l)
	s := &session{e: e, conn: &reassembly.Conn{}}
	for i, status := range []int{417, 417, 201, 201} {
		x := &analysis.Exchange{ID: fmt.Sprint(i), Conn: s.conn, State: analysis.Closed, Final: &analysis.Message{Status: status}}
		x.Request.Fields = []analysis.Field{{Name: "Expect", Value: "100-continue"}}
		e.settle.add(s, x)
		if i%2 == 0 {
			e.settle.drop(x)
		}
	}
	e.now = analysis.LinkHorizon * 2
	e.settle.run(e, false)
	if len(l.exchanges) != 2 || len(e.settle.short)+len(e.settle.long)+len(e.settle.waiting) != 0 {
		t.Errorf("%d exchanges were judged, %d and %d still wait", len(l.exchanges), len(e.settle.short), len(e.settle.long))
	}
}
