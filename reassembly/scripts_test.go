package reassembly

import "testing"

// scripts are the lives of connections: what is on the wire, and what a layer
// is told. Offsets M+n are those of a stream whose SYN was not seen.
var scripts = []struct {
	name   string
	limits Options
	run    func(w *wire)
	want   string
	stats  func(t *testing.T, s Stats)
}{
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
}
