package analysis

import (
	"strconv"
	"strings"
	"time"
)

// LinkKind says how one exchange led to another.
type LinkKind uint8

// The kinds. Redirect: the follow-up goes where a Location pointed (RFC 9110, Section 15.4). Auth: it answers
// a challenge (RFC 9110, Section 11). Repeat: it is the same request again, after a failure or none.
const (
	LinkNone LinkKind = iota
	LinkRedirect
	LinkAuth
	LinkRepeat
)

// String is the word for it in the output contract.
func (k LinkKind) String() string { return [...]string{"", "redirect", "auth", "repeat"}[k] }

// A Link ties an exchange to the request its answer, or the lack of one, led to. The
// repeat of a refused expectation is none: see [Retry].
type Link struct {
	Kind LinkKind
	// To is the ID of the later exchange.
	To         string
	Tier       Tier
	Confidence Confidence
}

// Notable tells, when the final response has just come, whether an exchange without Expect is of interest by it: it
// was refused as expectations are, switched protocols, was answered before its body was whole, or carried a body that Expect would have saved.
func (x *Exchange) Notable() bool {
	switch {
	case x.Final.Status == 417 || x.Final.Status == 101:
		return true
	case x.ReqBody.Framing != FramingNone && !x.ReqBody.Complete:
		return true
	}
	return x.Rejected() && x.ReqBody.Sent > WasteNotice && HeadStatus(x.Final.Status)
}

// RetryAfter is how long the response asks to wait before the next request, in nanoseconds from its arrival (RFC
// 9110, Section 10.2.3); ok is false where it does not ask. sure is false where a date had to be held against
// the clock of the capture, as the response has no Date of its own.
func (m *Message) RetryAfter() (ns int64, sure, ok bool) {
	v, has := m.Get("Retry-After")
	if !has {
		return 0, false, false
	}
	v = strings.TrimSpace(v)
	if n, err := strconv.ParseUint(v, 10, 31); err == nil {
		return int64(n) * int64(time.Second), true, true
	}
	until, ok := parseDate(v)
	if !ok {
		return 0, false, false
	}
	if d, has := m.Get("Date"); has {
		if from, ok := parseDate(d); ok {
			return max(0, int64(until.Sub(from))), true, true
		}
	}
	return max(0, until.UnixNano()-m.Last.Time), false, true
}

// parseDate reads the forms of HTTP-date (RFC 9110, Section 5.6.7).
func parseDate(v string) (time.Time, bool) {
	for _, form := range [...]string{"Mon, 02 Jan 2006 15:04:05 GMT", "Monday, 02-Jan-06 15:04:05 GMT", time.ANSIC} {
		if t, err := time.Parse(form, v); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}
