package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

// Ladder draws an exchange in time, top to bottom: the client on the left, the server on the right, an arrow for each message head
// and the request body, silences with their length, and how it ended. next is drawn below it: the exchange that repeats it, or the same one behind
// the proxy; or nil. Times count from the end of the request head; # numbers are frames. The lines hold no colour and
// none is wider than width, which should be 60 to 100 columns.
func Ladder(x, next *analysis.Exchange, width int) []string {
	steps := ladderSteps(x)
	if next != nil {
		steps = append(steps, nextSteps(x, next)...)
	} else if s := unrepeated(x); s != "" {
		steps = append(steps, step{kind: note, label: s, at: lastTime(steps), until: lastTime(steps)})
	}
	return draw(x, steps, width)
}

// draw draws the steps of an exchange and what belongs to it.
func draw(x *analysis.Exchange, steps []step, width int) []string {
	l := ladder{base: x.Request.Last.Time, width: width}
	for i := range steps {
		l.frames = max(l.frames, len(steps[i].frame()))
	}
	l.inner = max(width-l.gutter()-2-1-l.frames, 10)
	l.ends(x)
	now := x.Request.Last.Time
	for i := range steps {
		s := &steps[i]
		if s.at-now >= silence && s.kind != hang {
			l.row("", "┆", center(span(s.at-now), l.inner), "")
		}
		l.step(s)
		now = max(now, s.until)
	}
	return l.lines
}

// silence is from when on a pause is drawn: below it a client did not wait.
const silence = analysis.NoWait

type stepKind uint8

const (
	head stepKind = iota // a message head, an arrow
	body                 // content, a broad arrow
	note                 // something about the exchange, no arrow
	hang                 // the wait that never ended
)

// A step is one row of a ladder.
type step struct {
	kind      stepKind
	from      side
	at, until int64
	// label may be shortened, tail is kept.
	label, tail string
	packet      capture.Num
}

type side uint8

const (
	client side = iota
	server
)

func (s *step) frame() string {
	if s.packet == 0 {
		return ""
	}
	return "#" + strconv.FormatUint(s.packet.Frame(), 10)
}

func at(m reassembly.Mark, kind stepKind, from side, label, tail string) step {
	return step{kind: kind, from: from, at: m.Time, until: m.Time, label: Safe(label), tail: Safe(tail), packet: m.Packet}
}

func lastTime(steps []step) int64 {
	t := steps[0].until
	for i := range steps {
		t = max(t, steps[i].until)
	}
	return t
}

// ladderSteps lists what happened in an exchange in the order of time.
func ladderSteps(x *analysis.Exchange) []step {
	m := &x.Request
	tail := ""
	if v, ok := m.Expect(); ok {
		tail = "  Expect: " + v
	}
	steps := []step{at(m.Last, head, client, m.Method+" "+m.Target, cutEnd(Safe(tail), 32))}
	for i := range x.Interim {
		steps = append(steps, at(x.Interim[i].Last, head, server, statusLine(&x.Interim[i]), ""))
	}
	steps = append(steps, bodySteps(x)...)
	if f := x.Final; f != nil {
		tail := ""
		if f.Close {
			tail = ", then close"
		}
		steps = append(steps, at(f.Last, head, server, statusLine(f), tail))
		if b := &x.ReqBody; b.Sent == 0 && !b.Complete && b.Framing != analysis.FramingNone && b.Framing != analysis.FramingTunnel {
			steps = append(steps, at(f.Last, note, client, "body withheld"+ofDeclared(x), ""))
		}
	}
	for _, r := range x.Sequel().Resets {
		steps = append(steps, resetStep(x, &r))
	}
	for d := range reassembly.Dir(2) {
		if s, ok := endStep(x, d); ok {
			steps = append(steps, s)
		}
	}
	slices.SortStableFunc(steps, func(a, b step) int {
		return cmp.Or(cmp.Compare(a.at, b.at), cmp.Compare(a.packet, b.packet))
	})
	if who := x.Waiting(); who != "" {
		steps = append(steps, step{kind: hang, at: x.At, until: x.At, label: "still waiting for the " + who + " after " + span(x.At-x.LastActivity.Time)})
	}
	return steps
}

// bodySteps draws the body as one bar, and what was sent in knowledge of the final response as a second.
func bodySteps(x *analysis.Exchange) []step {
	b := &x.ReqBody
	if b.Sent == 0 {
		return nil
	}
	var steps []step
	if n := b.Sent - b.Tail; n > 0 {
		s := at(b.First, body, client, "body: "+grouped(n), "")
		if n < x.N() {
			s.label += " of " + grouped(x.N())
		}
		s.label += " bytes"
		if b.Tail == 0 {
			s.until = b.Last.Time
			if took := b.Last.Time - b.First.Time; took > 0 {
				s.label += " in " + span(took)
			}
		}
		steps = append(steps, s)
	}
	if b.Tail > 0 {
		steps = append(steps, at(b.Last, body, client, "body: "+grouped(b.Tail)+" bytes after the final response", ""))
	}
	return steps
}

func statusLine(m *analysis.Message) string {
	return strings.TrimSuffix(strconv.Itoa(m.Status)+" "+m.Reason, " ")
}

