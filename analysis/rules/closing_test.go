package rules

import (
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

const sayClose = "Connection: close"

func TestClosePromisedNotDone(t *testing.T) {
	promised := func() *scene { return turnedDown(403, sayClose).answeredWhole() }
	const say = "The 403 announces close, but the server kept the connection for "
	try(t, "close-promised-not-done",
		row{"nine seconds", promised().ends(9001, reassembly.Reverse, reassembly.FIN), "warning certain: " + say + "9.00 s."},
		row{"reset after nine seconds", promised().ends(9001, reassembly.Reverse, reassembly.RST), "warning certain: " + say + "9.00 s."},
		row{"no end is seen", promised(), "notice inconclusive: " + say + "60 s."},
		row{"the end may have been missed", promised().ends(9001, reassembly.Reverse, reassembly.FIN).lacks(analysis.DoubtGap, analysis.PartEnding), "notice inconclusive: " + say + "9.00 s."},
		row{"closed at once", promised().ends(3, reassembly.Reverse, reassembly.FIN), ""},
		row{"the client left first", promised().ends(3, reassembly.Forward, reassembly.FIN), ""},
		row{"the client left later", promised().ends(5001, reassembly.Forward, reassembly.FIN).ends(5002, reassembly.Reverse, reassembly.FIN), "warning certain: " + say + "5.00 s."},
		row{"the capture ends", promised().but(func(x *analysis.Exchange) { x.At = t0 + 100e6 }), ""},
		row{"nothing promised", turnedDown(403).answeredWhole().ends(9001, reassembly.Reverse, reassembly.FIN), ""},
		row{"the answer is not whole", turnedDown(403, sayClose).ends(9001, reassembly.Reverse, reassembly.FIN), ""},
		row{"implied by the version", turnedDown(403).answeredWhole().but(func(x *analysis.Exchange) { x.Final.Close = true }).ends(9001, reassembly.Reverse, reassembly.FIN), ""},
	)
}

func TestBodyAfterClose(t *testing.T) {
	try(t, "body-after-close",
		row{"for 300 ms", turnedDown(403, sayClose).body(2, 100, 50).body(301, 100, 50), "notice certain: The client sent 200 bytes after the 403 that closes the connection."},
		row{"much at once", turnedDown(403, sayClose).body(2, 100_000, 50), "notice certain: The client sent 100,000 bytes after the 403 that closes the connection."},
		row{"accepted", upload(5000).says(1, 200, headLen, sayClose).body(301, 5000, 50), "notice certain: The client sent 5,000 bytes after the 200 that closes the connection."},
		row{"in the system's buffer", turnedDown(403, sayClose).body(2, 200, 50), ""},
		row{"nobody said close", turnedDown(403).body(301, 5000, 50), ""},
		row{"the server had hung up", turnedDown(403).ends(2, reassembly.Reverse, reassembly.FIN).body(301, 5000, 51), "notice certain: The client sent body after the 403 and after the server had hung up."},
		row{"the hang-up was under way", turnedDown(403).ends(2, reassembly.Reverse, reassembly.FIN).body(301, 5000, 50), ""},
		row{"before the answer", upload(5000).body(1, 5000, 0).says(2, 403, headLen, sayClose), ""},
	)
}

func TestRequestAfterClose(t *testing.T) {
	done := func(fields ...string) *scene { return upload(50).body(1, 50, 0).says(2, 201, headLen+50, fields...) }
	try(t, "request-after-close",
		row{"said close", done(sayClose).next(5), "warning certain: The next request was sent into a connection that the 201 closes."},
		row{"pipelined", done(sayClose).next(5).but(func(x *analysis.Exchange) { x.NextFirst.Acked = 0 }), "info certain: The 201 closes the connection on which the next request was on its way already."},
		row{"hung up", done().ends(3, reassembly.Reverse, reassembly.FIN).next(5).but(func(x *analysis.Exchange) { x.NextFirst.Acked = 51 }), "warning certain: The next request was sent into a connection that the server had ended."},
		row{"the hang-up was under way", done().ends(3, reassembly.Reverse, reassembly.FIN).next(5), ""},
		row{"kept open", done().next(5), ""},
		row{"no other request", done(sayClose), ""},
		row{"no acknowledgements", upload(50).blindAcks().body(1, 50, 0).says(2, 201, 0, sayClose).next(5), "warning likely: The next request was sent into a connection that the 201 closes."},
	)
}

func TestResetLostFinal(t *testing.T) {
	seen := func(n uint64) func(*analysis.Exchange) { return func(x *analysis.Exchange) { x.Ends[1].Acked = n } }
	cut := func(how reassembly.Ending) *scene {
		return upload(50_000).body(1, 20_000, 0).says(2, 413, headLen+20_000, sayClose).body(3, 20_000, 0).ends(4, reassembly.Reverse, how)
	}
	const say = "The server reset the connection 2.0 ms after its 413, which the client had not received whole: the answer may never have reached the program."
	try(t, "reset-lost-final",
		row{"nothing acknowledged", cut(reassembly.RST).but(seen(0)), "warning certain: " + say},
		row{"half of it", cut(reassembly.RST).but(seen(49)), "warning certain: " + say},
		row{"all of it", cut(reassembly.RST).but(seen(50)), ""},
		row{"nobody knows", cut(reassembly.RST).but(seen(reassembly.NoAck)), ""},
		row{"FIN", cut(reassembly.FIN).but(seen(0)), ""},
		row{"reset by the client", cut(reassembly.RST).but(seen(0)).but(func(x *analysis.Exchange) { x.Ends[1].Sender = false }), ""},
		row{"the client was not sending", turnedDown(413, sayClose).ends(4, reassembly.Reverse, reassembly.RST).but(seen(0)), ""},
	)
}

func TestExpectPipelined(t *testing.T) {
	sent := func() *scene { return upload(50).says(1, 100, headLen).body(2, 50, 50) }
	const say = "The next request was queued behind an open expectation, before the final answer to it."
	try(t, "expect-pipelined",
		row{"before the answer", sent().next(3).says(4, 201, headLen+50), "notice certain: " + say},
		row{"no answer came", sent().next(3), "notice certain: " + say},
		row{"behind the answer", sent().says(4, 201, headLen+50).next(5), ""},
		row{"crossing the answer", sent().says(4, 201, headLen+50).next(5).but(func(x *analysis.Exchange) { x.NextFirst.Acked = 50 }), "notice certain: " + say},
		row{"nothing expected", asks("PUT HTTP/1.1", 0, "Expect:").next(3), ""},
		row{"in place of the body", reused(417, analysis.ReadAsNext, analysis.ReadAsNext, analysis.Certain, analysis.Certain), ""},
		row{"no acknowledgements", upload(50).blindAcks().body(2, 50, 0).next(3).says(4, 201, 0), "notice likely: " + say},
	)
}

func TestEarly2xx(t *testing.T) {
	try(t, "early-2xx",
		row{"nothing had arrived", upload(5000).says(1, 200, headLen).body(2, 5000, 50), "info certain: Accepted with 200 while 5,000 bytes of body had not arrived."},
		row{"some had", upload(5000).body(1, 5000, 0).says(2, 201, headLen+2000), "info certain: Accepted with 201 while 3,000 bytes of body had not arrived."},
		row{"all had", upload(5000).body(1, 5000, 0).says(2, 201, headLen+5000), ""},
		row{"refused", turnedDown(403), ""},
	)
}

func TestContentShort(t *testing.T) {
	ended := func(acked uint64) func(*analysis.Exchange) {
		return func(x *analysis.Exchange) {
			x.ReqBody.Complete, x.ReqBody.End = true, reassembly.Mark{Time: t0 + 9e6, Packet: 80, Off: 9999, Acked: acked}
		}
	}
	chunked := func() *scene {
		return asks("PUT HTTP/1.1", -1, "Expect: 100-continue").body(1, 4096, 0).says(2, 413, headLen+4096)
	}
	try(t, "content-short",
		row{"ended behind the refusal", chunked().but(ended(50)), "info likely: Refused with 413, the client ended its chunked body cleanly after 4,096 bytes."},
		row{"ended before it had the refusal", chunked().but(ended(0)), ""},
		row{"went on behind the refusal", chunked().body(3, 4096, 50).but(ended(50)), ""},
		row{"not ended", chunked(), ""},
		row{"accepted", asks("PUT HTTP/1.1", -1, "Expect: 100-continue").body(1, 4096, 0).says(2, 200, headLen+4096).but(ended(50)), ""},
		row{"a length was announced", turnedDown(403).body(2, 5000, 0).but(ended(50)), ""},
		row{"nobody knows", chunked().but(ended(reassembly.NoAck)), ""},
	)
}
