package engine

import (
	"slices"
	"testing"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/capture/script"
)

// One packet of a connection's end that is missing from the capture makes nobody a host that kept the connection, or left it first: what
// is there shows the end all the same.
func TestEndsOfWhichAPacketIsMissing(t *testing.T) {
	const (
		request  = "@conn a 10.0.0.1:40000 10.0.0.2:80\n> PUT /up HTTP/1.1 | Host: a | Content-Length: 5 | Expect: 100-continue\n"
		invited  = request + "< HTTP/1.1 100 Continue\n> body 5\n"
		promised = invited + "< HTTP/1.1 200 OK | Content-Length: 0 | Connection: close\n"
		refused  = request + "< HTTP/1.1 403 Forbidden | Content-Length: 0\n"
		later    = "+1500ms @conn t 10.0.0.3:40000 10.0.0.2:80\nt> GET / HTTP/1.1 | Host: a\n+1500ms t< HTTP/1.1 204 No Content\n+90s @end\n"
		again    = "@conn 10.0.0.1:40000 10.0.0.2:80 isn=50000,60000\n> GET / HTTP/1.1 | Host: a\n< HTTP/1.1 204 No Content\n"
		noACK    = true
	)
	for _, tc := range []struct {
		name, text string
		noACK      bool // of a FIN
		rule       string
		fires      bool
	}{
		{"the server closes as it said, and the client stays", promised + "< fin\n", false, "close-promised-not-done", false},
		{"the server closes as it said, and its FIN is acknowledged by nobody", promised + "< fin\n", noACK, "close-promised-not-done", false},
		{"the server's FIN is acknowledged, and was not captured", promised + "< fin [lost]\n", false, "close-promised-not-done", false},
		{"the server closes behind a FIN of the client that was not captured", promised + "> fin [lost]\n< fin\n", false, "close-promised-not-done", false},
		{"the server closes as it said, and all that was captured of it is that the ports are free", promised + "< rst [lost]\n" + again, false, "close-promised-not-done", false},
		{"the server does not close", promised, false, "close-promised-not-done", true},
		{"the server leaves before it has answered", invited + "+1s < fin\n> fin\n", false, "100-without-final", true},
		{"the server leaves before it has answered, and what the client does was not captured", invited + "+1s < fin\n> fin [lost]\n", false, "100-without-final", true},
		{"the client leaves, and its FIN was not captured", invited + "+1s > fin [lost]\n< fin\n", false, "100-without-final", false},
		{"the client leaves, and the server stays", refused + "> fin\n", false, "early-final-no-close", true},
		{"the server leaves without a word, and its FIN was not captured", refused + "< fin [lost]\n> fin\n", false, "early-final-no-close", false},
		{"the client leaves, its FIN was not captured, and the server follows", refused + "> fin [lost]\n< fin\n", false, "early-final-silent-close", false},
		{"the server gives up waiting for the body", request + "+30s < fin\n> fin\n", false, "expect-stall", true},
		{"the client gives up waiting to be invited, and its FIN was not captured", request + "+30s > fin [lost]\n< fin\n", false, "expect-stall", true},
	} {
		src := &tampered{packets: parsed(t, tc.text+later).Packets(script.Options{})}
		if tc.noACK {
			const flags, fin = 14 + 20 + 13, 1
			ended := slices.IndexFunc(src.packets, func(p capture.Packet) bool { return p.Data[flags]&fin != 0 })
			src.packets = slices.Delete(src.packets, ended+1, ended+2)
		}
		l, _ := analyze(t, src, Options{Crash: true})
		fires := slices.ContainsFunc(l.findings, func(f analysis.Finding) bool { return f.Rule == tc.rule })
		if fires != tc.fires {
			t.Errorf("%s: %s is told: %t\n%s", tc.name, tc.rule, fires, l.findingLines())
		}
	}
}
