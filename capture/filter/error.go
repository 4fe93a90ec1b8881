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

// Error is one line: the message and the place, counted in characters from 1.
func (e *SyntaxError) Error() string {
	line, column := e.place()
	if strings.TrimSpace(e.Expr) != line {
		return fmt.Sprintf("filter: %s (line %d, character %d)", e.Msg, 1+strings.Count(e.Expr[:e.Offset], "\n"), column+1)
	}
	return fmt.Sprintf("filter: %s (at character %d)", e.Msg, column+1)
}
