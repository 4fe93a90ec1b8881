package extract

import (
	"bytes"
	"strings"
	"testing"

	"expectscope/analysis"
)

func TestHeads(t *testing.T) {
	for _, c := range []struct{ name, head, want string }{
		{
			"what the analysis stands on",
			"PUT /up/a.bin HTTP/1.1\r\nHost: Files.example:8080\r\nExpect: 100-continue; q=\"1\"\r\nContent-Length: 12, 12\r\n" +
				"Transfer-Encoding: gzip;level=9, chunked\r\nConnection: close, X-Hop\r\nUpgrade: websocket/13\r\n\r\n",
			"PUT /up/a.bin HTTP/1.1\r\nHost: xxxxxxxxxxxxx:8080\r\nExpect: 100-continue; q=\"1\"\r\nContent-Length: 12, 12\r\n" +
				"Transfer-Encoding: gzip;level=9, chunked\r\nConnection: close, X-Hop\r\nUpgrade: websocketx13\r\n\r\n",
		},
		{
			"a length that is none",
			"PUT / HTTP/1.1\r\nContent-Length: 12secret\r\nConnection: \"a b\"\r\n\r\n",
			"PUT / HTTP/1.1\r\nContent-Length: 12xxxxxx\r\nConnection: xa bx\r\n\r\n",
		},
		{
			"query and user",
			"GET https://me:pw@files.example:443/a/b?key=s3cret&x#frag HTTP/1.1\r\nHost: FILES.example\r\n\r\n",
			"GET https://xxxxa@xxxxxxxxxxxxx:443/a/b?xxxxxxxxxxxxxxxxx HTTP/1.1\r\nHost: xxxxxxxxxxxxx\r\n\r\n",
		},
		{
			"other forms of targets",
			"CONNECT [2001:db8::1]:443 HTTP/1.1\r\n\r\n",
			"CONNECT [xxxxxxxxxxx]:443 HTTP/1.1\r\n\r\n",
		},
		{"asterisk-form", "OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS * HTTP/1.1\r\n\r\n"},
		{"another scheme", "GET s3://b/k HTTP/1.1\r\n\r\n", "GET xx://x/k HTTP/1.1\r\n\r\n"},
		{"no form at all", "GET secret HTTP/1.1\r\n\r\n", "GET xxxxxx HTTP/1.1\r\n\r\n"},
		{"the end of a body in front", "secretPUT /a b?c d HTTP/1.1\r\n\r\n", "xxxxxxPUT /a b?xxx HTTP/1.1\r\n\r\n"},
		{
			"folds and odd lines",
			"GET / HTTP/1.1\r\n secret: 1\r\nX: a\r\n\t b c\r\nsecret line\r\nA b\xff: v \r\nY : z \nZ:\r\n\r\n",
			"GET / HTTP/1.1\r\n xxxxxxxxx\r\nX: x\r\n\t xxx\r\nxxxxxxxxxxx\r\nx xx: x \r\nY : a \nZ:\r\n\r\n",
		},
		{
			"hops, credentials, traces, software",
			"GET / HTTP/1.1\r\nVia: 1.0 fred, HTTP/1.1 secret (a, b), x\r\nAuthorization: Negotiate YII\r\nProxy-Authorization: NTLM a\r\n" +
				"Traceparent: 00-0af7651916cd43dd8448eb211c80319c-00f067aa0ba902b7-01\r\nUser-Agent: Me/1 curl/8.5.0 (id)\r\n\r\n",
			"GET / HTTP/1.1\r\nVia: 1.0 xxxx, HTTP/1.1 xxxxxxxxx, xx, x\r\nAuthorization: Negotiate xxx\r\nProxy-Authorization: xxxxxx\r\n" +
				"Traceparent: 00-xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx-xxxxxxxxxxxxxxxx-xa\r\nUser-Agent: xxxxxcurl/xxxxxxxxxx\r\n\r\n",
		},
		{"a scheme of no concern", "GET / HTTP/1.1\r\nAuthorization: Bearer abc\r\n\r\n", "GET / HTTP/1.1\r\nAuthorization: xxxxxxxxxx\r\n\r\n"},
		{"cut off", "POST /a?b HTTP/1.1\r\nCookie: secr", "POST /a?x HTTP/1.1\r\nCookie: xxxa"},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := sheet{covers: newCovers()}
			if got := string(s.head([]byte(c.head), true)); got != c.want {
				t.Errorf("got\n%q, want\n%q", got, c.want)
			}
		})
	}
	for head, want := range map[string]string{
		"HTTP/1.1 417 Expectation Failed\r\nServer: squid/5.7\r\n\r\n": "HTTP/1.1 417 Expectation Failed\r\nServer: squidxxxx\r\n\r\n",
		"HTTP/1.1 403 user bob may not\r\n\r\n":                        "HTTP/1.1 403 xxxxxxxxxxxxxxxx\r\n\r\n",
		"HTTP/1.1 204\r\n\r\n":                                         "HTTP/1.1 204\r\n\r\n",
		"HTTP/1.1 200 \r\n\r\n":                                        "HTTP/1.1 200 \r\n\r\n",
		"secret 200 OK\r\n\r\n":                                        "xxxxxxxxxxxxx\r\n\r\n",
	} {
		s := sheet{covers: newCovers()}
		if got := string(s.head([]byte(head), false)); got != want {
			t.Errorf("%q: %q, want %q", head, got, want)
		}
	}
}

