package http1

import (
	"bytes"
	"math"

	"expectscope/analysis"
)

const (
	maxHead   = 64 << 10 // a head that is longer is cut off: it is damage or an attack
	maxLine   = 8 << 10  // first line of a message, chunk-size line, bytes held for a decision
	maxMethod = 20       // a longer method is no request line where a body could stand (rules.md, the desync law)
)

// answer is what a look at some bytes says: yes, no, or that more are needed.
type answer uint8

const (
	no answer = iota
	maybe
	yes
)

// tchar marks the octets of a token (RFC 9110, Section 5.6.2).
var tchar = func() (t [256]bool) {
	for _, c := range "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz" {
		t[c] = true
	}
	return t
}()

// methods are the registered ones that requests with content use, and a few others (IANA HTTP Method Registry).
var methods = map[string]bool{
	"GET": true, "HEAD": true, "POST": true, "PUT": true, "DELETE": true, "CONNECT": true, "OPTIONS": true,
	"TRACE": true, "PATCH": true, "PROPFIND": true, "PROPPATCH": true, "MKCOL": true, "COPY": true, "MOVE": true,
	"LOCK": true, "UNLOCK": true, "REPORT": true, "SEARCH": true, "QUERY": true,
}

// fields is what the framing of a message needs to know of its field lines.
type fields struct {
	lf                 int   // index of the one that ends the first line
	length             int64 // Content-Length, -1 when absent
	badLength          bool  // values that differ or are no number
	coded, chunked     bool  // Transfer-Encoding, and whether chunked is in it
	close, keep        bool  // Connection
	upgrade, expect    bool
	bothLengthAndCoded bool
}

// scan reads the field lines of a head. text is the whole head.
func (f *fields) scan(text []byte) {
	*f = fields{lf: bytes.IndexByte(text, '\n'), length: -1}
	s := analysis.NewFieldScanner(text)
	for {
		sp, ok := s.Next()
		if !ok {
			break
		}
		f.field(text[sp.NameStart:sp.NameEnd], text[sp.ValueStart:sp.ValueEnd])
	}
	f.bothLengthAndCoded = f.coded && f.length >= 0
}

func (f *fields) field(name, value []byte) {
	switch len(name) {
	case len("expect"):
		f.expect = f.expect || is(name, "expect")
	case len("upgrade"):
		f.upgrade = f.upgrade || is(name, "upgrade")
	case len("connection"):
		if is(name, "connection") {
			f.connection(value)
		}
	case len("content-length"):
		if is(name, "content-length") {
			f.contentLength(value)
		}
	case len("transfer-encoding"):
		if is(name, "transfer-encoding") && !hasToken(value, "identity") {
			f.coded = true
			f.chunked = f.chunked || hasToken(value, "chunked")
		}
	}
}

// connection takes a value, which is nearly always one of the two alone.
func (f *fields) connection(value []byte) {
	switch {
	case is(value, "keep-alive"):
		f.keep = true
	case is(value, "close"):
		f.close = true
	default:
		f.close = f.close || hasToken(value, "close")
		f.keep = f.keep || hasToken(value, "keep-alive")
	}
}

// contentLength takes a value, which may be a list of equal numbers (RFC 9112, Section 6.3 (5)).
func (f *fields) contentLength(value []byte) {
	if n, ok := decimal(value); ok && f.length < 0 { // nearly always
		f.length = n
		return
	}
	f.badLength = f.badLength || len(value) == 0
	for len(value) > 0 {
		one, rest, _ := bytes.Cut(value, []byte{','})
		n, ok := decimal(bytes.Trim(one, " \t"))
		switch {
		case !ok || (f.length >= 0 && n != f.length):
			f.badLength = true
		default:
			f.length = n
		}
		value = rest
	}
}

func decimal(b []byte) (int64, bool) {
	if len(b) == 0 {
		return 0, false
	}
	n := int64(0)
	for _, c := range b {
		if c < '0' || c > '9' {
			return 0, false
		}
		if n > (math.MaxInt64-int64(c-'0'))/10 {
			return 0, false
		}
		n = n*10 + int64(c-'0')
	}
	return n, true
}

// chunkSize reads a chunk-size line; extensions are passed over.
func chunkSize(line []byte) (uint64, bool) {
	line, _, _ = bytes.Cut(line, []byte{';'})
	line = bytes.Trim(line, " \t")
	if len(line) == 0 || len(line) > 16 {
		return 0, false
	}
	n := uint64(0)
	for _, c := range line {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		n = n<<4 | uint64(c)
	}
	return n, n < 1<<62
}

// is tells whether b is the token, which is in lower case, in any case.
func is(b []byte, lower string) bool {
	if len(b) != len(lower) {
		return false
	}
	for i, c := range b {
		if c != lower[i] && (c < 'A' || c > 'Z' || c|0x20 != lower[i]) {
			return false
		}
	}
	return true
}

// hasToken tells whether a comma-separated list holds the token, in any case.
func hasToken(list []byte, lower string) bool {
	for from := 0; from < len(list); {
		end := from
		for end < len(list) && list[end] != ',' {
			end++
		}
		if isToken(list[from:end], lower) {
			return true
		}
		from = end + 1
	}
	return false
}

// isToken tells whether a member of a list is the token, without its parameters.
func isToken(b []byte, lower string) bool {
	for len(b) > 0 && space(b[0]) {
		b = b[1:]
	}
	n := 0
	for n < len(b) && n < len(lower) && (b[n] == lower[n] || b[n] >= 'A' && b[n] <= 'Z' && b[n]|0x20 == lower[n]) {
		n++
	}
	if n < len(lower) {
		return false
	}
	for n < len(b) && space(b[n]) {
		n++
	}
	return n == len(b) || b[n] == ';'
}

