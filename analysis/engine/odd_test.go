package engine

import (
	"testing"

	"expectscope/analysis"
	"expectscope/capture/script"
)

// A request whose fields give no single length is judged although it has no Expect field and nothing else is notable;
// a close that is due behind a long answer is waited for from its end.
func TestOddFramingIsJudged(t *testing.T) {
	for fields, want := range map[string]string{
		"Content-Length: 5 | Transfer-Encoding: chunked": "cl-te error",
		"Content-Length: 5 | Content-Length: 6":          "cl-conflict error",
		"Content-Length: 5":                              "",
		"Transfer-Encoding: chunked":                     "",
	} {
		text := "@conn 10.0.0.1:40000 10.0.0.2:80\n> POST / HTTP/1.1 | Host: a | " + fields + `
> "0\r\n\r\n"
< HTTP/1.1 400 Bad Request | Content-Length: 0 | Connection: close
< fin
> fin
+15s @end
`
		l, _ := analyze(t, parsed(t, text).Source(script.Options{}), Options{})
		got := ""
		for _, f := range l.findings {
			got = f.Rule + " " + f.Severity.String()
		}
		if got != want || len(l.findings) > 1 {
			t.Errorf("%s: %s", fields, l.findingLines())
		}
	}
}

func TestCloseIsDueBehindTheWholeAnswer(t *testing.T) {
	const text = `@conn 10.0.0.1:40000 10.0.0.2:80
> PUT / HTTP/1.1 | Host: a | Content-Length: 5 | Expect: 100-continue
< HTTP/1.1 100 Continue
> body 5
< HTTP/1.1 200 OK | Content-Length: 1000 | Connection: close
+3s < body 1000
+1200ms @conn 10.0.0.1:40001 10.0.0.2:80
> GET / HTTP/1.1 | Host: a
< HTTP/1.1 204 No Content
+15s @end
`
	l, _ := play(t, text, script.Options{})
	for _, f := range l.findings {
		if f.Rule == "close-promised-not-done" && f.Confidence == analysis.Inconclusive {
			return
		}
	}
	t.Errorf("an announced close that never came is not told:\n%s", l.findingLines())
}