// A value is covered the same way wherever it is, and others are not, whatever
// is known of their software.
func TestEqualStaysEqual(t *testing.T) {
	s := sheet{covers: newCovers()}
	value := func(field, v string) string {
		head := string(s.head([]byte("GET / HTTP/1.1\r\n"+field+": "+v+"\r\n\r\n"), true))
		_, got, _ := strings.Cut(head, ": ")
		return strings.TrimSpace(got)
	}
	seen := map[string]string{}
	for _, v := range []string{"abcdef", "abcdeg", "ABCDEF", "abcde", "f", "g", "curl/8", "xurl/8"} {
		got := value("X-Id", v)
		if other, ok := seen[got]; ok {
			t.Errorf("%q and %q are both %q", v, other, got)
		}
		seen[got] = v
		if len(got) != len(v) || value("Cookie", v) != got {
			t.Errorf("%q is %q, and elsewhere %q", v, got, value("Cookie", v))
		}
	}
	if a, b := value("Host", "Files.Example"), value("Host", "files.example:80"); a+":80" != b {
		t.Errorf("one host is %q and %q", a, b)
	}
	if a, b := value("User-Agent", "a curl/"), value("User-Agent", "b curl/"); a == b || !strings.HasSuffix(a, "curl/") {
		t.Errorf("two agents are %q and %q", a, b)
	}
	for i := range 3000 { // more than two letters can number
		v := []byte{'a' + byte(i%26), 'a' + byte(i/26%26), 'a' + byte(i/676), 'q', 'q', 'q', 'q'}
		got := value("Cookie", string(v))
		if other, ok := seen[got]; ok {
			t.Fatalf("%q and %q are both %q", v, other, got)
		}
		seen[got] = string(v)
	}
}

func FuzzHead(f *testing.F) {
	f.Add([]byte("PUT /a?b HTTP/1.1\r\nHost: a:80\r\nExpect: 100-continue\r\nContent-Length: 5\r\nCookie: s\r\n t\r\n\r\n"), true)
	f.Add([]byte("GET http://u@h:1/ HTTP/1.1\nVia: 1.0 a,\nTraceparent: --0-\nAuthorization: NTLM \nUser-Agent: node\n\n"), true)
	f.Add([]byte("HTTP/1.1 417 Expectation Failed\r\nServer: nginx\r\nVia: HTTP/1.1 a, 1.0 \r\n\r\n"), false)
	f.Add([]byte("HTTP/1.0 2"), false)
	f.Add([]byte("\n0:\r "), true)
	f.Add([]byte(" \r\n:\r\n\x00 :\xff\r"), true)
	f.Fuzz(func(t *testing.T, text []byte, request bool) {
		s := sheet{covers: newCovers()}
		before := bytes.Clone(text)
		got := s.head(text, request)
		if !bytes.Equal(text, before) {
			t.Fatal("the head itself was changed")
		}
		if len(got) != len(text) {
			t.Fatalf("%d octets of %d", len(got), len(text))
		}
		for i, c := range got {
			if c != text[i] && strings.IndexByte(textLetters, c) < 0 || (c == '\n') != (text[i] == '\n') || (c == '\r') != (text[i] == '\r') {
				t.Fatalf("octet %d is %q of %q", i, c, text[i])
			}
		}
		was, is := analysis.ParseFields(string(text)), analysis.ParseFields(string(got))
		if len(was) != len(is) {
			t.Fatalf("%d fields of %d:\n%q\n%q", len(is), len(was), text, got)
		}
		for i := range was {
			if strings.EqualFold(was[i].Name, "expect") && was[i] != is[i] || len(was[i].Value) != len(is[i].Value) || was[i].Spaced != is[i].Spaced {
				t.Errorf("%+v became %+v", was[i], is[i])
			}
		}
		if again := s.head(text, request); !bytes.Equal(got, again) {
			t.Errorf("%q, and the second time %q", got, again)
		}
	})
}
