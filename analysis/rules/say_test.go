package rules

import "testing"

func TestSize(t *testing.T) {
	for n, want := range map[int64]string{
		0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1000: "1,000 bytes", 412_160: "412,160 bytes", 999_999: "999,999 bytes",
		1_000_000: "1.0 MB", 5_000_000: "5.0 MB", 999_940_000: "999.9 MB", 999_960_000: "1.0 GB", 1_234_567_890_987: "1.2 TB",
		9_000_000_000_000_000: "9000.0 TB",
	} {
		if got := size(n); got != want {
			t.Errorf("size(%d) = %q, want %q", n, got, want)
		}
	}
}

func TestNumber(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 12: "12", 123: "123", 1234: "1,234", 1_234_567: "1,234,567", -5000: "-5,000"} {
		if got := number(n); got != want {
			t.Errorf("number(%d) = %q, want %q", n, got, want)
		}
	}
	if got := counted(1, "request") + ", " + counted(1000, "request"); got != "1 request, 1,000 requests" {
		t.Errorf("counted: %q", got)
	}
}

func TestSpan(t *testing.T) {
	for ns, want := range map[int64]string{
		0: "under 0.1 ms", 50_000: "0.1 ms", 400_000: "0.4 ms", 9_940_000: "9.9 ms", 9_960_000: "10 ms", 840_000_000: "840 ms", 999_400_000: "999 ms",
		999_600_000: "1.00 s", 1_000_900_000: "1.00 s", 9_996_000_000: "10.0 s", 12_400_000_000: "12.4 s", 59_960_000_000: "60 s",
		3_600_000_000_000: "3600 s",
	} {
		if got := span(ns); got != want {
			t.Errorf("span(%d) = %q, want %q", ns, got, want)
		}
	}
}

func TestQuoted(t *testing.T) {
	long := ""
	for range 100 {
		long += "x"
	}
	for s, want := range map[string]string{
		"a":       `"a"`,
		"\x1b[2J": `"\x1b[2J"`,
		"\u202e":  `"\u202e"`,
		"\xff":    `"\xff"`,
		long:      `"` + long[:60] + `"...`,
	} {
		if got := quoted(s); got != want {
			t.Errorf("quoted(%q) = %s, want %s", s, got, want)
		}
	}
	for s, want := range map[string]string{
		"nginx/1.22.1": "nginx/1.22.1", "nginx/x": `"nginx/x"`, "my-nginx": `"my-nginx"`, "5, 7": "5, 7", "5x": `"5x"`, "100-Continue": "100-Continue", "FOO": `"FOO"`,
		"PUT": "PUT", "": `""`, "P\nT": `"P\nT"`, long: quoted(long),
	} {
		if got := quotable(s); got != want {
			t.Errorf("quotable(%q) = %s, want %s", s, got, want)
		}
	}
}
