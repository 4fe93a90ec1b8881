package record

import (
	"slices"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// TestNoAllocation: an exchange that is not kept costs no allocation once the pool is warm, with content and doubts too.
func TestNoAllocation(t *testing.T) {
	p := newPlayer(t, nothing{}, &Pool{}, false)
	req := p.head(reassembly.Forward, "POST /up HTTP/1.1 | Host: a | Content-Length: 5000", allAcked)
	fin := p.head(reassembly.Reverse, "HTTP/1.1 200 OK | Content-Length: 5", allAcked)
	b, at := content(0, 5000), p.mark(reassembly.Forward, allAcked)
	allocs := testing.AllocsPerRun(1000, func() {
		s := p.next
		p.next++
		p.r.Request(s, req)
		p.r.Doubt(s, analysis.DoubtSnapLen, analysis.PartRequest, at)
		p.r.Body(s, reassembly.Forward, b, 5000, at, 0, false)
		p.r.Done(s, reassembly.Forward, analysis.EndedComplete, at)
		p.r.Response(s, fin)
		p.r.Body(s, reassembly.Reverse, b[:5], 5, at, 0, false)
		p.r.Done(s, reassembly.Reverse, analysis.EndedComplete, at)
	})
	if allocs != 0 {
		t.Errorf("%v allocations an exchange, want 0", allocs)
	}
}

// TestBounds: what a hostile peer can make an exchange keep is bounded.
func TestBounds(t *testing.T) {
	k := &keeper{}
	p := newPlayer(t, k, &Pool{}, false)
	p.line("> request PUT /up HTTP/1.1 | Host: a | Transfer-Encoding: chunked | Expect: 100-continue")
	for range MaxInterims + 10 {
		p.line("< interim 1 HTTP/1.1 102 Processing")
	}
	for range maxRuns + 10 {
		p.line("> chunk 1 3")
	}
	e := p.r.open[0]
	if len(e.runs) > maxRuns || cap(e.runs) > 2*maxRuns {
		t.Errorf("%d runs (capacity %d) are remembered, want at most %d", len(e.runs), cap(e.runs), maxRuns)
	}
	p.line("< final 1 HTTP/1.1 403 Forbidden | Content-Length: 0")
	for range maxOrphans + 10 {
		p.line("< orphan 1 HTTP/1.1 403 Forbidden")
	}
	p.line("> done 1 fin")
	p.line("< done 1 fin")
	x := &k.xs[0]
	if len(x.Interim) != MaxInterims || len(x.Sequel().Orphans) != maxOrphans {
		t.Errorf("%d interim responses and %d orphans are kept, want %d and %d", len(x.Interim), len(x.Sequel().Orphans), MaxInterims, maxOrphans)
	}
	if b := &x.ReqBody; b.Sent != 3*(maxRuns+10) || b.Read != b.Sent {
		t.Errorf("sent %d, read %d", b.Sent, b.Read)
	}
}

// Interim heads are counted to the last, but their text is kept only up to a bound.
func TestInterimText(t *testing.T) {
	k := &keeper{}
	p := newPlayer(t, k, &Pool{}, false)
	p.line("> request PUT /up HTTP/1.1 | Host: a | Content-Length: 1 | Expect: 100-continue")
	for range 40 {
		p.line("< interim 1 HTTP/1.1 103 Early Hints | Link: " + strings.Repeat("x", 10_000))
	}
	p.line("> done 1 fin")
	p.line("< done 1 fin")
	text, fields := 0, 0
	for _, m := range k.xs[0].Interim {
		text, fields = text+len(m.Head), fields+len(slices.Collect(m.Lines()))
		if m.Status != 103 || m.Last.Packet == 0 {
			t.Errorf("an interim response lost its status %d or place %+v", m.Status, m.Last)
		}
	}
	if text > maxInterimText || text < maxInterimText-20_000 || fields != text/10_000 || len(k.xs[0].Interim) != 40 {
		t.Errorf("%d responses, %d fields and %d bytes of text are kept, want at most %d", len(k.xs[0].Interim), fields, text, maxInterimText)
	}
}

// What was not acknowledged when its run was forgotten counts as read: the bound errs on the side of the server.
func TestRunsForgotten(t *testing.T) {
	k := &keeper{}
	p := newPlayer(t, k, &Pool{}, false)
	p.line("> request PUT /up HTTP/1.1 | Host: a | Transfer-Encoding: chunked | Expect: 100-continue")
	for range maxRuns + 10 {
		p.line("> chunk 1 3")
	}
	p.line("< final 1 HTTP/1.1 403 Forbidden | Content-Length: 0 [ack 79]")
	p.line("> done 1 fin")
	p.line("< done 1 fin")
	if b := &k.xs[0].ReqBody; b.Read != 30 || b.Crossing != 3*maxRuns {
		t.Errorf("read %d, crossing %d, want 30, %d", b.Read, b.Crossing, 3*maxRuns)
	}
}

// The pool holds on to a bounded number of entries, and not to large buffers.
func TestPoolBounds(t *testing.T) {
	var p Pool
	for range maxFree + 10 {
		p.put(&entry{})
	}
	if len(p.free) != maxFree {
		t.Errorf("%d entries are kept, want %d", len(p.free), maxFree)
	}
	p.free = nil
	p.put(&entry{req: make([]byte, 0, maxSpare+1)})
	p.put(&entry{fin: make([]byte, 0, maxSpare+1)})
	p.put(&entry{account: account{runs: make([]run, 0, maxSpareRuns+1)}})
	if len(p.free) != 0 {
		t.Error("an entry with a large buffer is kept for reuse")
	}
	p.put(&entry{req: make([]byte, 10), account: account{runs: make([]run, 3), acked: 7}, kept: true})
	if e := p.get(); len(e.req) != 0 || cap(e.req) != 10 || len(e.runs) != 0 || e.acked != 0 || e.kept {
		t.Errorf("a used entry comes back as %+v", e)
	}
}

// prefixesOf are the prefix hashes of a body that came in the given pieces.
func prefixesOf(b []byte, pieces ...int) [3]uint32 {
	var h prefixHash
	var body analysis.RequestBody
	for _, n := range pieces {
		h.add(b[:n], &body)
		b = b[n:]
	}
	if len(b) > 0 {
		h.add(b, &body)
	}
	return body.Prefix
}

// Equal bodies have equal prefixes however they are cut; a difference shows from the prefix on that holds it.
func TestPrefixes(t *testing.T) {
	b := content(0, 5000)
	want := prefixesOf(b)
	for _, pieces := range [][]int{{1}, {64}, {63, 1, 1}, {512}, {4096}, {4095, 2}, slices.Repeat([]int{1}, 5000), slices.Repeat([]int{7}, 700)} {
		if got := prefixesOf(b, pieces...); got != want {
			t.Errorf("cut in %d pieces: %x, want %x", len(pieces), got, want)
		}
	}
	for _, c := range []struct {
		at, same int // the index that differs, how many prefixes do not hold it
	}{{0, 0}, {63, 0}, {64, 1}, {511, 1}, {512, 2}, {4095, 2}, {4096, 3}, {4999, 3}} {
		other := slices.Clone(b)
		other[c.at] ^= 1
		got := prefixesOf(other)
		for i := range got {
			if same := got[i] == want[i]; same != (i < c.same) {
				t.Errorf("bodies that differ at %d: prefix %d is the same: %v", c.at, i, same)
			}
		}
	}
	for n, known := range map[int]int{0: 0, 63: 0, 64: 1, 511: 1, 512: 2, 4095: 2, 4096: 3} {
		got := prefixesOf(b[:n])
		for i := range got {
			if got[i] != 0 != (i < known) || got[i] != 0 && got[i] != want[i] {
				t.Errorf("of %d bytes prefix %d is %x", n, i, got[i])
			}
		}
	}
}

// Where bytes are not at hand, the prefixes that hold them are not known.
func TestPrefixesBroken(t *testing.T) {
	for _, c := range []struct {
		name  string
		lines []string
		known int
	}{
		{"whole", []string{"> body 1 5000"}, 3},
		{"snapped at once", []string{"> snap 1 10", "> body 1 5000"}, 0},
		{"snapped behind 64", []string{"> body 1 100", "> snap 1 10", "> body 1 5000"}, 1},
		{"lost behind 512", []string{"> body 1 600", "> lost 1 10", "> body 1 5000"}, 2},
		{"never sent", []string{"> lost 1 10 unacked", "> body 1 5000"}, 0},
		{"snapped behind all", []string{"> body 1 4096", "> snap 1 10"}, 3},
	} {
		k := &keeper{wants: true}
		p := newPlayer(t, k, &Pool{}, false)
		p.line("> request PUT /up HTTP/1.1 | Host: a | Content-Length: 5000")
		for _, l := range c.lines {
			p.line(l)
		}
		p.line("> done 1 fin")
		p.line("< done 1 fin")
		for i, h := range k.xs[0].ReqBody.Prefix {
			if (h != 0) != (i < c.known) {
				t.Errorf("%s: prefix %d is %x", c.name, i, h)
			}
		}
	}
}

// An exchange that is kept only when its body is under way has no prefixes, not wrong ones.
func TestPrefixesOfLateKept(t *testing.T) {
	k := &keeper{}
	p := newPlayer(t, k, &Pool{}, false)
	for _, l := range []string{
		"> request PUT /up HTTP/1.1 | Host: a | Content-Length: 6000", "> body 1 1000",
		"< interim 1 HTTP/1.1 100 Continue", "> body 1 5000", "> done 1 complete",
		"< final 1 HTTP/1.1 200 OK | Content-Length: 0", "< done 1 complete",
	} {
		p.line(l)
	}
	if got := k.xs[0].ReqBody.Prefix; got != [3]uint32{} || k.xs[0].ID == "" {
		t.Errorf("prefixes %x of exchange %q", got, k.xs[0].ID)
	}
}

// One side that was never captured, and a connection joined in the middle, are doubts.
func TestMissingSide(t *testing.T) {
	k := &keeper{}
	p := newPlayer(t, k, &Pool{}, false)
	p.r.conn.Seen[reassembly.Reverse] = false
	p.r.conn.Start = reassembly.MidStream
	p.line("> request PUT /up HTTP/1.1 | Host: a | Content-Length: 1 | Expect: 100-continue [noack]")
	p.line("> done 1 fin")
	p.line("< done 1 idle")
	x := &k.xs[0]
	if len(x.Doubtful(analysis.PartFinal)) != 1 || x.Doubtful(analysis.PartFinal)[0].Kind != analysis.DoubtOneSided {
		t.Errorf("doubts of the final response: %+v", x.Doubtful(analysis.PartFinal))
	}
	if ds := x.Doubtful(analysis.PartHandshake); len(ds) != 1 || ds[0].Kind != analysis.DoubtMidStream {
		t.Errorf("doubts of the handshake: %+v", ds)
	}
}

// The direction of the requests can be told later; ids carry the prefix of their input.
func TestSetClient(t *testing.T) {
	j := &journal{}
	r := New(j, &Pool{}, newConn(), reassembly.Forward, "2:", true)
	p := &player{t: t, r: r, now: 1e9, next: 1}
	r.SetClient(reassembly.Reverse)
	p.line("< request PUT /up HTTP/1.1 | Host: a | Content-Length: 3")
	p.line("< body 1 3")
	p.line("< done 1 complete")
	p.line("> final 1 HTTP/1.1 200 OK | Content-Length: 0")
	p.line("> done 1 complete")
	if want := "opened 2:7/1 /up"; len(j.lines) == 0 || j.lines[0] != want {
		t.Fatalf("journal %q, want first %q", j.lines, want)
	}
	if want := "counted stream 1, 3 bytes sent"; j.lines[1] != want {
		t.Errorf("journal %q, want second %q", j.lines, want)
	}
}

// Streams of HTTP/2 that a hostile client does not open in their order are found all the same.
func TestStreamsOutOfOrder(t *testing.T) {
	k := &keeper{}
	p := newPlayer(t, k, &Pool{}, false)
	streams := []uint32{5, 1, 9, 3, 7}
	for _, s := range streams {
		h := p.head(reassembly.Forward, "PUT /up HTTP/1.1 | Host: a | Content-Length: 1 | Expect: 100-continue", allAcked)
		h.Stream = s
		p.r.Request(s, h)
	}
	for _, s := range streams {
		h := p.head(reassembly.Reverse, "HTTP/1.1 200 OK | Content-Length: 0", allAcked)
		h.Status = 200 + int(s)
		p.r.Response(s, h)
		p.r.Done(s, reassembly.Forward, analysis.EndedComplete, h.Last)
		p.r.Done(s, reassembly.Reverse, analysis.EndedComplete, h.Last)
	}
	if len(k.xs) != len(streams) {
		t.Fatalf("%d of %d streams got their answer", len(k.xs), len(streams))
	}
	for _, x := range k.xs {
		if x.Final == nil || x.Final.Status != 200+int(x.Stream) {
			t.Errorf("stream %d: %+v", x.Stream, x.Final)
		}
	}
}
