package record

import (
	"time"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// endDoubts is what is in doubt when a direction's end is, by whether it is the client's: whoever took it read nothing behind it.
var endDoubts = map[bool]analysis.Part{
	true:  analysis.PartReqBody | analysis.PartEnding,
	false: analysis.PartInterim | analysis.PartFinal | analysis.PartRespBody | analysis.PartEnding,
}

// mirrored is how soon, in nanoseconds, a packet comes again that was captured twice, on a mirror port or on two interfaces. No host
// sends a head again so soon (RFC 6298, Section 2; RFC 8985, Section 7.2), and if one did, what waits for it would hardly wait longer.
const mirrored = int64(time.Millisecond)

// Resent notes a retransmission: of a head before it was answered, of content; and other bytes than those that came first.
func (r *Recorder) Resent(s *reassembly.Resent) {
	for _, e := range r.open {
		r.resent(e, s)
	}
	if e := r.last; e != nil && e.kept && e.differs(s, r.client) {
		e.doubtHead(s, r.client)
		r.sink.Closed(e.x)
	}
}

func (r *Recorder) resent(e *entry, s *reassembly.Resent) {
	x := e.x
	if s.Len == 0 { // an end that the stream went on behind
		x.AddDoubt(analysis.DoubtConflict, endDoubts[s.Dir == r.client], s.At)
		return
	}
	if e.differs(s, r.client) {
		e.doubtHead(s, r.client)
	}
	if s.Dir != r.client {
		if s.Conflict {
			x.AddDoubt(analysis.DoubtConflict, analysis.PartInterim|analysis.PartFinal|analysis.PartRespBody, s.At)
		}
		return
	}
	from, to := s.At.Off-s.Len, s.At.Off
	if to >= x.Request.First.Off && from < x.Request.Last.Off {
		x.HeadResent = x.HeadResent || x.Final == nil && len(x.Interim) == 0 && s.At.Time-x.Request.Last.Time > mirrored
		if s.Conflict {
			x.AddDoubt(analysis.DoubtConflict, analysis.PartRequest, s.At)
		}
	}
	if to > x.Request.Last.Off && !e.done[r.client] {
		x.ReqBody.Resent += int64(to - max(from, x.Request.Last.Off))
		if s.Conflict {
			x.AddDoubt(analysis.DoubtConflict, analysis.PartReqBody, s.At)
		}
	}
}

// doubtHead notes that a head was sent twice, and not the same: what it says decides how all behind it is read.
func (e *entry) doubtHead(s *reassembly.Resent, client reassembly.Dir) {
	parts := analysis.PartFinal | analysis.PartRespBody
	if s.Dir == client {
		parts = analysis.PartRequest | analysis.PartReqBody
	}
	e.x.AddDoubt(analysis.DoubtConflict, parts, s.At)
}

// differs tells whether what was sent again of the request's or the final response's head is not what came first. A head of HTTP/2
// or in TLS is not what the TCP stream holds, and may have its length all the same.
func (e *entry) differs(s *reassembly.Resent, client reassembly.Dir) bool {
	x := e.x
	switch {
	case x.StreamID != 0 || x.TLS != nil:
		return false
	case s.Dir == client:
		return differ(e.req, &x.Request, s)
	case x.Final != nil && e.kept:
		return differ(x.Final.Head, x.Final, s)
	case x.Final != nil:
		return differ(e.fin, x.Final, s)
	}
	return false
}

// differ compares what was sent again with the head of a message. One of which a part is missing cannot be compared.
func differ[T string | []byte](head T, m *analysis.Message, s *reassembly.Resent) bool {
	start, from := m.First.Off-1, s.At.Off-s.Len
	if m.Last.Off-start != uint64(len(head)) {
		return false
	}
	for at, to := max(start, from), min(m.Last.Off, from+uint64(len(s.Data))); at < to; at++ {
		if head[at-start] != s.Data[at-from] {
			return true
		}
	}
	return false
}
