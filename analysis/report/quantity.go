package report

import (
	"math"
	"net/netip"
	"strconv"
	"time"

	"expectscope/capture"
)

// grouped is a number with thousands separators: 350,000.
func grouped[T int | int64 | uint64](n T) string {
	s := strconv.FormatInt(int64(n), 10)
	if n > 0 {
		s = strconv.FormatUint(uint64(n), 10)
	}
	first := 0
	if s[0] == '-' {
		first = 1
	}
	for i := len(s) - 3; i > first; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// counted is a number and what it counts: "1 packet", "2 packets".
func counted[T int | int64 | uint64](n T, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return grouped(n) + " " + many
}

// times is how often: "once", "3 times".
func times[T int | int64 | uint64](n T) string {
	if n == 1 {
		return "once"
	}
	return grouped(n) + " times"
}

// size is a number of bytes for people: exact below a million, then in MB of 10^6, GB of 10^9, TB of 10^12 bytes.
func size[T int64 | uint64](n T) string {
	if n < 1e6 {
		return counted(n, "byte", "bytes")
	}
	v, unit := float64(n)/1e6, "MB"
	for _, next := range []string{"GB", "TB"} {
		if v < 999.95 {
			break
		}
		v, unit = v/1000, next
	}
	return decimal(v, 1) + " " + unit
}

// span is a duration of nanoseconds for people: "850 us", "6.2 ms", "840 ms", "1.00 s", "75.3 s", "2 min 5 s", "3 h 0 min".
func span(ns int64) string {
	v := float64(ns)
	switch {
	case ns == 0:
		return "0 s"
	case ns < 0:
		return "-" + span(-max(ns, -math.MaxInt64))
	case ns < 1e3:
		return strconv.FormatInt(ns, 10) + " ns"
	case ns < 999_500:
		return decimal(v/1e3, 0) + " us"
	case ns < 9_950_000:
		return decimal(v/1e6, 1) + " ms"
	case ns < 999_500_000:
		return decimal(v/1e6, 0) + " ms"
	case ns < 9_995_000_000:
		return decimal(v/1e9, 2) + " s"
	case ns < 99_950_000_000:
		return decimal(v/1e9, 1) + " s"
	}
	s := ns/1e9 + ns%1e9/5e8
	if s < 3600 {
		return grouped(s/60) + " min " + grouped(s%60) + " s"
	}
	return grouped(s/3600) + " h " + grouped(s%3600/60) + " min"
}

// decimal is v rounded to that many digits behind the point.
func decimal(v float64, digits int) string { return strconv.FormatFloat(v, 'f', digits, 64) }

// clockTime is a time of day with microseconds.
func clockTime(ns int64, in *time.Location) string {
	return moment(ns, in).Format("15:04:05.000000")
}

func moment(ns int64, in *time.Location) time.Time {
	if in == nil {
		in = time.UTC
	}
	return time.Unix(0, ns).In(in)
}

// endpoint is ip:port, "" when not known.
func endpoint(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.String()
}

// number is a small number as a word, as a sentence wants it.
func number(n uint64) string {
	words := [...]string{"no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine"}
	if n < uint64(len(words)) {
		return words[n]
	}
	return grouped(n)
}

// frameOf names a packet: "frame 24", with its input where there are several.
func frameOf(o *Options, n capture.Num) string {
	s := "frame " + strconv.FormatUint(n.Frame(), 10)
	if file := o.file(n.Input()); file != "" {
		s += " of " + Safe(file)
	}
	return s
}
