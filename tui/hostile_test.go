package tui

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"expectscope/analysis"
	"expectscope/analysis/store"
	"expectscope/capture"
)

// acted is what terminals act on, or are led astray by.
var acted = []string{
	"\x1b[2J\x1b]52;c;ZWNobw==\x07", "\x9b31m\xc2\x9b31m", "\x07\x08\x7f", "a\x00b", "\xff\xfe\xc3(", "\u202egpj\u2066x\u2069", "\u200e\u200f\u061c",
	"a\tb\r\nc", "\u2028line", "\ufeffbom", "\U000e0041tag", "\x1bPq\x1b\\", "\x1b]8;;http://evil\x1b\\link",
}

// hostile is a run in which all that a capture may say is said.
func hostile(said string) *store.Store {
	st := store.New()
	s := &script{at: epoch}
	s.connect("10.0.0.1:40000", "10.0.0.2:80").request("PUT", "/"+said, 20_000, "Expect: 100-continue"+said, "User-Agent: "+said, "Via: 1.1 "+said, said+": "+said)
	s.x.Request.Method, s.x.TLS = "P"+said, &analysis.TLS{Version: "TLSv1.3", ALPN: said, SNI: said}
	s.wait(time.Millisecond).answer(102, said).wait(time.Millisecond).answer(417, said, "Server: "+said, "Via: 1.1 "+said, "Retry-After: "+said).body(20_000, time.Millisecond)
	s.x.Amend().Retry = analysis.Retry{Outcome: analysis.RetryNone, Near: said, Differs: said, Why: said}
	s.x.Amend().Hops = []analysis.Hop{{Side: analysis.Behind, To: said, Why: said}}
	s.x.Doubts = []analysis.Doubt{{Kind: analysis.DoubtGap, Part: analysis.PartAll, At: s.mark()}}
	f := s.found("417-no-retry", "No retry after 417", analysis.Warning, "It said "+said)
	f.Fix, f.Related, f.ServerSoftware, f.UserAgent = []string{said}, []string{said}, said, said
	put(st, s.x, f)
	s.connect("10.0.0.1:40001", "10.0.0.2:80").request("POST", said, 5, expect)
	s.x.Ended = analysis.EndedCapture
	put(st, s.x)
	many := map[string]uint64{said: 3}
	st.Close(&analysis.Summary{
		Packets: 9, Exchanges: 2, Expect: 2, Refused417: 1, NotRetried: 1, Open: 1, Findings: map[string]uint64{"417-no-retry": 1}, Limits: many,
		Capture: analysis.CaptureHealth{
			First: epoch, Last: s.at, Opaque: many, Sealed: many, Undecoded: many, Unsupported: many, TLS: 3, Inputs: []capture.Input{{Name: said, Packets: 9}},
		},
	}, false, nil)
	return st
}

// Nothing of it reaches the terminal: in no view, on no page, and not in the prompt, where what occurs completes what is typed.
func TestHostileScreens(t *testing.T) {
	for _, said := range acted {
		st := hostile(said)
		for _, walk := range walks {
			s := press(shown(st, 80, 24, darkLook), walk.keys...)
			s.message = ""
			onGrid(t, fmt.Sprintf("%q: %s", said, walk.name), drawn(s), 80, 24)
		}
		s := shown(st, 80, 24, darkLook)
		for _, typed := range []string{"", "target:", "host:", "server:", "method:", said} {
			var p prompt
			p.ask(s)
			p.input.SetValue(typed)
			p.complete()
			for range 4 {
				onGrid(t, fmt.Sprintf("%q: /%s", said, typed), strings.Join(s.view(p.view(s)), "\n"), 80, 24)
				p.take(1)
			}
			p.fault, p.refused = said, true
			onGrid(t, fmt.Sprintf("%q: /%s refused", said, typed), strings.Join(s.view(p.view(s)), "\n"), 80, 24)
		}
	}
}
