package analysis

import (
	"strings"
	"testing"
)

func TestLengths(t *testing.T) {
	for _, c := range []struct {
		fields       string
		two, unsure  bool
		close, plain bool
	}{
		{"Content-Length: 5", false, false, false, true},
		{"Content-Length: 5|Content-Length: 5", false, false, false, true},
		{"Content-Length: 5, 005", false, false, false, true},
		{"Content-Length: 0|Content-Length: 00", false, false, false, true},
		{"Content-Length: 5|content-length: 6", false, true, false, false},
		{"Content-Length: 5,", false, true, false, false},
		{"Content-Length:", false, true, false, false},
		{"Content-Length: +5", false, true, false, false},
		{"Content-Length: 5 5", false, true, false, false},
		{"Content-Length: 5|Transfer-Encoding: chunked", true, false, false, false},
		{"Content-Length: 5|Transfer-Encoding: x", true, false, false, false},
		{"Content-Length: 5|Transfer-Encoding: Identity", false, false, false, true},
		{"Transfer-Encoding: chunked", false, false, false, true},
		{"Connection: keep-alive, Close", false, false, true, true},
		{"Connection: closed|Connection: keep-alive", false, false, false, true},
	} {
		x := Exchange{Request: Message{Fields: ParseFields("x\r\n" + strings.ReplaceAll(c.fields, "|", "\r\n") + "\r\n\r\n")}}
		m := &x.Request
		if m.TwoLengths() != c.two || m.UnsureLength() != c.unsure || m.CloseOption() != c.close {
			t.Errorf("%s: two lengths %v, unsure %v, close %v", c.fields, m.TwoLengths(), m.UnsureLength(), m.CloseOption())
		}
		if odd := x.Traits()&TraitFraming != 0; odd == c.plain {
			t.Errorf("%s: the framing is odd: %v", c.fields, odd)
		}
	}
}

func TestBeginsRequest(t *testing.T) {
	for text, want := range map[string]string{
		"GET / HTTP/1.1\r\nHost: a\r\n": "GET", "PUT /x HTTP/1.0\nA:": "PUT", "X-Y /a b HTTP/1.1\r\nHost:": "X-Y",
		"GET / HTTP/1.1\r\n\r\nHost: a": "", "GET / HTTP/1.1\r\nHost : a": "", "GET / HTTP/2.0\r\nHost: a": "",
		"GET /\r\nHost: a": "", "GET / was said\r\nA: b": "", " GET / HTTP/1.1\r\nHost: a": "", "\x16\x03\x01": "", "": "+", "GET": "+",
		"GET / HTTP/1.1": "+", "GET / HTTP/1.1\r\n": "+", "GET / HTTP/1.1\r\nHost": "+", "GET /\x00": "",
		"ABCDEFGHIJKLMNOPQRSTU": "", "ABCDEFGHIJKLMNOPQRST / HTTP/1.1\r\nHost: a": "ABCDEFGHIJKLMNOPQRST",
	} {
		method, more := BeginsRequest([]byte(text))
		if got := method + map[bool]string{true: "+"}[more]; got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}

// What some bytes begin with stays so when more come.
func FuzzBeginsRequest(f *testing.F) {
	for _, s := range []string{"GET / HTTP/1.1\r\nHost: a\r\n", "GET / HTTP/1.1\n\n", "POST /x?y=\x00 HTTP/1.0\r\nA:", "====", "A"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		said, decided := "", false
		for n := range len(b) + 1 {
			method, more := BeginsRequest(b[:n])
			switch {
			case more && (decided || method != ""):
				t.Fatalf("%q is undecided after %q was told", b[:n], said)
			case decided && method != said:
				t.Fatalf("%q begins with %q, and was told to with %q", b[:n], method, said)
			}
			said, decided = method, !more
		}
	})
}
