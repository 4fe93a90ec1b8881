package store

import (
	"fmt"
	"net/netip"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"unsafe"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

func conn(first uint64) *reassembly.Conn {
	return &reassembly.Conn{First: capture.MakeNum(1, first), Client: netip.MustParseAddrPort("10.0.0.1:4000"), Server: netip.MustParseAddrPort("10.0.0.2:80")}
}

func message(head string) analysis.Message {
	head = head + "\r\n\r\n"
	return analysis.Message{Head: head, Fields: analysis.ParseFields(head)}
}

func exchange(c *reassembly.Conn, n int) *analysis.Exchange {
	final := message("HTTP/1.1 417 Expectation Failed\r\nServer: nginx")
	final.Status = 417
	x := &analysis.Exchange{ID: fmt.Sprintf("%d/%d", c.First.Frame(), n), Conn: c, Stream: uint32(n), Final: &final}
	x.Request = message(fmt.Sprintf("PUT /%d HTTP/1.1\r\nHost: a\r\nExpect: 100-continue", n))
	x.Interim = []analysis.Message{message("HTTP/1.1 100 Continue")}
	return x
}

func finding(x *analysis.Exchange, rule, cause string) *analysis.Finding {
	return &analysis.Finding{Rule: rule, Exchange: x.ID, Cause: cause, Severity: analysis.Warning}
}

// An exchange appears with its findings, or not at all.
func TestAppears(t *testing.T) {
	s := New()
	x := exchange(conn(1), 1)
	s.Exchange(x)
	s.Finding(finding(x, "a", ""))
	s.Finding(finding(x, "b", "a"))
	s.Finding(finding(x, "c", "b"))
	if n := s.Snapshot(); n.Exchanges.Len() != 0 || n.Findings.Len() != 0 {
		t.Fatal("an exchange appears before its findings are complete")
	}
	s.Progress(10, 20)
	n := s.Snapshot()
	if n.Exchanges.Len() != 1 || n.Findings.Len() != 3 || n.Progress.Read != 10 || n.Progress.Total != 20 {
		t.Fatalf("%d exchanges, %d findings, %+v", n.Exchanges.Len(), n.Findings.Len(), n.Progress)
	}
	e := n.Exchanges.At(0)
	for i, depth := range []int8{0, 1, 2} {
		if f := n.Findings.At(i); f != e.Findings[i] || f.Depth != depth || n.On(f) != e {
			t.Errorf("finding %d: depth %d, on %v", i, f.Depth, n.On(f).ID)
		}
	}
	if n.Find("1/1") != e || n.Find("1/2") != nil || n.Find("") != nil {
		t.Error("an exchange is not found by its id")
	}
	if (Snapshot{}).Find("1/1") != nil {
		t.Error("something is found in nothing")
	}
}

// What is kept does not change when the engine goes on with its own.
func TestCopies(t *testing.T) {
	s := New()
	c := conn(1)
	x := exchange(c, 1)
	x.Owed = &analysis.Owed{Bytes: 5}
	x.AddDoubt(analysis.DoubtGap, analysis.PartRequest, reassembly.Mark{})
	f := finding(x, "a", "")
	s.Exchange(x)
	s.Finding(f)
	s.Progress(0, 0)
	x.Final.Status, x.Owed.Bytes, c.Holes, f.Rule = 200, 6, 7, "b"
	x.Interim[0].Status = 999
	x.AddDoubt(analysis.DoubtGap, analysis.PartFinal, reassembly.Mark{})
	e := s.Snapshot().Exchanges.At(0)
	if e.Final.Status != 417 || e.Owed.Bytes != 5 || e.Conn.Holes != 0 || e.Findings[0].Rule != "a" || e.Interim[0].Status != 0 || e.Doubts[0].Part != analysis.PartRequest {
		t.Errorf("the kept exchange changed: %+v", e)
	}
}

// A later report replaces an earlier one; an earlier snapshot stays as it was.
func TestReplaces(t *testing.T) {
	s := New()
	c := conn(1)
	var xs []*analysis.Exchange
	for i := range 3 * chunkLen {
		x := exchange(c, i+1)
		xs = append(xs, x)
		s.Exchange(x)
		s.Finding(finding(x, "a", ""))
		s.Finding(finding(x, "b", ""))
	}
	s.Progress(0, 0)
	before := s.Snapshot()
	at := chunkLen + 5
	again := exchange(c, at+1)
	again.Final.Status = 200
	s.Exchange(again)
	s.Finding(finding(again, "b", ""))
	s.Finding(finding(again, "c", ""))
	s.Close(nil, false, nil)
	after := s.Snapshot()
	if before.Exchanges.At(at).Final.Status != 417 || before.Findings.At(2*at).Rule != "a" || before.Findings.Len() != 6*chunkLen {
		t.Error("an earlier snapshot changed")
	}
	e := after.Exchanges.At(at)
	if e.Final.Status != 200 || after.Exchanges.Len() != 3*chunkLen || after.Find(again.ID) != e {
		t.Errorf("the exchange was not replaced: status %d of %d", e.Final.Status, after.Exchanges.Len())
	}
	if after.Findings.At(2*at) != nil || after.Findings.At(2*at+1) != e.Findings[0] || after.Findings.Len() != 6*chunkLen+1 || after.Findings.At(6*chunkLen) != e.Findings[1] {
		t.Error("the findings were not replaced")
	}
	if !after.Progress.Done || after.Version == before.Version {
		t.Error("the end is not told")
	}
	if xs[at].Final.Status != 417 {
		t.Error("the engine's exchange changed")
	}
	// A third report finds the findings of the second one.
	s.Exchange(exchange(c, at+1))
	s.Close(nil, false, nil)
	last := s.Snapshot()
	if last.Findings.At(2*at+1) != nil || last.Findings.At(6*chunkLen) != nil || len(last.Exchanges.At(at).Findings) != 0 {
		t.Error("findings were not withdrawn")
	}
}

// Findings that belong to nothing, or were withdrawn, are not kept.
func TestStrayFindings(t *testing.T) {
	s := New()
	x, other := exchange(conn(1), 1), exchange(conn(9), 1)
	s.Finding(finding(x, "a", ""))
	s.Exchange(x)
	s.Finding(finding(other, "a", ""))
	gone := finding(x, "b", "")
	gone.State = analysis.Withdrawn
	s.Finding(gone)
	s.Progress(0, 0)
	if n := s.Snapshot(); n.Findings.Len() != 0 || n.Exchanges.Len() != 1 {
		t.Errorf("%d findings", n.Findings.Len())
	}
}

// Exchanges of a connection share a copy of it as long as it does not change, and keep its number when it does.
func TestConnections(t *testing.T) {
	s := New()
	a, b := conn(1), conn(2)
	for i, c := range []*reassembly.Conn{a, b, a, a} {
		if i == 3 {
			a.Holes = 1
		}
		s.Exchange(exchange(c, i+1))
	}
	s.Progress(0, 0)
	v := s.Snapshot().Exchanges
	if v.At(0).Conn != v.At(2).Conn || v.At(2).Conn == v.At(3).Conn || v.At(3).Conn.Holes != 1 || v.At(0).Conn == a {
		t.Error("the copies of the connection are not as they should be")
	}
	for i, want := range []int32{0, 1, 0, 0} {
		if got := v.At(i).Connection; got != want {
			t.Errorf("exchange %d is on connection %d, want %d", i, got, want)
		}
	}
}

// Text is kept once: equal heads of responses share memory, fields and the words of the first line are read from the head.
func TestKeepsTextOnce(t *testing.T) {
	s := New()
	c := conn(1)
	for i := range 100 {
		x := exchange(c, i+1)
		x.Request.Method, x.Request.Target, x.Request.Version = analysis.SplitRequestLine(analysis.FirstLine(x.Request.Head))
		s.Exchange(x)
	}
	s.Progress(0, 0)
	v := s.Snapshot().Exchanges
	a, b := v.At(0), v.At(99)
	if unsafe.StringData(a.Final.Head) != unsafe.StringData(b.Final.Head) || unsafe.StringData(a.Interim[0].Head) != unsafe.StringData(b.Interim[0].Head) {
		t.Error("equal heads are kept twice")
	}
	if b.Request.Head[:8] != "PUT /100" || a.Request.Head[:6] != "PUT /1" {
		t.Errorf("the heads are %q and %q", a.Request.Head, b.Request.Head)
	}
	if v, _ := b.Request.Get("expect"); v != "100-continue" || b.Request.Fields != nil {
		t.Errorf("a field says %q", v)
	}
	if unsafe.StringData(b.Request.Method) != unsafe.StringData(b.Request.Head) || b.Request.Target != "/100" {
		t.Errorf("%s %s does not stand in the head", b.Request.Method, b.Request.Target)
	}
}

// What does not stand in the head is kept beside it.
func TestKeepsOtherFields(t *testing.T) {
	const head = "PUT /a HTTP/1.1\r\nHost: a\r\n\r\n"
	for _, fields := range [][]analysis.Field{
		{{Name: "Host", Value: "b"}},
		{{Name: "Host", Value: "a"}, {Name: "Expect", Value: "100-continue"}},
		{{Name: "Host", Value: "a", Spaced: true}},
		{},
	} {
		s := New()
		x := exchange(conn(1), 1)
		x.Request = analysis.Message{Head: head, Fields: fields, Method: "POST", Target: "/a", Version: "HTTP/2"}
		s.Exchange(x)
		s.Progress(0, 0)
		m := &s.Snapshot().Exchanges.At(0).Request
		if got := slices.Collect(m.Lines()); len(got) != len(fields) || m.Method != "POST" || m.Version != "HTTP/2" {
			t.Errorf("%v is kept as %v, %s %s", fields, got, m.Method, m.Version)
		}
	}
}

// The heads that are remembered are bounded, and what is given is right also after they were forgotten.
func TestTextsBound(t *testing.T) {
	ts := newTexts()
	for i := range maxShared + 10 {
		m := message(fmt.Sprintf("HTTP/1.1 200 OK\r\nX: %d", i))
		ts.response(&m)
		if v, _ := m.Get("X"); v != fmt.Sprint(i) {
			t.Fatalf("response %d has %q", i, v)
		}
	}
	if len(ts.heads) > maxShared {
		t.Errorf("%d heads are remembered", len(ts.heads))
	}
	long := message("HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", textBlock))
	want := long.Head
	if ts.response(&long); long.Head != want {
		t.Error("a long head is not kept")
	}
}

