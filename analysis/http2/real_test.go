package http2

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

// A tap shows a machine what goes through a connection, as a capture at the client would.
type tap struct {
	net.Conn
	mu  *sync.Mutex
	m   *Machine
	off [2]uint64
	num capture.Num
}

func (c *tap) show(d reassembly.Dir, b []byte) {
	if len(b) == 0 {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.num++
	c.off[d] += uint64(len(b))
	c.m.Data(&reassembly.Chunk{Dir: d, Data: b, Mark: reassembly.Mark{
		Time: time.Now().UnixNano(), Packet: c.num, Off: c.off[d], Acked: c.off[d.Other()],
	}})
}

func (c *tap) Write(b []byte) (int, error) {
	c.show(reassembly.Forward, b)
	return c.Conn.Write(b)
}

func (c *tap) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.show(reassembly.Reverse, b[:n])
	return n, err
}

// A ledger keeps of each stream what was told.
type ledger struct {
	nothing
	streams map[uint32]*entry
}

type entry struct {
	path, status string
	interim      int
	sent, got    uint64
	declared     int64
	done         [2]analysis.Ended
	doubts       int
}

func (l *ledger) Request(s uint32, h *analysis.Head) {
	l.streams[s] = &entry{path: string(h.Target), declared: h.Length}
}
func (l *ledger) Interim(s uint32, _ *analysis.Head)  { l.streams[s].interim++ }
func (l *ledger) Response(s uint32, h *analysis.Head) { l.streams[s].status = fmt.Sprint(h.Status) }

func (l *ledger) Body(s uint32, d reassembly.Dir, _ []byte, n uint64, _ reassembly.Mark, _ uint64, _ bool) {
	if d == reassembly.Forward {
		l.streams[s].sent += n
	} else {
		l.streams[s].got += n
	}
}

func (l *ledger) Done(s uint32, d reassembly.Dir, how analysis.Ended, _ reassembly.Mark) {
	l.streams[s].done[d] = how
}

func (l *ledger) Doubt(s uint32, _ analysis.DoubtKind, _ analysis.Part, _ reassembly.Mark) {
	l.streams[s].doubts++
}

// Go's own client and server speak over one connection, many streams at once; what is read of it is what they
// did. Their fields use the dynamic table and Huffman codes, long ones CONTINUATION.
func TestRealEnds(t *testing.T) {
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("X-Long", strings.Repeat(r.URL.Path, 3000))
		w.Header().Set("Trailer", "X-Sum")
		if strings.HasPrefix(r.URL.Path, "/deny") {
			w.WriteHeader(http.StatusForbidden)
			return
		}
		n, _ := io.Copy(io.Discard, r.Body)
		w.WriteHeader(http.StatusCreated)
		_, _ = io.WriteString(w, strings.Repeat("y", int(n/2)))
		w.Header().Set("X-Sum", fmt.Sprint(n))
	}))
	srv.Config.Protocols = new(http.Protocols)
	srv.Config.Protocols.SetUnencryptedHTTP2(true)
	srv.Start()
	defer srv.Close()

	var mu sync.Mutex
	l := &ledger{streams: map[uint32]*entry{}}
	m := New(l, Options{})
	dials := 0
	tr := &http.Transport{
		Protocols: srv.Config.Protocols, ExpectContinueTimeout: 5 * time.Second,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			mu.Lock()
			defer mu.Unlock()
			if dials++; dials > 1 {
				return nil, fmt.Errorf("a second connection is dialled")
			}
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			return &tap{Conn: c, mu: &mu, m: m}, err
		},
	}
	put := func(path string, n int) {
		req, err := http.NewRequest("PUT", srv.URL+path, strings.NewReader(strings.Repeat("x", n)))
		if err != nil {
			t.Error(err)
			return
		}
		req.Header.Set("Expect", "100-continue")
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Errorf("%s: %v", path, err)
			return
		}
		_, _ = io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
	}
	put("/up/0", 1000) // one alone, so that there is one connection
	var wg sync.WaitGroup
	for i := 1; i <= 30; i++ {
		wg.Go(func() { put(fmt.Sprintf("/up/%d", i), i*10_000) })
		wg.Go(func() { put(fmt.Sprintf("/deny/%d", i), 500_000) })
	}
	wg.Wait()
	tr.CloseIdleConnections()

	mu.Lock()
	defer mu.Unlock()
	for _, d := range []reassembly.Dir{reassembly.Forward, reassembly.Reverse} {
		m.End(&reassembly.End{Dir: d, How: reassembly.FIN, At: reassembly.Mark{Packet: 1 << 30}})
	}
	if len(l.streams) != 61 {
		t.Fatalf("%d streams, want 61", len(l.streams))
	}
	for s, e := range l.streams {
		i := 0
		switch {
		case e.doubts > 0:
			t.Errorf("stream %d is in doubt: %+v", s, e)
		case strings.HasPrefix(e.path, "/deny"):
			if e.status != "403" || e.interim != 0 || e.sent != 0 || e.declared != 500_000 || e.done[1] != analysis.EndedComplete {
				t.Errorf("stream %d was refused before its body: %+v", s, e)
			}
		default:
			n := 1000
			if _, err := fmt.Sscanf(e.path, "/up/%d", &i); err == nil && i > 0 {
				n = i * 10_000
			}
			both := [2]analysis.Ended{analysis.EndedComplete, analysis.EndedComplete}
			if e.status != "201" || e.interim != 1 || e.sent != uint64(n) || e.got != uint64(n/2) || e.done != both {
				t.Errorf("stream %d was accepted: %+v, want %d bytes", s, e, n)
			}
		}
	}
}
