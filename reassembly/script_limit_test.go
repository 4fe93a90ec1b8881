package reassembly

// limitScripts are about what goes when there is no room.
var limitScripts = []script{
	{
		name:   "bytes of a direction",
		limits: Options{DirBytes: 10},
		run: func(w *wire) {
			w.hello()
			w.send(">", 103, 200, "A", "def")
			w.send(">", 109, 200, "A", "jkl")
			w.send(">", 115, 200, "A", "pqrst")       // over the limit: the first hole goes
			w.send(">", 106, 200, "A", "ghi12345678") // fills a hole: takes no room
		},
		want: `1 > gap 3 to 3 evicted #4
			1 > def to 6 ack 0 #4
			1 > ghi to 9 ack 0 #7
			1 > resent 3 to 12 conflict #7
			1 > resent 2 to 17 #7
			1 > jkl to 12 ack 0 #5
			1 > 456 to 15 ack 0 #7
			1 > pqrst to 20 ack 0 #6
			1 > end capture-end at 20 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			= conflict 1`,
	},
	{
		name:   "pieces of a direction",
		limits: Options{DirPieces: 2},
		run: func(w *wire) {
			w.hello()
			w.send(">", 102, 200, "A", "c")
			w.send(">", 104, 200, "A", "e")
			w.send(">", 106, 200, "A", "g")
		},
		want: `1 > gap 2 to 2 evicted #4
			1 > c to 3 ack 0 #4
			1 > gap 1 to 4 lost #5
			1 > e to 5 ack 0 #5
			1 > gap 1 to 6 lost #6
			1 > g to 7 ack 0 #6
			1 > end capture-end at 7 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name:   "bytes waiting for the other side",
		limits: Options{DirBytes: 10},
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 204, "A", "12345")
			w.send(">", 105, 204, "A", "67890")
			w.send(">", 110, 204, "A", "!")
			w.send("<", 200, 111, "A", "late")
		},
		want: `1 < gap 4 to 4 evicted acked #4
			1 > 12345 to 5 ack 4 #4
			1 > 67890 to 10 ack 4 #5
			1 > ! to 11 ack 4 #6
			1 < resent 4 to 4 #7
			1 > end capture-end at 11 acked 11 #0
			1 < end capture-end at 4 acked 4 #0`,
	},
	{
		name:   "bytes in all: the connection that waits longest goes",
		limits: Options{Bytes: 10},
		run: func(w *wire) {
			w.hello()
			w.send(">", 103, 200, "A", "def")
			w.client.Port++
			w.hello()
			w.send(">", 106, 200, "A", "ghi")
			w.send(">", 111, 200, "A", "lmnop")
			w.client.Port--
			w.send(">", 100, 200, "A", "abcdef")
			w.send("<", 200, 106, "A", "resp")
		},
		want: `1 > gap 3 to 3 evicted #4
			1 > def to 6 ack 0 #4
			1 > resent 6 to 6 #10
			1 < resp to 4 ack 6 #11
			2 > gap 6 to 6 lost #8
			2 > ghi to 9 ack 0 #8
			2 > gap 2 to 11 lost #9
			2 > lmnop to 16 ack 0 #9
			2 > end capture-end at 16 acked 0 #0
			2 < end capture-end at 0 acked 0 #0
			1 > end capture-end at 6 acked 6 #0
			1 < end capture-end at 4 acked 0 #0`,
	},
	{
		name:   "one segment over all limits",
		limits: Options{Bytes: 2, Pieces: 1, DirBytes: 2, DirPieces: 1},
		run: func(w *wire) {
			w.hello()
			w.send(">", 103, 200, "A", "def")
			w.send(">", 109, 200, "A", "jkl")
		},
		want: `1 > gap 3 to 3 evicted #4
			1 > def to 6 ack 0 #4
			1 > gap 3 to 9 lost #5
			1 > jkl to 12 ack 0 #5
			1 > end capture-end at 12 acked 0 #0
			1 < end capture-end at 0 acked 0 #0`,
	},
	{
		name:   "connections",
		limits: Options{Conns: 2},
		run: func(w *wire) {
			for i := range 3 {
				w.hello()
				if i != 1 {
					w.send(">", 100, 200, "A", "req")
				}
				w.client.Port++
			}
			w.hello() // the one without data went first, now the oldest goes
		},
		want: `1 > req to 3 ack 0 #4
			2 > req to 3 ack 0 #11
			1 > end idle at 3 acked 0 #0
			1 < end idle at 0 acked 0 #0
			2 > end capture-end at 3 acked 0 #0
			2 < end capture-end at 0 acked 0 #0
			= evicted 2`,
	},
	{
		name:   "connections, the closed one first",
		limits: Options{Conns: 2},
		run: func(w *wire) {
			w.hello()
			w.send(">", 100, 200, "A", "req")
			w.client.Port++
			w.hello()
			w.send(">", 100, 200, "RA", "")
			w.client.Port++
			w.hello()
			w.send(">", 100, 200, "A", "req")
		},
		want: `1 > req to 3 ack 0 #4
			2 > req to 3 ack 0 #12
			1 > end capture-end at 3 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			2 > end capture-end at 3 acked 0 #0
			2 < end capture-end at 0 acked 0 #0`,
	},
	{
		name:   "SYNs",
		limits: Options{HalfOpen: 2},
		run: func(w *wire) {
			for range 3 {
				w.send(">", 99, 0, "S", "")
				w.client.Port++
			}
			w.client.Port -= 3
			w.send("<", 199, 100, "SA", "") // its SYN is forgotten, its direction is not
			w.send(">", 100, 200, "A", "req")
		},
		want: `1 > req to 3 ack 0 #5
			1 > end capture-end at 3 acked 0 #0
			1 < end capture-end at 0 acked 0 #0
			= lone SYN 3, evicted SYN 1`,
	},
}
