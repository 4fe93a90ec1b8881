package http1

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

var update = flag.Bool("update", false, "write the events of testdata/*.txtar anew")

// A piece is a line of a conversation: bytes in a direction, a hole, or an end.
//
//	> PUT /up HTTP/1.1 | Host: a      a head: " | " is a line end, an empty line is added
//	< "raw\r\n"                       bytes as a Go string
//	> body 5000                       content
//	> [blind] …                       sent before the last answers had arrived
//	> gap 100    > snap 100           bytes that are missing
//	> fin    < rst                    the direction's end
type piece struct {
	dir   reassembly.Dir
	data  []byte
	blind bool
	gap   uint64
	why   reassembly.Cause
	end   reassembly.Ending
}

func parse(t testing.TB, text string) []piece {
	t.Helper()
	var ps []piece
	for n, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		p := piece{}
		switch line[0] {
		case '>':
		case '<':
			p.dir = reassembly.Reverse
		default:
			t.Fatalf("line %d: want > or <: %s", n+1, line)
		}
		rest := strings.TrimSpace(line[1:])
		rest, p.blind = strings.CutPrefix(rest, "[blind] ")
		word, arg, _ := strings.Cut(rest, " ")
		size, _ := strconv.ParseUint(arg, 10, 62)
		switch {
		case rest == "fin":
			p.end = reassembly.FIN
		case rest == "rst":
			p.end = reassembly.RST
		case word == "gap":
			p.gap = size
		case word == "snap":
			p.gap, p.why = size, reassembly.Snapped
		case word == "body":
			p.data = []byte(strings.Repeat("x", int(size)))
		case rest[0] == '"':
			s, err := strconv.Unquote(rest)
			if err != nil {
				t.Fatalf("line %d: %v", n+1, err)
			}
			p.data = []byte(s)
		default:
			p.data = []byte(strings.ReplaceAll(rest, " | ", "\r\n") + "\r\n\r\n")
		}
		ps = append(ps, p)
	}
	return ps
}

// play feeds pieces to a layer; size cuts them into segments, 0: one each. lose is the index of a segment that becomes a hole.
func play(l reassembly.Layer, ps []piece, size, lose int) {
	var off, acked [2]uint64
	var ended [2]bool
	num, seg := capture.Num(0), 0
	mark := func(d reassembly.Dir, blind bool) reassembly.Mark {
		if !blind {
			acked[d] = off[d.Other()]
		}
		num++
		return reassembly.Mark{Time: int64(num) * 1e6, Packet: num, Off: off[d], Acked: acked[d]}
	}
	for _, p := range ps {
		if p.end != reassembly.Open {
			ended[p.dir] = true
			l.End(&reassembly.End{Dir: p.dir, At: mark(p.dir, p.blind), How: p.end, Sender: true})
			continue
		}
		if p.gap > 0 {
			off[p.dir] += p.gap
			l.Gap(&reassembly.Gap{Dir: p.dir, At: mark(p.dir, p.blind), Len: p.gap, Why: p.why, Acked: true})
			continue
		}
		for b := p.data; len(b) > 0; seg++ {
			n := len(b)
			if size > 0 {
				n = min(n, size)
			}
			off[p.dir] += uint64(n)
			m := mark(p.dir, p.blind)
			if seg == lose {
				l.Gap(&reassembly.Gap{Dir: p.dir, At: m, Len: uint64(n), Acked: true})
			} else {
				l.Data(&reassembly.Chunk{Dir: p.dir, Mark: m, Data: slices.Clone(b[:n])})
			}
			b = b[n:]
		}
	}
	for d := range ended {
		if !ended[d] {
			l.End(&reassembly.End{Dir: reassembly.Dir(d), At: mark(reassembly.Dir(d), false), How: reassembly.CaptureEnd})
		}
	}
}

// journal writes events down, content of a message summed up.
type journal struct {
	t      testing.TB
	lines  []string
	bodies map[string]uint64
	open   map[uint32][2]bool // requests: which directions are done
	final  map[uint32]bool
	gone   map[uint32]bool
}

func newJournal(t testing.TB) *journal {
	return &journal{t: t, bodies: map[string]uint64{}, open: map[uint32][2]bool{}, final: map[uint32]bool{}, gone: map[uint32]bool{}}
}

