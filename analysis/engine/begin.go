package engine

import (
	"expectscope/analysis/http1"
	"expectscope/analysis/sniff"
	"expectscope/reassembly"
)

// begin chooses what reads a connection when it hears of it first, c nil if that is no chunk. Where the first bytes are a
// request, as nearly always, it is the layer of HTTP/1.x without a sniffer in between: it saves six allocations and a copy of
// the first bytes. The tests and FuzzSniff of analysis/sniff
// hold the choice to the sniffer's own.
func (s *session) begin(c *reassembly.Chunk) {
	joined := s.conn.Start == reassembly.MidStream
	if c != nil && !joined && sniff.BeginsRequest(c.Data) {
		s.layer = s.http1(http1.Options{Client: c.Dir, Next: 1})
		return
	}
	s.layer = s.sniffer(joined, 1)
}
