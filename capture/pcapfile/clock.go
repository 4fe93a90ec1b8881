package pcapfile

import (
	"math"
	"math/bits"
)

// A clock turns the time stamps of an interface into nanoseconds since 1970:
// stamp*mul / 2^shift / div + offset. Times that do not fit are the largest, or
// smallest, that do.
type clock struct {
	mul, div uint64
	shift    uint
	offset   int64
}

// newClock is for the options if_tsresol and if_tsoffset
// (draft-ietf-opsawg-pcapng, Section 4.2): a resolution of 10^-n, or 2^-n if
// its top bit is set, and seconds to add.
func newClock(resolution byte, offset int64) clock {
	c := clock{mul: 1, div: 1}
	n := uint(resolution & 0x7f)
	switch {
	case resolution&0x80 != 0:
		c.mul, c.shift = 1e9, n
	case n <= 9:
		c.mul = power10(9 - n)
	case n <= 28:
		c.div = power10(n - 9)
	default:
		c.mul = 0 // finer than 64 bits can show a nanosecond in
	}
	if hi, lo := bits.Mul64(magnitude(offset), 1e9); hi == 0 && lo <= math.MaxInt64 {
		c.offset = offset * 1e9
	} else if offset < 0 {
		c.offset = math.MinInt64
	} else {
		c.offset = math.MaxInt64
	}
	return c
}

func (c *clock) time(stamp uint64) int64 {
	hi, lo := bits.Mul64(stamp, c.mul)
	switch {
	case c.shift >= 64:
		hi, lo = 0, hi>>(c.shift-64)
	case c.shift > 0:
		hi, lo = hi>>c.shift, lo>>c.shift|hi<<(64-c.shift)
	}
	if hi != 0 || lo/c.div > math.MaxInt64 {
		return math.MaxInt64
	}
	t := int64(lo / c.div)
	if c.offset > 0 && t > math.MaxInt64-c.offset {
		return math.MaxInt64
	}
	return t + c.offset // both signs: cannot go below the smallest
}

// power10 is 10^n; n is at most 19.
func power10(n uint) uint64 {
	p := uint64(1)
	for range n {
		p *= 10
	}
	return p
}

func magnitude(v int64) uint64 {
	if v < 0 {
		return -uint64(v)
	}
	return uint64(v)
}