func (j *journal) say(format string, args ...any) {
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func arrow(d reassembly.Dir) string { return [...]string{">", "<"}[d] }

func (j *journal) Request(s uint32, h *analysis.Head) {
	if _, ok := j.open[s]; ok {
		j.t.Errorf("stream %d opened twice", s)
	}
	j.open[s] = [2]bool{}
	j.say("%d request %s %s %s %s %d%s", s, h.Method, h.Target, h.Version, h.Framing, h.Length, flags(h))
}

func flags(h *analysis.Head) string {
	s := ""
	if h.Close {
		s += " close"
	}
	if h.Expect {
		s += " expect"
	}
	return s
}

func (j *journal) Interim(s uint32, h *analysis.Head) {
	j.say("%d interim %d %q", s, h.Status, h.Reason)
}

func (j *journal) Response(s uint32, h *analysis.Head) {
	if j.final[s] {
		j.t.Errorf("stream %d has two finals", s)
	}
	j.final[s] = true
	j.say("%d final %d %q %s %d%s", s, h.Status, h.Reason, h.Framing, h.Length, flags(h))
}

func (j *journal) Orphan(after uint32, h *analysis.Head) {
	j.say("orphan %d behind %d", h.Status, after)
}

func (j *journal) Body(s uint32, d reassembly.Dir, b []byte, n uint64, _ reassembly.Mark, _ uint64, _ bool) {
	if b != nil && uint64(len(b)) != n {
		j.t.Errorf("stream %d: %d bytes said to be %d", s, len(b), n)
	}
	j.bodies[fmt.Sprintf("%d %s", s, arrow(d))] += n
}

func (j *journal) Lost(s uint32, d reassembly.Dir, n uint64, _ *reassembly.Gap) {
	j.say("%d %s lost %d", s, arrow(d), n)
}

func (j *journal) Owed(s, next uint32, o analysis.Owed) {
	j.say("%d owed %d: client %s %s, server %s %s, next %d", s, o.Bytes, o.Client, o.ClientSure, o.Server, o.ServerSure, next)
	if o.Client == analysis.ReadAsBody {
		for k := range j.open {
			if k >= next {
				delete(j.open, k)
				j.say("%d taken back", k)
			}
		}
	}
}

func (j *journal) Done(s uint32, d reassembly.Dir, how analysis.Ended, _ reassembly.Mark) {
	o, ok := j.open[s]
	if !ok || o[d] {
		j.t.Errorf("stream %d %s done out of turn", s, arrow(d))
	}
	o[d] = true
	j.open[s] = o
	k := fmt.Sprintf("%d %s", s, arrow(d))
	word := how.String()
	if how == analysis.EndedNot {
		word = "unfinished"
	}
	j.say("%s %s, %d bytes", k, word, j.bodies[k])
}

func (j *journal) Frame(uint32, reassembly.Dir, uint64, uint64) { j.t.Error("a frame in HTTP/1.x") }

func (j *journal) Reset(uint32, analysis.StreamReset) { j.t.Error("a stream reset in HTTP/1.x") }

func (j *journal) Doubt(s uint32, k analysis.DoubtKind, p analysis.Part, _ reassembly.Mark) {
	j.say("%d doubt %s %b", s, k, p)
}

// whole checks what holds of every conversation: each message is over in the end.
func (j *journal) whole() {
	for s, d := range j.open {
		if !d[0] || !d[1] {
			j.t.Errorf("stream %d is not over: %v", s, d)
		}
	}
}

// run plays a conversation and returns its journal.
func run(t testing.TB, ps []piece, size, lose int, joined bool) *journal {
	j := newJournal(t)
	var o Options
	o.Joined = joined
	o.Opaque = func(kind string) { j.say("opaque %s", kind) }
	o.Switch = func(next uint32) reassembly.Layer {
		j.say("tunnel, next %d", next)
		o.Next = next
		return New(j, o)
	}
	play(New(j, o), ps, size, lose)
	j.whole()
	return j
}

// TestConversations plays testdata/*.txtar whole, byte by byte and with each segment lost.
func TestConversations(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no conversations: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			ps := parse(t, section(a, "conversation"))
			joined := strings.Contains(string(a.Comment), "joined")
			got := strings.Join(run(t, ps, 0, -1, joined).lines, "\n") + "\n"
			if *update {
				setSection(a, "events", got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(section(a, "events"), got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if !joined && !strings.Contains(string(a.Comment), "segments matter") {
				for _, size := range []int{1, 7} {
					small := strings.Join(run(t, ps, size, -1, false).lines, "\n") + "\n"
					if diff := cmp.Diff(got, small); diff != "" {
						t.Errorf("in segments of %d (-whole +cut):\n%s", size, diff)
					}
				}
			}
			for lose := range 64 {
				run(t, ps, 0, lose, joined)
				run(t, ps, 11, lose, joined)
			}
		})
	}
}

func section(a *txtar.Archive, name string) string {
	for _, f := range a.Files {
		if f.Name == name {
			return string(f.Data)
		}
	}
	return ""
}

func setSection(a *txtar.Archive, name, text string) {
	for i := range a.Files {
		if a.Files[i].Name == name {
			a.Files[i].Data = []byte(text)
			return
		}
	}
	a.Files = append(a.Files, txtar.File{Name: name, Data: []byte(text)})
}
