package store

import (
	"strings"

	"expectscope/analysis"
)

// Records and texts are kept in blocks: a million small ones would cost a tenth more for what the allocator rounds up, and the
// garbage collector would have to look at each.
const (
	blockLen   = 256      // records
	textBlock  = 64 << 10 // bytes
	longText   = textBlock / 8
	maxShared  = 1 << 15 // how many response heads are remembered; then they are forgotten, and it starts anew
	sharedText = 2 << 10 // a longer head is hardly ever sent twice
)

// A block gives out records.
type block[T any] []T

func (b *block[T]) new() *T {
	if len(*b) == 0 {
		*b = make([]T, blockLen)
	}
	v := &(*b)[0]
	*b = (*b)[1:]
	return v
}

// texts keeps text once and without a head of its own.
type texts struct {
	b     *strings.Builder
	heads map[string]string // of responses: servers send the same again and again
}

func newTexts() texts { return texts{&strings.Builder{}, map[string]string{}} }

// keep is a copy of s. What was given out stays where it is: a builder is left before it would grow.
func (t *texts) keep(s string) string {
	if len(s) > longText {
		return strings.Clone(s)
	}
	if t.b.Len()+len(s) > t.b.Cap() {
		t.b = &strings.Builder{}
		t.b.Grow(textBlock)
	}
	at := t.b.Len()
	t.b.WriteString(s)
	return t.b.String()[at:]
}

// head is a copy of a response's head, or an earlier equal one.
func (t *texts) head(s string) string {
	if len(s) > sharedText {
		return t.keep(s)
	}
	same, ok := t.heads[s]
	if !ok {
		if len(t.heads) >= maxShared {
			clear(t.heads)
		}
		same = t.keep(s)
		t.heads[same] = same
	}
	return same
}

// request makes the texts of m ours.
func (t *texts) request(m *analysis.Message) {
	m.Head = t.keep(m.Head)
	method, target, version := analysis.SplitRequestLine(analysis.FirstLine(m.Head))
	m.Method, m.Target, m.Version = t.part(m.Method, method), t.part(m.Target, target), t.part(m.Version, version)
	thin(m)
}

// response makes the texts of m ours.
func (t *texts) response(m *analysis.Message) {
	m.Head = t.head(m.Head)
	version, reason := analysis.SplitStatusLine(analysis.FirstLine(m.Head))
	m.Version, m.Reason = t.part(m.Version, version), t.part(m.Reason, reason)
	thin(m)
}

// part is the part of a kept head that says s, or a copy where the head does not say it.
func (t *texts) part(s, part string) string {
	if s == part {
		return part
	}
	return t.keep(s)
}

// thin leaves the fields of m to be read from its head, if they stand there: taken apart they are larger than the text.
func thin(m *analysis.Message) {
	fields := m.Fields
	m.Fields = nil
	i := 0
	for f := range m.Lines() {
		if i == len(fields) || f != fields[i] {
			m.Fields = fields
			return
		}
		i++
	}
	if i < len(fields) {
		m.Fields = fields
	}
}
