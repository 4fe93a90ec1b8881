package http1

import (
	"expectscope/analysis"
	"expectscope/reassembly"
)

// An upgrade is the way of a connection to HTTP/2 (RFC 7540, Section 3.2): the 101 is an interim response like
// others, because the request it answers is stream 1 of HTTP/2 and gets its final response there.
type upgrade struct {
	// finishing: the server speaks HTTP/2 already, and the client is still due content of its request. It sends that whole first.
	finishing bool
}

// becomesHTTP2 tells whether a 101 begins HTTP/2: both sides named it.
func (m *Machine) becomesHTTP2(text []byte) bool {
	return len(m.queue) > 0 && m.queue[0].h2c && m.o.HTTP2 != nil && namesHTTP2(text)
}

// namesHTTP2 tells whether Upgrade names HTTP/2 in the clear. Few heads have that field, so they alone are read again for it.
func namesHTTP2(text []byte) bool {
	s := analysis.NewFieldScanner(text)
	for {
		f, ok := s.Next()
		if !ok {
			return false
		}
		if is(text[f.NameStart:f.NameEnd], "upgrade") && hasToken(text[f.ValueStart:f.ValueEnd], "h2c") {
			return true
		}
	}
}

// becomeHTTP2 hands the connection on behind the 101 that ends at mark.
func (m *Machine) becomeHTTP2(at reassembly.Mark) {
	o := m.queue[0]
	for len(m.queue) > 1 { // what was sent behind it is nothing that HTTP/2 answers
		last := len(m.queue) - 1
		s := m.queue[last].stream
		m.queue = m.queue[:last]
		m.ev.Done(s, m.resp.dir, analysis.EndedUpgraded, at)
	}
	m.queue = nil
	m.finishing = m.req.stream == o.stream && m.req.state.inBody()
	if !m.finishing {
		m.req.over(analysis.EndedUpgraded, at)
		m.conclude(at)
	}
	m.inner = m.o.HTTP2(o.stream, o.head)
	if m.gone != nil {
		m.inner.End(m.gone)
	}
}

// passesOn tells whether what a direction carries is the inner layer's.
func (m *Machine) passesOn(d reassembly.Dir) bool {
	return m.inner != nil && !(m.finishing && d == m.o.Client)
}

// finishGap reads a hole in content that stands in front of HTTP/2.
func (m *Machine) finishGap(g *reassembly.Gap) {
	m.req.gap(g)
	if m.req.state == lost {
		m.finishing = false
		m.inner.Gap(g)
	}
}

// finishEnd reads the client's end in front of HTTP/2.
func (m *Machine) finishEnd(e *reassembly.End) {
	m.finishing = false
	m.req.end(e)
	m.inner.End(e)
}
