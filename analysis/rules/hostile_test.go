package rules

import (
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// inside makes the content begin with a request.
func (s *scene) inside(method string) *scene {
	s.ReqBody.Inner = method
	return s
}

// answeredWhole ends the final response at its head.
func (s *scene) answeredWhole() *scene {
	s.RespBody.Complete, s.RespBody.End = true, s.Final.Last
	return s
}

func TestExpectBodylessMethod(t *testing.T) {
	get := func(n int64) *scene { return asks("GET HTTP/1.1", n, "Expect: 100-continue") }
	const say = "The GET announces 291 bytes of body and asks whether to send it: the shape of a request smuggling attack."
	try(t, "expect-bodyless-method",
		row{"a body on a GET", get(291).body(1, 291, 0).says(2, 200, headLen+291), "notice certain: " + say},
		row{"answered early, left open", get(291).says(1, 404, headLen), "warning certain: " + say},
		row{"answered early, closed", get(291).says(1, 404, headLen, "Connection: close"), "notice certain: " + say},
		row{"chunked", get(-1).says(1, 404, headLen, "Connection: close"), "notice certain: The GET announces a chunked body and asks whether to send it: the shape of a request smuggling attack."},
		row{"no body", get(0).says(1, 404, headLen), ""},
		row{"PUT", upload(291).says(1, 404, headLen), ""},
		row{"no Expect", asks("GET HTTP/1.1", 291).says(1, 404, headLen), ""},
		row{"the head is cut", get(291).but(func(x *analysis.Exchange) { x.ReqBody.Framing = analysis.FramingUnknown }), ""},
	)
}

func TestTwoLengths(t *testing.T) {
	both := func() *scene {
		return asks("POST HTTP/1.1", -1, "Content-Length: 5", "Transfer-Encoding: chunked").body(1, 100, 0)
	}
	ok := func() *scene { return both().says(2, 200, headLen+100).answeredWhole() }
	try(t, "cl-te",
		row{"both", ok(), "error certain: One request, two lengths (Content-Length: 5 and Transfer-Encoding: chunked): the shape of request smuggling."},
		row{"chunked alone", asks("POST HTTP/1.1", -1, "Transfer-Encoding: chunked").says(1, 200, headLen), ""},
		row{"the identity of RFC 2616", asks("POST HTTP/1.1", 5, "Content-Length: 5", "Transfer-Encoding: identity").says(1, 200, headLen), ""},
		row{"HTTP/2", both().but(func(x *analysis.Exchange) { x.ReqBody.Framing, x.Request.Version = analysis.FramingH2, "HTTP/2" }), ""},
	)
	nextAnswered := func(x *analysis.Exchange) { x.NextFinal = reassembly.Mark{Time: t0 + 30e6, Packet: 90, Off: 51} }
	const say = "The server answered a request with two lengths (200) and kept the connection for "
	try(t, "cl-te-kept",
		row{"the next request is answered", ok().next(20).but(nextAnswered), "error certain: " + say + "28 ms."},
		row{"closed after nine seconds", ok().ends(9002, reassembly.Reverse, reassembly.FIN), "error certain: " + say + "9.00 s."},
		row{"no end is seen", ok(), "warning inconclusive: " + say + "60 s."},
		row{"the capture ends", ok().but(func(x *analysis.Exchange) { x.At = t0 + 100e6 }), ""},
		row{"closed at once", ok().ends(3, reassembly.Reverse, reassembly.FIN), ""},
		row{"the client closed at once", ok().ends(3, reassembly.Forward, reassembly.FIN).ends(9000, reassembly.Reverse, reassembly.FIN), ""},
		row{"said close", both().says(2, 200, headLen+100, "Connection: close").answeredWhole().ends(9000, reassembly.Reverse, reassembly.FIN), ""},
		row{"the answer is not whole", both().says(2, 200, headLen+100).ends(9000, reassembly.Reverse, reassembly.FIN), ""},
		row{"one length", upload(5).body(1, 5, 0).says(2, 200, headLen+5).answeredWhole(), ""},
	)
}

func TestContentLengthConflict(t *testing.T) {
	with := func(fields ...string) *scene { return asks("POST HTTP/1.1", 5, fields...).says(1, 400, headLen) }
	try(t, "cl-conflict",
		row{"two numbers", with("Content-Length: 5", "Content-Length: 6"), `error certain: Content-Length: 5, 6 is not one number: servers disagree where this request ends.`},
		row{"a list of two numbers", with("Content-Length: 5, 6"), `error certain: Content-Length: 5, 6 is not one number: servers disagree where this request ends.`},
		row{"below nothing", with("Content-Length: -1"), `error certain: Content-Length: -1 is not one number: servers disagree where this request ends.`},
		row{"no value", with("Content-Length:"), `error certain: Content-Length: "" is not one number: servers disagree where this request ends.`},
		row{"the same number", with("Content-Length: 5", "Content-Length: 05, 5"), ""},
		row{"one number", with("Content-Length: 5"), ""},
		row{"none", with(), ""},
	)
}

func TestBodyLooksLikeRequest(t *testing.T) {
	sent := func() *scene { return upload(64).body(1, 64, 0).inside("GET") }
	const say = "The body begins with an HTTP request of its own (GET), the shape of request smuggling; "
	gone := upload(64).body(1, 64, 0).inside("GET").lacks(analysis.DoubtGap, analysis.PartFinal)
	try(t, "body-looks-like-request",
		row{"refused", sent().says(2, 404, headLen+64), "warning certain: " + say + "the server gave it one answer, as a body."},
		row{"refused early", sent().says(2, 404, headLen), "warning certain: " + say + "the server answered before it had read it."},
		row{"answered twice", sent().says(2, 404, headLen+64).says(3, 200, headLen+64), "warning certain: " + say + "the server answered it as a request."},
		row{"an upload that was taken", sent().says(2, 201, headLen+64), "info certain: " + say + "the server gave it one answer, as a body."},
		row{"taken, but answered twice", sent().says(2, 201, headLen+64).says(3, 200, headLen+64), "warning certain: " + say + "the server answered it as a request."},
		row{"not answered", sent(), "warning certain: " + say + "what the server took it for cannot be told."},
		row{"a refusal may be missing", gone, "notice inconclusive: " + say + "what the server took it for cannot be told."},
		row{
			"the capture ends in it, behind the answer", upload(64).says(1, 417, headLen).body(2, 40, 50).inside("GET").lacks(analysis.DoubtCaptureEnd, analysis.PartReqBody),
			"notice inconclusive: " + say + "the server answered before it had read it.",
		},
		row{"other content", upload(64).body(1, 64, 0).says(2, 404, headLen+64), ""},
		row{"neither Expect nor early", asks("PUT HTTP/1.1", 64).body(1, 64, 0).inside("GET").says(2, 404, headLen+64), ""},
		row{"an honest repeat", reused(417, analysis.ReadAsNext, analysis.ReadAsNext, analysis.Certain, analysis.Certain), ""},
		row{
			"in place of the body of a GET",
			reused(404, analysis.ReadAsNext, analysis.ReadAsBody, analysis.Certain, analysis.Likely).but(func(x *analysis.Exchange) { x.Request.Method = "GET" }),
			"warning likely: An HTTP request stands where the body of this GET is due: the shape of request smuggling; the server probably swallowed it as body.",
		},
	)
	const disguised = `contains 100-continue in disguise (prefix): servers disagree what it means, a smuggling technique.`
	y := func() *scene { return asks("POST HTTP/1.1", 64, "Expect: y 100-continue").body(1, 64, 0).inside("GET") }
	try(t, "expect-obfuscated",
		row{"with a request inside", y().says(2, 404, headLen+64), `error certain: Expect: "y 100-continue" ` + disguised},
		row{
			"which may be the next one, cut by the capture's end", y().says(2, 404, headLen).lacks(analysis.DoubtCaptureEnd, analysis.PartReqBody),
			`warning certain: Expect: "y 100-continue" ` + disguised,
		},
		row{"which may be the next one", y().lacks(analysis.DoubtGap, analysis.PartFinal), `warning certain: Expect: "y 100-continue" ` + disguised},
	)
}

func TestBodyParsedAsRequest(t *testing.T) {
	twice := func() *scene { return upload(64).body(1, 64, 0).says(2, 404, headLen+64).says(3, 405, headLen+64) }
	const say = "The server answered body bytes as if they were a request: 405 behind the 404."
	try(t, "body-parsed-as-request",
		row{"a request in the body", twice().inside("GET"), "error certain: " + say},
		row{"no request in it, nothing new came", twice(), ""},
		row{"the body came behind the refusal", turnedDown(404).body(2, 5000, 50).says(3, 405, headLen+5000), "error likely: " + say},
		row{"a 400 counts", turnedDown(404).body(2, 5000, 50).says(3, 400, headLen+5000), "error likely: The server answered body bytes as if they were a request: 400 behind the 404."},
		row{"a 408 does not", turnedDown(404).body(2, 5000, 50).says(3, 408, headLen+5000), ""},
		row{"no body byte had come", turnedDown(404).body(2, 5000, 50).says(3, 405, headLen), ""},
		row{"no body", turnedDown(404).says(3, 405, headLen), ""},
		row{"one answer", upload(64).body(1, 64, 0).inside("GET").says(2, 404, headLen+64), ""},
		row{"a hole on the connection", twice().inside("GET").but(func(x *analysis.Exchange) { x.Conn.Holes = 1 }), ""},
		row{"joined in the middle", twice().inside("GET").but(func(x *analysis.Exchange) { x.Conn.Start = reassembly.MidStream }), ""},
		row{"the next request was sent", upload(64).body(1, 64, 0).inside("GET").says(2, 404, headLen+64).next(3).says(4, 405, headLen+64), ""},
		row{"no acknowledgements", upload(64).blindAcks().body(1, 64, 0).inside("GET").says(2, 404, 0).says(3, 405, 0), "error likely: " + say},
	)
	for _, f := range Judge(&twice().inside("GET").Case) {
		if f.Rule == "response-without-request" && f.Cause != "body-parsed-as-request" {
			t.Errorf("the answer too many is told under %q", f.Cause)
		}
	}
}

func TestRequestSwallowed(t *testing.T) {
	const (
		body, next, unknown = analysis.ReadAsBody, analysis.ReadAsNext, analysis.ReadUnknown
		certain, likely     = analysis.Certain, analysis.Likely
	)
	const say = "The server ate the next request as body of this one: the connection is out of step."
	try(t, "request-swallowed",
		row{"no answer", reused(403, next, body, certain, likely), "error likely: " + say},
		row{"the server read on", reused(403, next, next, certain, certain), ""},
		row{"nobody knows", reused(403, next, unknown, certain, likely), ""},
		row{"it was body", reused(403, body, body, certain, likely), ""},
		row{"a hole in the body", reused(403, next, body, certain, likely).lacks(analysis.DoubtGap, analysis.PartReqBody), "warning inconclusive: " + say},
	)
}

func TestMarkup(t *testing.T) {
	with := func(v string) *scene { return asks("GET HTTP/1.1", 0, "Expect: "+v).says(1, 417, headLen) }
	echoed := func(x *analysis.Exchange) { x.Amend().Echo = x.Final.Last }
	try(t, "expect-markup",
		row{"a tag", with("<b>"), `warning certain: Expect: "<b>" holds markup: the shape of a cross-site scripting probe.`},
		row{"a script", with("javascript:x"), `warning certain: Expect: "javascript:x" holds markup: the shape of a cross-site scripting probe.`},
		row{"a word", with("200-ok"), ""},
		row{"what is asked for", upload(5).says(1, 417, headLen), ""},
	)
	try(t, "expect-reflected",
		row{"echoed", with("<b>").but(echoed), `error certain: The page of the 417 repeats the markup of Expect: "<b>" unescaped.`},
		row{"not echoed", with("<b>"), ""},
		row{"the answer is damaged", with("<b>").but(echoed).lacks(analysis.DoubtConflict, analysis.PartFinal), `warning inconclusive: The page of the 417 repeats the markup of Expect: "<b>" unescaped.`},
	)
}

func TestHundredThen5xx(t *testing.T) {
	head := func() *scene { return asks("HEAD HTTP/1.1", 6, "Expect: 100-continue") }
	try(t, "100-then-5xx",
		row{"504", head().says(1, 100, headLen).body(2, 6, 50).says(30_000, 504, headLen+6), "notice certain: Asked for the body of a HEAD, then 504: proxy and origin disagree about a body."},
		row{"503", head().says(1, 100, headLen).body(2, 6, 50).says(3, 503, headLen+6), ""},
		row{"no 100", head().body(2, 6, 0).says(3, 504, headLen+6), ""},
		row{"PUT", upload(6).says(1, 100, headLen).body(2, 6, 50).says(3, 504, headLen+6), ""},
		row{"no body", asks("GET HTTP/1.1", 0, "Expect: 100-continue").says(1, 100, headLen).says(3, 504, headLen), ""},
	)
}
