package reassembly

// startScripts are about the beginning of connections, and of new ones with the same addresses.
var startScripts = []script{
	{
		name: "reuse without a close",
		run: func(w *wire) {
			for i := range uint32(2) {
				b := 1000 + i*500000
				w.send(">", b-1, 0, "S", "")
				w.send("<", b+999, b, "SA", "")
				w.send(">", b, b+1000, "A", "req")
				w.send("<", b+1000, b+3, "A", "resp")
			}
		},
		want: `1 > req to 3 ack 0 #3
			1 < resp to 4 ack 3 #4
			1 > end reused at 3 acked 3 #5
			1 < end reused at 4 acked 0 #5
			2 > req to 3 ack 0 #7
			2 < resp to 4 ack 3 #8
			2 > end capture-end at 3 acked 3 #0
			2 < end capture-end at 4 acked 0 #0`,
	},
	{
		name: "reuse from the other side",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send("<", 7000, 0, "S", "")
			w.send(">", 8000, 7001, "SA", "")
			w.send("<", 7001, 8001, "A", "req")
		},
		want: `1 > req to 3 ack 0 #4
			1 > end reused at 3 acked 0 #5
			1 < end reused at 0 acked 0 #5
			2 > req to 3 ack 0 #7
			2 > end capture-end at 3 acked 0 #0
			2 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "reuse whose SYN was missed",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send("<", 9e6-1, 5e6, "SA", "")
			w.send(">", 5e6, 9e6, "A", "req")
		},
		want: `1 > req to 3 ack 0 #4
			1 > end reused at 3 acked 0 #5
			1 < end reused at 0 acked 0 #5
			2 > req to 3 ack 0 #6
			2 > end capture-end at 3 acked 0 #0
			2 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "SYN taken back",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "")
			w.send(">", 100, 0, "R", "")
			w.send("<", 199, 100, "A", "late") // joined in the middle, if at all
		},
		want: `1 > late to M+4 ack M+0 #3
			1 > end capture-end at M+4 acked - #0
			1 < end capture-end at M+0 acked M+0 #0
			= lone SYN 1`,
	},
	{
		name: "SYN/ACK with another number",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.send("<", 7777, 100, "SA", "") // of whom?
			w.send("<", 200, 103, "A", "resp")
		},
		want: `1 > req to 3 ack 0 #4
			1 < resp to 4 ack 3 #6
			1 > end capture-end at 3 acked 3 #0
			1 < end capture-end at 4 acked 0 #0
			= stray 1`,
	},
	{
		name: "SYN/ACK corrects a guess",
		run: func(w *wire) {
			w.send(">", 700, 5000, "A", "one")
			w.send("<", 5999, 700, "SA", "")
			w.send("<", 6000, 703, "A", "resp")
		},
		want: `1 > one to M+3 ack M+0 #1
			1 < resp to M+4 ack M+3 #3
			1 > end capture-end at M+3 acked M+3 #0
			1 < end capture-end at M+4 acked M+0 #0`,
	},
	{
		name: "SYN sent again",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "")
			w.send(">", 99, 0, "S", "")
			w.send("<", 199, 100, "SA", "")
			w.send(">", 99, 0, "S", "")
			w.send("<", 199, 100, "SA", "")
			w.send(">", 100, 200, "A", "req")
			w.send(">", 99, 0, "S", "")
			w.send("<", 200, 103, "A", "resp")
		},
		want: `1 > req to 3 ack 0 #6
			1 < resp to 4 ack 3 #8
			1 > end capture-end at 3 acked 3 #0
			1 < end capture-end at 4 acked 0 #0`,
	},
	{
		name: "SYN with another number, never answered",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "")
			w.send(">", 5099, 0, "S", "")
			w.send("<", 199, 5100, "SA", "")
			w.send(">", 5100, 200, "A", "req")
		},
		want: `1 > req to 3 ack 0 #4
			1 > end capture-end at 3 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			= lone SYN 1`,
	},
	{
		name: "data on the SYN",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "GET")
			w.send("<", 199, 103, "SA", "")
			w.send(">", 103, 200, "A", " /")
		},
		want: `1 > GET to 3 ack - #1
			1 >  / to 5 ack 0 #3
			1 > end capture-end at 5 acked 3 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "simultaneous open",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "")
			w.send("<", 199, 0, "S", "")
			w.send(">", 99, 200, "SA", "")
			w.send("<", 199, 100, "SA", "")
			w.send(">", 100, 200, "A", "a")
			w.send("<", 200, 101, "A", "b")
		},
		want: `1 > a to 1 ack 0 #5
			1 < b to 1 ack 1 #6
			1 > end capture-end at 1 acked 1 #0
			1 < end capture-end at 1 acked 0 #0`,
	},
	{
		name: "SYN missed",
		run: func(w *wire) {
			w.send("<", 199, 100, "SA", "")
			w.send(">", 100, 200, "A", "req")
			w.send("<", 200, 103, "A", "resp")
		},
		want: `1 > req to 3 ack 0 #2
			1 < resp to 4 ack 3 #3
			1 > end capture-end at 3 acked 3 #0
			1 < end capture-end at 4 acked 0 #0`,
	},
	{
		name: "SYN/ACK before the SYN",
		run: func(w *wire) {
			w.send("<", 199, 100, "SA", "")
			w.send(">", 99, 0, "S", "")
			w.send(">", 100, 200, "A", "req")
		},
		want: `1 > req to 3 ack 0 #3
			1 > end capture-end at 3 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name: "SYN/ACK missed",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "")
			w.send(">", 100, 200, "A", "req")
			w.send("<", 200, 103, "A", "resp")
		},
		want: `1 > req to 3 ack 0 #2
			1 < resp to 4 ack 3 #3
			1 > end capture-end at 3 acked 3 #0
			1 < end capture-end at 4 acked 0 #0`,
	},
	{
		name: "SYN/ACK after the data",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "")
			w.send(">", 100, 200, "A", "req")
			w.send("<", 199, 100, "SA", "")
			w.send("<", 200, 103, "A", "resp")
		},
		want: `1 > req to 3 ack 0 #2
			1 < resp to 4 ack 3 #4
			1 > end capture-end at 3 acked 3 #0
			1 < end capture-end at 4 acked 0 #0`,
	},
	{
		name: "data before the SYN",
		run: func(w *wire) {
			w.send(">", 100, 200, "A", "req")
			w.send(">", 99, 0, "S", "")
			w.send("<", 199, 100, "SA", "")
			w.send("<", 200, 103, "A", "resp")
		},
		want: `1 > req to M+3 ack M+0 #1
			1 < resp to M+4 ack M+3 #4
			1 > end capture-end at M+3 acked M+3 #0
			1 < end capture-end at M+4 acked M+0 #0`,
	},
	{
		name: "server speaks first, its SYN/ACK missed",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "")
			w.send("<", 200, 100, "A", "220")
			w.send(">", 100, 203, "A", "EHLO")
		},
		want: `1 < 220 to M+3 ack 0 #2
			1 > EHLO to 4 ack M+3 #3
			1 > end capture-end at 4 acked 0 #0
			1 < end capture-end at M+3 acked M+3 #0`,
	},
	{
		name: "joined in the middle",
		run: func(w *wire) {
			w.send("<", 5000, 700, "A", "resp")
			w.send(">", 700, 5004, "A", "req")
			w.send("<", 5004, 703, "A", "resp")
		},
		want: `1 > resp to M+4 ack M+0 #1
			1 < req to M+3 ack M+4 #2
			1 > resp to M+8 ack M+3 #3
			1 > end capture-end at M+8 acked M+4 #0
			1 < end capture-end at M+3 acked M+3 #0`,
	},
	{
		name: "joined in the middle, the other side captured late",
		run: func(w *wire) {
			w.send(">", 700, 5000, "A", "one")
			w.send(">", 703, 5004, "A", "two")
			w.send("<", 5000, 703, "A", "resp")
			w.send("<", 5004, 706, "A", "more")
		},
		want: `1 > one to M+3 ack M+0 #1
			1 > two to M+6 ack M+4 #2
			1 < resp to M+4 ack M+3 #3
			1 < more to M+8 ack M+6 #4
			1 > end capture-end at M+6 acked M+6 #0
			1 < end capture-end at M+8 acked M+4 #0`,
	},
	{
		name: "joined in the middle, older bytes after",
		run: func(w *wire) {
			w.send(">", 700, 5000, "A", "one")
			w.send(">", 690, 5000, "A", "0123456789one") // their start was seen first
			w.send("<", 4990, 700, "A", "0123456789")    // acknowledged before
			w.send("<", 5000, 703, "A", "resp")
		},
		want: `1 > one to M+3 ack M+0 #1
			1 > resent 13 to M+3 #2
			1 < 0123456789 to M+0 ack M+0 #3
			1 < resp to M+4 ack M+3 #4
			1 > end capture-end at M+3 acked M+3 #0
			1 < end capture-end at M+4 acked M+0 #0`,
	},
	{
		name: "joined in the middle by probes",
		run: func(w *wire) {
			w.send(">", 699, 5000, "A", "\x00")
			w.send("<", 5000, 700, "A", "")
			w.send(">", 700, 5000, "A", "req")
			w.send("<", 4999, 703, "A", "\x00")
			w.send("<", 5000, 703, "A", "resp")
		},
		want: `1 > req to M+3 ack M+0 #3
			1 < resp to M+4 ack M+3 #5
			1 > end capture-end at M+3 acked M+3 #0
			1 < end capture-end at M+4 acked M+0 #0
			= ghost 2`,
	},
	{
		name: "one side only",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "")
			w.send(">", 100, 200, "A", "one")
			w.send(">", 103, 204, "A", "two")
			w.send(">", 106, 208, "FA", "")
		},
		want: `1 > one to 3 ack 0 #2
			1 > two to 6 ack 4 #3
			1 > end fin at 6 acked - #4
			1 < end capture-end at 0 acked 8 #0`,
	},
	{
		name: "one side only, the responses",
		run: func(w *wire) {
			w.send("<", 199, 100, "SA", "")
			w.send("<", 200, 103, "A", "resp")
			w.send("<", 204, 106, "A", "resp")
		},
		want: `1 < resp to 4 ack 3 #2
			1 < resp to 8 ack 6 #3
			1 > end capture-end at 0 acked 6 #0
			1 < end capture-end at 8 acked - #0`,
	},
	{
		name: "reuse soon, with numbers that follow, of which one side only was captured",
		run: func(w *wire) {
			w.send(">", 99, 0, "S", "")
			w.send(">", 100, 200, "A", "one")
			w.send(">", 103, 205, "FA", "")
			w.send(">", 104, 206, "A", "")
			w.send(">", 1_000_000, 0, "S", "")
			w.send(">", 1_000_001, 2_000_000, "A", "")
			w.send(">", 1_000_001, 2_000_000, "A", "two") // its FIN was lost
			w.send(">", 2_000_000, 0, "S", "")
			w.send(">", 2_000_001, 3_000_000, "A", "three")
			w.send(">", 2_000_006, 3_000_005, "FA", "")
			w.pass(3)
			w.send(">", 3_000_000, 0, "S", "")
			w.send(">", 3_000_005, 4_000_000, "A", "four") // behind a hole of its own
		},
		want: `1 > one to 3 ack 0 #2
			1 > end fin at 3 acked - #3
			1 < end reused at 0 acked 6 #5
			2 > two to 3 ack 0 #7
			2 > end reused at 3 acked - #8
			2 < end reused at 0 acked 0 #8
			3 > three to 5 ack 0 #9
			3 > end fin at 5 acked - #10
			3 < end reused at 0 acked 5 #11
			4 > gap 4 to 4 lost #12
			4 > four to 8 ack M+0 #12
			4 > end capture-end at 8 acked - #0
			4 < end capture-end at M+0 acked M+0 #0`,
	},
	{
		name: "reuse soon, with numbers that follow, whose SYN/ACK was lost",
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "one")
			w.send("<", 200, 103, "A", "1")
			w.send(">", 103, 201, "FA", "")
			w.send("<", 201, 104, "FA", "") // what acknowledges it was lost
			w.send(">", 1_000_000, 0, "S", "")
			w.send(">", 1_000_001, 1_000_200, "A", "two")
			w.send("<", 1_000_200, 1_000_004, "A", "2")
		},
		want: `1 > one to 3 ack 0 #4
			1 < 1 to 1 ack 3 #5
			1 > end fin at 3 acked 3 #6
			1 < end fin at 1 acked 1 #7
			2 > two to 3 ack 0 #9
			2 < 2 to 1 ack 3 #10
			2 > end capture-end at 3 acked 3 #0
			2 < end capture-end at 1 acked 0 #0`,
	},
}
