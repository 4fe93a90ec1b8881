package filter

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"
)

// A SyntaxError says which part of a filter expression, or of a program's text,
// is refused, and why.
type SyntaxError struct {
	// Expr is the expression as it was given.
	Expr string
	// Offset and Length are the refused part, in bytes of Expr. At the end of
	// the expression Length is 0.
	Offset, Length int
	// Msg says what is wrong and what to write instead.
	Msg string
}

// Error is one line: the message and the place, in characters counted from 1.
func (e *SyntaxError) Error() string {
	before := e.Expr[:e.Offset]
	place := fmt.Sprintf("character %d", 1+utf8.RuneCountInString(before[strings.LastIndexByte(before, '\n')+1:]))
	if strings.Contains(strings.TrimSpace(e.Expr), "\n") {
		place = fmt.Sprintf("line %d, %s", 1+strings.Count(before, "\n"), place)
	}
	return fmt.Sprintf("filter: %s (at %s)", e.Msg, place)
}

// Caret is two lines without a newline at the end: the line of the expression
// that holds the refused part, and carets under that part. What a terminal
// would not print as one character is a space.
func (e *SyntaxError) Caret() string {
	start := strings.LastIndexByte(e.Expr[:e.Offset], '\n') + 1
	line, _, _ := strings.Cut(e.Expr[start:], "\n")
	at := e.Offset - start
	marked := utf8.RuneCountInString(line[at:min(at+e.Length, len(line))])
	line = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, line)
	return strings.TrimRight(line, " ") + "\n" + strings.Repeat(" ", utf8.RuneCountInString(e.Expr[start:e.Offset])) + strings.Repeat("^", max(marked, 1))
}
