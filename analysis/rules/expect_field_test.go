package rules

import (
	"testing"

	"expectscope/analysis"
)

func TestExpectNoContent(t *testing.T) {
	const say = `The "PUT" asks whether to send a body and has none.`
	empty := func(fields ...string) *scene { return upload(0, fields...) }
	try(t, "expect-no-content",
		row{"no framing fields", empty(), "warning certain: " + say},
		row{"Content-Length: 0", empty().but(func(x *analysis.Exchange) { x.ReqBody.Framing = analysis.FramingLength }), "warning certain: " + say},
		row{"one of a list", asks("PUT HTTP/1.1", 0, "Expect: 100-continue, x"), "warning certain: " + say},
		row{"a Negotiate probe", empty("Authorization: negotiate YII="), "info certain: " + say},
		row{"an NTLM probe", empty("Authorization: NTLM TlR="), "info certain: " + say},
		row{"Basic is no dialogue", empty("Authorization: Basic eA=="), "warning certain: " + say},
		row{"with a body", upload(1), ""},
		row{"chunked", asks("PUT HTTP/1.1", -1, "Expect: 100-continue"), ""},
		row{"unknown expectation", asks("PUT HTTP/1.1", 0, "Expect: x"), ""},
		row{"the head is cut", empty().lacks(analysis.DoubtSnapLen, analysis.PartRequest), "notice inconclusive: " + say},
	)
}

func TestExpectTiny(t *testing.T) {
	mss := func(n uint16) func(*analysis.Exchange) {
		return func(x *analysis.Exchange) { x.Conn.MSS = [2]uint16{65_000, n} }
	}
	try(t, "expect-tiny",
		row{"5 bytes", upload(5), "info certain: The whole body (5 bytes) fits into the packet that asked whether to send it."},
		row{"head and body just fit", upload(1260), "info certain: The whole body (1,260 bytes) fits into the packet that asked whether to send it."},
		row{"one byte too many", upload(1261), ""},
		row{"the server takes more", upload(8000).but(mss(8960)), "info certain: The whole body (8,000 bytes) fits into the packet that asked whether to send it."},
		row{"what the client takes does not matter", upload(8000).but(mss(1460)), ""},
		row{"no body", upload(0), ""},
		row{"unknown length", asks("PUT HTTP/1.1", -1, "Expect: 100-continue"), ""},
		row{"HTTP/1.0", asks("PUT HTTP/1.0", 5, "Expect: 100-continue"), ""},
	)
}

func TestExpectValues(t *testing.T) {
	put := func(fields ...string) *scene { return asks("PUT HTTP/1.1", 5000, fields...) }
	try(t, "expect-unknown",
		row{"unknown", put("Expect: 200-ok"), `notice certain: Expect: "200-ok" is no known expectation: some servers refuse it, others ignore it.`},
		row{"control characters are escaped", put("Expect: \x1b[31m"), `notice certain: Expect: "\x1b[31m" is no known expectation: some servers refuse it, others ignore it.`},
		row{"plain", upload(5), ""},
		row{"empty", put("Expect:"), ""},
		row{"disguised", put("Expect: y 100-continue"), ""},
	)
	const empty = "info certain: The Expect field is empty: it asks for nothing, and some proxies refuse it."
	try(t, "expect-empty",
		row{"empty", put("Expect:"), empty},
		row{"an empty list", put("Expect: , ,"), empty},
		row{"absent", put(), ""},
		row{"unknown", put("Expect: x"), ""},
	)
	try(t, "expect-duplicate",
		row{"equal", put("Expect: 100-continue", "expect: 100-continue"), `warning certain: 2 Expect lines in one request ("100-continue, 100-continue"): every server picks differently.`},
		row{"different", put("Expect: x", "Expect: 100-continue", "Expect:"), `warning certain: 3 Expect lines in one request ("x, 100-continue, "): every server picks differently.`},
		row{"one", put("Expect: 100-continue, 100-continue"), ""},
	)
}

func TestExpectObfuscated(t *testing.T) {
	say := func(severity, value, kind string) string {
		return severity + " certain: Expect: " + value + " contains 100-continue in disguise (" + kind + "): servers disagree what it means, a smuggling technique."
	}
	put := func(fields ...string) *scene { return asks("PUT HTTP/1.1", 5000, fields...) }
	try(t, "expect-obfuscated",
		row{"prefix", put("Expect: y 100-continue"), say("warning", `"y 100-continue"`, "prefix")},
		row{"suffix", put("Expect: 100-continue y"), say("warning", `"100-continue y"`, "suffix")},
		row{"list", put("Expect: 100-continue, x"), say("warning", `"100-continue, x"`, "list")},
		row{"leading comma", put("Expect: ,100-continue"), say("warning", `",100-continue"`, "list")},
		row{"parameter", put("Expect: 100-Continue ;q=1"), say("warning", `"100-Continue ;q=1"`, "parameter")},
		row{"value", put("Expect: 100-continue=1"), say("warning", `"100-continue=1"`, "value")},
		row{"quoted", put(`Expect: "100-continue"`), say("warning", `"\"100-continue\""`, "quoted")},
		row{"fold", put("Expect:\r\n 100-continue"), say("warning", `"\r\n 100-continue"`, "folded line")},
		row{"space before the colon", put("Expect : 100-continue"), say("warning", `"100-continue"`, "space before the colon")},
		row{"control", put("Expect: \x0b100-continue"), say("warning", `"\v100-continue"`, "control character")},
		row{"inner white space", put("Expect: 100 -continue"), say("warning", `"100 -continue"`, "inner white space")},
		row{"two lines", put("Expect: x", "Expect: 100-continue"), say("warning", `"x, 100-continue"`, "several lines")},
		row{"GET", asks("GET HTTP/1.1", 291, "Expect: y 100-continue"), say("error", `"y 100-continue"`, "prefix")},
		row{"case is no disguise", put("Expect: 100-CONTINUE"), ""},
		row{"white space around is none", put("Expect: \t100-continue \t"), ""},
		row{"unknown", put("Expect: 100-continu"), ""},
	)
}
