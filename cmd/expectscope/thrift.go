package main

import (
	"runtime/debug"
	gauges "runtime/metrics"
)

// headroom is how much garbage may lie beside what is kept before it is collected; leastShare the least share of what is kept, in percent,
// while more is read: each collection goes through all that is kept. Later only keys leave garbage, a few kilobytes each.
const headroom, leastShare, leastLater = 64 << 20, 5, 2

// A thrift keeps the garbage beside a growing store bounded. A share of the store, as the collector has it by default, is more than a
// gigabyte when the store is one.
type thrift struct {
	off  bool
	idle bool // no more is read
	live [1]gauges.Sample
	last uint64 // what was kept when the share was last set
}

func newThrift(c *console) *thrift {
	t := &thrift{off: c.env("GOGC") != "" || c.env("GOMEMLIMIT") != ""} // the user knows better
	t.live[0].Name = "/gc/heap/live:bytes"
	return t
}

// adjust sets the collector's share after what is kept has grown. It is cheap when it has not.
func (t *thrift) adjust() {
	if t.off {
		return
	}
	gauges.Read(t.live[:])
	kept := t.live[0].Value.Uint64()
	if kept < t.last+t.last/8+1<<20 && kept > t.last/2 {
		return
	}
	t.last = kept
	debug.SetGCPercent(t.share(kept))
}

// share is the garbage to collect at, in percent of so many bytes kept.
func (t *thrift) share(kept uint64) int {
	least := uint64(leastShare)
	if t.idle {
		least = leastLater
	}
	return int(min(defaultShare, max(least, 100*headroom/max(kept, 1))))
}

// settle gives back what loading left, when no more will come.
func (t *thrift) settle() {
	if t.off {
		return
	}
	debug.FreeOSMemory()
	t.idle, t.last = true, 0
	t.adjust()
}
