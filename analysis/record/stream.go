package record

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// Frame counts what carried content in HTTP/2.
func (r *Recorder) Frame(stream uint32, d reassembly.Dir, flow, wire uint64) {
	if e := r.find(stream); e != nil {
		body := &e.x.RespBody
		if d == r.client {
			body = &e.x.ReqBody.Body
		}
		body.Flow += int64(flow)
		body.Wire += int64(wire)
	}
}

// Reset notes that one side gave up the exchange's stream.
func (r *Recorder) Reset(stream uint32, s analysis.StreamReset) {
	if e := r.find(stream); e != nil {
		e.touch(s.At)
		e.x.Amend().Resets = append(e.x.Sequel().Resets, s)
	}
}

// wentOn notes a request on a stream: streams are not in order, so it follows those that the client knows to be answered.
func (r *Recorder) wentOn(h *analysis.Head) {
	note := func(e *entry) {
		x := e.x
		if x.NextHead.Packet == 0 && x.Final != nil && h.First.Acked != reassembly.NoAck && h.First.Acked >= e.verdict {
			x.NextFirst, x.NextHead = h.First, h.Last
		}
	}
	for _, e := range r.open {
		note(e)
	}
	if r.last != nil {
		note(r.last)
	}
}
