package tui

import (
	"io"
	"strconv"
	"strings"
	"sync"

	"github.com/charmbracelet/x/ansi"
)

// A painter brings frames to the terminal. It sends what differs from the frame before, and what moved as a scroll.
//
// It stands in for Bubble Tea's renderer, which looks for work sixty times a second and takes the whole screen apart, cell by
// cell, each time something changed: over a big screen that costs more than a millisecond a key, and it never rests.
// Here a line that did not change costs a comparison, and nothing runs while nothing happens.
type painter struct {
	mu   sync.Mutex // a panic beside the loop closes it too
	out  io.Writer
	open bool

	w, h        int
	lines, next []string // of the frame on the terminal, of the one to come; each is whole: its styles end in it
	buf         []byte
	old, new    []cell
	style       string // what the terminal writes in
}

// A cell is one column of the terminal. The second column of a wide character has no text.
type cell struct{ style, text string }

var blank = cell{"", " "}

const (
	takeScreen = "\x1b[?1049h\x1b[?25l\x1b[?7l\x1b[?2004h\x1b[?1002h\x1b[?1006h" // alternate screen; no cursor, no wrap; paste, mouse
	giveScreen = "\x1b[m\x1b[?1006l\x1b[?1002l\x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l"
	beginFrame = "\x1b[?2026h" // the terminal shows what follows at once; those that cannot ignore it
	endFrame   = "\x1b[?2026l"
	saveTitle  = "\x1b[22;2t"
	backTitle  = "\x1b[23;2t"
)

// bigFrame is from how many bytes on a frame is marked as one.
const bigFrame = 1 << 10

// start takes the screen, and asks for its background.
func (p *painter) start(title string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.open = true
	p.send(takeScreen + saveTitle + ansi.SetWindowTitle(title) + ansi.RequestBackgroundColor)
}

// close gives the screen back as it was.
func (p *painter) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open {
		p.open = false
		p.send(ansi.SetWindowTitle("") + backTitle + giveScreen)
	}
}

// copy puts text into the clipboard of the user's terminal (OSC 52).
func (p *painter) copy(text string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open {
		p.send(ansi.SetSystemClipboard(text))
	}
}

// send writes to the terminal. A terminal that is gone is noticed by the input, which ends.
func (p *painter) send(s string) { _, _ = io.WriteString(p.out, s) }

// paint shows a frame of at most h lines of w columns.
func (p *painter) paint(frame []string, w, h int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.open {
		return
	}
	p.buf = append(p.buf[:0], beginFrame...)
	if w != p.w || h != p.h {
		p.w, p.h = w, h
		p.buf = append(p.buf, ansi.EraseEntireScreen...)
		p.lines, p.next = make([]string, h), make([]string, h)
	}
	clear(p.next[copy(p.next, frame):])
	p.scroll()
	for y := range p.next {
		if p.next[y] != p.lines[y] {
			p.line(y)
		}
	}
	p.set("")
	p.lines, p.next = p.next, p.lines
	switch b := p.buf[len(beginFrame):]; {
	case len(b) > bigFrame:
		_, _ = p.out.Write(append(p.buf, endFrame...))
	case len(b) > 0:
		_, _ = p.out.Write(b)
	}
}

// The shortest run of lines that is scrolled rather than written, and how far it is looked for.
const scrolledLines, scrolledBy = 4, 12

// scroll moves the longest run of lines that stands elsewhere now, if that saves writing them.
func (p *painter) scroll() {
	best, first, by := scrolledLines-1, 0, 0
	for k := -scrolledBy; k <= scrolledBy; k++ {
		run, gain := 0, 0
		for y := max(0, -k); y < min(p.h, p.h-k); y++ {
			if p.next[y] != p.lines[y+k] {
				run, gain = 0, 0
				continue
			}
			run++
			if p.next[y] != p.lines[y] {
				gain++
			}
			if gain > best {
				best, first, by = gain, y-run+1, k
			}
		}
	}
	if by == 0 {
		return
	}
	last := first
	for last+1 < min(p.h, p.h-by) && p.next[last+1] == p.lines[last+1+by] {
		last++
	}
	top, bottom := min(first, first+by), max(last, last+by)
	p.set("")
	p.sequence(top+1, bottom+1, 'r')
	if by > 0 {
		p.sequence(by, 0, 'S')
		copy(p.lines[top:], p.lines[top+by:bottom+1])
		clear(p.lines[bottom+1-by : bottom+1])
	} else {
		p.sequence(-by, 0, 'T')
		copy(p.lines[top-by:bottom+1], p.lines[top:])
		clear(p.lines[top : top-by])
	}
	p.buf = append(p.buf, "\x1b[r"...)
}

