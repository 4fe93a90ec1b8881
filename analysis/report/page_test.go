package report

import (
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/charmbracelet/x/ansi"
)

func TestShorten(t *testing.T) {
	for _, c := range []struct {
		in   string
		n    int
		want string
	}{
		{"/short", 10, "/short"},
		{"/exact", 6, "/exact"},
		{"/a/long/path/file.bin", 11, "/a/lo…e.bin"},
		{"/資料夾/檔案名稱", 9, "/資…名稱"},
		{"e\u0301e\u0301e\u0301e\u0301e\u0301e\u0301", 5, "e\u0301e\u0301…e\u0301e\u0301"},
		{"abcdef", 2, "ab"},
		{"abcdef", 0, ""},
		{"abcdef", -1, ""},
	} {
		got := shorten(c.in, c.n)
		if got != c.want {
			t.Errorf("shorten(%q, %d) = %q, want %q", c.in, c.n, got, c.want)
		}
		if w := ansi.StringWidth(got); w > max(c.n, 0) {
			t.Errorf("shorten(%q, %d) is %d columns wide", c.in, c.n, w)
		}
	}
}

func TestFold(t *testing.T) {
	for _, c := range []struct {
		width         int
		first, indent string
		text, want    string
	}{
		{20, "", "", "", "\n"},
		{20, "", "", "fits on one line", "fits on one line\n"},
		{10, "- ", "  ", "one two three", "- one two\n  three\n"},
		{10, "- ", "  ", "one two3 four", "- one two3\n  four\n"},
		{10, "", "", "twelve-wide-word end", "twelv…word\nend\n"},
		{10, "x ", "    ", "a twelve-wide-word", "x a\n    twe…rd\n"},
		{10, "\x1b[1mab\x1b[0m  ", "", "資料 資料夾", "\x1b[1mab\x1b[0m  資料\n資料夾\n"},
	} {
		p := page{width: c.width}
		p.para(c.first, c.indent, c.text)
		if got := string(p.b); got != c.want {
			t.Errorf("%q in %d columns: %q, want %q", c.text, c.width, got, c.want)
		}
	}
}

// A filter is folded at its commas and is whole when the lines are put together again.
func TestFilterFolds(t *testing.T) {
	p := page{width: 24}
	text := "frame.number in {10,20,300,4000,50000,600000}"
	p.filter("  ", "  ", text)
	narrow(t, string(p.b), 24)
	if got := strings.Join(strings.Fields(string(p.b)), " "); strings.ReplaceAll(got, ", ", ",") != text {
		t.Errorf("%q", p.b)
	}
	if n := strings.Count(string(p.b), "\n"); n < 2 {
		t.Errorf("%d lines", n)
	}
}

func TestQuantities(t *testing.T) {
	var got []string
	for _, n := range []int64{0, 999, 1000, -1000, -999, 1234567, math.MinInt64} {
		got = append(got, grouped(n))
	}
	got = append(got, grouped(uint64(math.MaxUint64)), counted(1, "gap", "gaps"), counted(2000, "gap", "gaps"), times(1), times(1000), number(9), number(10))
	for _, n := range []int64{1, 350_000, 999_999, 1_000_000, 8_388_608, 999_960_000, 2_000_000_000_000, 5_000_000_000_000_000} {
		got = append(got, size(n))
	}
	want := []string{
		"0", "999", "1,000", "-1,000", "-999", "1,234,567", "-9,223,372,036,854,775,808",
		"18,446,744,073,709,551,615", "1 gap", "2,000 gaps", "once", "1,000 times", "nine", "10",
		"1 byte", "350,000 bytes", "999,999 bytes", "1.0 MB", "8.4 MB", "1.0 GB", "2.0 TB", "5000.0 TB",
	}
	if !slices.Equal(got, want) {
		t.Errorf("\n got %q\nwant %q", got, want)
	}
}

func TestSpan(t *testing.T) {
	for ns, want := range map[int64]string{
		0: "0 s", 1: "1 ns", 999: "999 ns", 1000: "1 us", 999_499: "999 us", 999_500: "1.0 ms", 6_200_000: "6.2 ms", 9_949_999: "9.9 ms", 9_950_000: "10 ms",
		840_000_000: "840 ms", 999_499_999: "999 ms", 999_500_000: "1.00 s", 1_000_000_000: "1.00 s", 9_994_999_999: "9.99 s", 75_300_000_000: "75.3 s",
		99_950_000_000: "1 min 40 s", 125_000_000_000: "2 min 5 s", 3_599_600_000_000: "1 h 0 min", 10_800_000_000_000: "3 h 0 min",
		-1_000_000_000: "-1.00 s", math.MinInt64: "-2,562,047 h 47 min", math.MaxInt64: "2,562,047 h 47 min",
	} {
		if got := span(ns); got != want {
			t.Errorf("span(%d) = %q, want %q", ns, got, want)
		}
	}
}

func TestClockTime(t *testing.T) {
	if got := clockTime(epoch+1500, nil); got != "04:05:06.000001" {
		t.Errorf("in UTC %s", got)
	}
	if got := clockTime(epoch, time.FixedZone("somewhere", 3600)); got != "05:05:06.000000" {
		t.Errorf("an hour east %s", got)
	}
}
