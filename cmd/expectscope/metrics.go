package main

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"net/http"
	"runtime"
	"strings"
	"sync/atomic"
	"time"

	"expectscope/analysis"
	"expectscope/analysis/report"
)

// Metrics are rendered by the goroutine that analyzes, once a second at most,
// and served as they were rendered last: a scrape never waits for the analysis.
type metrics struct {
	report.Metrics
	server   http.Server
	listener net.Listener
	text     atomic.Pointer[[]byte]
	last     time.Time
}

// serveMetrics begins to serve /metrics at an address, on loopback where it
// names no host.
func serveMetrics(c *console, addr string) (*metrics, error) {
	if strings.HasPrefix(addr, ":") {
		addr = "127.0.0.1" + addr
	} else if !strings.Contains(addr, ":") {
		addr = "127.0.0.1:" + addr
	}
	l, err := net.Listen("tcp", addr)
	if err != nil {
		return nil, usage("give an address and a port that is free: --metrics 127.0.0.1:9417", "metrics cannot be served: %v", err)
	}
	m := &metrics{listener: l}
	m.render(&analysis.Summary{}, c.now())
	mux := http.NewServeMux()
	mux.HandleFunc("GET /metrics", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		_, _ = w.Write(*m.text.Load())
	})
	m.server = http.Server{Handler: mux, ReadTimeout: 10 * time.Second, WriteTimeout: 10 * time.Second, MaxHeaderBytes: 16 << 10}
	go func() {
		if err := m.server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
			c.warn("metrics are not served any more: "+err.Error(), "")
		}
	}()
	return m, nil
}

// update renders what was counted, if the last time is a second ago.
func (m *metrics) update(now time.Time, summary func() *analysis.Summary) {
	if now.Sub(m.last) >= time.Second {
		m.render(summary(), now)
	}
}

func (m *metrics) render(s *analysis.Summary, now time.Time) {
	var b bytes.Buffer
	_ = m.Write(&b, s) // to memory
	var mem runtime.MemStats
	runtime.ReadMemStats(&mem)
	fmt.Fprintf(&b, "# HELP expectscope_memory_bytes Memory obtained from the system.\n# TYPE expectscope_memory_bytes gauge\nexpectscope_memory_bytes %d\n", mem.Sys-mem.HeapReleased)
	text := b.Bytes()
	m.text.Store(&text)
	m.last = now
}

// close ends serving.
func (m *metrics) close() { _ = m.server.Close() }
