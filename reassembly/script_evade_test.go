package reassembly

import "expectscope/capture/decode"

// evadeScripts are what is sent to make an observer read something else than the host it is for: the first copy of an octet wins, whatever
// comes of it later is counted, and where the first copy is still held and differs, so is the difference. The observer does not know which copy the host took: a
// checksum that is wrong and a time to live that is too short may be honest (offloading, a tap far away).
var evadeScripts = []script{
	{
		name: "one octet at a time, backwards",
		run: func(w *wire) {
			w.hello()
			for i := range 4 {
				w.send(">", uint32(103-i), 200, "A", "GET "[3-i:4-i])
			}
		},
		want: `1 > G to 1 ack 0 #7
			1 > E to 2 ack 0 #6
			1 > T to 3 ack 0 #5
			1 >   to 4 ack 0 #4
			1 > end capture-end at 4 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "octets far beyond any window, behind a FIN that nobody has acknowledged yet",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "FA", "GET ")
			for range gracePackets + 2 {
				w.send(">", 100+maxWindow+50, 200, "A", "x")
			}
		},
		want: `1 > GET  to 4 ack 0 #4
			1 > end fin at 4 acked 0 #4
			1 > resent 0 to 1073741875 conflict #20
			1 < end capture-end at 0 acked 0 #0
			= stray 18`,
	},
	{
		name: "old data again, with other octets and one more",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "GET /a")
			w.send(">", 100, 200, "A", "PUT /b!")
		},
		want: `1 > GET /a to 6 ack 0 #4
			1 > resent 6 to 6 #5
			1 > ! to 7 ack 0 #5
			1 > end capture-end at 7 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "other octets for what waits behind a hole, before and behind it",
		run: func(w *wire) {
			w.hello()
			w.send(">", 104, 200, "A", "good")
			w.send(">", 102, 200, "A", "evilevil")
			w.send(">", 100, 200, "A", "ab")
			w.send(">", 102, 200, "A", "cd")
		},
		want: `1 > ab to 2 ack 0 #6
			1 > ev to 4 ack 0 #5
			1 > good to 8 ack 0 #4
			1 > il to 10 ack 0 #5
			1 > resent 2 to 4 #7
			1 > end capture-end at 10 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			= conflict 1`,
	},
	{
		name: "an insert before the true octets, which come after it",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "X-Not")
			w.send(">", 100, 200, "A", "Host:")
			w.send("<", 200, 105, "A", "ok")
		},
		want: `1 > X-Not to 5 ack 0 #4
			1 > resent 5 to 5 #5
			1 < ok to 2 ack 5 #6
			1 > end capture-end at 5 acked 5 #0
			1 < end capture-end at 2 acked 0 #0`,
	},
	{
		name: "RST outside the window, far behind and far ahead",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.send("<", 200, 104, "A", "ok")
			w.send(">", 104+1<<30, 202, "R", "")
			w.send(">", 50, 202, "RA", "")
			w.send(">", 104, 202, "A", "body")
		},
		want: `1 > head to 4 ack 0 #4
			1 < ok to 2 ack 4 #5
			1 > body to 8 ack 2 #8
			1 > end capture-end at 8 acked 4 #0
			1 < end capture-end at 2 acked 2 #0
			= stale RST 2`,
	},
	{
		name: "FIN put in, at the place of what comes next",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.send(">", 104, 200, "FA", "")
			w.send("<", 200, 104, "A", "100")
			w.send(">", 104, 203, "A", "body")
			w.send("<", 203, 108, "A", "ok")
		},
		want: `1 > head to 4 ack 0 #4
			1 < 100 to 3 ack 4 #6
			1 > body to 8 ack 3 #7
			1 > resent 0 to 4 conflict #5
			1 < ok to 5 ack 8 #8
			1 > end capture-end at 8 acked 8 #0
			1 < end capture-end at 5 acked 3 #0
			= stray 1`,
	},
	{
		name: "FIN put in, believed after a minute, and contradicted",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.send(">", 104, 200, "FA", "")
			w.send("<", 200, 104, "A", "100")
			w.pass(62)
			w.send(">", 104, 203, "A", "body")
		},
		want: `1 > head to 4 ack 0 #4
			1 < 100 to 3 ack 4 #6
			1 > end fin at 4 acked 0 #5
			1 > resent 0 to 8 conflict #7
			1 < end capture-end at 3 acked 3 #0
			= stray 1`,
	},
	{
		name: "FIN put in that the other host took: what its sender goes on with is not read",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.send(">", 104, 200, "FA", "")
			w.send("<", 200, 105, "A", "")
			w.send(">", 104, 200, "A", "body")
			w.send("<", 200, 105, "A", "no")
		},
		want: `1 > head to 4 ack 0 #4
			1 > end fin at 4 acked 0 #5
			1 > resent 0 to 8 conflict #7
			1 < no to 2 ack 5 #8
			1 < end capture-end at 2 acked 0 #0
			= stray 1`,
	},
	{
		name: "FIN put in far ahead, before the true one",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.send(">", 900, 200, "FA", "")
			w.send(">", 104, 200, "FA", "")
			w.send("<", 200, 105, "A", "ok")
		},
		want: `1 > head to 4 ack 0 #4
			1 > end fin at 4 acked 0 #6
			1 < ok to 2 ack 5 #7
			1 < end capture-end at 2 acked 0 #0
			= stray 1`,
	},
	{
		name: "FIN of a direction whose other side was not captured",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "")
			w.send(">", 100, 200, "A", "head")
			w.send(">", 104, 200, "FA", "")
			w.pass(3)
			w.send(">", 105, 203, "A", "")
		},
		want: `1 > head to 4 ack 0 #2
			1 > end fin at 4 acked - #3
			1 < end capture-end at 0 acked 3 #0`,
	},
	{
		name: "SYN put in: the host answers it with an acknowledgement only",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.send(">", 5_000_000, 0, "S", "")
			w.send("<", 200, 104, "A", "")
			w.send("<", 200, 104, "A", "100")
			w.send(">", 104, 203, "A", "body")
		},
		want: `1 > head to 4 ack 0 #4
			1 < 100 to 3 ack 4 #7
			1 > body to 8 ack 3 #8
			1 > end capture-end at 8 acked 4 #0
			1 < end capture-end at 3 acked 3 #0
			= stray 1`,
	},
	{
		name: "SYN put in with a number that the stream will come to",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.send(">", 107, 0, "S", "")
			w.send(">", 104, 200, "A", "body")
			w.send(">", 108, 200, "A", "more")
			w.send("<", 200, 108, "A", "ok")
		},
		want: `1 > head to 4 ack 0 #4
			1 > body to 8 ack 0 #6
			1 > more to 12 ack 0 #7
			1 < ok to 2 ack 8 #8
			1 > end capture-end at 12 acked 8 #0
			1 < end capture-end at 2 acked 0 #0
			= stray 1`,
	},
	{
		name: "SYN/ACK put in",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.send("<", 7_000_000, 5_000_000, "SA", "")
			w.send("<", 200, 104, "A", "ok")
			w.send(">", 104, 202, "A", "body")
		},
		want: `1 > head to 4 ack 0 #4
			1 < ok to 2 ack 4 #6
			1 > body to 8 ack 2 #7
			1 > end capture-end at 8 acked 4 #0
			1 < end capture-end at 2 acked 2 #0
			= stray 1`,
	},
	{
		name: "SYN put in and refused",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.send(">", 5_000_000, 0, "S", "")
			w.send("<", 0, 5_000_001, "RA", "")
			w.send("<", 200, 104, "A", "ok")
		},
		want: `1 > head to 4 ack 0 #4
			1 < ok to 2 ack 4 #7
			1 > end capture-end at 4 acked 4 #0
			1 < end capture-end at 2 acked 0 #0
			= stray 1`,
	},
	{
		name: "SYN of a host that has forgotten the connection",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.send(">", 5_000_000, 0, "S", "")
			w.send("<", 200, 104, "A", "") // RFC 9293, Section 3.5.1, Figure 9
			w.send(">", 104, 0, "R", "")
			w.send(">", 5_000_000, 0, "S", "")
			w.send("<", 9_000_000, 5_000_001, "SA", "")
			w.send(">", 5_000_001, 9_000_001, "A", "next")
		},
		want: `1 > head to 4 ack 0 #4
			1 > end rst sender at 4 acked 4 #7
			1 < end rst at 0 acked 0 #7
			2 > next to 4 ack 0 #10
			2 > end capture-end at 4 acked 0 #0
			2 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "reuse of which one side only was captured",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "one")
			w.send(">", 5_000_000, 0, "S", "")
			w.send(">", 5_000_001, 9_000_001, "A", "two")
		},
		want: `1 > one to 3 ack 0 #4
			1 > end reused at 3 acked 0 #5
			1 < end reused at 0 acked 0 #5
			2 > two to 3 ack 0 #6
			2 > end capture-end at 3 acked - #0
			2 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "RST put in at its place, and its sender goes on",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.put(func(s *decode.Segment) { s.TTL = 3 }, ">", 104, 200, "R", "")
			w.send("<", 200, 104, "A", "100")
			w.send(">", 104, 203, "A", "body")
		},
		want: `1 > head to 4 ack 0 #4
			1 < 100 to 3 ack 4 #6
			1 > resent 0 to 4 conflict #5
			1 > body to 8 ack 3 #7
			1 > end capture-end at 8 acked 4 #0
			1 < end capture-end at 3 acked 3 #0
			= stale RST 1`,
	},
	{
		name: "RST put in for a host that only acknowledges",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.put(func(s *decode.Segment) { s.Sum = decode.SumWrong }, "<", 200, 104, "R", "")
			w.send(">", 104, 200, "A", "body")
			w.send("<", 200, 108, "A", "")
			w.pass(3)
			w.send("<", 200, 108, "A", "ok")
		},
		want: `1 > head to 4 ack 0 #4
			1 > body to 8 ack 0 #6
			1 < resent 0 to 0 conflict #5
			1 < ok to 2 ack 8 #8
			1 > end capture-end at 8 acked 8 #0
			1 < end capture-end at 2 acked 0 #0
			= stale RST 1`,
	},
	{
		name: "RST put in within the window, whose sender reads on",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.send(">", 1000, 200, "R", "")
			w.send("<", 200, 104, "A", "ok")
			w.send(">", 104, 202, "A", "body")
			w.send("<", 202, 108, "A", "ok")
			w.send(">", 108, 204, "FA", "")
			w.send("<", 204, 109, "FA", "")
			w.send(">", 109, 205, "A", "")
		},
		want: `1 > head to 4 ack 0 #4
			1 < ok to 2 ack 4 #6
			1 > resent 0 to 900 conflict #5
			1 > body to 8 ack 2 #7
			1 < ok to 4 ack 8 #8
			1 > end fin at 8 acked 8 #9
			1 < end fin at 4 acked 4 #10
			= stale RST 1`,
	},
	{
		name: "RST of another way, and nothing follows",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.put(func(s *decode.Segment) { s.TTL = 3 }, ">", 104, 200, "R", "")
			w.send("<", 200, 104, "A", "crossing")
			w.pass(3)
			w.send("<", 208, 104, "A", "late")
		},
		want: `1 > head to 4 ack 0 #4
			1 < crossing to 8 ack 4 #6
			1 > end rst sender at 4 acked 4 #5
			1 < end rst at 8 acked 0 #5`,
	},
	{
		name: "RST of another way, the other side's own, and what was on its way",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "head")
			w.put(func(s *decode.Segment) { s.TTL = 3 }, ">", 104, 200, "R", "")
			w.send("<", 200, 104, "R", "")
			w.send(">", 104, 200, "A", "body")
		},
		want: `1 > head to 4 ack 0 #4
			1 > end rst sender at 4 acked 0 #5
			1 < end rst at 0 acked 0 #5`,
	},
	{
		name: "RST of a host whose card fills the checksums in",
		run: func(w *wire) {
			wrong := func(s *decode.Segment) { s.Sum = decode.SumWrong }
			w.hello()
			w.put(wrong, ">", 100, 200, "A", "head")
			w.put(wrong, ">", 104, 200, "R", "")
			w.send("<", 200, 104, "A", "late")
		},
		want: `1 > head to 4 ack 0 #4
			1 > end rst sender at 4 acked 0 #5
			1 < end rst at 0 acked 0 #5`,
	},
}
