package pcapfile

import (
	"math"
	exact "math/big"
	"testing"

	"pgregory.net/rapid"
)

func TestClock(t *testing.T) {
	for _, c := range []struct {
		name       string
		resolution byte
		offset     int64
		stamp      uint64
		want       int64
	}{
		{"seconds", 0, 0, 7, 7e9},
		{"microseconds", 6, 0, 7, 7000},
		{"nanoseconds", 9, 0, 7, 7},
		{"picoseconds", 12, 0, 7999, 7},
		{"finest that can show", 28, 0, math.MaxUint64, 1},
		{"finer than anything", 29, 0, math.MaxUint64, 0},
		{"absurdly fine", 127, 0, math.MaxUint64, 0},
		{"2^0", 0x80, 0, 7, 7e9},
		{"2^-10", 0x8a, 0, 1536, 1.5e9},
		{"2^-32 of ntp", 0xa0, 0, 0x1_8000_0000, 1.5e9},
		{"2^-63", 0xbf, 0, 1 << 63, 1e9},
		{"2^-64", 0xc0, 0, 1 << 63, 5e8},
		{"2^-127", 0xff, 0, math.MaxUint64, 0},
		{"too late to say", 0, 0, math.MaxUint64, math.MaxInt64},
		{"too late to say in nanoseconds", 9, 0, math.MaxUint64, math.MaxInt64},
		{"offset", 9, 3, 7, 3e9 + 7},
		{"negative offset", 9, -3, 7, -3e9 + 7},
		{"offset beyond all times", 9, math.MaxInt64, 7, math.MaxInt64},
		{"offset before all times", 9, math.MinInt64, 7, math.MinInt64 + 7},
		{"sum beyond all times", 9, 5e9, 5e18, math.MaxInt64},
	} {
		k := newClock(c.resolution, c.offset)
		if got := k.time(c.stamp); got != c.want {
			t.Errorf("%s: %d, want %d", c.name, got, c.want)
		}
	}
}

// The clock agrees with arithmetic that has no bounds.
func TestClockIsExact(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		resolution := rapid.Byte().Draw(t, "resolution")
		stamp := rapid.Uint64().Draw(t, "stamp")
		offset := rapid.Int64Range(-9e9, 9e9).Draw(t, "offset")

		n := new(exact.Int).Mul(new(exact.Int).SetUint64(stamp), exact.NewInt(1e9))
		if e := uint(resolution & 0x7f); resolution&0x80 != 0 {
			n.Rsh(n, e)
		} else {
			n.Quo(n, new(exact.Int).Exp(exact.NewInt(10), exact.NewInt(int64(e)), nil))
		}
		most := exact.NewInt(math.MaxInt64)
		if n.Cmp(most) > 0 {
			n = most
		} else if n = n.Add(n, new(exact.Int).Mul(exact.NewInt(offset), exact.NewInt(1e9))); n.Cmp(most) > 0 {
			n = most
		}
		k := newClock(resolution, offset)
		if got := k.time(stamp); got != n.Int64() {
			t.Fatalf("%d, want %v", got, n)
		}
	})
}
