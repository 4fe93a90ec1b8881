package report

import (
	"strconv"
	"unicode/utf8"
)

const hexDigits = "0123456789abcdef"

// Safe makes text from the wire harmless to show: what is not printable becomes visible text, so that no terminal,
// log or spreadsheet acts on it and nothing hides in it. Bytes below 0x20, 0x7f and bytes that are not UTF-8
// become \x1b, other runes that do not print (C1 controls, bidirectional and zero-width marks, line and paragraph
// separators, unassigned code points) become \u202e or \U000e0001. Printable text, also a backslash, stays as it
// is: Safe(Safe(s)) == Safe(s).
func Safe(s string) string {
	if isPlain(s) {
		return s
	}
	return string(appendSafe(make([]byte, 0, len(s)+16), s))
}

// isPlain tells whether s is printable ASCII, which is always safe.
func isPlain(s string) bool {
	for i := range len(s) {
		if s[i] < ' ' || s[i] > '~' {
			return false
		}
	}
	return true
}

// appendSafe appends Safe(s).
func appendSafe(b []byte, s string) []byte {
	for i := 0; i < len(s); {
		if c := s[i]; c < utf8.RuneSelf {
			if c < ' ' || c == 0x7f {
				b = append(b, '\\', 'x', hexDigits[c>>4], hexDigits[c&15])
			} else {
				b = append(b, c)
			}
			i++
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case r == utf8.RuneError && n == 1:
			b = append(b, '\\', 'x', hexDigits[s[i]>>4], hexDigits[s[i]&15])
		case strconv.IsPrint(r):
			b = append(b, s[i:i+n]...)
		default:
			b = appendRuneEscape(b, r)
		}
		i += n
	}
	return b
}

// appendRuneEscape appends \uXXXX, or \UXXXXXXXX where four digits do not hold r.
func appendRuneEscape(b []byte, r rune) []byte {
	letter, bits := byte('u'), 16
	if r > 0xffff {
		letter, bits = 'U', 32
	}
	b = append(b, '\\', letter)
	for bits -= 4; bits >= 0; bits -= 4 {
		b = append(b, hexDigits[r>>bits&15])
	}
	return b
}
