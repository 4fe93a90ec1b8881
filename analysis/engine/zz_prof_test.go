package engine

import (
	"os"
	"runtime"
	"runtime/pprof"
	"testing"

	"expectscope/analysis"
	"expectscope/capture/pcapfile"
)

type nul struct{}

func (nul) Exchange(*analysis.Exchange) {}
func (nul) Finding(*analysis.Finding)   {}

func TestProf(t *testing.T) {
	f := os.Getenv("PROF")
	if f == "" {
		t.Skip()
	}
	src, err := pcapfile.Open([]string{f}, pcapfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	e := New(Options{}, nul{})
	n := 0
	runtime.MemProfileRate = 4096
	e.Read(src, func() bool {
		n++
		if n == 500 {
			runtime.GC()
			w, _ := os.Create("/tmp/prof/heap.pb")
			pprof.WriteHeapProfile(w)
			w.Close()
			var ms runtime.MemStats
			runtime.ReadMemStats(&ms)
			t.Logf("live %d MB sys %d MB", ms.HeapAlloc>>20, ms.Sys>>20)
		}
		return true
	})
	e.Close(src)
}
