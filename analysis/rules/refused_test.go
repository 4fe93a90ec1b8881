package rules

import (
	"fmt"
	"slices"
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// denied is the common refusal: nothing of the body sent, 417 after 20 ms, and a minute more of capture.
func denied(fields ...string) *scene {
	return upload(5000, fields...).says(20, 417, headLen).settled(analysis.RetryNone, analysis.Certain)
}

// settled is what analysis/retry found of a refusal that was not repeated.
func (s *scene) settled(o analysis.RetryOutcome, sure analysis.Confidence) *scene {
	s.WindowPassed = o == analysis.RetryNone
	s.Amend().Retry = analysis.Retry{Outcome: o, Confidence: sure}
	return s
}

// repeated links a repeat, answered with status (0: not answered), that begins so many milliseconds after the request; more of
// them make a chain. Fields are added to a plain request.
func (s *scene) repeated(ms float64, status int, fields ...string) *scene {
	c := asks("PUT HTTP/1.1", s.N(), append([]string{"Host: a"}, fields...)...)
	c.ID = fmt.Sprintf("1/%d", len(s.Chain)+1)
	c.Conn, c.packet = s.Conn, s.packet+100
	last := s.Chain[len(s.Chain)-1]
	c.Request.First = c.mark(ms, 1, 50)
	c.Request.Last = c.Request.First
	if status != 0 {
		c.says(ms+20, status, headLen)
	}
	link := analysis.Retry{Outcome: analysis.RetrySameConn, By: c.ID, Tier: analysis.TierConn, Confidence: analysis.Certain}
	last.Amend().Retry = link
	c.RetryOf = last.ID
	s.packet = c.packet
	s.WindowPassed = false
	s.Chain = append(s.Chain, c.Exchange)
	return s
}

// attempt is the scene as the i-th attempt of its chain is judged.
func (s *scene) attempt(i int) *scene {
	return &scene{Case: analysis.Case{Exchange: s.Chain[i], Chain: s.Chain, Index: i}}
}

// followed is a near repeat: another request that differs in one thing.
func (s *scene) followed(differs string, f func(*analysis.Exchange)) *scene {
	near := asks("PUT HTTP/1.1", s.N(), "Host: a")
	near.ID = "1/2"
	f(near.Exchange)
	s.Near = near.Exchange
	s.Amend().Retry = analysis.Retry{Outcome: analysis.RetryUnknown, Near: near.ID, Differs: differs}
	return s
}

// withRetry changes what analysis/retry said.
func (s *scene) withRetry(f func(*analysis.Retry)) *scene {
	f(&s.Amend().Retry)
	return s
}

// left is a client that went away or on, after the answer.
func (s *scene) left() *scene {
	s.Left = true
	return s
}

const (
	noWindow = "No repeat was seen, but the capture ends 40 ms after the 417; the client should repeat the request without Expect."
	wentOn   = "The client went on, or hung up, without repeating the request; after a 417 it should repeat it without Expect."
	gaveUp   = "The client gave up: no repeat was seen in the 60 s after the 417; it should repeat the request without Expect."
)

// cutShort is a refusal that the capture's end follows at once.
func cutShort() *scene {
	return denied().settled(analysis.RetryUnknown, 0).
		withRetry(func(r *analysis.Retry) { r.Why = "the capture ends 0.0 s after the refusal" }).
		but(func(x *analysis.Exchange) { x.At = t0 + 60e6 })
}

func TestNoRetry(t *testing.T) {
	try(t, "417-no-retry",
		row{"a minute without a repeat", denied(), "warning certain: " + gaveUp},
		row{"a list with 100-continue in it", asks("PUT HTTP/1.1", 5000, "Expect: 100-continue, x").says(20, 417, headLen).
			settled(analysis.RetryNone, analysis.Certain), "warning certain: " + gaveUp},
		row{"chunked", upload(-1).says(20, 417, headLen).settled(analysis.RetryNone, analysis.Certain), "warning certain: " + gaveUp},
		row{
			"one of two equal requests was repeated", denied().settled(analysis.RetryNone, analysis.Likely).
				withRetry(func(r *analysis.Retry) { r.Why = "which one is not known" }),
			"warning likely: The client gave up: no repeat was seen in the 60 s after the 417 (which one is not known); it should repeat the request without Expect.",
		},
		row{"the capture ends, the client had left", cutShort().left(), "warning likely: " + wentOn},
		row{"the capture just ends", cutShort(), "notice inconclusive: " + noWindow},
		row{"repeated", denied().repeated(30, 201), ""},
		row{"a near repeat", denied().followed("method", func(x *analysis.Exchange) { x.Request.Method = "GET" }), ""},
		row{"drops", denied().lacks(analysis.DoubtDrops, analysis.PartAll), ""},
		row{"one direction", denied().lacks(analysis.DoubtOneSided, analysis.PartAll), ""},
		row{"a hole in what follows", denied().lacks(analysis.DoubtGap, analysis.PartFollowing), ""},
		row{"something out of sight in a short window", cutShort().left().withRetry(func(r *analysis.Retry) { r.Blind = true }), ""},
		row{"something out of sight in the window", denied().settled(analysis.RetryUnknown, 0).whole(), ""},
		row{"the head was cut", denied().lacks(analysis.DoubtSnapLen, analysis.PartRequest), "notice inconclusive: " + gaveUp},
		row{"no body to upload", upload(0).says(20, 417, headLen).settled(analysis.RetryNone, analysis.Certain), ""},
		row{"another expectation", asks("PUT HTTP/1.1", 5000, "Expect: 200-ok").says(20, 417, headLen).
			settled(analysis.RetryNone, analysis.Certain), ""},
		row{"403", upload(5000).says(20, 403, headLen).settled(analysis.RetryNone, analysis.Certain), ""},
	)
}

// whole lets the capture go on for the retry window.
func (s *scene) whole() *scene {
	s.WindowPassed = true
	return s
}

func TestRetryUnknown(t *testing.T) {
	const said = "info inconclusive: The capture cannot tell whether a retry followed: "
	try(t, "417-retry-unknown",
		row{"drops", denied().lacks(analysis.DoubtDrops, analysis.PartAll), said + "the capture lost packets."},
		row{"one direction", denied().lacks(analysis.DoubtOneSided, analysis.PartAll), said + "only one direction was captured."},
		row{"a hole", denied().lacks(analysis.DoubtGap, analysis.PartFollowing), said + "bytes of this connection are missing."},
		row{
			"an unreadable connection", cutShort().withRetry(func(r *analysis.Retry) { r.Blind, r.Why = true, "a connection cannot be read" }),
			said + "a connection cannot be read.",
		},
		row{"the matcher does not say why", denied().settled(analysis.RetryUnknown, 0).whole(), said + "something in the window was out of sight."},
		row{"the capture just ends", cutShort(), ""},
		row{"nothing hidden", denied(), ""},
		row{"repeated all the same", denied().repeated(30, 201).lacks(analysis.DoubtDrops, analysis.PartAll), ""},
		row{"another expectation", asks("PUT HTTP/1.1", 5000, "Expect: 200-ok").says(20, 417, headLen).
			lacks(analysis.DoubtDrops, analysis.PartAll), ""},
	)
}

// Never both, never neither: where a repeat was due and none is known, exactly one rule says so.
func TestUnrepeatedIsSaidOnce(t *testing.T) {
	scenes := []*scene{
		denied(), cutShort(), cutShort().left(), denied().lacks(analysis.DoubtDrops, analysis.PartAll),
		denied().lacks(analysis.DoubtOneSided, analysis.PartAll), denied().settled(analysis.RetryUnknown, 0).whole(),
		denied().followed("length", func(x *analysis.Exchange) { x.ReqBody.Declared = 7 }),
	}
	for i, s := range scenes {
		n := 0
		for _, id := range []string{"417-no-retry", "417-retry-unknown", "417-retry-changed"} {
			if s.verdict(id) != "" {
				n++
			}
		}
		if n != 1 {
			t.Errorf("scene %d: %d of the three rules speak, want 1", i, n)
		}
	}
}

func TestRetryStillExpectsAndLoop(t *testing.T) {
	const again = "Expect: 100-continue"
	once := func() *scene { return denied().repeated(30, 417, again) }
	loop := func() *scene { return denied().repeated(30, 417, again).repeated(60, 417, again).repeated(90, 200) }
	try(t, "417-retry-still-expects",
		row{"refused again", once(), "warning certain: The client repeated the request 10 ms later with Expect again, and was refused again."},
		row{"not answered yet", denied().repeated(30, 0, again), "warning certain: The client repeated the request 10 ms later with Expect again, so it will be refused again."},
		row{"accepted this time", denied().repeated(30, 201, again), "warning certain: The client repeated the request 10 ms later with Expect again, which worked this time but asks for another refusal."},
		row{"in disguise", denied().repeated(30, 417, "Expect: 100-continue;q=1"), "warning certain: The client repeated the request 10 ms later with Expect again, and was refused again."},
		row{
			"a likely link", once().withRetry(func(r *analysis.Retry) { r.Confidence = analysis.Likely }),
			"warning likely: The client repeated the request 10 ms later with Expect again, and was refused again.",
		},
		row{"the repeat itself is not the original", once().attempt(1), ""},
		row{
			"plain, then with Expect again", denied().repeated(30, 417).repeated(60, 417, again).attempt(1),
			"warning certain: The client repeated the request 10 ms later with Expect again, and was refused again.",
		},
		row{"without Expect", denied().repeated(30, 201), ""},
		row{"a loop", loop(), ""},
	)
	try(t, "417-loop",
		row{"twice", loop(), "error certain: The client sent the same request 3 times with Expect within 60 ms (33 a second), and 3 of them were refused with 417."},
		row{"told on the first only", loop().attempt(1), ""},
		row{
			"the last was accepted", denied().repeated(30, 417, again).repeated(60, 200, again),
			"error certain: The client sent the same request 3 times with Expect within 60 ms (33 a second), and 2 of them were refused with 417.",
		},
		row{"once", once(), ""},
		row{"not repeated", denied(), ""},
	)
	long := denied()
	for i := range 50 {
		long.repeated(float64(30*(i+1)), 417, again)
	}
	for _, f := range Judge(&long.Case) {
		if f.Rule == "417-loop" && (len(f.Related) != loopShown || len(f.Evidence) != loopShown+1) {
			t.Errorf("a loop of 51 names %d requests and %d packets, want them bounded", len(f.Related), len(f.Evidence))
		}
	}
	if got, want := long.verdict("417-loop"), "error certain: The client sent the same request 51 times with Expect within 1.50 s (33 a second), and 51 of them were refused with 417."; got != want {
		t.Errorf("got %q", got)
	}
}

func TestRetryDelayed(t *testing.T) {
	try(t, "417-retry-delayed",
		row{"12.4 s", denied().repeated(12_420, 201), "notice certain: The retry came 12.4 s after the 417."},
		row{"exactly the limit", denied().repeated(1_020, 201), ""},
		row{"just above", denied().repeated(1_021, 201), "notice certain: The retry came 1.00 s after the 417."},
		row{"counted from the end of the 417's body", denied().but(func(x *analysis.Exchange) { x.RespBody.Last.Time = t0 + 700e6 }).repeated(1_500, 201), ""},
		row{"the time to connect is not counted", denied().repeated(1_300, 201).reconnects(200, 1_250), ""},
		row{
			"only what lies behind the 417 is", denied().repeated(1_100, 201).reconnects(-500, 30),
			"notice certain: The retry came 1.07 s after the 417.",
		},
		row{"at once", denied().repeated(30, 201), ""},
		row{"not at all", denied(), ""},
	)
}

// reconnects gives the last repeat a connection of its own, opened between these milliseconds.
func (s *scene) reconnects(syn, ack float64) *scene {
	c := s.Chain[len(s.Chain)-1]
	c.Conn = &reassembly.Conn{First: 90, SYN: t0 + int64(syn*1e6), SYNACK: t0 + int64(syn*1e6) + 1, ACK: t0 + int64(ack*1e6)}
	return s
}

func TestRetryChanged(t *testing.T) {
	const said = "notice likely: The follow-up is not the same request "
	try(t, "417-retry-changed",
		row{"method", denied().followed("method", func(x *analysis.Exchange) { x.Request.Method = "GET" }), said + "(PUT became GET)."},
		row{"target", denied().followed("target", func(x *analysis.Exchange) { x.Request.Target = "/\x1b[2J" }), said + `("/up" became "/\x1b[2J").`},
		row{"length", denied().followed("length", func(x *analysis.Exchange) { x.ReqBody.Declared = 4999 }), said + "(a body of 5,000 bytes became one of 4,999 bytes)."},
		row{"another thing", denied().followed("scheme", func(*analysis.Exchange) {}), said + "(another scheme)."},
		row{"an exact repeat is known", denied().followed("method", func(*analysis.Exchange) {}).repeated(30, 201), ""},
		row{"none", denied(), ""},
	)
}

func TestRetryOKAndFailed(t *testing.T) {
	swallowed := denied().repeated(30, 400).but(func(x *analysis.Exchange) {
		x.Owed = &analysis.Owed{Bytes: 5000, Next: "1/2", Client: analysis.ReadAsNext, ClientSure: analysis.Certain, Server: analysis.ReadAsBody, ServerSure: analysis.Likely}
	})
	try(t, "417-retry-ok",
		row{"201", denied().repeated(30, 201), "info certain: Recovered by retrying without Expect, 10 ms later, answered 201; cost 1 request and 0 bytes of body."},
		row{
			"after part of the body", upload(5000).body(1000, 3000, 0).says(1010, 417, headLen+3000).repeated(1030, 204),
			"info certain: Recovered by retrying without Expect, 20 ms later, answered 204; cost 1 request and 3,000 bytes of body.",
		},
		row{
			"likely link", denied().repeated(30, 201).withRetry(func(r *analysis.Retry) { r.Confidence = analysis.Likely }),
			"info likely: Recovered by retrying without Expect, 10 ms later, answered 201; cost 1 request and 0 bytes of body.",
		},
		row{"not answered", denied().repeated(30, 0), ""},
		row{"with Expect", denied().repeated(30, 201, "Expect: 100-continue"), ""},
		row{"404", denied().repeated(30, 404), ""},
		row{"none", denied(), ""},
	)
	try(t, "417-retry-failed",
		row{"404", denied().repeated(30, 404), "notice certain: The retry without Expect was answered 404: Expect was not the real problem."},
		row{"taken for the owed body", swallowed, "notice likely: The retry was answered 400: the server took it for the body it was still owed."},
		row{"417 again", denied().repeated(30, 417), ""},
		row{"201", denied().repeated(30, 201), ""},
		row{"not answered", denied().repeated(30, 0), ""},
		row{"with Expect", denied().repeated(30, 404, "Expect: 100-continue"), ""},
	)
	i := slices.IndexFunc(Judge(&swallowed.Case), func(f analysis.Finding) bool { return f.Rule == "417-retry-failed" && f.Cause == "body-withheld-reuse" })
	if i < 0 {
		t.Error("a swallowed repeat is not shown under the connection that was reused")
	}
}
