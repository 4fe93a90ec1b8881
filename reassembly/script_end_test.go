package reassembly

// endScripts are about the end of connections.
var endScripts = []script{
	{
		name: "request and response",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send("<", 200, 103, "A", "resp")
			w.send(">", 103, 204, "FA", "")
			w.send("<", 204, 104, "FA", "")
			w.send(">", 104, 205, "A", "")
		},
		want: `1 > req to 3 ack 0 #4
			1 < resp to 4 ack 3 #5
			1 > end fin at 3 acked 3 #6
			1 < end fin at 4 acked 4 #7`,
	},
	{
		name: "no layer without data",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "FA", "")
			w.send("<", 200, 101, "FA", "")
		},
		want: ``,
	},
	{
		name: "FIN before the other side's first byte",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "FA", "")
			w.send("<", 200, 101, "A", "bye")
			w.send("<", 203, 101, "FA", "")
		},
		want: `1 > end fin at 0 acked 0 #4
			1 < bye to 3 ack 1 #5
			1 < end fin at 3 acked 0 #6`,
	},
	{
		name: "FIN with data",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "FA", "bye")
			w.send(">", 100, 200, "FA", "bye")
			w.send("<", 200, 104, "A", "")
		},
		want: `1 > bye to 3 ack 0 #4
			1 > resent 3 to 3 #5
			1 > end fin at 3 acked 0 #4
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "FIN ahead of its data",
		run: func(w *wire) {
			w.hello()
			w.send(">", 105, 200, "FA", "")
			w.send(">", 100, 200, "A", "hello")
		},
		want: `1 > hello to 5 ack 0 #5
			1 > end fin at 5 acked 0 #4
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "FIN that the stream goes on behind",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "hello")
			w.send(">", 102, 200, "FA", "")
			w.send(">", 105, 200, "A", "world")
		},
		want: `1 > hello to 5 ack 0 #4
			1 > world to 10 ack 0 #6
			1 > end capture-end at 10 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			= stray 1`,
	},
	{
		name: "late FIN that the stream goes on behind",
		run: func(w *wire) {
			w.hello()
			w.send(">", 105, 200, "FA", "")
			w.send(">", 100, 200, "A", "helloworld")
			w.send(">", 110, 200, "A", "!")
		},
		want: `1 > helloworld to 10 ack 0 #5
			1 > resent 0 to 5 conflict #4
			1 > ! to 11 ack 0 #6
			1 > end capture-end at 11 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			= stray 1`,
	},
	{
		name: "FIN never captured",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send("<", 200, 103, "A", "resp")
			w.send(">", 103, 205, "A", "more") // acknowledges a FIN
			w.busy(16)
			w.pass(3)
			w.send(">", 107, 205, "A", "again")
		},
		want: `1 > req to 3 ack 0 #4
			1 < resp to 4 ack 3 #5
			1 > more to 7 ack 5 #6
			1 > again to 12 ack 5 #23
			1 > end capture-end at 12 acked 3 #0
			1 < end capture-end at 4 acked 5 #0`,
	},
	{
		name: "FIN never captured, and what acknowledges it waits for a second only",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send("<", 200, 104, "FA", "resp")
			w.pass(2)
			w.send(">", 100, 200, "A", "req")
		},
		want: `1 > req to 3 ack 0 #4
			1 < resp to 4 ack 4 #5
			1 > resent 3 to 3 #6
			1 < end fin at 4 acked 0 #5
			1 > end capture-end at 3 acked 4 #0`,
	},
	{
		name: "RST",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send("<", 200, 103, "RA", "")
			w.send(">", 103, 200, "A", "late")
		},
		want: `1 > req to 3 ack 0 #4
			1 < end rst sender at 0 acked 0 #5
			1 > end rst at 3 acked 3 #5`,
	},
	{
		name: "RST after a FIN",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "FA", "req")
			w.send("<", 200, 104, "A", "resp")
			w.send(">", 104, 0, "R", "")
		},
		want: `1 > req to 3 ack 0 #4
			1 > end fin at 3 acked 0 #4
			1 < resp to 4 ack 4 #5
			1 < end rst at 4 acked 0 #6`,
	},
	{
		name: "old RST",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "hello")
			w.send(">", 50, 0, "R", "")
			w.send(">", 102, 0, "R", "")
			w.send(">", 105, 200, "A", "world")
		},
		want: `1 > hello to 5 ack 0 #4
			1 > world to 10 ack 0 #7
			1 > end capture-end at 10 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			= stale RST 2`,
	},
	{
		name: "RST far ahead",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "hello")
			w.send(">", 100+resetWindow+6, 0, "R", "")
			w.send(">", 105, 200, "A", "world")
		},
		want: `1 > hello to 5 ack 0 #4
			1 > world to 10 ack 0 #6
			1 > end capture-end at 10 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			= stale RST 1`,
	},
	{
		name: "RST ahead that the stream goes on behind",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "hello")
			w.send(">", 107, 0, "R", "")
			w.send(">", 105, 200, "A", "world")
			w.send(">", 110, 200, "A", "!")
		},
		want: `1 > hello to 5 ack 0 #4
			1 > world to 10 ack 0 #6
			1 > resent 0 to 7 conflict #5
			1 > ! to 11 ack 0 #7
			1 > end capture-end at 11 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			= stale RST 1`,
	},
	{
		name: "RST captured before the data it follows",
		run: func(w *wire) {
			w.hello()
			w.send(">", 105, 0, "R", "")
			w.send(">", 100, 200, "A", "hello")
		},
		want: `1 > hello to 5 ack 0 #5
			1 > end rst sender at 5 acked 0 #4
			1 < end rst at 0 acked 0 #4`,
	},
	{
		name: "RST behind bytes that were lost",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "hello")
			w.send("<", 200, 115, "A", "")
			w.send(">", 115, 0, "R", "")
			w.pass(2)
			w.send("<", 200, 115, "A", "") // after the end
		},
		want: `1 > hello to 5 ack 0 #4
			1 > gap 10 to 15 lost acked #6
			1 > end rst sender at 15 acked 15 #6
			1 < end rst at 0 acked 0 #6`,
	},
	{
		name: "RST that answers nothing known",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send("<", 200, 103, "A", "1234")
			w.send("<", 206, 103, "R", "") // two bytes are missing before it
			w.send("<", 204, 103, "A", "56")
		},
		want: `1 > req to 3 ack 0 #4
			1 < 1234 to 4 ack 3 #5
			1 < 56 to 6 ack 3 #7
			1 < end rst sender at 6 acked 0 #6
			1 > end rst at 3 acked 3 #6`,
	},
	{
		name: "refused",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "")
			w.send("<", 0, 100, "RA", "")
			w.send(">", 100, 1, "A", "req") // joined in the middle, if at all
		},
		want: `1 > req to M+3 ack M+0 #3
			1 > end capture-end at M+3 acked - #0
			1 < end capture-end at M+0 acked M+0 #0
			= lone SYN 1`,
	},
	{
		name: "reuse after the close",
		run: func(w *wire) {
			for i := range uint32(2) {
				b := 1000 + i*500000
				w.send(">", b-1, 0, "S", "")
				w.send("<", b+999, b, "SA", "")
				w.send(">", b, b+1000, "A", "req")
				w.send("<", b+1000, b+3, "A", "resp")
				w.send(">", b+3, b+1004, "FA", "")
				w.send("<", b+1004, b+4, "FA", "")
				w.send(">", b+4, b+1005, "A", "")
			}
		},
		want: `1 > req to 3 ack 0 #3
			1 < resp to 4 ack 3 #4
			1 > end fin at 3 acked 3 #5
			1 < end fin at 4 acked 4 #6
			2 > req to 3 ack 0 #10
			2 < resp to 4 ack 3 #11
			2 > end fin at 3 acked 3 #12
			2 < end fin at 4 acked 4 #13`,
	},
	{
		name: "data on the SYN, refused and sent again",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "GET")
			w.send("<", 199, 100, "SA", "")
			w.send(">", 100, 200, "A", "GET /")
		},
		want: `1 > GET to 3 ack - #1
			1 > resent 3 to 3 #3
			1 >  / to 5 ack 0 #3
			1 > end capture-end at 5 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "keep-alive probe behind a FIN",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send("<", 200, 103, "FA", "resp") // what acknowledges it was lost
			w.pass(45)
			w.send("<", 204, 103, "A", "\x00")
			w.send(">", 103, 205, "A", "")
			w.send("<", 204, 103, "A", "\x00")
		},
		want: `1 > req to 3 ack 0 #4
			1 < resp to 4 ack 3 #5
			1 < end fin at 4 acked 0 #5
			1 > end capture-end at 3 acked 3 #0`,
	},
	{
		name: "ghosts",
		run: func(w *wire) {
			w.send(">", 700, 800, "A", "")
			w.send(">", 700, 800, "FA", "")
			w.send(">", 700, 800, "RA", "")
		},
		want: `= ghost 3`,
	},
	{
		name: "after the close",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "FA", "req")
			w.send("<", 200, 104, "FA", "resp")
			w.send(">", 100, 200, "FA", "req") // within closeWait
			w.pass(5)
			w.send(">", 104, 205, "A", "")      // the final ACK
			w.send("<", 200, 104, "FA", "resp") // after it
			w.send("<", 204, 104, "FA", "")
		},
		want: `1 > req to 3 ack 0 #4
			1 > end fin at 3 acked 0 #4
			1 < resp to 4 ack 4 #5
			1 < end fin at 4 acked 0 #5
			= ghost 3`,
	},
	{
		name: "layer that is dead",
		run: func(w *wire) {
			w.log.dead = true
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send("<", 200, 103, "A", "resp")
			w.send(">", 106, 204, "A", "late")
			w.send(">", 110, 204, "FA", "")
			w.send("<", 204, 111, "FA", "")
			w.send(">", 100, 200, "A", "req") // of a closed connection
		},
		want: `1 > req to 3 ack 0 #4`,
	},
	{
		name: "no layer",
		run: func(w *wire) {
			w.log.none = true
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send("<", 200, 103, "RA", "")
		},
		want: ``,
	},
	{
		name: "silence",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send(">", 105, 200, "A", "x")
			w.pass(601)
		},
		want: `1 > req to 3 ack 0 #4
			1 > gap 2 to 5 lost #5
			1 > x to 6 ack 0 #5
			1 > end idle at 6 acked 0 #0
			1 < end idle at 0 acked 0 #0`,
	},
	{
		name: "silence with open work",
		run: func(w *wire) {
			w.log.busy = true
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.pass(601)
			w.send(">", 103, 200, "A", "more")
			w.log.busy = false
			w.pass(601)
		},
		want: `1 > req to 3 ack 0 #4
			1 > more to 7 ack 0 #5
			1 > end idle at 7 acked 0 #0
			1 < end idle at 0 acked 0 #0`,
	},
}
