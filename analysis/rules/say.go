package rules

import (
	"fmt"
	"strconv"
	"strings"

	"expectscope/analysis"
)

// say begins a verdict with its sentence: one, with the figures of the case
// and a full stop. What stays zero in the verdict is the rule's own.
func say(format string, args ...any) *analysis.Verdict {
	return &analysis.Verdict{Summary: fmt.Sprintf(format, args...)}
}

// size says a number of bytes: in full below a million ("412,160 bytes"), so
// that it can be compared with a Content-Length, and rounded above ("5.0 MB").
func size(n int64) string {
	if n < 1e6 {
		if n == 1 {
			return "1 byte"
		}
		return number(n) + " bytes"
	}
	v := float64(n) / 1e6
	for _, unit := range []string{"MB", "GB"} {
		if v < 999.95 {
			return fmt.Sprintf("%.1f %s", v, unit)
		}
		v /= 1000
	}
	return fmt.Sprintf("%.1f TB", v)
}

// number says an integer with its thousands apart: 1,234,567.
func number(n int64) string {
	if n < 0 {
		return "-" + number(-n)
	}
	s := strconv.FormatInt(n, 10)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// span says a duration given in nanoseconds with as many digits as matter:
// "under 0.1 ms", "0.4 ms", "840 ms", "1.00 s", "12.4 s", "90 s".
func span(ns int64) string {
	ms := float64(ns) / 1e6
	switch {
	case ms < 0.05:
		return "under 0.1 ms"
	case ms < 9.95:
		return fmt.Sprintf("%.1f ms", ms)
	case ms < 999.5:
		return fmt.Sprintf("%.0f ms", ms)
	case ms < 9_995:
		return fmt.Sprintf("%.2f s", ms/1000)
	case ms < 59_950:
		return fmt.Sprintf("%.1f s", ms/1000)
	}
	return fmt.Sprintf("%.0f s", ms/1000)
}

// quoted is text from the wire, fit to stand in a sentence: control characters
// escaped, and cut when it is long.
func quoted(s string) string {
	const most = 60
	if len(s) > most {
		return strconv.QuoteToASCII(s[:most]) + "..."
	}
	return strconv.QuoteToASCII(s)
}

// counted is a number with its noun: "1 request", "51 requests".
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return number(int64(n)) + " " + noun + "s"
}

// quotable is a word from the wire: as it is where it says nothing of its own (a registered method, a length, the expectation or a
// coding of RFC 9110 and 9112, known software with its version), else quoted. So whoever covers what is quoted, as report.Redacted
// does, has covered all that a sentence holds of the wire.
func quotable(s string) string {
	if analysis.IsMethod(s) || registered(s) {
		return s
	}
	return quoted(s)
}

// registered tells whether a word is one of the few that stand for the same everywhere.
func registered(s string) bool {
	switch lower(s) {
	case "":
		return false
	case "100-continue", "chunked", "identity", "gzip", "compress", "deflate":
		return true
	}
	from, to := KnownServer(s)
	if from > 0 {
		return false
	}
	rest := strings.TrimLeft(s[to:], "/.0123456789")
	return rest == "" || to == 0 && strings.Trim(s, "+-0123456789, ") == ""
}

// fieldName is the name of a field: as it is where nothing in it has to be escaped, else quoted.
func fieldName(s string) string {
	if q := quoted(s); len(s) == 0 || len(q) != len(s)+2 {
		return q
	}
	return s
}
