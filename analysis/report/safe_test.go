package report

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestSafe(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"", ""},
		{"100-continue", "100-continue"},
		{`C:\x1b "quoted" <&>`, `C:\x1b "quoted" <&>`},
		{"a\r\n\tb\x00\x1b[2J\x7f", `a\x0d\x0a\x09b\x00\x1b[2J\x7f`},
		{"naïve 資料 é", "naïve 資料 é"},
		{"\xff\xc3(\x85", `\xff\xc3(\x85`},
		{"\u0085\u009b31m", `\u0085\u009b31m`},
		{"\u202egpj.exe\u2066\u200b\ufeff", `\u202egpj.exe\u2066\u200b\ufeff`},
		{"line\u2028paragraph\u2029", `line\u2028paragraph\u2029`},
		{"tag\U000e0041private\ue000", `tag\U000e0041private\ue000`},
		{"\ufffd", "\ufffd"},
		{"\xed\xa0\x80", `\xed\xa0\x80`}, // a surrogate is not UTF-8
	} {
		if got := Safe(c.in); got != c.want {
			t.Errorf("Safe(%q) = %q, want %q", c.in, got, c.want)
		}
	}
}

func TestSafePlainCostsNothing(t *testing.T) {
	s := strings.Repeat("/plain/path", 20)
	if n := testing.AllocsPerRun(100, func() { Safe(s) }); n != 0 {
		t.Errorf("%v allocations for plain text", n)
	}
}

func FuzzSafe(f *testing.F) {
	for _, s := range []string{"", "plain", "\x1b[0m", "\u202e", "\xff", "e\u0301", "\U000e0041", `\x1b`} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Safe(s)
		if !utf8.ValidString(got) {
			t.Fatalf("Safe(%q) = %q is not UTF-8", s, got)
		}
		for _, r := range got {
			if unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp) {
				t.Fatalf("Safe(%q) holds %U", s, r)
			}
		}
		if again := Safe(got); again != got {
			t.Fatalf("Safe(%q) = %q, and of that %q", s, got, again)
		}
		if isPlain(s) && got != s {
			t.Fatalf("Safe(%q) = %q changes plain text", s, got)
		}
		if len(got) > 10*len(s) {
			t.Fatalf("%d bytes became %d", len(s), len(got))
		}
	})
}
