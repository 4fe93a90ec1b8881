package record

import (
	"hash/crc32"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// account is what one exchange's byte accounting needs to remember (rules.md, section 5).
type account struct {
	invite  uint64 // offset just past the first 100, 0 before
	verdict uint64 // offset just past the final head, 0 before

	acked int64 // content bytes that are known to be acknowledged and need no history
	runs  []run // content that was not acknowledged yet when it was seen
	hash  prefixHash
}

// run is a stretch of content: from and to are stream offsets, until counts content up to its end. In a
// plain run content and stream advance together.
type run struct {
	from, to uint64
	until    int64
	plain    bool
}

func (e *entry) touch(m reassembly.Mark) {
	if m.Time >= e.x.LastActivity.Time {
		e.x.LastActivity = m
	}
}

// Body counts content bytes.
func (r *Recorder) Body(stream uint32, d reassembly.Dir, b []byte, n uint64, m reassembly.Mark, seen uint64, sealed bool) {
	e := r.find(stream)
	if e == nil || n == 0 {
		return
	}
	e.touch(m)
	body := &e.x.RespBody
	if d == r.client {
		body = &e.x.ReqBody.Body
		if body.Sent == 0 && e.x.Final == nil && len(e.x.Interim) == 0 {
			r.heard(e.x)
		}
		e.classify(int64(n), m)
		if e.verdict == 0 {
			e.remember(n, m, seen, sealed)
		}
		if e.kept { // only what may be a repeat, or be repeated, is compared
			e.hash.add(b, &e.x.ReqBody)
			e.inner.add(b, &e.x.ReqBody)
		}
	} else if e.echo.value != "" {
		e.echo.add(b, m, e.x)
	}
	extend(body, n, m)
}

func extend(body *analysis.Body, n uint64, m reassembly.Mark) {
	if body.First.Packet == 0 {
		body.First = m
		body.First.Off -= n - 1
	}
	body.Sent += int64(n)
	body.Last = m
}

// Lost counts content bytes that are missing from the capture: as sent when they were acknowledged.
func (r *Recorder) Lost(stream uint32, d reassembly.Dir, n uint64, g *reassembly.Gap) {
	e := r.find(stream)
	if e == nil {
		return
	}
	part, body := analysis.PartRespBody, &e.x.RespBody
	if d == r.client {
		part, body = analysis.PartReqBody, &e.x.ReqBody.Body
		e.hash.broken, e.inner.over = true, true
	}
	kind := analysis.DoubtGap
	if g.Why == reassembly.Evicted {
		kind = analysis.DoubtEvicted
	}
	e.x.AddDoubt(kind, part, g.At)
	if !g.Acked {
		return
	}
	if d == r.client {
		e.classify(int64(n), g.At)
		if e.verdict == 0 {
			e.remember(n, g.At, 0, true)
		}
	}
	body.Lost += int64(n)
	extend(body, n, g.At)
}

// classify splits n request content bytes by what the client's host knew when it sent them.
func (e *entry) classify(n int64, m reassembly.Mark) {
	body := &e.x.ReqBody
	tail, invited := e.verdict > 0, e.invite > 0
	if m.Acked != reassembly.NoAck { // else the order of capture has to do
		tail = tail && m.Acked >= e.verdict
		invited = invited && m.Acked >= e.invite
	}
	switch {
	case tail:
		body.Tail += n
	case invited:
		body.Invited += n
	default:
		body.Early += n
	}
	if e.verdict > 0 && !tail {
		body.Crossing += n
	}
}

// remember keeps where content lies that the server may not have read yet.
func (e *entry) remember(n uint64, m reassembly.Mark, seen uint64, sealed bool) {
	until := e.x.ReqBody.Sent + int64(n)
	i := 0
	for i < len(e.runs) && e.runs[i].to <= seen {
		e.acked = e.runs[i].until
		i++
	}
	if len(e.runs)-i >= maxRuns {
		e.acked = e.runs[i].until
		i++
	}
	e.runs = append(e.runs[:0], e.runs[i:]...)
	if k := len(e.runs); k > 0 && !sealed {
		if last := &e.runs[k-1]; last.plain && last.to == m.Off-n {
			last.to, last.until = m.Off, until
			return
		}
	}
	e.runs = append(e.runs, run{m.Off - n, m.Off, until, !sealed})
}

// split divides what was sent before the final response by what the server's host had received then.
func (e *entry) split(h *analysis.Head) {
	body := &e.x.ReqBody
	e.verdict = h.Last.Off
	read := body.Sent
	if acked := h.First.Acked; acked != reassembly.NoAck {
		read = e.readUpTo(acked)
	}
	body.Read, body.Crossing = read, body.Sent-read
	e.runs = e.runs[:0]
}

// readUpTo counts the content that lies below a stream offset.
func (e *entry) readUpTo(acked uint64) int64 {
	n := e.acked
	for _, r := range e.runs {
		switch {
		case r.to <= acked:
			n = r.until
		case r.plain && acked > r.from:
			return r.until - int64(r.to-acked)
		default:
			return n
		}
	}
	return n
}

// prefixHash sums the first content bytes up, so that two bodies can be told apart without keeping them. Sums of
// different bytes are equal once in 2^32 times: then a difference is not seen, and nothing is claimed.
type prefixHash struct {
	n      int
	broken bool
	sum    uint32
}

// prefixes are the lengths at which Body.Prefix is taken.
var prefixes = [...]int{64, 512, 4096}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

func (p *prefixHash) add(b []byte, body *analysis.RequestBody) {
	if p.broken {
		return
	}
	for i, at := range prefixes {
		if p.n >= at {
			continue
		}
		if b == nil {
			p.broken = true
			return
		}
		n := min(at-p.n, len(b))
		p.sum = crc32.Update(p.sum, castagnoli, b[:n])
		p.n, b = p.n+n, b[n:]
		if p.n < at {
			return
		}
		body.Prefix[i] = max(1, p.sum)
	}
}

// heard notes that the server's host had acknowledged the head by now, if it had.
func (r *Recorder) heard(x *analysis.Exchange) {
	if t := r.conn.Heard[r.client]; t >= x.Request.Last.Time {
		x.HeadHeard = t
	}
}

// Doubt notes why claims about an exchange may not hold, be it the youngest of those that are over.
func (r *Recorder) Doubt(stream uint32, k analysis.DoubtKind, p analysis.Part, m reassembly.Mark) {
	e := r.find(stream)
	if e == nil && r.last != nil && r.last.x.Stream == stream {
		e = r.last
	}
	if e != nil {
		e.x.AddDoubt(k, p, m)
	}
}
