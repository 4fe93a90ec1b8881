// Package tui is a full-screen browser of what a run found: findings first,
// every number one key away from the packets that prove it.
//
// A program of Bubble Tea (model.go) turns keys and the ticks of its own clock
// into calls of a [screen], which knows no terminal: it holds a snapshot of
// analysis/store, an index of each list (index.go: which records, in which order,
// in which groups, made beside the program's loop when there are many) and where
// one is. Everything seen is drawn by functions of a size and a snapshot, so screens are tested
// as text; a list draws the lines that are seen and no more. What changed of a frame
// a painter brings to the terminal (painter.go), and nothing runs while nothing happens.
//
// It never touches the engine or the capture: what acts (stopping the load,
// writing packets or lists) is given in [Options]. It judges nothing; texts are
// those of analysis/rules, drawings those of analysis/report. What came from the
// wire passes [report.Safe] before it is drawn.
package tui

import (
	"errors"
	"fmt"
	"io"

	tea "charm.land/bubbletea/v2"

	"expectscope/analysis/report"
	"expectscope/analysis/store"
)

// Rows writes the rows of a list, in their order, to w.
type Rows func(w report.Writer) error

// Options says what is browsed and what can be done with it.
type Options struct {
	// Title names the capture, as in the header.
	Title string
	// Input is the name of the input with that 1-based number; nil where there is only one.
	Input func(n int) string
	// Filter is the filter to begin with, in the language of analysis/query.
	Filter string
	// In and Out are the terminal, files for Run; nil for the process's own.
	In  io.Reader
	Out io.Writer
	// Env is the environment; nil for the process's own. NO_COLOR and TERM are heeded.
	Env []string
	// Stop ends the load early; what was found stays. It does not wait. nil where that cannot be.
	Stop func()
	// Extract writes the packets of the exchange with that ID to a file and names it. It runs beside the program; nil where
	// the capture cannot be read again.
	Extract func(id string) (path string, err error)
	// Write writes rows to a file in that format ("ndjson", "csv") and names it. It runs beside the program, and is nil
	// where nothing can be written.
	Write func(format string, rows Rows) (path string, err error)
}

// ErrNoTerminal is returned by Run where there is no terminal to draw on.
var ErrNoTerminal = errors.New("the browser needs a terminal; expectscope analyze writes a report to anything")

// Run shows the store until the user quits. It returns nil when the user did, or when the process was told to end (SIGTERM).
// The terminal is left as it was, also after a panic, which is returned as an error.
func Run(s *store.Store, o Options) error {
	t, err := takeTerminal(o)
	if err != nil {
		return err
	}
	defer t.release()
	m := newModel(s, o)
	w, h := t.size()
	m.screen.resize(w, h)
	m.painter.start("expectscope " + report.Safe(o.Title))
	defer m.painter.close()
	typed, end := keys(t.in)
	defer end()
	p := tea.NewProgram(m, append(programOptions(o), tea.WithInput(typed), tea.WithWindowSize(w, h))...)
	defer t.follow(p)()
	_, err = p.Run()
	switch {
	case errors.Is(err, tea.ErrInterrupted):
		return nil
	case err != nil:
		return fmt.Errorf("browser: %w", err)
	}
	return nil
}

// programOptions leave Bubble Tea the keys, the mouse and the loop; what is drawn the painter sends.
func programOptions(o Options) []tea.ProgramOption {
	ps := []tea.ProgramOption{tea.WithoutRenderer(), tea.WithFPS(1)} // its renderer ticks also when it has nothing to draw
	if o.Out != nil {
		ps = append(ps, tea.WithOutput(o.Out))
	}
	if o.Env != nil {
		ps = append(ps, tea.WithEnvironment(o.Env))
	}
	return ps
}
