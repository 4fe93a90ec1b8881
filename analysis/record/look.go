package record

import (
	"bytes"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// What is looked at of content, of kept exchanges only, and never more than
// [analysis.LookAt] bytes: whether a request's begins like a request, and
// whether an answer's repeats markup out of Expect.

// inner collects a request's first content bytes for as long as they may turn out to be a request.
type inner struct {
	begun []byte
	over  bool // it was decided, or cannot be
}

func (p *inner) add(b []byte, body *analysis.RequestBody) {
	if p.over {
		return
	}
	if p.over = b == nil; p.over {
		return
	}
	b = b[:min(len(b), analysis.LookAt-len(p.begun))]
	if len(p.begun) > 0 {
		p.begun = append(p.begun, b...)
		b = p.begun
	}
	method, more := analysis.BeginsRequest(b)
	switch {
	case !more || len(b) >= analysis.LookAt:
		body.Inner, p.over, p.begun = method, true, nil
	case len(p.begun) == 0:
		p.begun = append([]byte(nil), b...)
	}
}

// echo looks for a value in an answer's content.
type echo struct {
	value string // "" when nothing is looked for
	heard []byte
}

// listen begins when a final response came: a 4xx may repeat what it refuses.
func (e *entry) listen() {
	if s := e.x.Final.Status; s < 400 || s > 499 {
		return
	}
	for _, v := range e.x.Request.Values("Expect") {
		if analysis.Markup(v) {
			e.echo.value = v
			return
		}
	}
}

func (p *echo) add(b []byte, m reassembly.Mark, x *analysis.Exchange) {
	p.heard = append(p.heard, b[:min(len(b), analysis.LookAt-len(p.heard))]...)
	switch {
	case bytes.Contains(p.heard, []byte(p.value)):
		x.Amend().Echo = m
		*p = echo{}
	case b == nil || len(p.heard) == analysis.LookAt:
		*p = echo{}
	}
}
