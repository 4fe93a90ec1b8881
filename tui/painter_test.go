package tui

import (
	"bytes"
	"strconv"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"
	"pgregory.net/rapid"
)

// A glass is a terminal: it does what it is told and shows what came of it.
type glass struct {
	t           *rapid.T
	cells       [][]cell
	x, y        int
	top, bottom int
	style       string
}

func newGlass(t *rapid.T, w, h int) *glass {
	g := &glass{t: t, bottom: h - 1}
	for range h {
		g.cells = append(g.cells, row0(w, cell{"?", "?"})) // whatever stood there
	}
	return g
}

func row0(w int, c cell) []cell {
	r := make([]cell, w)
	for i := range r {
		r[i] = c
	}
	return r
}

func (g *glass) Write(b []byte) (int, error) {
	for s := string(b); s != ""; {
		if s[0] != '\x1b' {
			c, w := ansi.FirstGraphemeCluster(s, ansi.GraphemeWidth)
			if g.x+w > len(g.cells[g.y]) {
				g.t.Fatalf("%q is written beyond the line's end", c)
			}
			g.put(c, w)
			s = s[len(c):]
			continue
		}
		n := strings.IndexFunc(s[2:], func(r rune) bool { return r >= '@' && r <= '~' }) + 3
		g.control(s[2:n-1], s[n-1], s[:n])
		s = s[n:]
	}
	return len(b), nil
}

// put writes a character; half of a wide one that is written over takes the other half with it.
func (g *glass) put(c string, w int) {
	row := g.cells[g.y]
	if row[g.x].text == "" && g.x > 0 {
		row[g.x-1] = blank
	}
	if after := g.x + w; after < len(row) && row[after].text == "" {
		row[after] = blank
	}
	row[g.x] = cell{g.style, c}
	for i := 1; i < w; i++ {
		row[g.x+i] = cell{g.style, ""}
	}
	g.x += w
}

func (g *glass) control(args string, final byte, seq string) {
	a, b, _ := strings.Cut(args, ";")
	n, _ := strconv.Atoi(a)
	m, _ := strconv.Atoi(b)
	w := len(g.cells[0])
	switch final {
	case 'm':
		if g.style += seq; args == "" {
			g.style = ""
		}
	case 'H':
		g.y, g.x = n-1, m-1
	case 'C':
		g.x += n
	case 'X', 'K':
		if final == 'K' {
			n = w - g.x
		}
		for i := range n {
			g.cells[g.y][g.x+i] = cell{g.style, " "}
		}
	case 'J':
		for y := range g.cells {
			g.cells[y] = row0(w, cell{g.style, " "})
		}
	case 'r':
		g.top, g.bottom = 0, len(g.cells)-1
		if n > 0 {
			g.top, g.bottom = n-1, m-1
		}
		g.x, g.y = 0, 0
	case 'S', 'T':
		for range n {
			g.shift(final == 'S')
		}
	case 'h', 'l', 't':
	default:
		g.t.Fatalf("an unknown sequence %q", seq)
	}
}

func (g *glass) shift(up bool) {
	from, to := g.bottom, g.top
	if up {
		from, to = g.top, g.bottom
	}
	rows := append(g.cells[:from:from], g.cells[from+1:]...)
	g.cells = append(rows[:to:to], append([][]cell{row0(len(g.cells[0]), cell{g.style, " "})}, rows[to:]...)...)
}

// line is a line of styled and plain pieces, some of them wide.
func line(t *rapid.T, w int) string {
	pieces := rapid.SliceOfN(rapid.SampledFrom([]string{
		"PUT /a", "            ", " ", "x", "\x1b[7mselected\x1b[m", "\x1b[1;91m\x1b[4merror\x1b[m", "漢字", "é", "\x1b[7m  字  \x1b[0m", "─→",
	}), 0, 6).Draw(t, "pieces")
	s := strings.Join(pieces, "")
	if ansi.StringWidth(s) > w {
		return ansi.Truncate(s, w, "")
	}
	return s
}

// Whatever frames follow each other, the terminal shows the last one.
func TestPainter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w, h := rapid.IntRange(10, 30).Draw(t, "w"), rapid.IntRange(1, 14).Draw(t, "h")
		g := newGlass(t, w, h)
		p := &painter{out: g, open: true}
		var lines []string
		for range h {
			lines = append(lines, line(t, w))
		}
		for range rapid.IntRange(1, 6).Draw(t, "frames") {
			switch k := rapid.IntRange(0, 8).Draw(t, "move"); {
			case k < 3: // up or down, with new lines at the end
				n := min(k+1, h)
				up := rapid.Bool().Draw(t, "up")
				for range n {
					if up {
						lines = append(lines[1:h:h], line(t, w))
					} else {
						lines = append([]string{line(t, w)}, lines[:h-1]...)
					}
				}
			default:
				lines = append([]string(nil), lines...)
				lines[rapid.IntRange(0, h-1).Draw(t, "y")] = line(t, w)
			}
			p.paint(lines, w, h)
			for y := range lines {
				want, _ := cells(nil, lines[y], w)
				for x := range want {
					if g.cells[y][x] != want[x] {
						t.Fatalf("line %d column %d is %q, want %q", y, x, g.cells[y][x], want[x])
					}
				}
			}
			if g.style != "" {
				t.Fatalf("the terminal is left in %q", g.style)
			}
		}
	})
}

// A frame that did not change sends nothing; a list that goes on by a line sends that line, not the screen.
func TestPainterSendsLittle(t *testing.T) {
	var out bytes.Buffer
	p := &painter{out: &out, open: true}
	s := press(shown(many(2000), 160, 50, darkLook), "2", "G")
	p.paint(s.view(nil), 160, 50)
	out.Reset()
	p.paint(s.view(nil), 160, 50)
	if out.Len() != 0 {
		t.Errorf("the same frame again sends %q", out.String())
	}
	for range 60 {
		s.key("k")
	}
	p.paint(s.view(nil), 160, 50)
	out.Reset()
	s.key("k")
	p.paint(s.view(nil), 160, 50)
	if n := out.Len(); n == 0 || n > 1000 {
		t.Errorf("a line further up sends %d bytes: %q", n, out.String())
	}
}

// What is painted before the screen is taken, or after it was given back, reaches nobody's terminal.
func TestPainterClosed(t *testing.T) {
	var out bytes.Buffer
	p := &painter{out: &out}
	p.paint([]string{"text"}, 80, 24)
	p.copy("text")
	p.close()
	if out.Len() != 0 {
		t.Errorf("%q was sent", out.String())
	}
	p.start("title")
	p.close()
	n := out.Len()
	p.close()
	p.paint([]string{"text"}, 80, 24)
	if out.Len() != n || !strings.HasSuffix(out.String(), giveScreen) {
		t.Errorf("the terminal is left with %q", out.String())
	}
}

// Painting costs no memory but for what the styles of a line need.
func TestPainterBudget(t *testing.T) {
	var out bytes.Buffer
	p := &painter{out: &out, open: true}
	s := press(shown(many(2000), 160, 50, darkLook), "2", "G")
	var frames [][]string
	for range 100 {
		s.key("k")
		frames = append(frames, s.view(nil))
	}
	i := 0
	if got := testing.AllocsPerRun(len(frames)-2, func() {
		out.Reset()
		p.paint(frames[i], 160, 50)
		i++
	}); got > 5 {
		t.Errorf("%.1f allocations a frame", got)
	}
}
