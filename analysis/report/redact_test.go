package report

import (
	"bytes"
	"strings"
	"testing"

	"expectscope/analysis"
)

func TestCovers(t *testing.T) {
	for _, c := range []struct{ what, in, got, want string }{
		{"target", "/a/b?q=1&r", coverTarget("GET", "/a/b?q=1&r"), "/a/b?xxxxx"},
		{"target", "*", coverTarget("OPTIONS", "*"), "*"},
		{"target", "HTTP://u:p@h.example:81/a#f", coverTarget("GET", "HTTP://u:p@h.example:81/a#f"), "HTTP://xxx@xxxxxxxxx:81/a#x"},
		{"target", "odd://h", coverTarget("GET", "odd://h"), "xxx://x"},
		{"target", "http://h?q/r", coverTarget("GET", "http://h?q/r"), "http://x?xxx"},
		{"target", "h.example:443", coverTarget("CONNECT", "h.example:443"), "xxxxxxxxx:443"},
		{"target", "h.example:443", coverTarget("GET", "h.example:443"), "xxxxxxxxxxxxx"},
		{"host", "[2001:db8::1]:80", coverHost("[2001:db8::1]:80"), "[xxxxxxxxxxx]:80"},
		{"host", "h:8o", coverHost("h:8o"), "xxxx"},
		{"expect", "100-Continue", coverExpect("100-Continue"), "100-Continue"},
		{"expect", "a, 100-continue;k=v", coverExpect("a, 100-continue;k=v"), "x, 100-continue;x=x"},
		{"expect", "10 0-continue", coverExpect("10 0-continue"), "10 0-continue"},
		{"expect", "<b>é\x1b", coverExpect("<b>é\x1b"), "<x>xx\x1b"},
		{"method", "PUT", coverMethod("PUT"), "PUT"},
		{"method", "PUTS", coverMethod("PUTS"), "xxxx"},
		{"field", "v", coverValue("Cookie", "v"), "x"},
		{"field", "h:1", coverValue(":authority", "h:1"), "x:1"},
		{"field", "a curl/8.1.2-dev b", coverValue("user-agent", "a curl/8.1.2-dev b"), "x curl/8.1.2xxxx x"},
		{"sentence", `the "a\"b" "100-continue; k" "é" "PUT" end`, coverQuoted(`the "a\"b" "100-continue; k" "é" "PUT" end`), `the "xxx" "100-continue; x" "xx" "PUT" end`},
	} {
		if c.got != c.want {
			t.Errorf("%s %q is covered as %q, want %q", c.what, c.in, c.got, c.want)
		}
	}
}

// Covering an Expect value changes nothing of how it is judged.
func FuzzCoverExpect(f *testing.F) {
	for _, s := range []string{"", "100-continue", "100-Continue, x", "x100-continue", "\"100-continue\"", "100-\r\n continue", "100 -continue", "1\\00-continue", "1\xff0", ",,", "10\x000-continue", "100-contİnue"} {
		f.Add(s, false)
	}
	f.Fuzz(func(t *testing.T, s string, spaced bool) {
		got := coverExpect(s)
		if len(got) != len(s) {
			t.Errorf("%q, of %d octets, is covered as %q", s, len(s), got)
		}
		if was, is := analysis.ClassifyExpect([]string{s}, spaced), analysis.ClassifyExpect([]string{got}, spaced); was != is {
			t.Errorf("%q is %v, and covered, as %q, %v", s, was, got, is)
		}
	})
}

// What is redacted holds nothing that was said in letters no word of ours has; all the rest, as counted by rows and lines, is there.
func TestRedacted(t *testing.T) {
	const secret = "ʂeçrƎt"
	for _, f := range Formats() {
		var plain, b bytes.Buffer
		results, s := fixture()
		for i := range results {
			x := *results[i].x
			x.Request.Target += "?" + secret
			x.Request.Reason = secret
			x.TLS = &analysis.TLS{Version: "TLS 1.3", ALPN: secret, SNI: secret}
			x.Request.Fields = append([]analysis.Field{{Name: "Host", Value: secret}, {Name: "Via", Value: secret}, {Name: "Expect", Value: secret}}, x.Request.Fields...)
			if x.Final != nil {
				m := *x.Final
				m.Reason = secret
				m.Fields = append([]analysis.Field{{Name: "Server", Value: secret}}, m.Fields...)
				x.Final = &m
			}
			results[i].x = &x
			for j := range results[i].findings {
				k := &results[i].findings[j]
				k.Method, k.Target, k.UserAgent, k.ServerSoftware = secret, k.Target+"#"+secret, secret, secret
				k.Summary += ` It said "` + secret + `".`
			}
		}
		s.Capture.TLS, s.Capture.Sealed = 3, map[string]uint64{secret: 1, strings.ToUpper(secret): 1, "(no name)": 1}
		if err := feed(f.New(&plain, Options{Stream: true}), results, s); err != nil {
			t.Fatal(err)
		}
		if err := feed(Redacted(f.New(&b, Options{Stream: true})), results, s); err != nil {
			t.Fatal(err)
		}
		if has := bytes.Contains(plain.Bytes(), []byte(secret)); has == (f.Name == "prom") {
			t.Errorf("%s, not redacted, holds the secret: %v", f.Name, has)
		}
		if bytes.ContainsAny(b.Bytes(), "ʂçƎ") {
			t.Errorf("%s: %s", f.Name, b.String())
		}
		if f.Name != "text" && bytes.Count(plain.Bytes(), []byte{'\n'}) != bytes.Count(b.Bytes(), []byte{'\n'}) {
			t.Errorf("%s has other lines:\n%s", f.Name, b.String())
		}
		whole(t, f.Name, b.String())
	}
}