func space(b byte) bool { return blank(b) || b == '\r' || b == '\n' }

// headEnd is the index just past the empty line that ends the head in b,
// looking from index from on; -1 when it is not there. Lines end with LF, with or without CR (RFC 9112, Section 2.2).
func headEnd(b []byte, from int) int {
	for from < len(b) {
		n := bytes.IndexByte(b[from:], '\n')
		if n < 0 {
			return -1
		}
		from += n + 1
		switch {
		case from < len(b) && b[from] == '\n':
			return from + 1
		case from+1 < len(b) && b[from] == '\r' && b[from+1] == '\n':
			return from + 2
		}
	}
	return -1
}

// firstLine is the first line of b without its end; ok is false when the line is not complete.
func firstLine(b []byte) (line []byte, ok bool) {
	n := bytes.IndexByte(b, '\n')
	if n < 0 {
		return b, false
	}
	return trimLineEnd(b[:n]), true
}

// trimLineEnd drops white space and CR from the end of a line.
func trimLineEnd(b []byte) []byte {
	n := len(b)
	for n > 0 && (blank(b[n-1]) || b[n-1] == '\r') {
		n--
	}
	return b[:n]
}

// splitRequest takes a request line apart (RFC 9112, Section 3), generous about white space.
func splitRequest(line []byte) (method, target, version []byte, ok bool) {
	n := 0
	for n < len(line) && tchar[line[n]] {
		n++
	}
	if n == 0 || n == len(line) || !blank(line[n]) {
		return nil, nil, nil, false
	}
	method = line[:n]
	v := len(line) - len("HTTP/1.1")
	if v < n || !isVersion(line[v:]) || !blank(line[v-1]) {
		return nil, nil, nil, false
	}
	target = trimBlank(line[n:v])
	return method, target, line[v:], len(target) > 0
}

// splitStatus takes a status line apart (RFC 9112, Section 4).
func splitStatus(line []byte) (version []byte, status int, reason []byte, ok bool) {
	n := len("HTTP/1.1")
	if len(line) <= n || !isVersion(line[:n]) || !blank(line[n]) {
		return nil, 0, nil, false
	}
	rest := trimBlank(line[n:])
	if len(rest) < 3 || (len(rest) > 3 && !blank(rest[3])) {
		return nil, 0, nil, false
	}
	for _, c := range rest[:3] {
		if c < '0' || c > '9' {
			return nil, 0, nil, false
		}
		status = status*10 + int(c-'0')
	}
	if status < 100 {
		return nil, 0, nil, false
	}
	return line[:n], status, trimBlank(rest[3:]), true
}

// isVersion: HTTP/1.x (RFC 9112, Section 2.3); the name is case-sensitive.
func isVersion(b []byte) bool {
	return len(b) == len("HTTP/1.1") && string(b[:7]) == "HTTP/1." && b[7] >= '0' && b[7] <= '9'
}

func blank(b byte) bool { return b == ' ' || b == '\t' }

// trimBlank drops spaces and tabs from both ends of b.
func trimBlank(b []byte) []byte {
	for len(b) > 0 && blank(b[0]) {
		b = b[1:]
	}
	for len(b) > 0 && blank(b[len(b)-1]) {
		b = b[:len(b)-1]
	}
	return b
}

// looksLikeRequest says whether b begins with a request line; withField: and at least one field line; withHost: one
// of them, before the head ends, is Host.
func looksLikeRequest(b []byte, withField, withHost bool) answer {
	n := 0
	for n < len(b) && tchar[b[n]] {
		n++
	}
	if n > maxMethod || (n < len(b) && (n == 0 || !blank(b[n]))) {
		return no
	}
	line, whole := firstLine(b)
	if !whole {
		if len(b) >= maxLine || bytes.IndexByte(b, 0) >= 0 {
			return no
		}
		return maybe
	}
	if _, _, _, ok := splitRequest(line); !ok {
		return no
	}
	if !withField {
		return yes
	}
	return hasFieldLine(b[bytes.IndexByte(b, '\n')+1:], withHost)
}

// hasFieldLine looks for a field line, or for Host among the field lines, at the beginning of b.
func hasFieldLine(b []byte, host bool) answer {
	for {
		line, whole := firstLine(b)
		if !whole {
			if len(b) >= maxLine {
				return no
			}
			return maybe
		}
		name, _, ok := bytes.Cut(line, []byte{':'})
		if !ok || len(name) == 0 {
			return no // the empty line, or no field line at all
		}
		for _, c := range bytes.TrimRight(name, " \t") {
			if !tchar[c] {
				return no
			}
		}
		if !host || is(name, "host") {
			return yes
		}
		b = b[bytes.IndexByte(b, '\n')+1:]
	}
}

// looksLikeStatus says whether b begins with a status line.
func looksLikeStatus(b []byte) answer {
	const start = "HTTP/1."
	if len(b) < len(start)+6 {
		if string(b) == start[:min(len(b), len(start))] || (len(b) > len(start) && string(b[:len(start)]) == start) {
			return maybe
		}
		return no
	}
	line, whole := firstLine(b[:min(len(b), maxLine)])
	if _, _, _, ok := splitStatus(line); ok {
		return yes
	}
	if whole || string(b[:len(start)]) != start {
		return no
	}
	return maybe
}
