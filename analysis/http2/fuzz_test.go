package http2

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"expectscope/analysis"
	"expectscope/capture/script"
	"expectscope/reassembly"
)

// FuzzHTTP2 plays pieces in both directions: the first byte of each says its
// direction, whether it is a hole or sent blind; the second its length. Whatever comes: no panic, each message
// is over exactly once, no request has two finals, heads have the form of heads (the journal checks). How the
// octets were cut changes nothing but where frames are looked for behind a hole.
func FuzzHTTP2(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			f.Fatal(err)
		}
		o := options(a)
		f.Add(encode(parse(f, string(a.Files[0].Data))), o.Joined, o.Upgraded)
	}
	f.Fuzz(func(t *testing.T, b []byte, joined, upgraded bool) {
		if len(b) > 1<<16 {
			return
		}
		ps := decode(b)
		o := Options{Joined: joined, Upgraded: upgraded && !joined}
		whole := run(t, ps, 0, -1, o)
		cut := run(t, ps, 3, -1, o)
		for _, p := range ps {
			if p.gap > 0 || joined {
				return
			}
		}
		if a, b := strings.Join(whole.lines, "\n"), strings.Join(cut.lines, "\n"); a != b {
			t.Errorf("whole:\n%s\ncut:\n%s", a, b)
		}
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
			out = append(out, k|fzEnd, byte(p.end-1))
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

func frames(t testing.TB, dir reassembly.Dir, lines ...string) piece {
	p := piece{dir: dir}
	for _, l := range lines {
		b, err := script.Frame(l)
		if err != nil {
			t.Fatal(err)
		}
		p.data = append(p.data, b...)
	}
	return p
}

// What a peer can make us keep is bounded, and said when the bound is hit.
func TestBounds(t *testing.T) {
	t.Run("streams", func(t *testing.T) {
		ps := []piece{frames(t, reassembly.Forward, "preface")}
		for i := range maxStreams + 10 {
			ps = append(ps, frames(t, reassembly.Forward, fmt.Sprintf("HEADERS %d END_STREAM | :method: GET | :path: /", 2*i+1)))
		}
		j := run(t, ps, 0, -1, Options{})
		if len(j.open) != maxStreams+10 || !said(j, "limit HTTP/2 streams") || !said(j, "1 doubt evicted") {
			t.Errorf("%d streams, %q", len(j.open), j.lines[len(j.lines)-3:])
		}
	})
	t.Run("rapid reset", func(t *testing.T) { // CVE-2023-44487: resets make room without doubt
		ps := []piece{frames(t, reassembly.Forward, "preface")}
		for i := range maxStreams + 10 {
			ps = append(ps, frames(t, reassembly.Forward,
				fmt.Sprintf("HEADERS %d END_STREAM | :method: GET | :path: /", 2*i+1), fmt.Sprintf("RST_STREAM %d CANCEL", 2*i+1)))
		}
		if j := run(t, ps, 0, -1, Options{}); said(j, "1 doubt") {
			t.Error("a stream that was reset is in doubt")
		}
	})
	t.Run("list", func(t *testing.T) {
		long := strings.Repeat("x", 30000)
		j := run(t, []piece{frames(t, reassembly.Forward, "preface",
			"HEADERS 1 END_STREAM | :method: GET | :path: / | a: "+long+" | b: "+long+" | c: "+long+" | d: e")}, 0, -1, Options{})
		if !said(j, "limit HTTP/2 field lists") || !said(j, "1 doubt evicted") || len(j.lines[0]) > maxList+100 {
			t.Errorf("a list of 90,000 octets: %.100q, %d", j.lines, len(j.lines[0]))
		}
	})
	t.Run("block", func(t *testing.T) {
		ps := []piece{frames(t, reassembly.Forward, "preface", "HEADERS 1 MORE END_STREAM | :method: GET | :path: /")}
		for range 200 {
			ps = append(ps, frames(t, reassembly.Forward, "CONTINUATION 1 MORE | a: "+strings.Repeat("x", 1000)))
		}
		ps = append(ps, frames(t, reassembly.Forward, "CONTINUATION 1"))
		j := newJournal(t)
		m := New(j, Options{Limit: func(name string) { j.say("limit %s", name) }})
		play(m, ps, 0, -1)
		if !said(j, "limit HTTP/2 field lists") || cap(m.req.fields.b) > 2*maxBlock {
			t.Errorf("%.200q, %d octets are kept", j.lines, cap(m.req.fields.b))
		}
	})
	t.Run("table", func(t *testing.T) {
		ps := []piece{frames(t, reassembly.Forward, "preface"), {data: []byte("\x00\x00\x07\x01\x05\x00\x00\x00\x01\x3f\xe1\xff\x7f\x82\x84\x86")}}
		if j := run(t, ps, 0, -1, Options{}); !said(j, "limit HTTP/2 field tables") {
			t.Errorf("a table of 2 MiB: %q", j.lines)
		}
	})
}

func said(j *journal, prefix string) bool {
	for _, l := range j.lines {
		if strings.HasPrefix(l, prefix) {
			return true
		}
	}
	return false
}

// TestNoAllocation: DATA frames cost no allocation, nor does a request whose fields are in the table.
func TestNoAllocation(t *testing.T) {
	m := New(nothing{}, Options{})
	up := func(lines ...string) *reassembly.Chunk {
		return &reassembly.Chunk{Data: frames(t, reassembly.Forward, lines...).data}
	}
	m.Data(up("preface", "HEADERS 1 | :method: PUT | :path: /"))
	data := up("DATA 1 3000", "DATA 1 100 pad=8", "WINDOW_UPDATE 0 7")
	head, tail := *data, *data
	head.Data, tail.Data = data.Data[:1460], data.Data[1460:]
	if n := testing.AllocsPerRun(100, func() {
		m.Data(data)
		m.Data(&head)
		m.Data(&tail)
	}); n != 0 {
		t.Errorf("%v allocations for DATA frames, want 0", n)
	}
	req := up("HEADERS 3 END_STREAM | :method: GET | :path: / | a: b")
	resp := &reassembly.Chunk{Dir: reassembly.Reverse, Data: frames(t, reassembly.Reverse, "HEADERS 3 END_STREAM | :status: 200 | c: d").data}
	id := byte(3)
	if n := testing.AllocsPerRun(50, func() {
		req.Data[8], resp.Data[8] = id, id
		id += 2
		m.Data(req)
		m.Data(resp)
	}); n != 0 {
		t.Errorf("%v allocations an exchange, want 0", n)
	}
}

// BenchmarkData is a body of 16 KiB frames in segments of 1,460 octets.
func BenchmarkData(b *testing.B) {
	m := New(nothing{}, Options{})
	m.Data(&reassembly.Chunk{Data: frames(b, reassembly.Forward, "preface", "HEADERS 1 | :method: PUT | :path: /").data})
	all := frames(b, reassembly.Forward, "DATA 1 16384").data
	b.SetBytes(int64(len(all)))
	for b.Loop() {
		for rest := all; len(rest) > 0; {
			n := min(1460, len(rest))
			m.Data(&reassembly.Chunk{Data: rest[:n]})
			rest = rest[n:]
		}
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
func (nothing) Frame(uint32, reassembly.Dir, uint64, uint64)                               {}
func (nothing) Reset(uint32, analysis.StreamReset)                                         {}
func (nothing) Done(uint32, reassembly.Dir, analysis.Ended, reassembly.Mark)               {}
func (nothing) Doubt(uint32, analysis.DoubtKind, analysis.Part, reassembly.Mark)           {}
