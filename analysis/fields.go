package analysis

import (
	"bytes"
	"iter"
	"strings"
	"unsafe"
)

// A FieldScanner walks the field lines of a message head without allocating.
// It takes what is there: a line without a colon is skipped, a line that begins with
// white space continues the one before (obs-fold: RFC 9112, Section 5.2), lines end with LF, a CR before it is dropped.
type FieldScanner struct {
	text []byte
	at   int
}

// NewFieldScanner walks text, a head as in [Head], from behind its first line.
func NewFieldScanner(text []byte) FieldScanner {
	s := FieldScanner{text: text}
	s.at = s.lineEnd(0)
	return s
}

// lineEnd is the index just past the LF that ends the line at i, or the text's end.
func (s *FieldScanner) lineEnd(i int) int {
	if n := bytes.IndexByte(s.text[i:], '\n'); n >= 0 {
		return i + n + 1
	}
	return len(s.text)
}

// A FieldSpan tells where a field's name and value stand in the head.
type FieldSpan struct {
	NameStart, NameEnd, ValueStart, ValueEnd int
	Spaced                                   bool
}

// Next is the next field; false at the end.
func (s *FieldScanner) Next() (FieldSpan, bool) {
	for s.at < len(s.text) {
		start := s.at
		first := s.lineEnd(start)
		end := first
		for end < len(s.text) && (s.text[end] == ' ' || s.text[end] == '\t') {
			end = s.lineEnd(end)
		}
		s.at = end
		colon := bytes.IndexByte(s.text[start:first], ':')
		if colon == 0 && start+1 < first && 'a' <= s.text[start+1] && s.text[start+1] <= 'z' { // a pseudo-header field of HTTP/2: see Head.Stream
			colon = 1 + bytes.IndexByte(s.text[start+1:first], ':')
		}
		if colon <= 0 || blank(s.text[start]) { // a fold of the first line is no field: RFC 9112, Section 2.2
			continue
		}
		f := FieldSpan{NameStart: start, NameEnd: start + colon, ValueStart: start + colon + 1, ValueEnd: end}
		for f.NameEnd > start && blank(s.text[f.NameEnd-1]) {
			f.NameEnd, f.Spaced = f.NameEnd-1, true
		}
		for f.ValueEnd > f.ValueStart && space(s.text[f.ValueEnd-1]) {
			f.ValueEnd--
		}
		for f.ValueStart < f.ValueEnd && blank(s.text[f.ValueStart]) {
			f.ValueStart++
		}
		return f, true
	}
	return FieldSpan{}, false
}

func blank(b byte) bool { return b == ' ' || b == '\t' }

func space(b byte) bool { return blank(b) || b == '\r' || b == '\n' }

// MaxFields is how many field lines of a message are kept: servers take 100 or so, and a head of 64 KiB has room for 20,000,
// each of which costs 40 bytes.
const MaxFields = 1000

// ParseFields are the field lines of a head, the first [MaxFields] of them; names and values share its memory. They are never nil.
func ParseFields(head string) []Field {
	fs := make([]Field, 0, min(strings.Count(head, "\n"), MaxFields))
	scanFields(head, func(f Field) bool {
		fs = append(fs, f)
		return len(fs) < MaxFields
	})
	return fs
}

// Lines are the field lines, in order: Fields, or what Head says where there are none.
func (m *Message) Lines() iter.Seq[Field] {
	return func(yield func(Field) bool) {
		if m.Fields == nil {
			scanFields(m.Head, yield)
			return
		}
		for i := range m.Fields {
			if !yield(m.Fields[i]) {
				return
			}
		}
	}
}

// Get is the value of the first field line with that name, in any case.
func (m *Message) Get(name string) (string, bool) {
	for i := range m.Fields {
		if f := &m.Fields[i]; len(f.Name) == len(name) && strings.EqualFold(f.Name, name) {
			return f.Value, true
		}
	}
	if m.Fields == nil {
		s := seek(m.Head, name)
		return s.next()
	}
	return "", false
}

// Values are the values of all field lines with that name, in order.
func (m *Message) Values(name string) []string {
	var vs []string
	for i := range m.Fields {
		if f := &m.Fields[i]; len(f.Name) == len(name) && strings.EqualFold(f.Name, name) {
			vs = append(vs, f.Value)
		}
	}
	if m.Fields == nil {
		s := seek(m.Head, name)
		for v, ok := s.next(); ok; v, ok = s.next() {
			vs = append(vs, v)
		}
	}
	return vs
}

// A seeker finds the fields of one name in a head. Only lines that begin with the name's letter are looked into: most
// questions are about fields that are not there. FuzzFields holds it to scanFields.
type seeker struct {
	FieldScanner
	head, name string
}

func seek(head, name string) seeker {
	return seeker{NewFieldScanner(unsafe.Slice(unsafe.StringData(head), len(head))), head, name} // it only reads: no copy
}

// next is the value of the next field with that name.
func (s *seeker) next() (value string, ok bool) {
	const lower = 'a' - 'A'
	for s.at < len(s.text) {
		if s.text[s.at]|lower != s.name[0]|lower { // a line that continues another begins with white space
			s.at = s.lineEnd(s.at)
			continue
		}
		f, ok := s.Next()
		if ok && f.NameEnd-f.NameStart == len(s.name) && strings.EqualFold(s.head[f.NameStart:f.NameEnd], s.name) {
			return s.head[f.ValueStart:f.ValueEnd], true
		}
	}
	return "", false
}

// scanFields yields the field lines of a head, as long as more are wanted.
func scanFields(head string, yield func(Field) bool) {
	s := NewFieldScanner(unsafe.Slice(unsafe.StringData(head), len(head))) // it only reads: no copy
	for {
		f, ok := s.Next()
		if !ok || !yield(Field{head[f.NameStart:f.NameEnd], head[f.ValueStart:f.ValueEnd], f.Spaced}) {
			return
		}
	}
}

// FirstLine is the first line of a head without its end.
func FirstLine(head string) string {
	line, _, _ := strings.Cut(head, "\n")
	return strings.TrimRight(line, "\r \t")
}

// SplitRequestLine takes a sound request line apart (RFC 9112, Section 3).
func SplitRequestLine(line string) (method, target, version string) {
	n := max(strings.IndexAny(line, " \t"), 0)
	v := strings.LastIndexAny(line, " \t") + 1
	if v <= n {
		return line[:n], "", line[n:]
	}
	return line[:n], strings.Trim(line[n:v], " \t"), line[v:]
}

// SplitStatusLine gives the version and the reason phrase of a sound status line (RFC 9112, Section 4).
func SplitStatusLine(line string) (version, reason string) {
	n := max(strings.IndexAny(line, " \t"), 0)
	rest := strings.TrimLeft(line[n:], " \t")
	return line[:n], strings.TrimLeft(rest[min(3, len(rest)):], " \t")
}
