package rules

import (
	"slices"
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// classes sorts the body's bytes by what the client knew; the rest is Tail, as the scene counted it.
func (s *scene) classes(early, invited int64) *scene {
	b := &s.ReqBody
	b.Early, b.Invited, b.Tail = early, invited, b.Sent-early-invited
	return s
}

// The worked example of the byte accounting: 55,000 early, 5,000 after the 417 that closes.
func worked() *scene {
	return upload(100_000).body(1000, 15_000, 0).body(1001, 40_000, 0).
		says(1002, 417, headLen+15_000, "Connection: close").body(1005, 5_000, 50).classes(55_000, 0).
		settled(analysis.RetryUnknown, 0)
}

func invitedThen(status int, n int64) *scene {
	return upload(n).says(10, 100, headLen).body(12, n, 50).says(40, status, uint64(headLen+n)).classes(0, n)
}

func TestWasteRejected(t *testing.T) {
	const sent = "The client sent "
	try(t, "waste-rejected",
		row{"the worked example", worked(), "notice certain: " + sent + "60,000 bytes of body and was refused with 417; 55,000 bytes of it went out before any answer."},
		row{"invited", invitedThen(403, 5_000_000), "warning certain: " + sent + "5.0 MB of body and was refused with 403; all of it went out after a 100."},
		row{"after the refusal", upload(5000).says(10, 403, headLen).body(20, 5000, 50), "info certain: " + sent + "5,000 bytes of body and was refused with 403; all of it went out after the refusal."},
		row{
			"a notice begins above 16 KiB", upload(16_384).body(1000, 16_384, 0).says(1010, 403, headLen+16_384).classes(16_384, 0),
			"info certain: " + sent + "16,384 bytes of body and was refused with 403; all of it went out before any answer.",
		},
		row{
			"a warning begins at 1 MiB", upload(1<<20).body(1000, 1<<20, 0).says(1010, 403, headLen+1<<20).classes(1<<20, 0),
			"warning certain: " + sent + "1.0 MB of body and was refused with 403; all of it went out before any answer.",
		},
		row{
			"a hole in the body", invitedThen(403, 5_000_000).but(func(x *analysis.Exchange) { x.ReqBody.Lost = 1460 }).lacks(analysis.DoubtGap, analysis.PartReqBody),
			"notice inconclusive: " + sent + "about 5.0 MB of body and was refused with 403; all of it went out after a 100.",
		},
		row{
			"no acknowledgements", upload(5000).blindAcks().body(1000, 5000, 0).says(1010, 403, 0).classes(5000, 0),
			"info certain: " + sent + "5,000 bytes of body and was refused with 403.",
		},
		row{"accepted", upload(5000).body(1000, 5000, 0).says(1010, 201, headLen+5000), ""},
		row{"withheld", upload(5000).says(10, 403, headLen), ""},
		row{"no Expect", asks("PUT HTTP/1.1", 5000).body(1, 5000, 0).says(10, 403, headLen+5000), ""},
		row{"no answer", upload(5000).body(1000, 5000, 0), ""},
	)
}

func TestWasteRejectedBlamesTheLargestClass(t *testing.T) {
	server, client, nobody := analysis.FaultServer, analysis.FaultClient, analysis.FaultUnknown
	for _, c := range []struct {
		name  string
		s     *scene
		fault analysis.Fault
		fixes int
	}{
		{"early", worked(), client, 1},
		{"invited", invitedThen(403, 5000), server, 1},
		{"invited, and the status may need the content", invitedThen(422, 5000), nobody, 0},
		{"tail, kept open", upload(5000).says(10, 403, headLen).body(20, 5000, 50), server, 1},
		{"tail, closing", upload(5000).says(10, 403, headLen, "Connection: close").body(20, 5000, 50), client, 1},
		{"no acknowledgements", upload(5000).blindAcks().body(1000, 5000, 0).says(1010, 403, 0).classes(5000, 0), nobody, 3},
	} {
		for _, f := range Judge(&c.s.Case) {
			if f.Rule == "waste-rejected" && (!slices.Equal(f.Fault, []analysis.Fault{c.fault}) || len(f.Fix) != c.fixes || f.Wasted != c.s.ReqBody.Sent) {
				t.Errorf("%s: fault %v, %d fixes, %d wasted; want %v, %d, %d", c.name, f.Fault, len(f.Fix), f.Wasted, c.fault, c.fixes, c.s.ReqBody.Sent)
			}
		}
	}
}

// Each wasted byte is counted by one finding that has no cause.
func TestWasteAddsUp(t *testing.T) {
	for i, s := range []*scene{worked(), invitedThen(403, 5_000_000), upload(100_000).says(10, 403, headLen).body(20, 100_000, 50)} {
		total := int64(0)
		for _, f := range Judge(&s.Case) {
			if f.Cause == "" {
				total += f.Wasted
			}
		}
		if want, _ := s.Wasted(); total != want {
			t.Errorf("scene %d: findings without a cause waste %d bytes, want %d", i, total, want)
		}
	}
}

func TestWasteEarly(t *testing.T) {
	try(t, "waste-early",
		row{"the worked example", worked(), "notice certain: 55,000 bytes of body were sent before any answer."},
		row{"16 KiB are no notice", upload(16_384).body(1000, 16_384, 0).says(1010, 403, headLen+16_384).classes(16_384, 0), ""},
		row{"invited", invitedThen(403, 50_000), ""},
		row{
			"no acknowledgements", upload(50_000).blindAcks().body(1000, 50_000, 0).says(1010, 403, 0).classes(50_000, 0),
			"info inconclusive: 50,000 bytes of body were sent before any answer.",
		},
		row{"accepted", upload(50_000).body(1000, 50_000, 0).says(1010, 201, headLen+50_000).classes(50_000, 0), ""},
	)
}

func Test100ThenReject(t *testing.T) {
	try(t, "waste-100-then-reject",
		row{"403", invitedThen(403, 5000), "notice certain: The server asked for the body and 5,000 bytes later refused by the headers alone, with 403."},
		row{"5 MB", invitedThen(404, 5_000_000), "warning certain: The server asked for the body and 5.0 MB later refused by the headers alone, with 404."},
		row{"a status that may need the content", invitedThen(422, 5000), ""},
		row{
			"such a status, early", upload(5000).says(10, 100, headLen).body(12, 4000, 50).says(20, 400, headLen+1000).classes(0, 4000),
			"notice certain: The server asked for the body and 4,000 bytes later, before it had all of it, refused with 400.",
		},
		row{"nothing was sent", upload(5000).says(10, 100, headLen).says(20, 403, headLen), ""},
		row{"sent before the 100 arrived", upload(5000).body(9, 5000, 0).says(10, 100, headLen).says(20, 403, headLen+5000).classes(5000, 0), ""},
		row{"accepted", invitedThen(201, 5000), ""},
		row{"no Expect", asks("PUT HTTP/1.1", 5000).says(10, 100, headLen).body(12, 5000, 50).says(20, 403, headLen+5000).classes(0, 5000), ""},
	)
}

func TestTail(t *testing.T) {
	closing := func(ms float64, n int64) *scene {
		return upload(1_000_000).says(10, 403, headLen, "Connection: close").body(ms, n, 50)
	}
	open := func(n int64) *scene { return upload(200_000).says(10, 403, headLen).body(11, n, 50) }
	try(t, "waste-tail",
		row{"100,000 bytes", closing(10.1, 100_000), "notice certain: The client kept uploading 100,000 bytes after the refusal (403) that closes the connection."},
		row{"64 KiB at once are the socket's buffer", closing(10.1, 65_536), ""},
		row{"little, but for long", closing(13.1, 1000), "notice certain: The client kept uploading 1,000 bytes after the refusal (403) that closes the connection."},
		row{"little, within a round trip and the way back", closing(13, 1000), ""},
		row{"little, round trip unknown", closing(500, 1000).but(func(x *analysis.Exchange) { x.Conn.SYN = 0 }), ""},
		row{"the connection stays open", open(200_000), ""},
		row{
			"without Expect", asks("PUT HTTP/1.1", 1_000_000).says(10, 413, headLen, "Connection: close").body(11, 100_000, 50),
			"notice certain: The client kept uploading 100,000 bytes after the refusal (413) that closes the connection.",
		},
		row{"accepted", upload(1_000_000).says(10, 201, headLen, "Connection: close").body(11, 100_000, 50), ""},
	)
	try(t, "tail-obliged",
		row{"all of it", open(200_000), "info certain: The client finished the body, 200,000 bytes, after the refusal (403), because that kept the connection open."},
		row{"part of it", open(1000), "info certain: The client sent 1,000 bytes of body after the refusal (403), because that kept the connection open."},
		row{"closing", closing(11, 100_000), ""},
		row{"hung up without saying so", upload(200_000).says(10, 403, headLen).ends(10.5, reassembly.Reverse, reassembly.FIN).body(11, 1000, 50), ""},
		row{
			"hung up afterwards", open(1000).ends(500, reassembly.Reverse, reassembly.FIN),
			"info certain: The client sent 1,000 bytes of body after the refusal (403), because that kept the connection open.",
		},
		row{"nothing after it", upload(5000).says(10, 403, headLen), ""},
		row{"accepted", upload(200_000).says(10, 201, headLen).body(11, 200_000, 50), ""},
	)
}

func TestWasteResent(t *testing.T) {
	twice := worked().repeated(1035, 200)
	twice.Chain[1].ReqBody.Sent = 100_000
	shorter := worked().repeated(1035, 200)
	shorter.Chain[1].ReqBody.Sent = 20_000
	try(t, "waste-resent",
		row{"all that was sent", twice, "info certain: 60,000 bytes travelled twice."},
		row{"what the repeat carried", shorter, "info certain: 20,000 bytes travelled twice."},
		row{"the repeat has no body yet", worked().repeated(1035, 0), ""},
		row{"not repeated", worked(), ""},
		row{"the repeat itself", twice.attempt(1), ""},
	)
	for _, f := range Judge(&twice.Case) {
		if f.Rule == "waste-resent" && f.Wasted != 0 {
			t.Errorf("bytes sent twice are counted as wasted: %d", f.Wasted)
		}
	}
}

func TestWasteSavable(t *testing.T) {
	whole := func(status int, fields ...string) *scene {
		return asks("PUT HTTP/1.1", 8_400_000, fields...).body(1, 8_400_000, 0).says(500, status, headLen+8_400_000)
	}
	early := func(status int) *scene {
		return asks("PUT HTTP/1.1", 8_400_000).body(1, 4_000_000, 0).says(500, status, headLen+1_000_000)
	}
	const would = "Expect would have avoided up to "
	try(t, "waste-savable",
		row{"404 after the whole body", whole(404), "notice likely: " + would + "8.4 MB of body here, refused with 404, for one round trip of 2.0 ms."},
		row{"413 early", early(413), "notice certain: " + would + "4.0 MB of body here, refused with 413, for one round trip of 2.0 ms."},
		row{"500 early", early(500), "notice certain: " + would + "4.0 MB of body here, refused with 500, for one round trip of 2.0 ms."},
		row{"500 after the whole body", whole(500), ""},
		row{
			"early, no acknowledgements", asks("PUT HTTP/1.1", 8_400_000).blindAcks().body(1, 4_000_000, 0).says(500, 413, 0),
			"info inconclusive: " + would + "4.0 MB of body here, refused with 413, for one round trip of 2.0 ms.",
		},
		row{"with Expect", whole(404, "Expect: 100-continue"), ""},
		row{"its Expect may have been cut off", whole(404).lacks(analysis.DoubtSnapLen, analysis.PartRequest), ""},
		row{"a repeat that left Expect out", whole(404).but(func(x *analysis.Exchange) { x.RetryOf = "1/1" }), ""},
		row{"417", whole(417), ""},
		row{"HTTP/1.0", asks("PUT HTTP/1.0", 50_000).body(1, 50_000, 0).says(500, 404, headLen+50_000), ""},
		row{"small", asks("PUT HTTP/1.1", 16_384).body(1, 16_384, 0).says(500, 404, headLen+16_384), ""},
		row{"accepted", whole(201), ""},
	)
}

func TestSavedByExpect(t *testing.T) {
	try(t, "saved-by-expect",
		row{"10 MB", upload(10_000_000).says(10, 403, headLen), "info certain: Expect saved 10.0 MB of body, refused with 403."},
		row{"length unknown", upload(-1).says(10, 401, headLen), "info certain: Expect saved a body of unknown length, refused with 401."},
		row{"the capture ends, kept open", upload(5000).says(10, 403, headLen).endless(), "info inconclusive: Expect saved 5,000 bytes of body, refused with 403."},
		row{
			"the capture ends long after", upload(5000).says(10, 403, headLen).endless().but(func(x *analysis.Exchange) { x.At = t0 + 5010e6 }),
			"info likely: Expect saved 5,000 bytes of body, refused with 403.",
		},
		row{"the capture ends, closing", upload(5000).says(10, 403, headLen, "Connection: close").endless(), "info likely: Expect saved 5,000 bytes of body, refused with 403."},
		row{"the capture ends, but a request followed", upload(5000).says(10, 403, headLen).next(20).endless(), "info certain: Expect saved 5,000 bytes of body, refused with 403."},
		row{"417", denied(), ""},
		row{"sent after all", upload(5000).says(10, 403, headLen).body(20, 5000, 50), ""},
		row{"no body", upload(0).says(10, 403, headLen), ""},
		row{"accepted", upload(5000).says(10, 201, headLen), ""},
		row{"no Expect", asks("PUT HTTP/1.1", 5000).says(10, 403, headLen), ""},
	)
}

// endless is an exchange that is open at the capture's end.
func (s *scene) endless() *scene {
	s.Ended, s.At = analysis.EndedCapture, t0+100e6
	return s
}
