package engine

import (
	"bytes"
	"slices"
	"testing"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/capture/script"
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
