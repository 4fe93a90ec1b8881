package record

import (
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// Other octets where a head lies are another head in HTTP/1 alone: what is compressed or sealed differs from its text by nature.
func TestResentHeads(t *testing.T) {
	for name, want := range map[string]bool{"clear": true, "TLS": false, "HTTP/2": false} {
		k := &keeper{}
		p := newPlayer(t, k, &Pool{}, false)
		head := p.head(reassembly.Forward, "PUT /up HTTP/1.1 | Host: a | Content-Length: 1 | Expect: 100-continue", allAcked)
		switch name {
		case "TLS":
			p.r.SetTLS(&analysis.TLS{})
		case "HTTP/2":
			head.Stream = 1
		}
		p.r.Request(1, head)
		n := head.Last.Off - head.First.Off + 1
		p.r.Resent(&reassembly.Resent{Dir: reassembly.Forward, At: head.Last, Len: n, Data: content(0, n)})
		p.line("> done 1 fin")
		p.line("< done 1 fin")
		if got := len(k.xs[0].Doubts) > 0; got != want {
			t.Errorf("%s: doubts %+v", name, k.xs[0].Doubts)
		}
	}
}
