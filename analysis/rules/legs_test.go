package rules

import (
	"testing"

	"expectscope/analysis"
)

// then makes next, as it stands, follow from the scene.
func (s *scene) then(kind analysis.LinkKind, tier analysis.Tier, next *scene) *scene {
	next.ID = "9/1"
	sure := analysis.Likely
	if tier <= analysis.TierKey {
		sure = analysis.Certain
	}
	s.Amend().Links = []analysis.Link{{Kind: kind, To: next.ID, Tier: tier, Confidence: sure}}
	s.Legs = []*analysis.Exchange{s.Exchange, next.Exchange}
	s.LastActivity = s.Request.Last
	if s.Final != nil {
		s.LastActivity = s.Final.Last
	}
	return s
}

// later is a request that begins so many milliseconds after the scene's head.
func later(ms float64, method string, n int64, fields ...string) *scene {
	s := asks(method, n, fields...)
	s.Request.First = s.mark(ms, 1, 0)
	s.Request.Last = s.Request.First
	return s
}

func prefix(h uint32) func(*analysis.Exchange) {
	return func(x *analysis.Exchange) { x.ReqBody.Prefix[0] = h }
}

func TestRepeatUnsafe(t *testing.T) {
	post := func(fields ...string) *scene {
		return asks("POST HTTP/1.1", 5000, append([]string{"Expect: 100-continue"}, fields...)...).body(50, 5000, 0).but(prefix(7))
	}
	failed := func(status int, fields ...string) *scene { return post().says(100, status, headLen+5000, fields...) }
	again := func(h uint32, fields ...string) *scene {
		return later(300, "POST HTTP/1.1", 5000, fields...).but(prefix(h))
	}
	repeat := func(s, next *scene) *scene { return s.then(analysis.LinkRepeat, analysis.TierAgent, next) }
	const said = "A POST that was answered 502 was sent again 200 ms later, although it may have been executed."
	try(t, "repeat-unsafe",
		row{"equal bodies", repeat(failed(502), again(7)), "warning likely: " + said},
		row{"a digest ties them", failed(502).then(analysis.LinkRepeat, analysis.TierKey, again(7)), "warning certain: " + said},
		row{"unknown bodies", repeat(failed(502), again(0)), "notice inconclusive: " + said},
		row{"different bodies", repeat(failed(502), again(8)), ""},
		row{"no answer", repeat(post(), again(7)), "warning likely: A POST that got no answer was sent again 300 ms later, although it may have been executed."},
		row{"it says that nothing was done", repeat(failed(501), again(7)), ""},
		row{"it asks to come again", repeat(failed(503, "Retry-After: 1"), again(7)), ""},
		row{"it does not ask", repeat(failed(503), again(7)), "warning likely: A POST that was answered 503 was sent again 200 ms later, although it may have been executed."},
		row{"answered before it was whole", repeat(post().says(100, 502, headLen+10), again(7)), ""},
		row{"one key", repeat(post("Idempotency-Key: a").says(100, 502, headLen+5000), again(7, "Idempotency-Key: a")), ""},
		row{"a key of its own", repeat(post("Idempotency-Key: a").says(100, 502, headLen+5000), again(7, "Idempotency-Key: b")), "warning likely: " + said},
		row{"the answer may be in a hole", repeat(post().lacks(analysis.DoubtGap, analysis.PartFinal), again(7)), ""},
		row{"another link", failed(502).then(analysis.LinkAuth, analysis.TierConn, again(7)), ""},
	)
}

func TestRetryAfterIgnored(t *testing.T) {
	asked := func(status int, after string, ms float64, fields ...string) *scene {
		s := upload(5000).says(20, status, headLen, append(fields, "Retry-After: "+after)...)
		return s.then(analysis.LinkRepeat, analysis.TierConn, later(ms, "PUT HTTP/1.1", 5000))
	}
	said := func(status string) string {
		return "notice certain: The server asked with " + status + " to wait 10.0 s, and the client sent the request again after 1.00 s."
	}
	date := "Tue, 14 Nov 2023 22:13:30 GMT" // ten seconds after t0
	try(t, "retry-after-ignored",
		row{"too early", asked(429, "10", 1020), said("429")},
		row{"413", asked(413, "10", 1020), said("413")},
		row{"nearly", asked(503, "10", 9120), ""},
		row{"a redirect asks for something else", asked(301, "10", 1020), ""},
		row{"a date, against the response's own", asked(503, date, 1020, "Date: Tue, 14 Nov 2023 22:13:20 GMT"), said("503")},
		row{"a date, against the capture's clock", asked(503, date, 1020), "notice likely: The server asked with 503 to wait 9.98 s, and the client sent the request again after 1.00 s."},
		row{"nonsense", asked(503, "soon", 1020), ""},
		row{"below nothing", asked(503, "-1", 1020), ""},
	)
	same := upload(5000).but(prefix(7)).says(20, 429, headLen, "Retry-After: 10")
	same.then(analysis.LinkRepeat, analysis.TierAgent, later(1020, "POST HTTP/1.1", 5000).but(prefix(7)))
	try(t, "retry-after-ignored", row{
		"a POST that begins alike", same,
		"notice likely: The server asked with 429 to wait 10.0 s, and the client sent the request again after 1.00 s.",
	})
	stream := upload(5000).says(20, 429, headLen, "Retry-After: 10")
	stream.then(analysis.LinkRepeat, analysis.TierAgent, later(1020, "POST HTTP/1.1", 5000))
	try(t, "retry-after-ignored", row{
		"messages to one target", stream,
		"info inconclusive: The server asked with 429 to wait 10.0 s, and the client sent the request again after 1.00 s.",
	})
}

func TestRedirectMethodChanged(t *testing.T) {
	to := func(status int, method string) *scene {
		return upload(5000).says(20, status, headLen, "Location: /b").then(analysis.LinkRedirect, analysis.TierConn, later(30, method+" HTTP/1.1", 0))
	}
	try(t, "redirect-method-changed",
		row{"307", to(307, "GET"), "error likely: A 307 turned PUT into GET."},
		row{"308", to(308, "GET"), "warning likely: A 308 turned PUT into GET."},
		row{"301 may", to(301, "GET"), ""},
		row{"kept", to(307, "PUT"), ""},
		row{"a hole in the head", to(307, "GET").lacks(analysis.DoubtGap, analysis.PartRequest), "warning inconclusive: A 307 turned PUT into GET."},
	)
}

func TestSize413(t *testing.T) {
	plain := func(n int64) *scene { return asks("PUT HTTP/1.1", n).body(1, n, 0).says(20, 413, headLen+uint64(n)) }
	try(t, "size-413",
		row{"asked first", upload(5000).says(20, 413, headLen), "info certain: An upload of 5,000 bytes is too large for this server: refused before a byte was sent."},
		row{
			"sent without asking", plain(20_000),
			"notice certain: An upload of 20,000 bytes is too large for this server, and 20,000 bytes of it had been sent when that was said.",
		},
		row{
			"sent all the same", upload(5000).says(20, 413, headLen).body(30, 5000, 50),
			"info certain: An upload of 5,000 bytes is too large for this server, and 5,000 bytes of it were sent all the same.",
		},
		row{"too little to speak of", plain(2000), ""},
		row{"chunked", asks("PUT HTTP/1.1", -1, "Expect: 100-continue").says(20, 413, headLen), "info certain: A chunked upload is too large for this server: refused before a byte was sent."},
		row{"another status", upload(5000).says(20, 403, headLen), ""},
	)
}
