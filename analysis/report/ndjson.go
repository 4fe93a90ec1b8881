package report

import (
	"io"

	"expectscope/analysis"
)

var _ = format(Format{
	Name: "ndjson", Ext: ".ndjson",
	Summary: "one JSON object a line: exchanges, findings, and a summary at the end",
	New: func(w io.Writer, o Options) Writer {
		return &ndjson{w: w, objects: objects{opts: o}}
	},
})

// ndjson writes an object a line, in one Write.
type ndjson struct {
	w io.Writer
	objects
}

// Exchange writes the line of an exchange.
func (n *ndjson) Exchange(x *analysis.Exchange) error {
	n.exchange(x)
	return n.line()
}

// Finding writes the line of a finding.
func (n *ndjson) Finding(f *analysis.Finding) error {
	n.finding(f)
	return n.line()
}

// Close writes the line of the summary, the last one.
func (n *ndjson) Close(s *analysis.Summary) error {
	n.summary(s)
	return n.line()
}

// line writes the object in the buffer and empties it.
func (n *ndjson) line() error {
	_, err := n.w.Write(append(n.b, '\n'))
	n.b = n.b[:0]
	return err
}
