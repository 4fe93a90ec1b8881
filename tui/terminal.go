package tui

import (
	"os"

	tea "charm.land/bubbletea/v2"
	"golang.org/x/term"
)

// A tty is the user's, taken for the time of the program: what is typed comes at once and unseen.
type tty struct {
	in, out *os.File
	was     *term.State
}

// takeTerminal takes the terminal of the options.
func takeTerminal(o Options) (*tty, error) {
	in, isIn := file(o.In, os.Stdin)
	out, isOut := file(o.Out, os.Stdout)
	if !isIn || !isOut || !term.IsTerminal(int(in.Fd())) || !term.IsTerminal(int(out.Fd())) {
		return nil, ErrNoTerminal
	}
	was, err := term.MakeRaw(int(in.Fd()))
	if err != nil {
		return nil, err
	}
	t := &tty{in, out, was}
	if err := prepare(out); err != nil {
		t.release()
		return nil, err
	}
	return t, nil
}

// file is the file behind one end of the terminal; given is nil for the process's own.
func file(given any, own *os.File) (*os.File, bool) {
	switch f := given.(type) {
	case nil:
		return own, true
	case *os.File:
		return f, true
	}
	return nil, false
}

// release gives the terminal back.
func (t *tty) release() { _ = term.Restore(int(t.in.Fd()), t.was) }

// size is columns and lines: 80x24 where the terminal does not say.
func (t *tty) size() (w, h int) {
	w, h, err := term.GetSize(int(t.out.Fd()))
	if err != nil || w <= 0 || h <= 0 {
		return 80, 24
	}
	return w, h
}

// follow tells the program when the size changes, until end is called.
func (t *tty) follow(p *tea.Program) (end func()) {
	return resized(func() {
		w, h := t.size()
		p.Send(tea.WindowSizeMsg{Width: w, Height: h})
	})
}
