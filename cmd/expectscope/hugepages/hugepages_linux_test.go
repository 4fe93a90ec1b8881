package hugepages

import (
	"os"
	"strings"
	"testing"
)

// The kernel has taken the advice for what was asked for: the data segment and the heap.
func TestAsked(t *testing.T) {
	if _, err := os.Stat("/sys/kernel/mm/transparent_hugepage/enabled"); err != nil {
		t.Skip("this kernel has no transparent huge pages")
	}
	maps, err := os.ReadFile("/proc/self/smaps")
	if err != nil {
		t.Skip(err)
	}
	taken := 0
	for line := range strings.Lines(string(maps)) {
		if flags, ok := strings.CutPrefix(line, "VmFlags:"); ok && strings.Contains(flags+" ", " hg ") {
			taken++
		}
	}
	if taken == 0 {
		t.Error("no mapping is advised to have huge pages")
	}
}
