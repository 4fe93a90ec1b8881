package tui

import (
	"os"
	"runtime"
	"strconv"
	"testing"
	"time"
)

// rowsOf is how many rows the big tests have: 20,000, or what EXPECTSCOPE_ROWS says.
func rowsOf(t testing.TB) int {
	if v := os.Getenv("EXPECTSCOPE_ROWS"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	return 20_000
}

func heap() uint64 {
	runtime.GC()
	return memory().HeapAlloc
}

func memory() *runtime.MemStats {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return &m
}

// Memory: 2 KB an exchange in the store, with its heads and its findings, and 200 bytes a row beside it, which are made without
// much garbage: a process keeps the most it ever had.
func TestMemory(t *testing.T) {
	n := rowsOf(t)
	before := heap()
	st := many(n)
	kept := heap() - before
	snap := st.Snapshot()
	findings := float64(snap.Findings.Len()) / float64(n)
	each := float64(kept) / float64(n)
	if each > 2048 {
		t.Errorf("an exchange takes %.0f bytes with %.1f findings", each, findings)
	}
	before, made := heap(), memory().TotalAlloc
	s := newScreen("", nil, darkLook)
	s.snap = snap
	start := time.Now()
	s.lists[findingsTab].show(build(snap, s.want(findingsTab)))
	took := time.Since(start)
	s.lists[exchangesTab].show(build(snap, s.want(exchangesTab)))
	s.lists[connectionsTab].show(build(snap, s.want(connectionsTab)))
	garbage := float64(memory().TotalAlloc-made) / float64(n)
	if garbage > 100 {
		t.Errorf("making a row takes %.0f bytes", garbage)
	}
	s.figures = count(snap, nil)
	beside := float64(heap()-before) / float64(n)
	if beside > 200 {
		t.Errorf("a row takes %.0f bytes beside the store", beside)
	}
	t.Logf("%d exchanges, %d findings: %.0f bytes an exchange, %.0f bytes a row beside, %.0f to make it; findings indexed in %v", n, snap.Findings.Len(), each, beside, garbage, took)
	runtime.KeepAlive(st)
	runtime.KeepAlive(s)
}

// big is a screen over many rows, at 160x50.
func big(t testing.TB, tab int) *screen {
	st := many(rowsOf(t))
	s := newScreen("big.pcap", nil, darkLook)
	s.snap = st.Snapshot()
	s.resize(160, 50)
	s.show(tab)
	for _, i := range []int{findingsTab, exchangesTab, connectionsTab} {
		s.lists[i].show(build(s.snap, s.want(i)))
	}
	return s
}

// A key costs the lines that are seen, not the rows there are.
func TestKeyBudget(t *testing.T) {
	for _, tab := range []int{findingsTab, exchangesTab, connectionsTab} {
		s := big(t, tab)
		if tab == findingsTab {
			s.key("z")
		}
		s.key("G")
		got := testing.AllocsPerRun(100, func() {
			s.key("k")
			_ = s.view(nil)
		})
		if got > 300 {
			t.Errorf("%s: %.0f allocations a key", tabNames[tab], got)
		}
		t.Logf("%s: %.0f allocations a key", tabNames[tab], got)
	}
}

func BenchmarkKey(b *testing.B) {
	for _, tab := range []int{findingsTab, exchangesTab, connectionsTab} {
		s := big(b, tab)
		if tab == findingsTab {
			s.key("z")
		}
		b.Run(tabNames[tab], func(b *testing.B) {
			b.ReportAllocs()
			for range b.N {
				s.key("j")
				_ = s.view(nil)
			}
		})
	}
}
