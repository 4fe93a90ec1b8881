package extract

import (
	"crypto/sha256"
	"slices"
)

// What covers text begins with many of the first letter; what covers content
// consists of octets that no message begins with, so that content does not look
// like one (RFC 9110, Section 5.6.2: none of them is a tchar).
const (
	textLetters    = "xabcdefghijklmnopqrstuvwyz"
	contentLetters = "=()<>@,;:[]{}?/\\"
)

// covers gives each value that is to be covered a number: the first value of its
// length is 0, the next one 1. Written at the end of what covers it, the number
// keeps equal values equal and tells others apart, and says nothing else of them.
type covers struct {
	numbers map[coveredValue]int
	count   map[lengthOf]int
}

type coveredValue struct {
	of  lengthOf
	sum [sha256.Size]byte
}

// A lengthOf is what shares one row of numbers: text or content, and how much of it.
type lengthOf struct {
	content bool
	n       int
}

func newCovers() *covers {
	return &covers{numbers: map[coveredValue]int{}, count: map[lengthOf]int{}}
}

// number is the number of a value.
func (c *covers) number(value []byte, content bool) int {
	of := lengthOf{content, len(value)}
	v := coveredValue{of, sha256.Sum256(value)}
	n, ok := c.numbers[v]
	if !ok {
		n = c.count[of]
		c.count[of]++
		c.numbers[v] = n
	}
	return n
}

// A sheet lies over a text of which some octets are to be seen.
type sheet struct {
	covers *covers
	text   []byte
	seen   []bool
	values []coveredRun
}

// A coveredRun is a value between two indexes of the text, and the number it shows.
type coveredRun struct{ from, to, number int }

// lay begins with a text of which nothing is seen but its line ends.
func (s *sheet) lay(text []byte) {
	s.text = text
	s.seen = slices.Grow(s.seen[:0], len(text))[:len(text)]
	s.values = s.values[:0]
	for i, c := range text {
		s.seen[i] = c == '\r' || c == '\n'
	}
}

// show lets the text be seen between two indexes.
func (s *sheet) show(from, to int) {
	for i := from; i < to; i++ {
		s.seen[i] = true
	}
}

// showIf shows those octets between two indexes that are of a kind.
func (s *sheet) showIf(from, to int, kind func(byte) bool) {
	for i := from; i < to; i++ {
		s.seen[i] = s.seen[i] || kind(s.text[i])
	}
}

// value says that what is covered between two indexes is one value; as is what
// it is the same as another by, nil: as it stands.
func (s *sheet) value(from, to int, as []byte) {
	if from >= to {
		return
	}
	if as == nil {
		as = s.text[from:to]
	}
	s.values = append(s.values, coveredRun{from, to, s.covers.number(as, false)})
}

// covered is a new text: what is seen, and what covers the rest.
func (s *sheet) covered() []byte {
	out := slices.Clone(s.text)
	for i, seen := range s.seen {
		if !seen {
			out[i] = textLetters[0]
		}
	}
	for _, v := range s.values {
		for i, n := v.to-1, v.number; i >= v.from && n > 0; i-- {
			if !s.seen[i] {
				out[i] = textLetters[n%len(textLetters)]
				n /= len(textLetters)
			}
		}
	}
	return out
}
