package extract

import (
	"bytes"
	"strings"

	"expectscope/analysis"
	"expectscope/analysis/rules"
)

// shown says of the fields whose values are not covered whole what of them is
// seen: what the analysis stands on, by name in lower case.
var shown = map[string]func(s *sheet, from, to int){
	"expect":            (*sheet).show,
	"content-length":    func(s *sheet, from, to int) { s.showIf(from, to, length) },
	"transfer-encoding": func(s *sheet, from, to int) { s.showIf(from, to, listOfTokens) },
	"connection":        func(s *sheet, from, to int) { s.showIf(from, to, listOfTokens) },
	"upgrade":           func(s *sheet, from, to int) { s.showIf(from, to, listOfTokens) },
	"host":              (*sheet).authority,
	"via":               (*sheet).via,
	"authorization":     (*sheet).credentials,
	"traceparent":       (*sheet).trace,
	"user-agent":        func(s *sheet, from, to int) { s.software(from, to, rules.KnownClient) },
	"server":            func(s *sheet, from, to int) { s.software(from, to, rules.KnownServer) },
}

func length(c byte) bool { return digit(c) || c == ',' || blank(c) }

func listOfTokens(c byte) bool { return token(c) || blank(c) || c == ',' || c == ';' || c == '=' }

func digit(c byte) bool { return '0' <= c && c <= '9' }

func blank(c byte) bool { return c == ' ' || c == '\t' }

// token: a tchar of RFC 9110, Section 5.6.2.
func token(c byte) bool {
	return digit(c) || 'a' <= c|0x20 && c|0x20 <= 'z' || c < 0x7f && strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0
}

// head covers the head of a request or response, which may be cut off.
func (s *sheet) head(text []byte, request bool) []byte {
	s.lay(text)
	end := bytes.IndexByte(text, '\n')
	if end < 0 {
		end = len(text)
	}
	for end > 0 && (text[end-1] == '\r' || blank(text[end-1])) {
		end--
		s.show(end, end+1)
	}
	if request {
		s.requestLine(end)
	} else {
		s.statusLine(end)
	}
	s.fields()
	return s.covered()
}

// fields shows the names of the fields behind the first line of the text, and of
// the values what may be seen. What is no field line stays covered.
func (s *sheet) fields() {
	text := s.text
	for i := 1; i < len(text); i++ {
		if text[i-1] == '\n' { // a fold keeps its beginning, to remain one (RFC 9112, Section 5.2)
			for ; i < len(text) && blank(text[i]); i++ {
				s.show(i, i+1)
			}
		}
	}
	scan := analysis.NewFieldScanner(text)
	for {
		f, ok := scan.Next()
		if !ok {
			return
		}
		s.name(f.NameStart, f.NameEnd)
		s.show(f.NameEnd, f.ValueStart) // white space and the colon
		for i := f.ValueEnd; i < len(text) && (text[i] == '\r' || blank(text[i])); i++ {
			s.show(i, i+1)
		}
		if show := shown[strings.ToLower(string(text[f.NameStart:f.NameEnd]))]; show != nil {
			show(s, f.ValueStart, f.ValueEnd)
		} else {
			s.value(f.ValueStart, f.ValueEnd, nil)
		}
	}
}

// name shows the name of a field; of what cannot be one, only why.
func (s *sheet) name(from, to int) {
	for i := from; i < to; i++ {
		if !token(s.text[i]) {
			s.showIf(from, to, func(c byte) bool { return c < 0x80 && !token(c) })
			return
		}
	}
	s.show(from, to)
}

// requestLine shows the first end octets of the text, a request line, but for
// the query and what is in the authority (RFC 9112, Section 3).
func (s *sheet) requestLine(end int) {
	line := s.text[:end]
	from, to := bytes.IndexAny(line, " \t"), bytes.LastIndexAny(line, " \t")
	if from < 0 {
		return
	}
	method := string(line[:from])
	s.method(from)
	if isVersion(line[to+1:]) {
		s.show(to, end)
	}
	for ; from < to && blank(line[from]); from++ {
		s.show(from, from+1)
	}
	for ; from < to && blank(line[to-1]); to-- {
		s.show(to-1, to)
	}
	if from >= to {
		return
	}
	if q := bytes.IndexAny(line[from:to], "?#"); q >= 0 {
		s.value(from+q+1, to, nil)
		to = from + q
		s.show(to, to+1)
	}
	s.target(method, from, to)
}