// cells takes a line apart, to w columns; wide tells that some characters in it are not one column wide.
func cells(cs []cell, line string, w int) (_ []cell, wide bool) {
	style := ""
	for line != "" && len(cs) < w {
		if line[0] == '\x1b' {
			n := strings.IndexByte(line, 'm') + 1 // styles are all there is: what is from the wire has passed report.Safe
			switch seq := line[:n]; {
			case seq == "\x1b[m" || seq == "\x1b[0m":
				style = ""
			default:
				style += seq
			}
			line = line[max(n, 1):]
			continue
		}
		n, columns := 1, 1
		if line[0] >= 0x80 || len(line) > 1 && line[1] >= 0x80 {
			var c string
			c, columns = ansi.FirstGraphemeCluster(line, ansi.GraphemeWidth)
			n = len(c)
		}
		if columns > 0 && len(cs)+columns <= w {
			cs = append(cs, cell{style, line[:n]})
		}
		for range columns - 1 {
			wide = true
			cs = append(cs, cell{style, ""})
		}
		line = line[n:]
	}
	for len(cs) < w {
		cs = append(cs, blank)
	}
	return cs, wide
}

// sameCells is how many cells that are as they were are passed over rather than written again; blankCells how many blanks are erased
// rather than written.
const sameCells, blankCells = 8, 10

// line writes what changed in a line.
func (p *painter) line(y int) {
	var wide, were bool
	p.old, were = cells(p.old[:0], p.lines[y], p.w)
	p.new, wide = cells(p.new[:0], p.next[y], p.w)
	end := p.w
	for end > 0 && p.new[end-1] == blank {
		end--
	}
	tail := end < p.w && !equal(p.old[end:], p.new[end:])
	if wide || were { // half a wide character cannot be replaced
		p.move(0, y)
		p.run(p.new[:end])
		p.eraseTail(end)
		return
	}
	for x := 0; x < end; x++ {
		if p.old[x] == p.new[x] {
			continue
		}
		last := x // the end of the run: few cells in it are as they were
		for k := x + 1; k < end && k-last <= sameCells; k++ {
			if p.old[k] != p.new[k] {
				last = k
			}
		}
		p.move(x, y)
		p.run(p.new[x : last+1])
		x = last
		if last+1 == end && tail {
			p.eraseTail(end)
			tail = false
		}
	}
	if tail {
		p.move(end, y)
		p.eraseTail(end)
	}
}

func equal(a, b []cell) bool {
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// run writes cells from where the terminal is.
func (p *painter) run(cs []cell) {
	for i := 0; i < len(cs); {
		n := i
		for n < len(cs) && cs[n] == blank {
			n++
		}
		if n-i >= blankCells {
			p.set("")
			p.sequence(n-i, 0, 'X')
			p.sequence(n-i, 0, 'C')
			i = n
			continue
		}
		p.set(cs[i].style)
		p.buf = append(p.buf, cs[i].text...)
		i++
	}
}

// eraseTail erases the line from where the terminal is, which is column x.
func (p *painter) eraseTail(x int) {
	if x < p.w {
		p.set("")
		p.buf = append(p.buf, ansi.EraseLineRight...)
	}
}

// set makes the terminal write in a style.
func (p *painter) set(style string) {
	if style == p.style {
		return
	}
	if style == "" || p.style != "" {
		p.buf = append(p.buf, "\x1b[m"...)
	}
	p.buf = append(p.buf, style...)
	p.style = style
}

// move goes to a column and line, from 0.
func (p *painter) move(x, y int) { p.sequence(y+1, x+1, 'H') }

// sequence writes a control sequence; b is left out when it is 0.
func (p *painter) sequence(a, b int, final byte) {
	p.buf = strconv.AppendInt(append(p.buf, "\x1b["...), int64(a), 10)
	if b > 0 {
		p.buf = strconv.AppendInt(append(p.buf, ';'), int64(b), 10)
	}
	p.buf = append(p.buf, final)
}
