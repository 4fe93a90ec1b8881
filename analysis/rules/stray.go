package rules

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// strays are the responses the server sent of its own accord after the exchange was answered, interim ones or final ones. A
// response may look stray because its request was not captured, so a hole anywhere on the connection proves nothing;
// and what comes after the client's end was provoked by that.
func strays(c *analysis.Case, interim bool) []*analysis.Message {
	if c.Final == nil || c.Conn.Holes > 0 || blind(c, analysis.PartAll) {
		return nil
	}
	end, gone := hungUp(c, c.Client)
	var ms []*analysis.Message
	orphans := c.Sequel().Orphans
	for i := range orphans {
		m := &orphans[i]
		if (m.Status < 200) == interim && !queued(c, m) && !(gone && before(end.At, m.First)) {
			ms = append(ms, m)
		}
	}
	return ms
}

// answeredAlone is the evidence of strays: the answer the request got, then them.
func answeredAlone(c *analysis.Case, ms []*analysis.Message) []reassembly.Mark {
	marks := []reassembly.Mark{c.Final.First}
	for _, m := range ms {
		marks = append(marks, m.First)
	}
	return marks
}
