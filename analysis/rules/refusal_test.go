package rules

import (
	"testing"

	"expectscope/analysis"
)

func TestReceived417(t *testing.T) {
	try(t, "417-received",
		row{"plain", denied(), "notice certain: The server or a proxy refused Expect: 100-continue with 417; this cost one round trip of 2.0 ms."},
		row{
			"round trip unknown", denied().but(func(x *analysis.Exchange) { x.Conn.SYN = 0 }),
			"notice certain: The server or a proxy refused Expect: 100-continue with 417; this cost one round trip.",
		},
		row{
			"with body", upload(5000).body(1000, 3000, 0).says(1010, 417, headLen+3000),
			"notice certain: The server or a proxy refused Expect: 100-continue with 417; this cost 3,000 bytes of body.",
		},
		row{
			"unknown value", asks("PUT HTTP/1.1", 5000, "Expect: a\x00b").says(20, 417, headLen),
			`notice certain: The server or a proxy refused Expect: "a\x00b" with 417; this cost one round trip of 2.0 ms.`,
		},
		row{"a hole in the answer", denied().lacks(analysis.DoubtGap, analysis.PartFinal), ""},
		row{
			"a hole elsewhere", denied().lacks(analysis.DoubtGap, analysis.PartRespBody),
			"notice certain: The server or a proxy refused Expect: 100-continue with 417; this cost one round trip of 2.0 ms.",
		},
		row{
			"the head was cut", denied().lacks(analysis.DoubtSnapLen, analysis.PartFinal),
			"info inconclusive: The server or a proxy refused Expect: 100-continue with 417; this cost one round trip of 2.0 ms.",
		},
		row{"no Expect", asks("PUT HTTP/1.1", 5000).says(20, 417, headLen), ""},
		row{"403", upload(5000).says(20, 403, headLen), ""},
	)
}

func TestFor100Continue(t *testing.T) {
	const refusal, old = "An HTTP/1.1 chain refused the only standard expectation.", "100-continue was refused on a way that includes HTTP/1.0, which cannot carry a 100."
	try(t, "417-for-100-continue",
		row{"plain", denied(), "warning certain: " + refusal},
		row{"case and white space do not count", asks("PUT HTTP/1.1", 5000, "Expect:  100-Continue\t").says(20, 417, headLen), "warning certain: " + refusal},
		row{"proxies that speak 1.1", denied("Via: 1.1 a, HTTP/1.1 b"), "warning certain: " + refusal},
		row{"a hop that spoke 1.0", denied("Via: 1.1 a, 1.0 fred (old)"), "info certain: " + old},
		row{"a hop that spoke HTTP/1.0, in the answer", upload(5000).says(20, 417, headLen, "Via: HTTP/1.0 x"), "info certain: " + old},
		row{"an answer in HTTP/1.0", denied().but(func(x *analysis.Exchange) { x.Final.Version = "HTTP/1.0" }), "info certain: " + old},
		row{"a request in HTTP/1.0", asks("PUT HTTP/1.0", 5000, "Expect: 100-continue").says(20, 417, headLen), "info certain: " + old},
		row{"a list", asks("PUT HTTP/1.1", 5000, "Expect: 100-continue, x").says(20, 417, headLen), ""},
		row{"another expectation", asks("PUT HTTP/1.1", 5000, "Expect: x").says(20, 417, headLen), ""},
		row{"403", upload(5000).says(20, 403, headLen), ""},
	)
}

func TestWithoutExpect417(t *testing.T) {
	bare := func() *scene { return asks("PUT HTTP/1.1", 5000, "Host: a").says(20, 417, headLen) }
	try(t, "417-without-expect",
		row{"no Expect", bare(), "warning certain: 417 although this client sent no Expect: look at the next hop."},
		row{"a plain repeat", denied().repeated(30, 417).attempt(1), "warning certain: 417 again, although this retry carries no Expect: look at the next hop."},
		row{"the head was cut", bare().lacks(analysis.DoubtSnapLen, analysis.PartRequest), ""},
		row{"a hole in the head", bare().lacks(analysis.DoubtGap, analysis.PartRequest), ""},
		row{"a hole in the answer", bare().lacks(analysis.DoubtGap, analysis.PartFinal), ""},
		row{"with Expect", denied(), ""},
		row{"an empty Expect", asks("PUT HTTP/1.1", 5000, "Expect:").says(20, 417, headLen), ""},
	)
}

func TestUnknownExpectation417(t *testing.T) {
	say := func(value string) string {
		return asks("PUT HTTP/1.1", 5000, "Expect: "+value).says(20, 417, headLen).verdict("417-unknown-expectation")
	}
	for value, want := range map[string]string{
		"200-ok":           `info certain: The expectation "200-ok" was not 100-continue; 417 is allowed.`,
		"y 100-continue":   `info certain: The expectation "y 100-continue" was not 100-continue; 417 is allowed.`,
		"":                 "info certain: The Expect field was empty; 417 is allowed.",
		"100-continue":     "",
		"x, 100-continue":  "",
		"<script>\x07</p>": `info certain: The expectation "<script>\a</p>" was not 100-continue; 417 is allowed.`,
	} {
		if got := say(value); got != want {
			t.Errorf("Expect: %q:\n got %q\nwant %q", value, got, want)
		}
	}
	if got := asks("PUT HTTP/1.1", 5000).says(20, 417, headLen).verdict("417-unknown-expectation"); got != "" {
		t.Errorf("without Expect: %q", got)
	}
}

func TestLate417(t *testing.T) {
	try(t, "417-late",
		row{"after 3,000 bytes", upload(5000).body(1000, 3000, 0).says(1010, 417, headLen+3000), "warning certain: Refused after 3,000 bytes of body had arrived at the server."},
		row{"the body crossed it", upload(5000).body(1000, 3000, 0).says(1010, 417, headLen), ""},
		row{
			"one byte of a chunk's size line", upload(-1).body(1000, 3000, 0).says(1010, 417, headLen+1).but(func(x *analysis.Exchange) { x.ReqBody.Read = 0 }),
			"warning certain: Refused after body bytes had arrived at the server.",
		},
		row{"the client did not wait", upload(5000).body(1, 3000, 0).says(1010, 417, headLen+3000), "notice certain: Refused after 3,000 bytes of body had arrived at the server."},
		row{
			"another expectation", asks("PUT HTTP/1.1", 5000, "Expect: x").body(1000, 3000, 0).says(1010, 417, headLen+3000),
			"notice certain: Refused after 3,000 bytes of body had arrived at the server.",
		},
		row{
			"no acknowledgements", upload(5000).blindAcks().body(1000, 3000, 0).says(1010, 417, headLen+3000),
			"warning likely: Refused after 3,000 bytes of body had arrived at the server.",
		},
		row{"no body", denied(), ""},
		row{"403", upload(5000).body(1000, 3000, 0).says(1010, 403, headLen+3000), ""},
	)
}

func TestAfter100(t *testing.T) {
	try(t, "417-after-100",
		row{
			"100, then 417", upload(5000).says(10, 100, headLen).body(12, 5000, 50).says(40, 417, headLen+5000),
			"warning certain: The server said continue and refused the expectation 30 ms later.",
		},
		row{"103, then 417", upload(5000).says(10, 103, headLen).says(40, 417, headLen), ""},
		row{"100, then 403", upload(5000).says(10, 100, headLen).says(40, 403, headLen), ""},
		row{"417 alone", denied(), ""},
	)
}
