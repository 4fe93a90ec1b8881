package main

import (
	"fmt"
	"io"
	"math"
	"os"
	"time"

	"golang.org/x/term"

	"expectscope/analysis/report"
)

// A console is what a run knows of the world outside: the process's own, or a test's.
type console struct {
	in       io.Reader
	out, err io.Writer
	// env is the value of an environment variable, "" when it is not set.
	env func(name string) string
	now func() time.Time
	// notify makes Ctrl-C and SIGTERM arrive on a channel instead of ending the process.
	notify func(chan<- os.Signal)
	// exit ends the process at once.
	exit func(status int)
}

// The width of text on a terminal: lines longer than 120 columns are hard to
// read, and below 60 nothing fits.
const minWidth, maxWidth = 60, 120

// width is how many columns text on standard output has: the terminal's, or 80.
func (c *console) width() int {
	if f, ok := c.out.(*os.File); ok {
		if w, _, err := term.GetSize(int(f.Fd())); err == nil && w > 0 {
			return min(max(w, minWidth), maxWidth)
		}
	}
	return report.DefaultWidth
}

// tableWidth is the width for a table: a line a row where it is not a terminal, for grep.
func (c *console) tableWidth() int {
	if isTerminal(c.out) {
		return c.width()
	}
	return math.MaxInt
}

// color tells whether standard output shows colour: a terminal that can, and
// no NO_COLOR (no-color.org).
func (c *console) color() bool {
	return isTerminal(c.out) && c.env("NO_COLOR") == "" && c.env("TERM") != "dumb"
}

// isTerminal tells whether w, a reader or writer, is a terminal.
func isTerminal(w any) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// fail says what went wrong and, if there is a hint, what to do about it.
func (c *console) fail(text, hint string) { c.say("error", text, hint) }

// warn says what the results do not cover, and what to do about it.
func (c *console) warn(text, hint string) { c.say("warning", text, hint) }

// say writes a message and its hint. Names of files and values of flags are
// made harmless as bytes from the wire are.
func (c *console) say(kind, text, hint string) {
	fmt.Fprintf(c.err, "expectscope: %s: %s\n", kind, report.Safe(text))
	if hint != "" {
		fmt.Fprintf(c.err, "expectscope: hint: %s\n", report.Safe(hint))
	}
}
