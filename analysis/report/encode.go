package report

import (
	"net/netip"
	"strconv"
	"time"
)

// An encoder appends JSON to a buffer that is used again for each record, so that a record costs no allocation. Field
// names are literals of this package and are written as they are; strings pass [Safe]. The
// methods named after a type append `,"name":value`, or `"name":value` where an object begins.
type encoder struct {
	b       []byte
	scratch []byte // a string made safe, before it is quoted
	// second is the text of a second of time, "2026-01-02T15:04:05", of which most records of a run share one.
	second   []byte
	secondAt int64
}

// begin starts an object or array, end closes it.
func (e *encoder) begin(bracket byte) { e.b = append(e.b, bracket) }
func (e *encoder) end(bracket byte)   { e.b = append(e.b, bracket) }

// comma separates a value from the one before it.
func (e *encoder) comma() {
	if n := len(e.b); n > 0 && e.b[n-1] != '{' && e.b[n-1] != '[' && e.b[n-1] != ':' {
		e.b = append(e.b, ',')
	}
}

func (e *encoder) key(name string) {
	e.comma()
	e.b = append(e.b, '"')
	e.b = append(e.b, name...)
	e.b = append(e.b, '"', ':')
}

func (e *encoder) int(name string, v int64) {
	e.key(name)
	e.b = strconv.AppendInt(e.b, v, 10)
}

func (e *encoder) uint(name string, v uint64) {
	e.key(name)
	e.b = strconv.AppendUint(e.b, v, 10)
}

func (e *encoder) bool(name string, v bool) {
	e.key(name)
	e.b = strconv.AppendBool(e.b, v)
}

// str leaves the field out when s is empty.
func (e *encoder) str(name, s string) {
	if s != "" {
		e.key(name)
		e.quote(s)
	}
}

// quote appends s as a JSON string (RFC 8259, Section 7), made safe first.
func (e *encoder) quote(s string) {
	e.b = append(e.b, '"')
	if !isPlain(s) {
		e.scratch = appendSafe(e.scratch[:0], s)
		e.b = appendQuoted(e.b, e.scratch)
	} else {
		e.b = appendQuoted(e.b, s)
	}
	e.b = append(e.b, '"')
}

// appendQuoted appends safe text with the two characters escaped that a JSON string cannot hold.
func appendQuoted[T string | []byte](b []byte, s T) []byte {
	from := 0
	for i := range len(s) {
		if s[i] == '"' || s[i] == '\\' {
			b = append(append(b, s[from:i]...), '\\')
			from = i
		}
	}
	return append(b, s[from:]...)
}

// time appends a time of nanoseconds since 1970 as RFC 3339 in UTC with nine fraction digits.
func (e *encoder) time(name string, ns int64) {
	e.key(name)
	sec, frac := ns/1e9, ns%1e9
	if frac < 0 {
		sec, frac = sec-1, frac+1e9
	}
	if sec != e.secondAt || len(e.second) == 0 {
		e.second = time.Unix(sec, 0).UTC().AppendFormat(e.second[:0], "2006-01-02T15:04:05")
		e.secondAt = sec
	}
	e.b = append(append(append(e.b, '"'), e.second...), '.')
	for div := int64(1e8); div > 0; div /= 10 {
		e.b = append(e.b, '0'+byte(frac/div%10))
	}
	e.b = append(e.b, 'Z', '"')
}

// ms appends a duration of nanoseconds as milliseconds, exact, without exponent or trailing zeros.
func (e *encoder) ms(name string, ns int64) {
	e.key(name)
	e.b = appendMs(e.b, ns)
}

// appendMs appends nanoseconds as milliseconds: 1000.123456.
func appendMs(b []byte, ns int64) []byte {
	u := uint64(ns)
	if ns < 0 {
		b, u = append(b, '-'), -u
	}
	b = strconv.AppendUint(b, u/1e6, 10)
	if frac := u % 1e6; frac != 0 {
		b = append(b, '.')
		for div := uint64(1e5); frac > 0; div /= 10 {
			b = append(b, '0'+byte(frac/div))
			frac %= div
		}
	}
	return b
}

// addr leaves out an address that is not known.
func (e *encoder) addr(name string, a netip.AddrPort) {
	if a.IsValid() {
		e.key(name)
		e.b = append(a.AppendTo(append(e.b, '"')), '"')
	}
}
