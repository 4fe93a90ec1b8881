package rules

import (
	"slices"
	"testing"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

const seeAll = 1 << 20 // acknowledges whatever was sent

func TestNo100(t *testing.T) {
	ignored := func() *scene { return upload(5000).body(1000, 5000, 0).says(1010, 201, headLen+5000) }
	const said = "The server ignored Expect: no 100 came, and the client lost 1.00 s waiting before it sent the body."
	try(t, "no-100",
		row{"waits a second, no 100", ignored(), "error certain: " + said},
		row{"a 100 after the body is still a 100", upload(5000).body(1000, 5000, 0).says(1010, 100, headLen+5000).says(1020, 201, headLen+5000), ""},
		row{"103 is no 100", upload(5000).says(10, 103, headLen).body(1000, 5000, 50).says(1010, 201, headLen+5000), "error certain: " + said},
		row{"the body was not waited with", upload(5000).body(20, 5000, 0).says(30, 201, headLen+5000), ""},
		row{"less than two round trips", ignored().but(func(x *analysis.Exchange) { x.Conn.ACK = x.Conn.SYN + 600e6 }), ""},
		row{
			"a short wait may have crossed the 100", upload(5000).body(120, 5000, 0).says(130, 201, headLen+5000),
			"error likely: The server ignored Expect: no 100 came, and the client lost 120 ms waiting before it sent the body.",
		},
		row{"refused first, body after it", upload(5000).says(500, 403, headLen).body(1000, 5000, seeAll), ""},
		row{"refused by the head, body crossed it", upload(5000).body(1000, 5000, 0).says(1001, 403, headLen), ""},
		row{"no answer at all", upload(5000).body(1000, 5000, 0), ""},
		row{"HTTP/1.0", asks("PUT HTTP/1.0", 5000, "Expect: 100-continue").body(1000, 5000, 0).says(1010, 201, headLen+5000), ""},
		row{"unknown expectation", asks("PUT HTTP/1.1", 5000, "Expect: y 100-continue").body(1000, 5000, 0).says(1010, 201, headLen+5000), ""},
		row{"the head was lost on the way", ignored().but(func(x *analysis.Exchange) { x.HeadResent = true }), ""},
		row{"a hole where the 100 belongs", ignored().lacks(analysis.DoubtGap, analysis.PartInterim), ""},
		row{"one direction only", ignored().lacks(analysis.DoubtOneSided, analysis.PartInterim|analysis.PartFinal), ""},
		row{"a hole in the body", ignored().lacks(analysis.DoubtGap, analysis.PartReqBody), "warning inconclusive: " + said},
		row{"no acknowledgements", upload(5000).blindAcks().body(1000, 5000, 0).says(1010, 201, 0), "error likely: " + said},
		row{"HTTP/2 streams", ignored().but(func(x *analysis.Exchange) { x.Request.Version, x.ReqBody.Framing = "HTTP/2", analysis.FramingH2 }), "notice certain: " + said},
	)
}

func TestExpectTimeout(t *testing.T) {
	waits := func(ms float64, ua string) *scene {
		return upload(5000, "User-Agent: "+ua).body(ms, 5000, 0).says(ms+10, 201, headLen+5000)
	}
	const say = "notice certain: The client stopped waiting for a 100 after "
	try(t, "expect-timeout",
		row{"curl", waits(1001, "curl/8.5.0"), say + "1.00 s, this client's default limit."},
		row{"Go", waits(1001, "Go-http-client/1.1"), say + "1.00 s, this client's default limit."},
		row{"somebody", waits(1001, "up/1"), say + "1.00 s, perhaps the default limit of curl, Go, .NET or botocore."},
		row{".NET Framework", waits(352, "x"), say + "352 ms, perhaps the default limit of .NET Framework."},
		row{"Apache HttpClient", waits(3002, "Apache-HttpClient/4.5.14 (Java/17)"), say + "3.00 s, this client's default limit."},
		row{"Java", waits(5004, "Java/17.0.15"), say + "5.00 s, this client's default limit."},
		row{"curl with a limit of its own", waits(350, "curl/8.5.0"), say + "350 ms, perhaps the default limit of .NET Framework."},
		row{"nobody's", waits(700, "curl/8.5.0"), say + "700 ms."},
		row{"too early for a timer", waits(970, "curl/8.5.0"), say + "970 ms."},
		row{
			"the 100 comes too late", upload(5000).body(700, 5000, 0).says(1200, 100, headLen+5000).says(1210, 201, headLen+5000),
			say + "700 ms; the 100 came 500 ms too late.",
		},
		row{
			"the 100 crosses", upload(5000).says(699, 100, headLen).body(700, 5000, 0).says(1210, 201, headLen+5000),
			say + "700 ms; the 100 was on its way.",
		},
		row{"invited", upload(5000).says(699, 100, headLen).body(700, 5000, 50).says(1210, 201, headLen+5000), ""},
		row{"refused, then sent", upload(5000).says(699, 417, headLen).body(700, 5000, 50), ""},
		row{"did not wait", waits(49, "x"), ""},
		row{"nothing was sent", upload(5000).says(700, 403, headLen), ""},
		row{"HTTP/1.0", asks("PUT HTTP/1.0", 5000, "Expect: 100-continue").body(1000, 5000, 0), ""},
		row{
			"no acknowledgements", upload(5000).blindAcks().body(700, 5000, 0).says(800, 100, 0),
			"notice likely: The client stopped waiting for a 100 after 700 ms; the 100 came 100 ms too late.",
		},
		row{"no acknowledgements, the 100 first", upload(5000).blindAcks().says(690, 100, 0).body(700, 5000, 0), ""},
		row{
			"a hole in the body", waits(700, "x").lacks(analysis.DoubtGap, analysis.PartReqBody),
			"info inconclusive: The client stopped waiting for a 100 after 700 ms.",
		},
	)
	lossy := waits(700, "x").but(func(x *analysis.Exchange) { x.HeadResent = true })
	for _, f := range Judge(&lossy.Case) {
		if f.Rule == "expect-timeout" && !slices.Equal(f.Fault, []analysis.Fault{analysis.FaultUnknown}) {
			t.Errorf("the network lost the head, yet the fault is %v", f.Fault)
		}
	}
}

func TestTimeoutIsUnderNo100(t *testing.T) {
	s := upload(5000).body(1000, 5000, 0).says(1010, 201, headLen+5000)
	fs := Judge(&s.Case)
	i := slices.IndexFunc(fs, func(f analysis.Finding) bool { return f.Rule == "expect-timeout" })
	j := slices.IndexFunc(fs, func(f analysis.Finding) bool { return f.Rule == "no-100" })
	if i < 0 || j < 0 || fs[i].Cause != "no-100" || j > i {
		t.Fatalf("expect-timeout is not told under no-100: %+v", fs)
	}
	if fs[i].Lost.Milliseconds() != 1000 || fs[j].Lost.Milliseconds() != 1000 {
		t.Errorf("lost %v and %v, want a second each", fs[i].Lost, fs[j].Lost)
	}
	want := []capture.Num{s.Request.Last.Packet, s.ReqBody.First.Packet, s.Final.First.Packet}
	if !slices.Equal(fs[j].Evidence, want) {
		t.Errorf("evidence %v, want head, first body byte and answer: %v", fs[j].Evidence, want)
	}
}

func TestExpectNoWait(t *testing.T) {
	const say = "info certain: The client sent the body 20 ms after asking whether it should, without an answer: Expect was pure overhead."
	try(t, "expect-no-wait",
		row{
			"at once", upload(5000).body(0, 5000, 0).says(30, 201, seeAll),
			"info certain: The client sent the body together with the question whether it should: Expect was pure overhead.",
		},
		row{"20 ms, uninvited", upload(5000).body(20, 5000, 0).says(21, 100, headLen).says(30, 201, seeAll), say},
		row{"20 ms, invited", upload(5000).says(19, 100, headLen).body(20, 5000, 50).says(30, 201, seeAll), ""},
		row{"the 100 passed the tap but not the client", upload(5000).says(19, 100, headLen).body(20, 5000, 0), say},
		row{"refused first", upload(5000).says(19, 403, headLen).body(20, 5000, 50), ""},
		row{"waited", upload(5000).body(50, 5000, 0), ""},
		row{"HTTP/1.0", asks("PUT HTTP/1.0", 5000, "Expect: 100-continue").body(1, 5000, 0), ""},
		row{
			"no acknowledgements", upload(5000).blindAcks().body(20, 5000, 0).says(30, 100, 0),
			"info likely: The client sent the body 20 ms after asking whether it should, without an answer: Expect was pure overhead.",
		},
	)
}

func TestLate100(t *testing.T) {
	slow := func() *scene { return upload(5000).says(841, 100, headLen).body(842, 5000, 50).says(850, 201, seeAll) }
	const say = "The 100 took 840 ms: that long the server had the request head and the client waited."
	try(t, "late-100",
		row{"840 ms", slow(), "warning certain: " + say},
		row{"prompt", upload(5000).says(199, 100, headLen).body(200, 5000, 50), ""},
		row{"a long way is no delay", slow().but(func(x *analysis.Exchange) { x.Conn.SYNACK, x.Conn.ACK = x.Conn.SYN+300e6, x.Conn.SYN+301e6 }), ""},
		row{"no body came either", upload(5000).says(841, 100, headLen), "warning certain: " + say},
		row{"the client had given up", upload(5000).body(500, 5000, 0).says(841, 100, seeAll), ""},
		row{"the head was lost on the way", slow().but(func(x *analysis.Exchange) { x.HeadResent = true }), ""},
		row{"the head may have come late", slow().but(func(x *analysis.Exchange) { x.HeadHeard = t0 + 700e6 }), "warning likely: " + say},
		row{"nobody asked", asks("PUT HTTP/1.1", 5000).says(841, 100, headLen).body(842, 5000, 50), ""},
		row{
			"the way is unknown", slow().but(func(x *analysis.Exchange) { x.Conn.SYN, x.Conn.SYNACK, x.Conn.ACK = 0, 0, 0 }),
			"warning likely: The 100 took 841 ms: that long the server had the request head and the client waited.",
		},
		row{"no acknowledgements", upload(5000).blindAcks().says(841, 100, 0).body(842, 5000, 0), "warning likely: " + say},
		row{"clock jumps", slow().lacks(analysis.DoubtClock, analysis.PartTiming), "notice inconclusive: " + say},
	)
}

func TestContinueAfterBody(t *testing.T) {
	const say = "This 100 changed nothing: the server already had part of the body when it sent it."
	try(t, "100-after-body",
		row{"the server had body bytes", upload(5000).body(1, 5000, 0).says(2, 100, headLen+1460), "info certain: " + say},
		row{"it had none: they crossed", upload(5000).body(1, 5000, 0).says(2, 100, headLen), ""},
		row{"the usual order", upload(5000).says(2, 100, headLen).body(3, 5000, 50), ""},
		row{"after the client's time-out it is told there", upload(5000).body(1000, 5000, 0).says(1002, 100, headLen+5000), ""},
		row{"nobody asked", asks("PUT HTTP/1.1", 5000).body(1, 5000, 0).says(2, 100, headLen+1460), ""},
		row{"no acknowledgements", upload(5000).blindAcks().body(1, 5000, 0).says(2, 100, 0), "info likely: " + say},
	)
}

func TestUnsolicited100(t *testing.T) {
	plain := func() *scene { return asks("PUT HTTP/1.1", 5000).body(0, 5000, 0).says(2, 100, headLen) }
	const say = `A 100 nobody asked for: the "PUT" carries no Expect, and some clients take the 100 for the answer.`
	try(t, "unsolicited-100",
		row{"no Expect", plain(), "notice certain: " + say},
		row{"asked", upload(5000).says(2, 100, headLen), ""},
		row{"asked in a way of its own", asks("PUT HTTP/1.1", 5, "Expect: 100 continue please").says(2, 100, headLen), ""},
		row{"only a 103", asks("PUT HTTP/1.1", 5000).says(2, 103, headLen), ""},
		row{"HTTP/1.0 has its own rule", asks("PUT HTTP/1.0", 5000).says(2, 100, headLen), ""},
		row{"the head is cut", plain().lacks(analysis.DoubtSnapLen, analysis.PartRequest), ""},
		row{"the head has a hole", plain().lacks(analysis.DoubtGap, analysis.PartRequest), ""},
		row{"it may be the next request's", asks("PUT HTTP/1.1", 5000).body(0, 5000, 0).next(1).says(2, 100, headLen), "notice likely: " + say},
	)
}

func TestMultiple100(t *testing.T) {
	const say = "2 100 responses answered one request: more than one hop said continue."
	try(t, "multiple-100",
		row{"two", upload(5).says(1, 100, headLen).says(2, 100, headLen), "notice certain: " + say},
		row{"one", upload(5).says(1, 100, headLen).says(2, 103, headLen), ""},
		row{"the second may be the next request's", upload(5).says(1, 100, headLen).body(2, 5, 50).next(3).says(4, 100, seeAll), "notice likely: " + say},
		row{"a hole between them", upload(5).says(1, 100, headLen).says(2, 100, headLen).lacks(analysis.DoubtGap, analysis.PartInterim), "info inconclusive: " + say},
	)
}

func TestHTTP10(t *testing.T) {
	ten := func(fields ...string) *scene { return asks("PUT HTTP/1.0", 5, fields...) }
	try(t, "interim-to-http10",
		row{"100", ten().says(1, 100, headLen), "error certain: A 100 went to an HTTP/1.0 client, which will read it as the final answer."},
		row{"101", ten().says(1, 101, headLen), "error certain: A 101 went to an HTTP/1.0 client, which will read it as the final answer."},
		row{
			"it asked", ten("Expect: 100-continue").says(1, 100, headLen),
			"warning certain: A 100 went to a client that asked for it in HTTP/1.0, where it may be read as the final answer.",
		},
		row{"HTTP/1.1", upload(5).says(1, 100, headLen), ""},
		row{"no 1xx", ten("Expect: 100-continue").says(1, 201, headLen), ""},
	)
	try(t, "expect-http10",
		row{"asks", ten("Expect: 100-continue"), `info certain: Expect: "100-continue" has no meaning in HTTP/1.0: the server must ignore it.`},
		row{"HTTP/1.1", upload(5), ""},
		row{"does not ask", ten().says(1, 100, headLen), ""},
	)
}

func TestContinueWithoutFinal(t *testing.T) {
	all := func() *scene { return upload(5000).says(1, 100, headLen).body(2, 5000, 50) }
	const say = "The server said continue, was sent the whole body (5,000 bytes), and closed the connection without an answer."
	try(t, "100-without-final",
		row{"FIN after the body", all().ends(3, reassembly.Reverse, reassembly.FIN), "error certain: " + say},
		row{
			"RST after the body", all().ends(3, reassembly.Reverse, reassembly.RST),
			"error certain: The server said continue, was sent the whole body (5,000 bytes), and reset the connection without an answer.",
		},
		row{
			"FIN amid the body", upload(5000).says(1, 100, headLen).body(2, 1000, 50).ends(3, reassembly.Reverse, reassembly.FIN),
			"info certain: The server said continue and closed the connection after 1,000 bytes of body, without an answer.",
		},
		row{"the client left first", all().ends(3, reassembly.Forward, reassembly.FIN).ends(4, reassembly.Reverse, reassembly.FIN), ""},
		row{"the server left first", all().ends(3, reassembly.Reverse, reassembly.FIN).ends(4, reassembly.Forward, reassembly.FIN), "error certain: " + say},
		row{"the client's FIN tells that it had the server's", all().ends(3, reassembly.Forward, reassembly.FIN).ends(4, reassembly.Reverse, reassembly.FIN).but(
			func(x *analysis.Exchange) { x.Ends[0].At.Acked = x.Ends[1].At.Off + 1 }), "error certain: " + say},
		row{"the server's FIN tells that it had the client's", all().ends(3, reassembly.Reverse, reassembly.FIN).ends(4, reassembly.Forward, reassembly.FIN).but(
			func(x *analysis.Exchange) { x.Ends[1].At.Acked = x.Ends[0].At.Off + 1 }), ""},
		row{"reset by the client", all().ends(3, reassembly.Forward, reassembly.RST).but(func(x *analysis.Exchange) {
			x.Ends[1] = reassembly.End{How: reassembly.RST, At: x.Ends[0].At}
		}), ""},
		row{"still open", all(), ""},
		row{"the capture ends", all().but(func(x *analysis.Exchange) { x.Ends[1].How, x.Ended = reassembly.CaptureEnd, analysis.EndedCapture }), ""},
		row{"answered", all().says(3, 201, seeAll).ends(3, reassembly.Reverse, reassembly.FIN), ""},
		row{
			"a hole where the answer belongs", all().ends(3, reassembly.Reverse, reassembly.FIN).lacks(analysis.DoubtGap, analysis.PartFinal),
			"warning inconclusive: " + say,
		},
	)
}

func TestExpectStall(t *testing.T) {
	const say = "Both sides waited for each other for 30.0 s: no 100, no answer and no body, "
	hang := func() *scene {
		return upload(5000).but(func(x *analysis.Exchange) { x.At, x.State = t0+30e9, analysis.Open })
	}
	try(t, "expect-stall",
		row{"still hangs", hang(), "error likely: " + say + "and that is how it was last seen."},
		row{
			"chunked", asks("PUT HTTP/1.1", -1, "Expect: 100-continue").but(func(x *analysis.Exchange) { x.At = t0 + 30e9 }),
			"error likely: " + say + "and that is how it was last seen.",
		},
		row{"the client gives up", upload(5000).ends(30_000, reassembly.Forward, reassembly.FIN), "error certain: " + say + "until the client gave up the connection."},
		row{
			"the server gives up", upload(5000).ends(30_000, reassembly.Reverse, reassembly.FIN).ends(30_001, reassembly.Forward, reassembly.FIN),
			"error certain: " + say + "until the server gave up the connection.",
		},
		row{"408", upload(5000).says(30_000, 408, headLen), "error certain: " + say + "until the server timed out with 408."},
		row{"504", upload(5000).says(30_000, 504, headLen), "error likely: " + say + "until a proxy timed out with 504."},
		row{"a slow refusal", upload(5000).says(30_000, 403, headLen), ""},
		row{"408 at once", upload(5000).says(4_999, 408, headLen), ""},
		row{"a slow 100", upload(5000).says(30_000, 100, headLen), ""},
		row{"the client sent", upload(5000).body(1000, 100, 0), ""},
		row{"not long enough", hang().but(func(x *analysis.Exchange) { x.At = t0 + 4e9 }), ""},
		row{"nothing to send", upload(0), ""},
		row{"HTTP/1.0", asks("PUT HTTP/1.0", 5, "Expect: 100-continue"), ""},
		row{"a 103 is not it", upload(5000).says(10, 103, headLen).ends(30_000, reassembly.Forward, reassembly.FIN), "error certain: " + say + "until the client gave up the connection."},
		row{"a hole where the 100 belongs", hang().lacks(analysis.DoubtGap, analysis.PartInterim), ""},
		row{"one direction only", hang().lacks(analysis.DoubtOneSided, analysis.PartFinal), ""},
		row{"the head was lost on the way", hang().but(func(x *analysis.Exchange) { x.HeadResent = true }), "warning inconclusive: " + say + "and that is how it was last seen."},
	)
}

func TestContinueNoContent(t *testing.T) {
	const say = "info certain: A 100 for a request without a body: harmless, there was nothing to wait for."
	try(t, "100-no-content",
		row{"GET", asks("GET HTTP/1.1", 0, "Expect: 100-continue").says(1, 100, headLen), say},
		row{"Content-Length: 0", asks("PUT HTTP/1.1", 0, "Expect: 100-continue").but(func(x *analysis.Exchange) { x.ReqBody.Framing = analysis.FramingLength }).says(1, 100, headLen), say},
		row{"with a body", upload(5).says(1, 100, headLen), ""},
		row{"chunked", asks("PUT HTTP/1.1", -1, "Expect: 100-continue").says(1, 100, headLen), ""},
		row{"only a 103", asks("GET HTTP/1.1", 0, "Expect: 100-continue").says(1, 103, headLen), ""},
	)
}
