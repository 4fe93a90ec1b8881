package rules

import (
	"slices"
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

func TestEarlyFinalNoClose(t *testing.T) {
	const say = "Refused with 403 without close: the connection still expects 5,000 bytes of body."
	try(t, "early-final-no-close",
		row{"refused, kept open", turnedDown(403), "warning certain: " + say},
		row{"said close", turnedDown(403, "Connection: close"), ""},
		row{"the client said close", turnedDown(403).but(func(x *analysis.Exchange) { x.Request.Close = true }), ""},
		row{"HTTP/1.0", asks("PUT HTTP/1.0", 5000).says(1, 403, headLen), ""},
		row{"no body", upload(0).says(1, 403, headLen), ""},
		row{"after the body", upload(5000).body(1, 5000, 0).says(2, 403, headLen+5000), ""},
		row{
			"body on its way", upload(5000).body(1, 5000, 0).says(2, 403, headLen+2000),
			"warning certain: Refused with 403 without close: the connection still expects 3,000 bytes of body.",
		},
		row{"body sent afterwards", turnedDown(403).body(2, 5000, 50), "warning certain: " + say},
		row{
			"chunked", asks("PUT HTTP/1.1", -1, "Expect: 100-continue").says(1, 403, headLen),
			"warning certain: Refused with 403 without close: the connection still expects the rest of a chunked body.",
		},
		row{"a 200", upload(5000).says(1, 200, headLen), "notice certain: Answered with 200 without close: the connection still expects 5,000 bytes of body."},
		row{"a protocol switch", upload(5000, "Upgrade: x").says(1, 101, headLen), ""},
		row{"HTTP/2", turnedDown(403).but(func(x *analysis.Exchange) { x.Request.Version, x.ReqBody.Framing = "HTTP/2", analysis.FramingH2 }), ""},
		row{"the head is cut", turnedDown(403).but(func(x *analysis.Exchange) { x.ReqBody.Framing, x.ReqBody.Declared = analysis.FramingUnknown, -1 }), ""},
		row{"hung up at once", turnedDown(403).ends(2, reassembly.Reverse, reassembly.FIN), ""},
		row{"hung up when idle", turnedDown(403).ends(5001, reassembly.Reverse, reassembly.FIN), "warning certain: " + say},
		row{"the client left first", turnedDown(403).ends(2, reassembly.Forward, reassembly.FIN).ends(3, reassembly.Reverse, reassembly.FIN), "warning certain: " + say},
		row{
			"no acknowledgements", upload(5000).blindAcks().body(1, 2000, 0).says(2, 403, 0).body(3, 3000, 0),
			"warning likely: " + say,
		},
		row{"a hole in the body", turnedDown(403).lacks(analysis.DoubtGap, analysis.PartReqBody), "notice inconclusive: " + say},
		row{"the capture ends", turnedDown(403).lacks(analysis.DoubtCaptureEnd, analysis.PartReqBody|analysis.PartEnding), "warning certain: " + say},
	)
}

func TestEarlyFinalSilentClose(t *testing.T) {
	const say = "Refused with 403, and the server hung up 1.00 s later without having said close."
	try(t, "early-final-silent-close",
		row{"FIN", turnedDown(403).ends(1001, reassembly.Reverse, reassembly.FIN), "notice certain: " + say},
		row{"at once", turnedDown(403).ends(1.5, reassembly.Reverse, reassembly.FIN), "notice certain: Refused with 403, and the server hung up at once without having said close."},
		row{"RST", turnedDown(403).ends(1001, reassembly.Reverse, reassembly.RST), "notice certain: " + say},
		row{"said close", turnedDown(403, "Connection: close").ends(1001, reassembly.Reverse, reassembly.FIN), ""},
		row{"when idle", turnedDown(403).ends(5001, reassembly.Reverse, reassembly.FIN), ""},
		row{"the client left first", turnedDown(403).ends(2, reassembly.Forward, reassembly.FIN).ends(3, reassembly.Reverse, reassembly.FIN), ""},
		row{"after another request", turnedDown(403).next(500).ends(1001, reassembly.Reverse, reassembly.FIN), ""},
		row{"stays", turnedDown(403), ""},
		row{"the end was not captured", turnedDown(403).but(func(x *analysis.Exchange) { x.Ends[1].How = reassembly.CaptureEnd }), ""},
		row{"the end is in doubt", turnedDown(403).ends(1001, reassembly.Reverse, reassembly.FIN).lacks(analysis.DoubtGap, analysis.PartEnding), "info inconclusive: " + say},
	)
}

func TestBodyWithheldClose(t *testing.T) {
	try(t, "body-withheld-close",
		row{
			"nothing sent", turnedDown(403).ends(10, reassembly.Forward, reassembly.FIN),
			"info certain: Correct: refused with 403, the client sent no body and ended the connection.",
		},
		row{
			"broken off", upload(5000).body(1, 2000, 0).says(2, 413, headLen).ends(10, reassembly.Forward, reassembly.RST),
			"info certain: Correct: refused with 413, the client kept the last 3,000 bytes of its body and ended the connection.",
		},
		row{
			"chunked, broken off", asks("PUT HTTP/1.1", -1, "Expect: 100-continue").body(1, 2000, 0).says(2, 413, headLen).ends(10, reassembly.Forward, reassembly.FIN),
			"info certain: Correct: refused with 413, the client broke off its chunked body and ended the connection.",
		},
		row{"all sent", turnedDown(403).body(2, 5000, 50).ends(10, reassembly.Forward, reassembly.FIN), ""},
		row{"accepted", upload(5000).says(1, 200, headLen).ends(10, reassembly.Forward, reassembly.FIN), ""},
		row{"no body announced", upload(0).says(1, 403, headLen).ends(10, reassembly.Forward, reassembly.FIN), ""},
		row{"went on on the connection", turnedDown(403).next(5).ends(10, reassembly.Forward, reassembly.FIN), ""},
		row{"only the server left", turnedDown(403).ends(10, reassembly.Reverse, reassembly.FIN), ""},
		row{"too late to be the answer to it", turnedDown(403).ends(3000, reassembly.Forward, reassembly.FIN), ""},
		row{"left before it had the answer", turnedDown(403).ends(10, reassembly.Forward, reassembly.FIN).but(func(x *analysis.Exchange) { x.Ends[0].At.Acked = 0 }), ""},
	)
}

// reused is a refused upload where the next request came in place of the body.
func reused(status int, client, server analysis.Reading, clientSure, serverSure analysis.Confidence) *scene {
	s := turnedDown(status).next(2)
	s.Owed = &analysis.Owed{At: s.NextFirst, Bytes: 5000, Client: client, Server: server, ClientSure: clientSure, ServerSure: serverSure, Next: "1/2"}
	return s
}

func TestBodyWithheldReuse(t *testing.T) {
	const (
		body, next, unknown   = analysis.ReadAsBody, analysis.ReadAsNext, analysis.ReadUnknown
		certain, likely, none = analysis.Certain, analysis.Likely, analysis.Inconclusive
	)
	const say = "A new request began where 5,000 bytes of body were owed after the 417; "
	try(t, "body-withheld-reuse",
		row{"the server read on", reused(417, next, next, certain, certain), "warning certain: " + say + "the server gave up the body and read the request."},
		row{"the server may have read on", reused(417, next, next, certain, likely), "error certain: " + say + "the server probably gave up the body and read the request."},
		row{"swallowed", reused(417, next, body, certain, likely), "error certain: " + say + "the server probably swallowed it as body."},
		row{"swallowed for sure", reused(417, next, body, certain, certain), "error certain: " + say + "the server swallowed it as body."},
		row{"undecided", reused(417, next, unknown, certain, none), "error likely: " + say + "what the server took it for cannot be told."},
		row{"a guess", reused(417, next, next, none, certain), "warning inconclusive: " + say + "the server gave up the body and read the request."},
		row{
			"another refusal", reused(403, next, next, certain, certain),
			"error certain: A new request began where 5,000 bytes of body were owed after the 403; the server gave up the body and read the request.",
		},
		row{
			"chunked", reused(417, next, body, certain, certain).but(func(x *analysis.Exchange) { x.Owed.Bytes = -1 }),
			"error certain: A new request began where the rest of a chunked body was owed after the 417; the server swallowed it as body.",
		},
		row{"it was body", reused(417, body, body, certain, certain), ""},
		row{"nobody knows", reused(417, unknown, unknown, none, none), ""},
		row{"closed instead", turnedDown(417).ends(10, reassembly.Forward, reassembly.FIN), ""},
		row{
			"a hole in the body", reused(417, next, body, certain, certain).lacks(analysis.DoubtGap, analysis.PartReqBody),
			"warning inconclusive: " + say + "the server swallowed it as body.",
		},
	)
	s := reused(417, next, body, certain, certain)
	fs := Judge(&s.Case)
	for _, f := range fs {
		if f.Rule == "body-withheld-reuse" && !slices.Equal(f.Related, []string{"1/2"}) {
			t.Errorf("related to %v, want the request in the owed body", f.Related)
		}
		if f.Rule == "early-final-no-close" && f.Cause != "body-withheld-reuse" {
			t.Errorf("the open connection is told under %q", f.Cause)
		}
	}
}
