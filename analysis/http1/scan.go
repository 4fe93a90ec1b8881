package http1

import "bytes"

// scanHead finds the end of the head that begins at b[from], as [headEnd] does, and reads its field lines on
// the way, as [fields.scan] does afterwards: a head costs one pass instead of three. Lines are looked into only
// when they begin with the letter of a field that matters; folded lines (RFC 9112, Section 5.2) are left to scan.
// FuzzScanHead holds it to the two.
func (f *fields) scanHead(b []byte, from int) (end int) {
	*f = fields{length: -1}
	n := bytes.IndexByte(b[from:], '\n')
	if n < 0 {
		return -1
	}
	f.lf = n
	folded := false
	for at := from + n + 1; at < len(b); {
		c := b[at]
		switch {
		case c == '\n':
			return f.scanned(b[from:at+1], folded, at+1)
		case c == '\r' && at+1 < len(b) && b[at+1] == '\n':
			return f.scanned(b[from:at+2], folded, at+2)
		case blank(c):
			folded = true
		}
		if n = bytes.IndexByte(b[at:], '\n'); n < 0 {
			return -1
		}
		if initial[c] {
			f.line(b[at : at+n])
		}
		at += n + 1
	}
	return -1
}

func (f *fields) scanned(head []byte, folded bool, end int) int {
	if folded {
		f.scan(head)
	}
	f.bothLengthAndCoded = f.coded && f.length >= 0
	return end
}

// initial marks the first letters of the fields that [fields.field] knows.
var initial = [256]bool{'c': true, 'C': true, 'e': true, 'E': true, 't': true, 'T': true, 'u': true, 'U': true}

// line reads a field line that is not folded.
func (f *fields) line(line []byte) {
	for _, name := range known[line[0]|0x20-'c'] {
		if value, ok := valueOf(line, name); ok {
			f.field(line[:len(name)], value)
			return
		}
	}
}

// known holds the names fields.field knows, by the distance of their first letter from c.
var known = [...][]string{
	{"connection", "content-length"},
	'e' - 'c': {"expect"},
	't' - 'c': {"transfer-encoding"},
	'u' - 'c': {"upgrade"},
}

// valueOf is the value of a field line if it has that name, which is in lower case.
func valueOf(line []byte, name string) ([]byte, bool) {
	if len(line) <= len(name) {
		return nil, false
	}
	for i := range len(name) {
		if c := line[i]; c != name[i] && (c < 'A' || c > 'Z' || c|0x20 != name[i]) {
			return nil, false
		}
	}
	at := len(name)
	for at < len(line) && blank(line[at]) {
		at++
	}
	if at == len(line) || line[at] != ':' {
		return nil, false
	}
	at++
	for at < len(line) && blank(line[at]) {
		at++
	}
	return trimLineEnd(line[at:]), true
}
