package http1

import (
	"path/filepath"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// FuzzMachine plays pieces in both directions: the first byte of each says its
// direction, whether it is a hole or sent blind; the second its length. Whatever comes: no panic, each message
// is over exactly once, no request has two finals (the journal checks).
func FuzzMachine(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(encode(parse(f, section(a, "conversation"))), false)
	}
	f.Add([]byte("\x00\x10GET / HTTP/1.1\r\n"), true)
	f.Fuzz(func(t *testing.T, b []byte, joined bool) {
		if len(b) > 1<<16 {
			return
		}
		run(t, decode(b), 0, -1, joined)
	})
}

const (
	fzReverse = 1 << iota
	fzBlind
	fzGap
	fzEnd
)

// encode writes a conversation in the fuzz target's form; long pieces are cut.
func encode(ps []piece) []byte {
	var out []byte
	for _, p := range ps {
		k := byte(0)
		if p.dir == reassembly.Reverse {
			k |= fzReverse
		}
		if p.blind {
			k |= fzBlind
		}
		switch {
		case p.end != reassembly.Open:
			out = append(out, k|fzEnd, 0)
		case p.gap > 0:
			out = append(out, k|fzGap, byte(min(p.gap, 255)))
		}
		for d := p.data; len(d) > 0; {
			n := min(len(d), 255)
			out = append(append(out, k, byte(n)), d[:n]...)
			d = d[n:]
		}
	}
	return out
}

// decode is the inverse of encode, for any bytes.
func decode(b []byte) []piece {
	var ps []piece
	var ended [2]bool
	for len(b) >= 2 {
		k, n := b[0], int(b[1])
		b = b[2:]
		p := piece{dir: reassembly.Dir(k & fzReverse), blind: k&fzBlind != 0}
		switch {
		case ended[p.dir]:
			continue
		case k&fzEnd != 0:
			p.end, ended[p.dir] = reassembly.Ending(1+n%5), true
		case k&fzGap != 0:
			if p.gap = uint64(n); n == 0 {
				continue
			}
			p.why = reassembly.Cause(k >> 4 & 1)
		default:
			n = min(n, len(b))
			p.data, b = b[:n], b[n:]
		}
		ps = append(ps, p)
	}
	return ps
}

// TestLongHead holds the bound on heads: a head without an end costs 64 KiB and is given up.
func TestLongHead(t *testing.T) {
	line := make([]byte, 0, 200<<10)
	line = append(line, "GET / HTTP/1.1\r\nX: "...)
	for len(line) < cap(line) {
		line = append(line, 'x')
	}
	j := newJournal(t)
	m := New(j, Options{})
	play(m, []piece{{data: line}}, 1000, -1)
	if len(j.lines) != 0 {
		t.Errorf("a head of %d bytes without an end: %v", len(line), j.lines)
	}
	if c := cap(m.req.buf); c > 2*maxHead {
		t.Errorf("the machine holds %d bytes of it", c)
	}
}

// TestQueueBound: requests that are never answered are given up one by one.
func TestQueueBound(t *testing.T) {
	j := newJournal(t)
	m := New(j, Options{})
	const n = maxOutstanding + 100
	ps := make([]piece, n)
	for i := range ps {
		ps[i].data = []byte("GET / HTTP/1.1\r\n\r\n")
	}
	play(m, ps, 0, -1)
	j.whole()
	if len(j.open) != n {
		t.Errorf("%d requests, want %d", len(j.open), n)
	}
}

// TestNoAllocation: a keep-alive exchange whose heads come whole costs no allocation.
func TestNoAllocation(t *testing.T) {
	m := New(nothing{}, Options{})
	req := &reassembly.Chunk{Data: []byte("GET /a/b HTTP/1.1\r\nHost: example.org\r\nUser-Agent: x\r\n\r\n")}
	resp := &reassembly.Chunk{Dir: reassembly.Reverse, Data: []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")}
	n := testing.AllocsPerRun(100, func() {
		m.Data(req)
		m.Data(resp)
	})
	if n != 0 {
		t.Errorf("%v allocations an exchange, want 0", n)
	}
}

// nothing ignores events.
type nothing struct{}

func (nothing) Request(uint32, *analysis.Head)                                             {}
func (nothing) Interim(uint32, *analysis.Head)                                             {}
func (nothing) Response(uint32, *analysis.Head)                                            {}
func (nothing) Orphan(uint32, *analysis.Head)                                              {}
func (nothing) Owed(uint32, uint32, analysis.Owed)                                         {}
func (nothing) Lost(uint32, reassembly.Dir, uint64, *reassembly.Gap)                       {}
func (nothing) Body(uint32, reassembly.Dir, []byte, uint64, reassembly.Mark, uint64, bool) {}
func (nothing) Done(uint32, reassembly.Dir, analysis.Ended, reassembly.Mark)               {}
func (nothing) Frame(uint32, reassembly.Dir, uint64, uint64)                               {}
func (nothing) Reset(uint32, analysis.StreamReset)                                         {}
func (nothing) Doubt(uint32, analysis.DoubtKind, analysis.Part, reassembly.Mark)           {}