// Readers see whole records while the writer goes on; the race detector watches.
func TestReadWhileWriting(t *testing.T) {
	s := New()
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			for {
				n := s.Snapshot()
				for i := range n.Findings.Len() {
					if f := n.Findings.At(i); f != nil && n.On(f).ID != f.Exchange {
						t.Errorf("finding %d is on %s, not on %s", i, n.On(f).ID, f.Exchange)
						return
					}
				}
				if k := n.Exchanges.Len(); k > 0 && n.Find(n.Exchanges.At(k-1).ID).Pos != int32(k-1) {
					t.Error("the last exchange is not found")
				}
				if n.Progress.Done {
					return
				}
				runtime.Gosched()
			}
		})
	}
	c := conn(1)
	for i := range 4 * chunkLen {
		x := exchange(c, i%(3*chunkLen)+1)
		s.Exchange(x)
		s.Finding(finding(x, fmt.Sprint("r", i%3), ""))
	}
	s.Close(&analysis.Summary{}, false, nil)
	wg.Wait()
}

// Budgets: an exchange with one finding costs few allocations, a snapshot nothing.
func TestBudget(t *testing.T) {
	s := New()
	c := conn(1)
	var xs []*analysis.Exchange
	for i := range 2000 {
		xs = append(xs, exchange(c, i+1))
	}
	i := 0
	if got := testing.AllocsPerRun(1000, func() {
		s.Exchange(xs[i])
		s.Finding(finding(xs[i], "a", ""))
		i++
	}); got > 9 {
		t.Errorf("%.1f allocations an exchange", got)
	}
	s.Progress(0, 0)
	if got := testing.AllocsPerRun(100, func() { _ = s.Snapshot() }); got > 0 {
		t.Errorf("%.1f allocations a snapshot", got)
	}
}

// What was counted so far stays when progress goes on, until the end replaces it.
func TestCounted(t *testing.T) {
	s := New()
	if s.Snapshot().Progress.Summary != nil {
		t.Error("counted before anything was")
	}
	so := &analysis.Summary{Packets: 7}
	s.Counted(so)
	s.Progress(1, 2)
	if p := s.Snapshot().Progress; p.Summary != so || p.Read != 1 || p.Done {
		t.Errorf("so far: %+v", p)
	}
	all := &analysis.Summary{Packets: 8}
	s.Close(all, false, nil)
	if p := s.Snapshot().Progress; p.Summary != all || !p.Done {
		t.Errorf("in the end: %+v", p)
	}
}
