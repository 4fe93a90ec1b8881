package record

import "expectscope/analysis"

// keep makes an exchange that outlives its entry.
func (r *Recorder) keep(e *entry) {
	if e.kept {
		return
	}
	x := new(analysis.Exchange)
	*x = e.own
	x.Doubts = append([]analysis.Doubt(nil), e.own.Doubts...)
	e.x, e.kept = x, true
	e.hash.broken = x.ReqBody.Sent > 0 // its beginning was not looked at
	e.inner.over = e.hash.broken
	x.ID = r.id(x.Stream)
	fill(&x.Request, e.req, true)
	if e.own.Final != nil {
		f := *e.own.Final
		x.Final = &f
		fill(x.Final, e.fin, false)
	}
}

// Find keeps the open exchanges whose request heads match, and tells of them.
func (r *Recorder) Find(match func(head []byte) bool, found func(*analysis.Exchange)) {
	for _, e := range r.open {
		if match(e.req) {
			r.keep(e)
			found(e.x)
		}
	}
}
