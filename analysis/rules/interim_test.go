package rules

import (
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// turnedDown is an upload answered before its body, which the client then kept.
func turnedDown(status int, fields ...string) *scene {
	return upload(5000).says(1, status, headLen, fields...)
}

func TestStray100(t *testing.T) {
	stray := func() *scene { return turnedDown(403).says(11, 100, headLen) }
	const say = "A stray 100 came 10 ms after the final 403: the response queue is off by one."
	try(t, "100-after-final",
		row{"after the final", stray(), "error certain: " + say},
		row{"103 too", turnedDown(403).says(11, 103, headLen), "error certain: A stray 103 came 10 ms after the final 403: the response queue is off by one."},
		row{"the next request was sent", turnedDown(403).next(5).says(11, 100, headLen), ""},
		row{"the next request came later", turnedDown(403).says(11, 100, headLen).next(20), "error certain: " + say},
		row{"a final is another matter", turnedDown(403).says(11, 200, headLen), ""},
		row{"a hole on the connection", stray().but(func(x *analysis.Exchange) { x.Conn.Holes = 1 }), ""},
		row{"a hole in the exchange", stray().lacks(analysis.DoubtGap, analysis.PartRespBody), ""},
		row{"cut by the snap length", stray().lacks(analysis.DoubtSnapLen, analysis.PartFinal), "warning inconclusive: " + say},
		row{"the client had left", turnedDown(403).ends(5, reassembly.Forward, reassembly.FIN).says(11, 100, headLen), ""},
		row{"in order", upload(5000).says(1, 100, headLen).says(11, 403, headLen), ""},
	)
}

func TestResponseWithoutRequest(t *testing.T) {
	done := func() *scene {
		return upload(5000).says(1, 100, headLen).body(2, 5000, 50).says(3, 201, headLen+5000)
	}
	const say = "A 200 came that answers no request, 10 ms after the 201 that answered the last one."
	try(t, "response-without-request",
		row{"a second final", done().says(13, 200, seeAll), "error certain: " + say},
		row{"an interim is another matter", done().says(13, 100, seeAll), ""},
		row{"408 on an idle connection", done().says(13, 408, seeAll), ""},
		row{
			"400 where no body is owed", done().says(13, 400, seeAll),
			"error certain: A 400 came that answers no request, 10 ms after the 201 that answered the last one.",
		},
		row{"400 while a body is owed", turnedDown(403).says(11, 400, headLen), ""},
		row{"400 after a repeat in an owed body", turnedDown(417).body(2, 5000, 50).but(func(x *analysis.Exchange) { x.Owed = &analysis.Owed{} }).says(11, 400, headLen), ""},
		row{
			"200 while a body is owed", turnedDown(403).says(11, 200, headLen),
			"error certain: A 200 came that answers no request, 10 ms after the 403 that answered the last one.",
		},
		row{"the client had left", done().ends(5, reassembly.Forward, reassembly.FIN).says(13, 200, seeAll), ""},
		row{"the client left later", done().says(13, 200, seeAll).ends(20, reassembly.Forward, reassembly.FIN), "error certain: " + say},
		row{"the next request was sent", done().next(5).says(13, 200, seeAll), ""},
		row{"joined in the middle", done().says(13, 200, seeAll).but(func(x *analysis.Exchange) { x.Conn.Start = reassembly.MidStream }), ""},
		row{"a hole on the connection", done().says(13, 200, seeAll).but(func(x *analysis.Exchange) { x.Conn.Holes = 1 }), ""},
		row{"one direction only", done().says(13, 200, seeAll).lacks(analysis.DoubtOneSided, analysis.PartRequest), ""},
	)
}

func TestInterimFramingFields(t *testing.T) {
	try(t, "interim-framing-fields",
		row{"length", upload(5).says(1, 100, headLen, "Content-Length: 0"), `error certain: A 100 carries Content-Length: "0": parsers that believe it will split the stream elsewhere.`},
		row{"coding", upload(5).says(1, 103, headLen, "transfer-encoding: chunked"), `error certain: A 103 carries Transfer-Encoding: "chunked": parsers that believe it will split the stream elsewhere.`},
		row{"101", asks("GET HTTP/1.1", 0, "Upgrade: x").says(1, 101, headLen, "Content-Length: 5"), `error certain: A 101 carries Content-Length: "5": parsers that believe it will split the stream elsewhere.`},
		row{"in the final", upload(5).says(1, 100, headLen, "Date: x").says(2, 201, headLen, "Content-Length: 5"), ""},
	)
}

func TestInterimSpliced(t *testing.T) {
	const say = "Another response's text stands inside the head of the 404: a 100 was written into it, which may disclose memory."
	try(t, "interim-spliced",
		row{"a line of its own", turnedDown(404, "Server: x", "HTTP/1.1 100 Continue"), "error certain: " + say},
		row{"within a value", turnedDown(404, "X-A: abcHTTP/1.1 100 Contin\x00\x17secret"), "error certain: " + say},
		row{"the words alone", turnedDown(404, "X-Note: 100 Continue was sent"), "error likely: " + say},
		row{"a field that names the expectation", turnedDown(417, "X-Refused: 100-continue"), ""},
		row{"another version's name", turnedDown(404, "Via: 1.1 a", "Upgrade: HTTP/2.0"), ""},
		row{"no final", upload(5).says(1, 100, headLen), ""},
		row{"cut by the snap length", turnedDown(404, "HTTP/1.1 100 Continue").lacks(analysis.DoubtSnapLen, analysis.PartFinal), "warning inconclusive: " + say},
	)
}

func TestInterimFlood(t *testing.T) {
	flood := func(n int, fields ...string) *scene {
		s := upload(5000)
		for i := range n {
			s.says(float64(i), 102, headLen, fields...)
		}
		return s
	}
	try(t, "interim-flood",
		row{"nine", flood(9), "warning certain: 9 interim responses (108 bytes) for one request."},
		row{"eight", flood(8), ""},
		row{"64 KiB", flood(2, "X: "+strings.Repeat("a", 40_000)), "warning certain: 2 interim responses (80,034 bytes) for one request."},
		row{"fewer", flood(2, "X: "+strings.Repeat("a", 30_000)), ""},
	)
}

func TestInterimOther(t *testing.T) {
	try(t, "interim-other",
		row{"103, no Expect", asks("GET HTTP/1.1", 0).says(1, 103, headLen), "info certain: A 103 is not the answer: the final response comes after it."},
		row{"103, then 100", upload(5).says(1, 103, headLen).says(2, 100, headLen), "info certain: A 103 is neither the answer nor the 100 that the client asked for."},
		row{
			"several", upload(5).says(1, 102, headLen).says(2, 103, headLen),
			"info certain: A 102, the first of 2 such, is neither the answer nor the 100 that the client asked for.",
		},
		row{"100", upload(5).says(1, 100, headLen), ""},
		row{"101", asks("GET HTTP/1.1", 0, "Upgrade: x").says(1, 101, headLen), ""},
	)
}

func TestUpgrade(t *testing.T) {
	const skipped = "The server switched protocols with 101 and skipped the body it had been asked about: no 100 came before."
	both := func() *scene { return upload(5000, "Connection: upgrade", "Upgrade: x") }
	try(t, "upgrade-without-100",
		row{"no 100", both().says(1, 101, headLen), "error certain: " + skipped},
		row{"100 first", both().says(1, 100, headLen).says(2, 101, headLen), ""},
		row{"the server had content", both().body(0, 5000, 0).says(1, 101, headLen+1460), ""},
		row{"content on the way", both().body(0, 5000, 0).says(1, 101, headLen), "error certain: " + skipped},
		row{"no Expect", asks("PUT HTTP/1.1", 5000, "Upgrade: x").says(1, 101, headLen), ""},
		row{"no body", upload(0, "Upgrade: x").says(1, 101, headLen), ""},
		row{"no switch", both().says(1, 201, headLen), ""},
	)
	const unasked = `The server switched protocols with 101 although the "PUT" has no Upgrade field.`
	try(t, "101-no-upgrade",
		row{"unasked", upload(5).says(1, 101, headLen), "error certain: " + unasked},
		row{"asked", both().says(1, 101, headLen), ""},
		row{"the head is cut", upload(5).says(1, 101, headLen).lacks(analysis.DoubtSnapLen, analysis.PartRequest), ""},
		row{"HTTP/2 has its own rule", upload(5).says(1, 101, headLen).but(func(x *analysis.Exchange) { x.Request.Version, x.ReqBody.Framing = "HTTP/2", analysis.FramingH2 }), ""},
	)
}
