package http2

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/capture/script"
	"expectscope/reassembly"
)

var update = flag.Bool("update", false, "write the events of testdata/*.txtar anew")

// A piece is a line of a conversation: octets in a direction, a hole, an end, or time.
//
//	> h2 HEADERS 1 | :method: GET     a frame as package script writes it
//	> "raw"                           octets as a Go string
//	> [blind] …                       sent before the last answers had arrived
//	> [cork] …                        goes out in one piece with the line behind it
//	> gap 100    > snap 100           octets that are missing
//	> fin    < rst                    the direction's end
//	@3s                               time passes
type piece struct {
	dir   reassembly.Dir
	data  []byte
	blind bool
	gap   uint64
	why   reassembly.Cause
	end   reassembly.Ending
	pause time.Duration
}

func parse(t testing.TB, text string) []piece {
	t.Helper()
	var ps []piece
	var corked []byte
	for n, line := range strings.Split(strings.TrimSpace(text), "\n") {
		if strings.HasPrefix(line, "#") || line == "" {
			continue
		}
		p := piece{}
		var err error
		switch line[0] {
		case '>':
		case '<':
			p.dir = reassembly.Reverse
		case '@':
			if p.pause, err = time.ParseDuration(line[1:]); err != nil {
				t.Fatalf("line %d: %v", n+1, err)
			}
			ps = append(ps, p)
			continue
		default:
			t.Fatalf("line %d: want > or <: %s", n+1, line)
		}
		rest := strings.TrimSpace(line[1:])
		rest, p.blind = strings.CutPrefix(rest, "[blind] ")
		rest, cork := strings.CutPrefix(rest, "[cork] ")
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
		case word == "h2":
			p.data, err = script.Frame(arg)
		default:
			var s string
			s, err = strconv.Unquote(rest)
			p.data = []byte(s)
		}
		if err != nil {
			t.Fatalf("line %d: %v", n+1, err)
		}
		if cork {
			corked = append(corked, p.data...)
			continue
		}
		if len(corked) > 0 {
			p.data, corked = append(corked, p.data...), nil
		}
		ps = append(ps, p)
	}
	return ps
}