// method shows the method that the first end octets are, or end with: the end of
// a content may stand in front of it, as analysis/http1 knows.
func (s *sheet) method(end int) {
	for i := range end {
		if analysis.IsMethod(string(s.text[i:end])) {
			s.show(i, end)
			break
		}
	}
	s.value(0, end, nil)
}

// isVersion: HTTP/1.x and the like (RFC 9112, Section 2.3).
func isVersion(b []byte) bool {
	return len(b) == len("HTTP/1.1") && string(b[:5]) == "HTTP/" && digit(b[5]) && b[6] == '.' && digit(b[7])
}

// target shows a target that has no query any more.
func (s *sheet) target(method string, from, to int) {
	target := s.text[from:to]
	scheme := bytes.Index(target, []byte("://"))
	switch {
	case bytes.HasPrefix(target, []byte("/")) || string(target) == "*":
		s.show(from, to)
	case scheme >= 0:
		at := from + scheme + len("://")
		if name := strings.ToLower(string(target[:scheme])); name == "http" || name == "https" {
			s.show(from, at)
		}
		s.show(from+scheme, at)
		s.value(from, from+scheme, nil)
		path := to
		if n := bytes.IndexByte(s.text[at:to], '/'); n >= 0 {
			path = at + n
		}
		s.show(path, to)
		s.authority(at, path)
	case method == "CONNECT":
		s.authority(from, to)
	default:
		s.value(from, to, nil)
	}
}

// authority shows the delimiters and the port. A host is the same in any case
// (RFC 3986, Section 3.2.2).
func (s *sheet) authority(from, to int) {
	if n := bytes.LastIndexByte(s.text[from:to], '@'); n >= 0 {
		s.value(from, from+n, nil)
		from += n
		s.show(from, from+1)
		from++
	}
	if n := bytes.LastIndexByte(s.text[from:to], ':'); n >= 0 && s.text[to-1] != ']' {
		port := from + n
		s.show(port, port+1)
		s.showIf(port+1, to, digit)
		to = port
	}
	s.showIf(from, to, func(c byte) bool { return c == '[' || c == ']' })
	s.value(from, to, bytes.ToLower(s.text[from:to]))
}

// statusLine shows the first end octets of the text, a status line, and of the
// reason only what is in the standard (RFC 9112, Section 4).
func (s *sheet) statusLine(end int) {
	i := max(bytes.IndexAny(s.text[:end], " \t"), 0)
	if !isVersion(s.text[:i]) {
		return
	}
	for i < end && (blank(s.text[i]) || digit(s.text[i])) {
		i++
	}
	s.show(0, i)
	if analysis.IsReason(string(s.text[i:end])) {
		s.show(i, end)
	}
}

// via shows commas and, of each hop, the protocol that was spoken (RFC 9110, Section 7.6.3).
func (s *sheet) via(from, to int) {
	for from < to {
		end := to
		if n := bytes.IndexByte(s.text[from:to], ','); n >= 0 {
			end = from + n
			s.show(end, end+1)
		}
		for from < end && blank(s.text[from]) {
			s.show(from, from+1)
			from++
		}
		if n := bytes.IndexByte(s.text[from:end], ' '); n >= 0 {
			if version := bytes.TrimPrefix(bytes.ToUpper(s.text[from:from+n]), []byte("HTTP/")); len(version) == 3 && version[1] == '.' && digit(version[0]) && digit(version[2]) {
				s.show(from, from+n+1)
				from += n + 1
			}
		}
		s.value(from, end, nil)
		from = end + 1
	}
}

// credentials shows the schemes that authenticate a connection with empty requests (RFC 4559).
func (s *sheet) credentials(from, to int) {
	scheme, _, ok := bytes.Cut(s.text[from:to], []byte{' '})
	if name := strings.ToLower(string(scheme)); ok && (name == "ntlm" || name == "negotiate") {
		s.show(from, from+len(scheme)+1)
	}
	s.value(from, to, nil)
}

// trace covers each part of a traceparent for itself (W3C Trace Context, Section 3.2).
func (s *sheet) trace(from, to int) {
	for from < to {
		end := to
		if n := bytes.IndexByte(s.text[from:to], '-'); n >= 0 {
			end = from + n
			s.show(end, end+1)
		}
		if part := s.text[from:end]; len(bytes.Trim(part, "0")) == 0 { // no id
			s.show(from, end)
		} else {
			s.value(from, end, nil)
		}
		from = end + 1
	}
}

// software shows the piece by which known software is known.
func (s *sheet) software(from, to int, known func(string) (int, int)) {
	f, t := known(string(s.text[from:to]))
	s.show(from+f, from+t)
	s.value(from, to, nil)
}
