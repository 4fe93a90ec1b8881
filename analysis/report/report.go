// Package report writes what was found: one output format a file, all behind
// [Writer]. `text` is for a reader, `ndjson` and `json` for programs, `csv`
// for a spreadsheet.
//
// The engine hands over exchanges as they settle, each followed by its
// findings, and the summary at the end. A writer writes at once what it can and
// keeps no exchange: the text report keeps counters and the worst instances of
// each rule, so a run's memory does not grow with the capture. ([Format] json
// is the exception, and says so.) [Ladder] is the one drawing of an exchange in
// time, for explanations and the terminal UI.
//
// What came from the wire is hostile: every string of a capture passes [Safe]
// before it is written. The package has no clock and no terminal; width, colour
// and time zone are told in [Options]. It judges nothing: who is at fault and
// what to change is what the findings say.
package report

import (
	"io"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"expectscope/analysis"
)

// DefaultWidth is the width of the text report where none is given, and
// DefaultTop how many instances of a rule it shows.
const (
	DefaultWidth = 80
	DefaultTop   = 3
)

// minWidth is the narrowest text report: below it a line holds no endpoint and address.
const minWidth = 40

// Options says how to write. The zero value is a plain report of one input, 80 columns wide, in UTC.
type Options struct {
	// Width is the number of columns of the text report; 0 means [DefaultWidth]. Less than 40 is taken for 40.
	Width int
	// Color allows SGR colour sequences in the text report. What they say is also said in words.
	Color bool
	// Location is the time zone of the text report; nil means UTC. The other formats are in UTC always.
	Location *time.Location
	// Top is how many instances of each rule the text report shows, the worst first; 0 means [DefaultTop].
	// A negative number means all of them: memory then grows with the findings.
	Top int
	// Input gives the name of the input with that 1-based number (capture.Num.Input). It is nil when the run
	// has a single input, and then no format names it.
	Input func(n int) string
	// Selected tells that not all findings are handed over, so that the text
	// report does not say of a capture that it is in order.
	Selected bool
	// Stream makes the text report print each finding as a line when it settles; the report still ends the output.
	Stream bool
}

// file is the name of an input, "" when there is only one.
func (o *Options) file(n int) string {
	if o.Input == nil || n == 0 {
		return ""
	}
	return o.Input(n)
}

// width is the number of columns to use.
func (o *Options) width() int {
	if o.Width == 0 {
		return DefaultWidth
	}
	return max(o.Width, minWidth)
}

// A Writer writes the results of one run in one format. What the pointers lead to is valid during the call only.
// Each call makes at most a few Write calls of whole lines, so the caller decides about buffering.
// The first error of the underlying writer is returned by the call that met it.
type Writer interface {
	// Exchange is called for each exchange that is to be shown, once it can no longer change.
	Exchange(*analysis.Exchange) error
	// Finding is called for each finding, after its exchange, causes before their consequences.
	Finding(*analysis.Finding) error
	// Close ends the output. It does not close the underlying writer.
	Close(*analysis.Summary) error
}

// A Format is a way to write results.
type Format struct {
	// Name is what -f calls it, Ext what a file name ends in, with the dot, Summary a line of help.
	Name, Ext, Summary string
	// New makes a ready Writer that writes to w.
	New func(w io.Writer, o Options) Writer
}

var formats []Format // sorted by name; written by format during initialization only

// format puts f into the table. A file registers its format with `var _ = format(Format{…})`.
func format(f Format) Format {
	at, taken := slices.BinarySearchFunc(formats, f.Name, func(a Format, name string) int { return strings.Compare(a.Name, name) })
	if taken {
		panic("report: two formats are called " + f.Name)
	}
	formats = slices.Insert(formats, at, f)
	return f
}

// Formats lists the formats, sorted by name.
func Formats() []Format { return slices.Clone(formats) }

// ByName finds a format by its name.
func ByName(name string) (Format, bool) {
	for _, f := range formats {
		if f.Name == name {
			return f, true
		}
	}
	return Format{}, false
}

// ByExt finds the format for a file by the end of its name, in any case.
func ByExt(path string) (Format, bool) {
	for _, f := range formats {
		if strings.EqualFold(f.Ext, filepath.Ext(path)) {
			return f, true
		}
	}
	return Format{}, false
}