// play feeds pieces to a layer; size cuts them into segments, 0: one each. lose is the index of a segment that becomes a hole.
func play(l reassembly.Layer, ps []piece, size, lose int) {
	var off, acked [2]uint64
	var ended [2]bool
	num, seg, now := capture.Num(0), 0, int64(0)
	mark := func(d reassembly.Dir, blind bool) reassembly.Mark {
		if !blind {
			acked[d] = off[d.Other()]
		}
		num++
		now += int64(time.Millisecond)
		return reassembly.Mark{Time: now, Packet: num, Off: off[d], Acked: acked[d]}
	}
	for _, p := range ps {
		now += int64(p.pause)
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
	t     testing.TB
	lines []string
	sums  map[string][3]uint64 // content, flow, wire of a message
	open  map[uint32][2]bool   // requests: which directions are done
	final map[uint32]bool
}

func newJournal(t testing.TB) *journal {
	return &journal{t: t, sums: map[string][3]uint64{}, open: map[uint32][2]bool{}, final: map[uint32]bool{}}
}

func (j *journal) say(format string, args ...any) {
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func arrow(d reassembly.Dir) string { return [...]string{">", "<"}[d] }

func message(s uint32, d reassembly.Dir) string { return fmt.Sprintf("%d %s", s, arrow(d)) }

// known fails the test when a stream is spoken of that is not open in a direction.
func (j *journal) known(s uint32, d reassembly.Dir, what string) {
	if o, ok := j.open[s]; !ok || o[d] {
		j.t.Errorf("%s of stream %d %s, which is not open", what, s, arrow(d))
	}
}

// text is a head on one line, and fails the test when it has not the form of one.
func (j *journal) text(h *analysis.Head) string {
	text := string(h.Text)
	if !strings.HasSuffix(text, "\r\n\r\n") || strings.Contains(strings.TrimSuffix(text, "\r\n\r\n"), "\r\n\r\n") || h.Stream == 0 {
		j.t.Errorf("a head of stream %d is no head: %q", h.Stream, text)
	}
	return strings.ReplaceAll(strings.TrimSuffix(text, "\r\n\r\n"), "\r\n", " | ")
}

func (j *journal) Request(s uint32, h *analysis.Head) {
	if _, ok := j.open[s]; ok {
		j.t.Errorf("stream %d opened twice", s)
	}
	j.open[s] = [2]bool{}
	expect := ""
	if h.Expect {
		expect = " expect"
	}
	j.say("%d request %s %d%s: %s", s, h.Framing, h.Length, expect, j.text(h))
}

func (j *journal) Interim(s uint32, h *analysis.Head) {
	j.known(s, reassembly.Reverse, "interim")
	if j.final[s] {
		j.t.Errorf("an interim response behind the final one of %d", s)
	}
	end := ""
	if h.EndStream {
		end = " end"
	}
	j.say("%d interim%s: %s", s, end, j.text(h))
}

func (j *journal) Response(s uint32, h *analysis.Head) {
	j.known(s, reassembly.Reverse, "response")
	if j.final[s] {
		j.t.Errorf("stream %d has two finals", s)
	}
	j.final[s] = true
	j.say("%d final %s %d: %s", s, h.Framing, h.Length, j.text(h))
}

func (j *journal) Orphan(after uint32, h *analysis.Head) {
	j.say("orphan behind %d: %s", after, j.text(h))
}

func (j *journal) Body(s uint32, d reassembly.Dir, b []byte, n uint64, _ reassembly.Mark, _ uint64, _ bool) {
	j.known(s, d, "content")
	if b != nil && uint64(len(b)) != n {
		j.t.Errorf("stream %d: %d octets said to be %d", s, len(b), n)
	}
	sum := j.sums[message(s, d)]
	sum[0] += n
	j.sums[message(s, d)] = sum
}

func (j *journal) Frame(s uint32, d reassembly.Dir, flow, wire uint64) {
	j.known(s, d, "frame")
	sum := j.sums[message(s, d)]
	sum[1] += flow
	sum[2] += wire
	if wire != flow+9 {
		j.t.Errorf("stream %d: a frame of %d octets with %d of payload", s, wire, flow)
	}
	j.sums[message(s, d)] = sum
}

func (j *journal) Reset(s uint32, r analysis.StreamReset) {
	if _, ok := j.open[s]; !ok {
		j.t.Errorf("stream %d is reset, which is not open", s)
	}
	more := ""
	if r.NotProcessed {
		more += ", not processed"
	}
	if r.GoAway {
		more += ", goaway"
	}
	j.say("%d %s reset %s%s", s, arrow(r.Dir), r, more)
}

func (j *journal) Lost(s uint32, d reassembly.Dir, n uint64, _ *reassembly.Gap) {
	j.known(s, d, "loss")
	j.say("%d %s lost %d", s, arrow(d), n)
}

func (j *journal) Owed(s, _ uint32, _ analysis.Owed) { j.t.Errorf("stream %d owes a body", s) }

func (j *journal) Done(s uint32, d reassembly.Dir, how analysis.Ended, _ reassembly.Mark) {
	j.known(s, d, "end")
	o := j.open[s]
	o[d] = true
	j.open[s] = o
	word := how.String()
	if how == analysis.EndedNot {
		word = "unfinished"
	}
	k := message(s, d)
	sum := j.sums[k]
	j.say("%s %s, %d octets, flow %d, wire %d", k, word, sum[0], sum[1], sum[2])
}

func (j *journal) Doubt(s uint32, k analysis.DoubtKind, p analysis.Part, _ reassembly.Mark) {
	if _, ok := j.open[s]; !ok {
		j.t.Errorf("a doubt of stream %d, which is not open", s)
	}
	j.say("%d doubt %s %b", s, k, p)
}

// run plays a conversation and returns its journal, in which each message is over in the end.
func run(t testing.TB, ps []piece, size, lose int, o Options) *journal {
	j := newJournal(t)
	o.Opaque = func(kind string) { j.say("opaque %s", kind) }
	o.Limit = func(name string) { j.say("limit %s", name) }
	o.Unread = func(reassembly.Mark) { j.say("a request that cannot be read") }
	if o.Upgraded {
		j.open[o.Base+1] = [2]bool{true, false}
	}
	m := New(j, o)
	play(m, ps, size, lose)
	for s, d := range j.open {
		if !d[0] || !d[1] {
			t.Errorf("stream %d is not over: %v", s, d)
		}
	}
	if m.Busy() {
		t.Error("the machine is busy behind the end")
	}
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
			if err != nil || len(a.Files) == 0 {
				t.Fatalf("no conversation: %v", err)
			}
			ps := parse(t, string(a.Files[0].Data))
			o := options(a)
			got := strings.Join(run(t, ps, 0, -1, o).lines, "\n") + "\n"
			if *update {
				a.Files = append(a.Files[:1], txtar.File{Name: "events", Data: []byte(got)})
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(a.Files[1].Data), got); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
			if !o.Joined && !strings.Contains(string(a.Comment), "segments matter") {
				for _, size := range []int{1, 7} {
					small := strings.Join(run(t, ps, size, -1, o).lines, "\n") + "\n"
					if diff := cmp.Diff(got, small); diff != "" {
						t.Errorf("in segments of %d (-whole +cut):\n%s", size, diff)
					}
				}
			}
			for lose := range 64 {
				run(t, ps, 0, lose, o)
				run(t, ps, 11, lose, o)
			}
		})
	}
}

func options(a *txtar.Archive) Options {
	return Options{
		Joined:   strings.Contains(string(a.Comment), "joined"),
		Upgraded: strings.Contains(string(a.Comment), "upgraded"),
	}
}
