package filter

import (
	"encoding/hex"
	"net/netip"
	"strconv"
	"strings"
)

// A kind is what a token is.
type kind uint8

const (
	end      kind = iota
	mark          // an operator, a bracket, or one of and, or, not
	word          // a keyword or a protocol's
	name          // any other word, or one behind a backslash
	numeral       // a number, or a word that stands for one
	dotted        // 2 to 4 numbers with dots between them
	address6      // an IPv6 address
	hardware      // a MAC address
	nonsense      // what no token starts with, or a malformed one
	excluded      // a keyword of tcpdump that is not supported
	mangled       // a number that does not fit, or has wrong digits
	badAddr       // what has an address's colons but is none
)

// A token is one word of an expression.
type token struct {
	kind
	text        string // a mark in its first spelling: && is "and"
	off, length int
	number      uint32 // of a numeral
	addr        netip.Addr
	mac         [6]byte
}

// is tells whether t is one of the given marks or keywords.
func (t token) is(texts ...string) bool {
	if t.kind != mark && t.kind != word {
		return false
	}
	for _, s := range texts {
		if t.text == s {
			return true
		}
	}
	return false
}

// spellings are the marks that are not written in letters, longer ones first.
var spellings = []struct{ written, text string }{
	{"&&", "and"},
	{"||", "or"},
	{"==", "="},
	{"!=", "!="},
	{"<=", "<="},
	{">=", ">="},
	{"<<", "<<"},
	{">>", ">>"},
	{"!", "not"},
}

const (
	digits    = "0123456789"
	hexDigits = digits + "abcdefABCDEF"
	letters   = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	singles   = "()[]:+-*/%&|^<>="
	space     = " \t\r\n"
)

// lex splits an expression into tokens; the last one is the end.
func lex(expr string) []token {
	var ts []token
	for i := 0; i < len(expr); {
		if strings.IndexByte(space, expr[i]) >= 0 {
			i++
			continue
		}
		t := next(expr[i:])
		t.off = i
		i += t.length
		ts = append(ts, t)
	}
	return append(ts, token{kind: end, off: len(expr)})
}

// next reads the token s starts with.
func next(s string) token {
	for _, m := range spellings {
		if strings.HasPrefix(s, m.written) {
			return token{kind: mark, text: m.text, length: len(m.written)}
		}
	}
	if t, ok := numericAddress(s); ok {
		return t
	}
	switch {
	case strings.IndexByte(singles, s[0]) >= 0:
		return token{kind: mark, text: s[:1], length: 1}
	case s[0] == '\\':
		if n := run(s[1:], func(c byte) bool { return strings.IndexByte(space+"!()", c) < 0 }); n > 0 {
			return token{kind: name, text: s[1 : 1+n], length: 1 + n}
		}
	case strings.IndexByte(letters+digits, s[0]) >= 0:
		n := run(s, in(letters+digits+"-_."))
		return classify(strings.TrimRight(s[:n], "-_"))
	}
	n := max(run(s, func(c byte) bool { return c >= 0x80 }), 1)
	return token{kind: nonsense, text: s[:n], length: n}
}

// numericAddress reads a MAC or IPv6 address. What has two colons outside of a
// word can be nothing else.
func numericAddress(s string) (token, bool) {
	long := s[:run(s, in(hexDigits+":.-"))]
	if mac, ok := parseMAC(long); ok && (len(s) == len(long) || strings.IndexByte(letters+digits+"_", s[len(long)]) < 0) {
		return token{kind: hardware, text: long, length: len(long), mac: mac}, true
	}
	if strings.Count(long, ":") < 2 {
		return token{}, false
	}
	text := s[:run(s, in(hexDigits+":."))]
	if a, err := netip.ParseAddr(text); err == nil {
		return token{kind: address6, text: text, length: len(text), addr: a}, true
	}
	text = s[:run(s, in(letters+digits+":.-"))]
	return token{kind: badAddr, text: text, length: len(text)}, true
}

// parseMAC reads six groups of one or two hex digits with one of :.- between
// them, three of four digits with dots, or twelve digits.
func parseMAC(s string) (mac [6]byte, ok bool) {
	if len(s) == 12 || len(s) == 14 && s[4] == '.' && s[9] == '.' {
		n, err := hex.Decode(mac[:], []byte(strings.ReplaceAll(s, ".", "")))
		if n == len(mac) && err == nil {
			return mac, true
		}
	}
	at := strings.IndexAny(s, ":.-")
	if at < 0 {
		return mac, false
	}
	groups := strings.Split(s, s[at:at+1])
	if len(groups) != len(mac) {
		return mac, false
	}
	for i, g := range groups {
		n, err := strconv.ParseUint(g, 16, 8)
		if err != nil || len(g) > 2 {
			return mac, false
		}
		mac[i] = byte(n)
	}
	return mac, true
}

// classify says what a word is.
func classify(s string) token {
	t := token{kind: name, text: s, length: len(s)}
	n, isNumber := numbers[s]
	switch {
	case isNumber:
		t.kind, t.number = numeral, n
	case s == "and" || s == "or" || s == "not":
		t.kind = mark
	case keywords[s] || protocols[s] != protocol{}:
		t.kind = word
	case refused[s]:
		t.kind = excluded
	case run(s, in(digits)) == len(s), strings.HasPrefix(strings.ToLower(s), "0x") && len(s) > 2 && run(s[2:], in(hexDigits)) == len(s)-2:
		// As in C: 0x is for hex digits, 0 for octal ones.
		n, err := strconv.ParseUint(s, 0, 32)
		t.kind, t.number = numeral, uint32(n)
		if err != nil {
			t.kind = mangled
		}
	case run(s, in(digits+".")) == len(s) && strings.Count(s, ".") <= 3 && !strings.HasSuffix(s, ".") && !strings.Contains(s, ".."):
		t.kind = dotted
	}
	return t
}

// run is how many bytes at the start of s are of a class.
func run(s string, class func(byte) bool) int {
	n := 0
	for n < len(s) && class(s[n]) {
		n++
	}
	return n
}

// in is the class of the bytes in set.
func in(set string) func(byte) bool {
	return func(c byte) bool { return strings.IndexByte(set, c) >= 0 }
}

// words is the set of the words in s.
func words(s string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(s) {
		set[w] = true
	}
	return set
}
