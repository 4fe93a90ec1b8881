package main

import "testing"

// Garbage is bounded by a size where much is kept, by a share where little or very much is; when no more is read it is the less.
func TestThriftShare(t *testing.T) {
	for _, c := range []struct {
		kept uint64
		idle bool
		want int
	}{
		{0, false, defaultShare},
		{10 << 20, false, defaultShare},
		{640 << 20, false, 10},
		{640 << 20, true, 10},
		{1800 << 20, false, leastShare},
		{1800 << 20, true, 3},
		{8 << 30, true, leastLater},
	} {
		th := &thrift{idle: c.idle}
		if got := th.share(c.kept); got != c.want {
			t.Errorf("%d MiB, idle %t: %d percent, want %d", c.kept>>20, c.idle, got, c.want)
		}
	}
}