// ofDeclared is the declared length behind a colon, nothing when unknown.
func ofDeclared(x *analysis.Exchange) string {
	if n := x.N(); n > 0 {
		return ": " + counted(n, "byte", "bytes")
	}
	return ""
}

// resetStep is the end of the exchange's stream alone (RFC 9113, Sections 6.4 and 6.8).
func resetStep(x *analysis.Exchange, r *analysis.StreamReset) step {
	from, label := client, "RST_STREAM "
	if r.Dir != x.Client {
		from = server
	}
	if r.GoAway {
		label = "GOAWAY "
	}
	tail := ""
	if r.NotProcessed {
		tail = ", not processed"
	}
	return at(r.At, head, from, label+r.String(), tail)
}

// endStep is the end of a direction of the connection, if it belongs to this exchange.
func endStep(x *analysis.Exchange, d reassembly.Dir) (step, bool) {
	e := x.End(d)
	if e.At.Packet == 0 || x.NextHead.Packet != 0 && e.At.Time >= x.NextHead.Time || e.At.Time < x.Request.First.Time {
		return step{}, false
	}
	from := client
	if d != x.Client {
		from = server
	}
	switch {
	case e.How == reassembly.FIN:
		return at(e.At, head, from, "FIN", ""), true
	case e.How == reassembly.RST && e.Sender:
		return at(e.At, head, from, "RST", ""), true
	}
	return step{}, false
}

// nextSteps are those of the exchange that repeats x, or of the one behind the proxy, under a note that says what it is.
func nextSteps(x, next *analysis.Exchange) []step {
	steps := ladderSteps(next)
	text := "repeated on the same connection"
	if l, _ := x.HopTo(analysis.Behind); l.To == next.ID {
		text = "behind the proxy: " + endpoint(next.Conn.Addr(next.Client)) + " -> " + endpoint(next.Conn.Addr(next.ServerDir()))
	} else if next.Conn.First != x.Conn.First {
		text = "repeated on a new connection, from " + endpoint(next.Conn.Addr(next.Client))
	} else if o := x.Owed; o != nil && o.Bytes > 0 {
		text += ", " + counted(o.Bytes, "byte", "bytes") + " still owed"
	}
	return append([]step{{kind: note, at: steps[0].at, until: steps[0].at, label: text}}, steps...)
}

// unrepeated says of a refused expectation without a repeat what is known about one.
func unrepeated(x *analysis.Exchange) string {
	switch x.Retry().Outcome {
	case analysis.RetryNone:
		return "never repeated"
	case analysis.RetryUnknown:
		return "whether it was repeated cannot be seen"
	case analysis.RetrySameConn, analysis.RetryNewConn:
		return "repeated as " + Safe(x.Retry().By)
	}
	return ""
}

// ladder is a drawing in progress.
type ladder struct {
	lines  []string
	base   int64
	width  int
	inner  int // columns between the two lines
	frames int // columns of the frame numbers
}

// gutter is the columns of the times, left of the drawing.
func (l *ladder) gutter() int { return 12 }

// row adds a line: the time, the two sides, what is between them, the frame.
func (l *ladder) row(time, edge, between, frame string) {
	line := strings.Repeat(" ", max(0, l.gutter()-2-len(time))) + time + "  " + edge + pad(between, l.inner) + edge + " " + frame
	l.lines = append(l.lines, cutEnd(strings.TrimRight(line, " "), l.width))
}

// ends adds the head of the drawing: who is on which side.
func (l *ladder) ends(x *analysis.Exchange) {
	c, s := endpoint(x.Conn.Addr(x.Client)), endpoint(x.Conn.Addr(x.ServerDir()))
	c, s = "client "+c, s+" server"
	if room := l.inner + 2; len(c)+len(s)+1 > room {
		c, s = shorten(c, (room-1)/2), shorten(s, (room-1)/2)
	}
	gap := max(1, l.inner+2-ansi.StringWidth(c)-ansi.StringWidth(s))
	l.lines = append(l.lines, cutEnd(strings.Repeat(" ", l.gutter())+c+strings.Repeat(" ", gap)+s, l.width))
}

// step adds the row of a step.
func (l *ladder) step(s *step) {
	when := span(s.at - l.base)
	switch s.kind {
	case note:
		l.row("", "│", "  "+shorten(s.label, l.inner-4), "")
		return
	case hang:
		l.row("", "┆", center(shorten(s.label, l.inner-2), l.inner), "")
		return
	}
	line := "─"
	if s.kind == body {
		line = "═"
	}
	tail := shorten(s.tail, l.inner/2)
	label := " " + shorten(s.label, max(l.inner-6-ansi.StringWidth(tail), 1)) + tail + " "
	fill := max(1, l.inner-2-ansi.StringWidth(label))
	if s.from == client {
		l.row(when, "│", line+label+strings.Repeat(line, fill)+">", s.frame())
	} else {
		l.row(when, "│", "<"+strings.Repeat(line, fill)+label+line, s.frame())
	}
}

// center puts s in the middle of n columns.
func center(s string, n int) string {
	return strings.Repeat(" ", max(0, (n-ansi.StringWidth(s))/2)) + s
}
