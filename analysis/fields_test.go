package analysis

import (
	"bufio"
	"bytes"
	"net/textproto"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

func TestParseFields(t *testing.T) {
	for _, c := range []struct {
		name, text string
		want       []Field
	}{
		{"none", "", nil},
		{"first line alone", "GET / HTTP/1.1", nil},
		{"no fields", "GET / HTTP/1.1\r\n\r\n", nil},
		{"plain", "Host: a\r\nAccept: */*\r\n", []Field{{Name: "Host", Value: "a"}, {Name: "Accept", Value: "*/*"}}},
		{"white space around the value", "A:\t x y \t\r\n", []Field{{Name: "A", Value: "x y"}}},
		{"colon in the value", "Host: a:80\r\n", []Field{{Name: "Host", Value: "a:80"}}},
		{"empty value", "A:\r\nB: \r\n", []Field{{Name: "A"}, {Name: "B"}}},
		{"repeated", "A: 1\r\na: 2\r\n", []Field{{Name: "A", Value: "1"}, {Name: "a", Value: "2"}}},
		{"LF alone", "A: 1\nB: 2\n", []Field{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}}},
		{"last line without an end", "A: 1\r\nB: 2", []Field{{Name: "A", Value: "1"}, {Name: "B", Value: "2"}}},
		{"spaced colon", "A : 1\r\nB\t : 2\r\n", []Field{{"A", "1", true}, {"B", "2", true}}},
		{"no colon", "A\r\nB: 2\r\n", []Field{{Name: "B", Value: "2"}}},
		{"no name", ": 1\r\nB: 2\r\n", []Field{{Name: "B", Value: "2"}}},
		{"fold", "A: 1\r\n 2\r\nB: 3\r\n", []Field{{Name: "A", Value: "1\r\n 2"}, {Name: "B", Value: "3"}}},
		{"fold in front of the value", "A:\r\n\t2\r\n", []Field{{Name: "A", Value: "\r\n\t2"}}},
		{"two folds, bare LF", "A: 1\n 2\n\t3\n", []Field{{Name: "A", Value: "1\n 2\n\t3"}}},
		{"colon behind a fold", "A\r\n : 1\r\nB: 2\r\n", []Field{{Name: "B", Value: "2"}}},
		{"white space in front of the first line", " A: 1\r\nB: 2\r\n", []Field{{Name: "B", Value: "2"}}},
		{"NUL", "A\x00: \x001\r\n", []Field{{Name: "A\x00", Value: "\x001"}}},
		{"CR inside", "A: 1\r2\r\n", []Field{{Name: "A", Value: "1\r2"}}},
	} {
		text := c.text
		if text != "" && !strings.HasPrefix(text, "GET ") {
			text = "GET / HTTP/1.1\r\n" + text + "\r\n"
		}
		if diff := cmp.Diff(c.want, ParseFields(text), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%s: %q (-want +got):\n%s", c.name, text, diff)
		}
	}
}

// Walking the fields of a head costs no allocation.
func TestFieldScannerNoAllocation(t *testing.T) {
	text := []byte("PUT / HTTP/1.1\r\nHost: a\r\nExpect :\r\n 100-continue\r\nX\r\nContent-Length: 5\r\n\r\n")
	fields := 0
	allocs := testing.AllocsPerRun(100, func() {
		s := NewFieldScanner(text)
		for fields = 0; ; fields++ {
			if _, ok := s.Next(); !ok {
				return
			}
		}
	})
	if allocs != 0 || fields != 3 {
		t.Errorf("%v allocations for %d fields, want 0 for 3", allocs, fields)
	}
}

func TestFirstLine(t *testing.T) {
	for head, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\n": "GET / HTTP/1.1",
		"GET / HTTP/1.1\n\n":                "GET / HTTP/1.1",
		"GET / HTTP/1.1 \t\r\n":             "GET / HTTP/1.1",
		"GET /":                             "GET /",
		"":                                  "",
	} {
		if got := FirstLine(head); got != want {
			t.Errorf("first line of %q is %q, want %q", head, got, want)
		}
	}
}

