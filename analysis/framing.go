package analysis

import (
	"bytes"
	"strings"
)

// LookAt is how many content bytes are looked at where a rule asks what content
// begins with, or whether an answer repeats something.
const LookAt = 4 << 10

// TwoLengths tells whether a head has both a Content-Length and a Transfer-Encoding field, other than the identity of RFC
// 2616: two ways to say where the message ends, of which receivers pick different ones (RFC 9112, Section 6.1).
func (m *Message) TwoLengths() bool {
	_, sized := m.Get("Content-Length")
	coding, coded := m.Get("Transfer-Encoding")
	return sized && coded && !strings.EqualFold(coding, "identity")
}

// UnsureLength tells whether the Content-Length field lines of a head are not one number: they differ, or one is no
// number. The same number several times is one (RFC 9112, Section 6.3 (5)).
func (m *Message) UnsureLength() bool {
	first := ""
	for _, v := range m.Values("Content-Length") {
		for one := range strings.SplitSeq(v, ",") {
			one = strings.Trim(one, " \t")
			if one == "" || strings.Trim(one, "0123456789") != "" {
				return true
			}
			one = strings.TrimLeft(one[:len(one)-1], "0") + one[len(one)-1:]
			if first != "" && one != first {
				return true
			}
			first = one
		}
	}
	return false
}

// CloseOption tells whether the head has the close option in a Connection field (RFC 9112, Section 9.6); [Message.Close] holds also
// where the protocol's version or the framing alone imply the end.
func (m *Message) CloseOption() bool {
	for _, v := range m.Values("Connection") {
		for one := range strings.SplitSeq(v, ",") {
			if strings.EqualFold(strings.Trim(one, " \t"), "close") {
				return true
			}
		}
	}
	return false
}

// BeginsRequest gives the method of the HTTP/1.x request that b begins with: a request line and the name of a field. More tells that
// b is too short to say.
func BeginsRequest(b []byte) (method string, more bool) {
	const longest = 20 // of a method, as where a body is owed
	n := 0
	for n < len(b) && token(b[n]) {
		n++
	}
	if n > longest || n < len(b) && (n == 0 || b[n] != ' ') {
		return "", false
	}
	line, rest, whole := bytes.Cut(b, []byte{'\n'})
	if !whole || bytes.IndexByte(line, 0) >= 0 {
		return "", bytes.IndexByte(line, 0) < 0
	}
	_, target, version := SplitRequestLine(strings.TrimRight(string(line), "\r \t"))
	if target == "" || len(version) != len("HTTP/1.1") || !strings.HasPrefix(version, "HTTP/1.") {
		return "", false
	}
	k := 0
	for k < len(rest) && token(rest[k]) {
		k++
	}
	switch {
	case k == len(rest):
		return "", true
	case k == 0 || rest[k] != ':':
		return "", false
	}
	return string(b[:n]), false
}

// token tells whether an octet may stand in a token (RFC 9110, Section 5.6.2).
func token(c byte) bool {
	switch {
	case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9':
		return true
	}
	return strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// Markup tells whether a field value holds what a browser takes for a tag when it stands in a page as it is.
func Markup(value string) bool { return strings.ContainsAny(value, "<>") }
