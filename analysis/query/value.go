package query

import (
	"math"
	"net/netip"
	"strconv"
	"strings"

	"expectscope/analysis"
)

// party reads one address or many: 10.0.0.1, 10.0.0.0/8, 10.0.0.1:80, ::1, [::1]:80 and :80.
func party(get func(subject) netip.AddrPort) func(string) (test, error) {
	return func(v string) (test, error) {
		prefix, port, ok := parseParty(v)
		if !ok {
			return nil, &Error{
				strconv.Quote(v) + " is no address",
				"give 10.0.0.1, 10.0.0.0/8, 10.0.0.1:80, 2001:db8::1, [2001:db8::1]:80 or :80; names are not looked up",
			}
		}
		return func(s subject) bool {
			a := get(s)
			return (port == 0 || port == a.Port()) && (!prefix.IsValid() || prefix.Contains(a.Addr().Unmap().WithZone("")))
		}, nil
	}
}

// parseParty gives the addresses, invalid for any, and the port, 0 for any.
func parseParty(v string) (prefix netip.Prefix, port uint16, ok bool) {
	if digits, is := strings.CutPrefix(v, ":"); is && !strings.Contains(digits, ":") {
		n, err := strconv.ParseUint(digits, 10, 16)
		return netip.Prefix{}, uint16(n), err == nil && n > 0
	}
	if p, err := netip.ParsePrefix(v); err == nil {
		return p.Masked(), 0, true
	}
	whole := func(a netip.Addr) netip.Prefix {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen())
	}
	if a, err := netip.ParseAddr(strings.Trim(v, "[]")); err == nil {
		return whole(a), 0, true
	}
	if a, err := netip.ParseAddrPort(v); err == nil {
		return whole(a.Addr()), a.Port(), true
	}
	return netip.Prefix{}, 0, false
}

// status reads 417, 4xx and none behind a colon, and a number behind other operators.
func status(op, v string) (test, error) {
	first, last, ok := parseStatus(v)
	if !ok || first != last && op != ":" && op != "=" {
		return nil, &Error{strconv.Quote(v) + " is no final status", "give a status (417), a class (4xx) or none"}
	}
	return func(s subject) bool {
		n := s.status()
		if op == ":" || op == "=" {
			return first <= n && n <= last
		}
		return n != 0 && compare(n, op, first)
	}, nil
}

func parseStatus(v string) (first, last int, ok bool) {
	if v == "none" {
		return 0, 0, true
	}
	if class, is := strings.CutSuffix(strings.ToLower(v), "xx"); is {
		n, err := strconv.Atoi(class)
		return n * 100, n*100 + 99, err == nil && 1 <= n && n <= 9
	}
	n, err := strconv.Atoi(v)
	return n, n, err == nil && 100 <= n && n <= 999
}

// target looks for text, or, if there is a * in it, for targets of that form from end to end.
func target(text string) (test, error) {
	parts := strings.Split(text, "*")
	if len(parts) == 1 {
		return func(s subject) bool { return strings.Contains(s.target(), text) }, nil
	}
	first, last := parts[0], parts[len(parts)-1]
	return func(s subject) bool {
		rest, ok := strings.CutPrefix(s.target(), first)
		if !ok {
			return false
		}
		for _, p := range parts[1 : len(parts)-1] {
			_, after, found := strings.Cut(rest, p)
			if !found {
				return false
			}
			rest = after
		}
		return strings.HasSuffix(rest, last)
	}, nil
}

// textTest looks for text, in any case, wherever an exchange and a finding have some.
func textTest(text string) test {
	return func(s subject) bool {
		if f := s.f; f != nil {
			for _, field := range [...]string{f.Rule, f.Title, f.Summary, f.Method, f.Target, f.UserAgent, f.ServerSoftware, f.Exchange} {
				if containsFold(field, text) {
					return true
				}
			}
		}
		if x := s.x; x != nil {
			for _, field := range [...]string{x.Request.Method, x.Request.Target, x.ID} {
				if containsFold(field, text) {
					return true
				}
			}
			for _, get := range [...]func(*analysis.Exchange) string{(*analysis.Exchange).Authority, (*analysis.Exchange).UserAgent, (*analysis.Exchange).Software} {
				if containsFold(get(x), text) {
					return true
				}
			}
		}
		return numeric(text) && (strings.Contains(s.client().String(), text) || strings.Contains(s.server().String(), text) ||
			strconv.Itoa(s.status()) == text)
	}
}

// numeric tells whether text could be part of an address.
func numeric(text string) bool {
	return strings.Trim(strings.ToLower(text), "0123456789abcdef.:[]") == ""
}

// containsFold tells whether text stands in s, letters of ASCII in any case.
func containsFold(s, text string) bool {
	for i := 0; i+len(text) <= len(s); i++ {
		n := 0
		for n < len(text) && lower(s[i+n]) == lower(text[n]) {
			n++
		}
		if n == len(text) {
			return true
		}
	}
	return false
}

func lower(b byte) byte {
	if 'A' <= b && b <= 'Z' {
		return b + 'a' - 'A'
	}
	return b
}

// A unit is a word behind a number and what it multiplies by.
type unit struct {
	name string
	by   float64
}

var (
	bytesUnits = []unit{
		{"", 1},
		{"B", 1},
		{"k", 1e3},
		{"kB", 1e3},
		{"KB", 1e3},
		{"KiB", 1 << 10},
		{"M", 1e6},
		{"MB", 1e6},
		{"MiB", 1 << 20},
		{"G", 1e9},
		{"GB", 1e9},
		{"GiB", 1 << 30},
		{"TB", 1e12},
	}
	timeUnits = []unit{{"ns", 1}, {"us", 1e3}, {"ms", 1e6}, {"s", 1e9}, {"m", 60e9}, {"min", 60e9}, {"h", 3600e9}}
)

// size reads a number of bytes: 4096, 64KiB, 1.5MB.
func size(v string) (int64, error) {
	if n, ok := quantity(v, bytesUnits); ok {
		return n, nil
	}
	return 0, &Error{strconv.Quote(v) + " is no size", "give bytes, as 4096, 64KiB, 1.5MB or 1GB"}
}

// plainNumber reads a whole number.
func plainNumber(v string) (int64, error) {
	if n, err := strconv.ParseUint(v, 10, 32); err == nil {
		return int64(n), nil
	}
	return 0, &Error{strconv.Quote(v) + " is no number", "give a whole number, as 5"}
}

// span reads a duration in nanoseconds: 350ms, 1s, 1.5s.
func span(v string) (int64, error) {
	if v == "0" {
		return 0, nil
	}
	if n, ok := quantity(v, timeUnits); ok {
		return n, nil
	}
	return 0, &Error{strconv.Quote(v) + " is no duration", "give a number and a unit, as 350ms, 1s or 2min"}
}

func quantity(v string, units []unit) (int64, bool) {
	digits := len(v) - len(strings.TrimLeft(v, "0123456789."))
	n, err := strconv.ParseFloat(v[:digits], 64)
	if err != nil {
		return 0, false
	}
	for _, u := range units {
		if u.name == v[digits:] {
			n *= u.by
			return int64(n), n < math.MaxInt64
		}
	}
	return 0, false
}