func TestSplitRequestLine(t *testing.T) {
	for line, want := range map[string][3]string{
		"PUT /up HTTP/1.1":         {"PUT", "/up", "HTTP/1.1"},
		"GET\t/a  \t HTTP/1.0":     {"GET", "/a", "HTTP/1.0"},
		"GET /a b c HTTP/1.1":      {"GET", "/a b c", "HTTP/1.1"},
		"OPTIONS * HTTP/1.1":       {"OPTIONS", "*", "HTTP/1.1"},
		"CONNECT a:443 HTTP/1.1":   {"CONNECT", "a:443", "HTTP/1.1"},
		"GET http://a/ HTTP/1.1":   {"GET", "http://a/", "HTTP/1.1"},
		"GET  HTTP/1.1":            {"GET", "", "HTTP/1.1"},
		"GET HTTP/1.1":             {"GET", "", "HTTP/1.1"},
		"GET":                      {"", "", "GET"},
		"":                         {"", "", ""},
		" ":                        {"", "", ""},
		"GET / ":                   {"GET", "/", ""},
		"GET /\u00e4\xff HTTP/1.1": {"GET", "/\u00e4\xff", "HTTP/1.1"},
	} {
		m, u, v := SplitRequestLine(line)
		if got := [3]string{m, u, v}; got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

func TestSplitStatusLine(t *testing.T) {
	for line, want := range map[string][2]string{
		"HTTP/1.1 417 Expectation Failed": {"HTTP/1.1", "Expectation Failed"},
		"HTTP/1.1 100":                    {"HTTP/1.1", ""},
		"HTTP/1.0 200 ":                   {"HTTP/1.0", ""},
		"HTTP/1.1  \t200   OK then":       {"HTTP/1.1", "OK then"},
		"HTTP/1.1 20":                     {"HTTP/1.1", ""},
		"":                                {"", ""},
	} {
		v, r := SplitStatusLine(line)
		if got := [2]string{v, r}; got != want {
			t.Errorf("%q: %q, want %q", line, got, want)
		}
	}
}

// wellFormed is a field section by RFC 9112, Section 5: no folds, no stray white space, CRLF.
var wellFormed = regexp.MustCompile("^(?:[!#$%&'*+.^_`|~0-9A-Za-z-]+:[\t\x20-\x7e]*\r\n)*\r\n$")

// FuzzFields: whatever comes, spans lie in the head and in order, a name has no white space at its end and is not
// empty, the value is trimmed; and of a well-formed head net/textproto reads the same fields.
func FuzzFields(f *testing.F) {
	for _, s := range []string{
		"Host: a\r\nExpect: 100-continue\r\n\r\n", "A:\r\nA: 1\r\na: \t2 \r\n\r\n", "\r\n",
		"Expect :\r\n 100-continue\r\n\r\n", ": x\nno colon\n\t\n\x00:\x00\r\r\n", "A: 1\r\n \r\n", " A: 1\r\n", "A:1", "::", ":a:b", ": :c",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, section []byte) {
		text := append([]byte("GET / HTTP/1.1\r\n"), section...)
		s := NewFieldScanner(text)
		var fs []Field
		for at := len("GET / HTTP/1.1\r\n"); ; {
			sp, ok := s.Next()
			if !ok {
				break
			}
			if sp.NameStart < at || sp.NameEnd < sp.NameStart || sp.ValueStart <= sp.NameEnd || sp.ValueEnd < sp.ValueStart || sp.ValueEnd > len(text) {
				t.Fatalf("spans out of order in %q from %d: %+v", text, at, sp)
			}
			at = sp.ValueEnd
			name, value := string(text[sp.NameStart:sp.NameEnd]), string(text[sp.ValueStart:sp.ValueEnd])
			if name != strings.Trim(name, " \t") || name == "" || strings.ContainsAny(name[1:], ":\n") || name == ":" {
				t.Errorf("name %q of %q", name, text)
			}
			if value != strings.TrimRight(strings.TrimLeft(value, " \t"), " \t\r\n") {
				t.Errorf("value %q of %q is not trimmed", value, text)
			}
			fs = append(fs, Field{name, value, sp.Spaced})
		}
		if diff := cmp.Diff(fs, ParseFields(string(text)), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("ParseFields sees other fields than the scanner:\n%s", diff)
		}
		sought(t, string(text), fs)
		if wellFormed.Match(section) {
			agree(t, section, fs)
		}
	})
}

// sought holds what is found in a head by name to what is found among its fields. Names that are asked for are ASCII.
func sought(t *testing.T, head string, fs []Field) {
	t.Helper()
	read, unread := Message{Fields: append([]Field{}, fs...)}, Message{Head: head}
	for _, f := range append(fs, Field{Name: "expect"}) {
		if strings.ContainsFunc(f.Name, func(r rune) bool { return r >= utf8.RuneSelf }) {
			continue
		}
		for _, name := range []string{f.Name, strings.ToUpper(f.Name), f.Name + "x"} {
			if diff := cmp.Diff(read.Values(name), unread.Values(name)); diff != "" {
				t.Errorf("%q, values of %q (-read +sought):\n%s", head, name, diff)
			}
			want, has := read.Get(name)
			if got, ok := unread.Get(name); got != want || ok != has {
				t.Errorf("%q: %q is %q, %t, want %q, %t", head, name, got, ok, want, has)
			}
		}
	}
}

// agree holds the fields of a well-formed section to what net/textproto reads.
func agree(t *testing.T, section []byte, fs []Field) {
	t.Helper()
	want, err := textproto.NewReader(bufio.NewReader(bytes.NewReader(section))).ReadMIMEHeader()
	if err != nil {
		return // its own limits
	}
	got := textproto.MIMEHeader{}
	for _, f := range fs {
		if f.Spaced {
			t.Errorf("%q: %s is said to be spaced", section, f.Name)
		}
		got.Add(f.Name, f.Value)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%q (-textproto +ours):\n%s", section, diff)
	}
}
