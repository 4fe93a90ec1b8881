package tui

import (
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
)

func TestSafe(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"/plain path", "/plain path"},
		{"資料夾", "資料夾"},
		{"e\u0301te\u0301", "e\u0301te\u0301"},
		{"\u0301alone", `\u0301alone`},
		{"❤️", `\u2764\ufe0f`},
		{"👩‍💻", `👩\u200d💻`},
		{"\x1b[2J\x00\x7f\x9b", `\x1b[2J\x00\x7f\x9b`},
		{"a\u202eb\u2028", `a\u202eb\u2028`},
		{"back\\slash", `back\slash`},
	} {
		got := safe(c.in)
		if got != c.want {
			t.Errorf("safe(%q) is %q, want %q", c.in, got, c.want)
		}
		if safe(got) != got {
			t.Errorf("safe(%q) is not safe", got)
		}
		if a, b := ansi.StringWidth(got), ansi.StringWidthWc(got); a != b {
			t.Errorf("%q is %d columns wide, or %d", got, a, b)
		}
	}
}

func TestFit(t *testing.T) {
	for _, c := range []struct {
		s     string
		n     int
		align alignment
		want  string
	}{
		{"abc", 5, left, "abc  "},
		{"abc", 5, right, "  abc"},
		{"abcdef", 4, left, "abc…"},
		{"123456", 4, right, "123…"},
		{"/a/long/path/name", 12, ends, "/a/lon…/name"},
		{"資料夾", 5, left, "資料…"},
		{"資料夾", 4, left, "資… "},
		{"資料夾", 6, left, "資料夾"},
		{"資料夾", 1, left, "…"},
		{"abc", 1, left, "…"},
		{"abc", 0, left, ""},
		{"abc", -3, left, ""},
		{"", 3, ends, "   "},
	} {
		got := fit(c.s, c.n, c.align)
		if got != c.want && c.align != ends {
			t.Errorf("fit(%q, %d) is %q, want %q", c.s, c.n, got, c.want)
		}
		if w := ansi.StringWidth(got); w != max(c.n, 0) {
			t.Errorf("fit(%q, %d) is %d columns: %q", c.s, c.n, w, got)
		}
	}
	if got := fit("/a/long/path/name", 12, ends); !strings.HasPrefix(got, "/a") || !strings.HasSuffix(got, "name") {
		t.Errorf("both ends of a path are to be seen: %q", got)
	}
}

func TestClip(t *testing.T) {
	bold := style{"\x1b[1m", "\x1b[m"}
	for _, s := range []string{"", "short", bold.of("a bold line that is long"), "資料夾資料夾資料夾"} {
		for n := 1; n < 30; n++ {
			if got := ansi.StringWidth(clip(s, n)); got != n {
				t.Errorf("clip(%q, %d) is %d columns", s, n, got)
			}
		}
	}
}

func TestWrap(t *testing.T) {
	for _, c := range []struct {
		s    string
		n    int
		want string
	}{
		{"one two three", 7, "one two|three"},
		{"one  two", 20, "one two"},
		{"", 5, ""},
		{"abcdefgh ij", 4, "abcd|efgh|ij"},
		{"ab cdefgh", 4, "ab|cdef|gh"},
		{"資料夾 x", 4, "資料|夾 x"},
		{"資料", 1, "資|料"},
		{"frame.number in {1, 2, 3}", 15, "frame.number in|{1, 2, 3}"},
	} {
		if got := strings.Join(wrap(c.s, c.n), "|"); got != c.want {
			t.Errorf("wrap(%q, %d) is %q, want %q", c.s, c.n, got, c.want)
		}
	}
}

func TestSpaces(t *testing.T) {
	for _, n := range []int{-1, 0, 1, len(blanks), len(blanks) + 1, 1000} {
		if got := spaces(n); len(got) != max(n, 0) || strings.Trim(got, " ") != "" {
			t.Errorf("spaces(%d) are %d", n, len(got))
		}
	}
}

func TestClock(t *testing.T) {
	for ns, want := range map[int64]string{0: "00:00:00.000", epoch: "04:05:06.000", epoch + 78_999_999: "04:05:06.078", -1_000_000: "23:59:59.999", 86_399_999 * ms: "23:59:59.999"} {
		if got := clock(ns); got != want {
			t.Errorf("clock(%d) is %q, want %q", ns, got, want)
		}
	}
}
