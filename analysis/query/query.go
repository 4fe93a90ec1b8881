// Package query is the small language that chooses exchanges and findings, the
// same in the terminal UI's filter and in the flags of the command line.
//
//	rule:417-no-retry server:10.0.0.2,10.0.0.3 status:4xx wasted>1MB wait>=1s -method:GET upload
//
// A query is words with spaces between them, all of which must hold. A word is a
// key, an operator and values (the table of keys is in keys.go), or text that is
// looked for wherever text is. Values behind a colon are alternatives, with commas between them or in several
// words of the same key. A minus in front turns a word round; "double quotes" keep
// spaces together.
//
// The package judges nothing, and it resolves no names: it compares what an
// exchange and its findings say.
package query

import (
	"iter"
	"slices"
	"strings"

	"expectscope/analysis"
)

// A Query chooses exchanges and findings. The zero value chooses all. It is immutable.
type Query struct{ terms []term }

// A subject is what a query is asked about: an exchange, or a finding and its exchange, which may be unknown.
type subject struct {
	x *analysis.Exchange
	f *analysis.Finding
}

// A test is one value of a term.
type test func(subject) bool

// A term is one word, or several of the same key: it holds if one of the tests does.
type term struct {
	key   string // "" for text
	op    string
	not   bool
	of    part // what it needs
	tests []test
}

func (t *term) holds(s subject) bool {
	if t.of == findings && s.f == nil || t.of == exchanges && s.x == nil {
		return false
	}
	return slices.ContainsFunc(t.tests, func(is test) bool { return is(s) }) != t.not
}

// An Error says what is wrong with a query.
type Error struct {
	// Text says what, Hint what to write instead; both without a full stop.
	Text, Hint string
}

// Error is what is wrong and what to do about it, on one line.
func (e *Error) Error() string { return e.Text + ": " + e.Hint }

// Parse reads a query. The error is an [*Error].
func Parse(s string) (Query, error) {
	var q Query
	for word := range words(s) {
		var err error
		if q, err = q.word(word); err != nil {
			return Query{}, err
		}
	}
	return q, nil
}

// With adds the word key:value; of a key that was given already, the values are further alternatives. A flag
// of the command line is this.
func (q Query) With(key, value string) (Query, error) {
	k := keyNamed(key)
	if k == nil {
		return q, unknownKey(key)
	}
	return q.add(k, ":", value, false)
}

// Empty tells whether the query chooses everything.
func (q Query) Empty() bool { return len(q.terms) == 0 }

// Match tells whether an exchange is chosen. What the query says of findings (rule, severity, …) must all hold of one of its findings.
func (q Query) Match(x *analysis.Exchange, found iter.Seq[*analysis.Finding]) bool {
	asks := false
	for i := range q.terms {
		t := &q.terms[i]
		switch {
		case t.of == findings:
			asks = true
		case t.key == "" && !t.holds(subject{x: x}):
			if t.not || !t.somewhere(x, found) {
				return false
			}
		case t.key == "" && t.not && t.without().somewhere(x, found):
			return false
		case t.key != "" && !t.holds(subject{x: x}):
			return false
		}
	}
	if !asks {
		return true
	}
	for f := range found {
		if q.finding(subject{x, f}) {
			return true
		}
	}
	return false
}

// somewhere tells whether a word of text stands in one of the findings.
func (t *term) somewhere(x *analysis.Exchange, found iter.Seq[*analysis.Finding]) bool {
	for f := range found {
		if t.holds(subject{x, f}) {
			return true
		}
	}
	return false
}

// without is the term without its minus.
func (t *term) without() *term {
	c := *t
	c.not = false
	return &c
}

// finding tells whether what the query says of findings holds.
func (q Query) finding(s subject) bool {
	for i := range q.terms {
		if t := &q.terms[i]; t.of == findings && !t.holds(s) {
			return false
		}
	}
	return true
}

// MatchFinding tells whether a finding is chosen. x is the exchange it is on; when it is nil, what only the exchange can answer does not hold.
func (q Query) MatchFinding(x *analysis.Exchange, f *analysis.Finding) bool {
	for i := range q.terms {
		if !q.terms[i].holds(subject{x, f}) {
			return false
		}
	}
	return true
}

// words cuts a query at spaces outside quotes; the quotes stay.
func words(s string) iter.Seq[string] {
	return func(yield func(string) bool) {
		for s = strings.TrimLeft(s, " \t"); s != ""; s = strings.TrimLeft(s, " \t") {
			n := wordEnd(s)
			if !yield(s[:n]) {
				return
			}
			s = s[n:]
		}
	}
}

// wordEnd is the length of the word s begins with. A quote that is not closed goes to the end.
func wordEnd(s string) int {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '"':
			quoted = !quoted
		case (s[i] == ' ' || s[i] == '\t') && !quoted:
			return i
		}
	}
	return len(s)
}

// word adds a word as it was written.
func (q Query) word(w string) (Query, error) {
	body, not := strings.CutPrefix(w, "-")
	name, op, value := cut(body)
	if op == "" {
		text := unquote(body)
		if text == "" {
			return q, nil
		}
		return q.with(term{not: not, tests: []test{textTest(text)}}), nil
	}
	k := keyNamed(name)
	if k == nil {
		return q, unknownKey(name)
	}
	return q.add(k, op, unquote(value), not)
}

// cut takes a word apart at its operator; op is "" where there is none, as in an address or a URL.
func cut(w string) (name, op, value string) {
	n := strings.IndexAny(w, `:<>="`)
	if n <= 0 || w[n] == '"' || strings.Trim(w[:n], "abcdefghijklmnopqrstuvwxyz-") != "" || strings.HasPrefix(w[n:], "://") {
		return "", "", w
	}
	op = w[n : n+1]
	if op != ":" && strings.HasPrefix(w[n+1:], "=") {
		op = w[n : n+2]
	}
	return w[:n], op, w[n+len(op):]
}

func unquote(s string) string { return strings.ReplaceAll(s, `"`, "") }

// add adds the values of a key.
func (q Query) add(k *key, op, value string, not bool) (Query, error) {
	t := term{key: k.name, op: op, not: not, of: k.of}
	values := []string{value}
	if !k.whole {
		values = strings.Split(value, ",")
	}
	for _, v := range values {
		is, err := k.test(op, strings.TrimSpace(v))
		if err != nil {
			return q, err
		}
		t.tests = append(t.tests, is)
	}
	return q.with(t), nil
}

// with adds a term, or the alternatives of one.
func (q Query) with(t term) Query {
	terms := slices.Clone(q.terms)
	for i := range terms {
		if o := &terms[i]; t.key != "" && t.op == ":" && o.key == t.key && o.op == t.op && o.not == t.not {
			o.tests = append(slices.Clip(o.tests), t.tests...)
			return Query{terms}
		}
	}
	return Query{append(terms, t)}
}
