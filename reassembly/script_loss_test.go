package reassembly

// lossScripts are about segments that are late, lost, cut or sent again.
var lossScripts = []script{
	{
		name: "straddling retransmission",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "hello")
			w.send(">", 103, 200, "A", "loworld")
		},
		want: `1 > hello to 5 ack 0 #4
			1 > resent 2 to 5 #5
			1 > world to 10 ack 0 #5
			1 > end capture-end at 10 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "retransmission with another size",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "hel")
			w.send(">", 103, 200, "A", "lo")
			w.send(">", 100, 200, "A", "hello")
			w.send(">", 100, 200, "A", "hello world")
		},
		want: `1 > hel to 3 ack 0 #4
			1 > lo to 5 ack 0 #5
			1 > resent 5 to 5 #6
			1 > resent 5 to 5 #7
			1 >  world to 11 ack 0 #7
			1 > end capture-end at 11 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "keep-alive probe",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "hello")
			w.send(">", 104, 200, "A", "x")
			w.send(">", 104, 200, "A", "")
		},
		want: `1 > hello to 5 ack 0 #4
			1 > end capture-end at 5 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "zero-window probe",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "hello")
			w.send(">", 105, 200, "A", "!")
			w.send(">", 105, 200, "A", "!") // and again
			w.send(">", 106, 200, "A", "more")
		},
		want: `1 > hello to 5 ack 0 #4
			1 > ! to 6 ack 0 #5
			1 > more to 10 ack 0 #7
			1 > end capture-end at 10 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "late segment",
		run: func(w *wire) {
			w.hello()
			w.send(">", 103, 200, "A", "def")
			w.send(">", 106, 200, "A", "ghi")
			w.send(">", 112, 200, "A", "mno")
			w.send(">", 100, 200, "A", "abc")
			w.send(">", 109, 200, "A", "jkl")
			w.send(">", 115, 200, "A", "pqr")
		},
		want: `1 > abc to 3 ack 0 #7
			1 > def to 6 ack 0 #4
			1 > ghi to 9 ack 0 #5
			1 > jkl to 12 ack 0 #8
			1 > mno to 15 ack 0 #6
			1 > pqr to 18 ack 0 #9
			1 > end capture-end at 18 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "lost segment is given up in time",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "abc")
			w.send(">", 106, 200, "A", "ghi")
			w.busy(16)
			w.pass(100) // nobody acknowledged past the hole: it may be late
			w.send("<", 200, 109, "A", "")
			w.busy(14)
			w.pass(10)
			w.send(">", 109, 200, "A", "jkl") // only 15 packets later
			w.pass(1)
			w.send(">", 112, 200, "A", "mno")
			w.pass(1)
			w.send(">", 115, 200, "A", "pqr")
		},
		want: `1 > abc to 3 ack 0 #4
			1 > gap 3 to 6 lost acked #5
			1 > ghi to 9 ack 0 #5
			1 > jkl to 12 ack 0 #37
			1 > mno to 15 ack 0 #38
			1 > pqr to 18 ack 0 #39
			1 > end capture-end at 18 acked 9 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "lost segment before a silence",
		run: func(w *wire) {
			w.hello()
			w.send(">", 103, 200, "A", "def")
			w.send("<", 200, 106, "A", "")
			w.pass(60)
			w.send(">", 106, 200, "A", "ghi")
			w.pass(2)
			w.send(">", 109, 200, "A", "jkl")
		},
		want: `1 > gap 3 to 3 lost acked #4
			1 > def to 6 ack 0 #4
			1 > ghi to 9 ack 0 #6
			1 > jkl to 12 ack 0 #7
			1 > end capture-end at 12 acked 6 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "lost segment before the end",
		run: func(w *wire) {
			w.hello()
			w.send(">", 103, 200, "FA", "def")
			w.send("<", 200, 107, "FA", "")
			w.pass(2)
			w.send(">", 200, 300, "S", "") // a new connection finds the old one closed
		},
		want: `1 > gap 3 to 3 lost acked #4
			1 > def to 6 ack 0 #4
			1 > end fin at 6 acked 7 #4
			1 < end fin at 0 acked 0 #5
			= lone SYN 1`,
	},
	{
		name: "lost segment comes in the time of grace",
		run: func(w *wire) {
			w.hello()
			w.send(">", 106, 200, "A", "ghi")
			w.send("<", 200, 109, "A", "")
			w.busy(16)
			w.pass(1)
			w.send(">", 100, 200, "A", "abcdef")
		},
		want: `1 > abcdef to 6 ack 0 #22
			1 > ghi to 9 ack 0 #4
			1 > end capture-end at 9 acked 9 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "a hole filled in parts",
		run: func(w *wire) {
			w.hello()
			w.send(">", 109, 200, "A", "j")
			w.send(">", 104, 200, "A", "ef")
			w.send(">", 102, 200, "A", "cdefgh")
			w.send(">", 100, 200, "A", "ab")
			w.send(">", 107, 200, "A", "hijkl")
		},
		want: `1 > ab to 2 ack 0 #7
			1 > cd to 4 ack 0 #6
			1 > ef to 6 ack 0 #5
			1 > gh to 8 ack 0 #6
			1 > resent 1 to 8 #8
			1 > i to 9 ack 0 #8
			1 > resent 1 to 10 #8
			1 > j to 10 ack 0 #4
			1 > kl to 12 ack 0 #8
			1 > end capture-end at 12 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "late copies differ",
		run: func(w *wire) {
			w.hello()
			w.send(">", 103, 200, "A", "def")
			w.send(">", 106, 200, "A", "ghi")
			w.send(">", 103, 200, "A", "def") // the same
			w.send(">", 103, 200, "A", "DEF") // not the same
			w.send(">", 100, 200, "A", "abcDEFGHIj")
		},
		want: `1 > abc to 3 ack 0 #8
			1 > resent 3 to 6 conflict #8
			1 > resent 3 to 9 conflict #8
			1 > def to 6 ack 0 #4
			1 > ghi to 9 ack 0 #5
			1 > j to 10 ack 0 #8
			1 > end capture-end at 10 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			= conflict 3`,
	},
	{
		name: "held copies differ",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 204, "A", "abc") // waits for the other side
			w.send(">", 101, 204, "A", "bX")
			w.send("<", 200, 100, "A", "resp")
		},
		want: `1 < resp to 4 ack 0 #6
			1 > abc to 3 ack 4 #4
			1 > end capture-end at 3 acked 0 #0
			1 < end capture-end at 4 acked 4 #0
			= conflict 1`,
	},
	{
		name: "response captured after its acknowledgement",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send(">", 103, 204, "A", "next")
			w.send(">", 107, 208, "FA", "")
			w.send("<", 200, 103, "A", "resp")
			w.send("<", 204, 107, "FA", "more")
		},
		want: `1 > req to 3 ack 0 #4
			1 < resp to 4 ack 3 #7
			1 > next to 7 ack 4 #5
			1 < more to 8 ack 7 #8
			1 < end fin at 8 acked 8 #8
			1 > end fin at 7 acked 7 #6`,
	},
	{
		name: "response lost, request waits",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send(">", 103, 204, "A", "next")
			w.send("<", 204, 107, "A", "more")
			w.busy(16)
			w.pass(3)
			w.send(">", 107, 208, "A", "last")
		},
		want: `1 > req to 3 ack 0 #4
			1 < gap 4 to 4 lost acked #6
			1 > next to 7 ack 4 #5
			1 < more to 8 ack 7 #6
			1 > last to 11 ack 8 #23
			1 > end capture-end at 11 acked 7 #0
			1 < end capture-end at 8 acked 8 #0`,
	},
	{
		name: "copies that acknowledge each other",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send(">", 103, 204, "A", "next") // has the response, whose first copy was lost
			w.send("<", 200, 107, "A", "resp") // sent again
		},
		want: `1 > req to 3 ack 0 #4
			1 < resp to 4 ack 7 #6
			1 > next to 7 ack 4 #5
			1 > end capture-end at 7 acked 7 #0
			1 < end capture-end at 4 acked 4 #0`,
	},
	{
		name: "snap length",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "ab+8")
			w.send(">", 110, 200, "A", "+5")
			w.send(">", 115, 200, "FA", "x+1")
		},
		want: `1 > ab to 2 ack 0 #4
			1 > gap 8 to 10 snapped #4
			1 > gap 5 to 15 snapped #5
			1 > x to 16 ack 0 #6
			1 > gap 1 to 17 snapped #6
			1 > end fin at 17 acked 0 #6
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "snap length, late",
		run: func(w *wire) {
			w.hello()
			w.send(">", 110, 200, "A", "kl+3")
			w.send(">", 115, 200, "A", "pq")
			w.send(">", 110, 200, "A", "kl+3")
			w.send(">", 100, 200, "A", "ab+8")
		},
		want: `1 > ab to 2 ack 0 #7
			1 > gap 8 to 10 snapped #7
			1 > kl to 12 ack 0 #4
			1 > gap 3 to 15 snapped #4
			1 > pq to 17 ack 0 #5
			1 > end capture-end at 17 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "layer that is dead before the other side is seen",
		run: func(w *wire) {
			w.log.dead = true
			w.send(">", 700, 0, "", "req")
			w.send("<", 5000, 703, "FA", "resp")
			w.send(">", 700, 5004, "FA", "req")
			w.pass(3)
			w.send(">", 700, 5004, "FA", "req")
		},
		want: `1 > req to M+3 ack - #1
			= ghost 1`,
	},
	{
		name: "too far ahead",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send(">", 1<<31, 200, "A", "stray")
			w.send(">", 103, 200, "A", "more")
		},
		want: `1 > req to 3 ack 0 #4
			1 > more to 7 ack 0 #6
			1 > end capture-end at 7 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			= stray 1`,
	},
	{
		name: "a very long loss",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			for i := range uint32(18) {
				w.send(">", 100+3<<29+i, 200, "A", "x")
			}
		},
		want: `1 > req to 3 ack 0 #4
			1 > gap 1610612748 to 1610612751 lost #20
			1 > x to 1610612752 ack 0 #20
			1 > x to 1610612753 ack 0 #21
			1 > x to 1610612754 ack 0 #22
			1 > end capture-end at 1610612754 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			= stray 15`,
	},
	{
		name: "FIN that acknowledges bytes that were lost",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send("<", 200, 103, "A", "resp")
			w.send(">", 103, 208, "FA", "")
			w.send("<", 208, 104, "FA", "")
			w.send(">", 104, 209, "A", "")
			w.pass(3)
		},
		want: `1 > req to 3 ack 0 #4
			1 < resp to 4 ack 3 #5
			1 < gap 4 to 8 lost acked #7
			1 > end fin at 3 acked 4 #6
			1 < end fin at 8 acked 9 #7`,
	},
}
