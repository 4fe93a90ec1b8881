package report

import (
	"io"

	"expectscope/analysis"
)

var _ = format(Format{
	Name: "json", Ext: ".json",
	Summary: "one JSON document: exchanges, findings and summary",
	New: func(w io.Writer, o Options) Writer {
		return &document{w: w, objects: objects{opts: o}, head: `{"schema":1,"exchanges":[`}
	},
})

// document writes {"schema":1,"exchanges":[…],"findings":[…],"summary":{…}}. Exchanges are written as they come. Findings come between
// them but stand behind them, so they are held, encoded, until the end: a few hundred bytes each.
type document struct {
	w io.Writer
	objects
	head     string // what goes before the next exchange
	findings objects
}

// Exchange writes an element of "exchanges".
func (d *document) Exchange(x *analysis.Exchange) error {
	d.b = append(d.b, d.head...)
	d.head = ",\n"
	d.exchange(x)
	return d.flush()
}

// Finding keeps an element of "findings" for Close.
func (d *document) Finding(f *analysis.Finding) error {
	h := &d.findings
	h.opts = d.opts
	if len(h.b) > 0 {
		h.b = append(h.b, ",\n"...)
	}
	h.finding(f)
	return nil
}

// Close writes the findings and the summary.
func (d *document) Close(s *analysis.Summary) error {
	if d.head[0] == '{' {
		d.b = append(d.b, d.head...)
	}
	d.b = append(d.b, "],\n\"findings\":["...)
	if err := d.flush(); err != nil {
		return err
	}
	if _, err := d.w.Write(d.findings.b); err != nil {
		return err
	}
	d.b = append(d.b, "],\n\"summary\":"...)
	d.summary(s)
	d.b = append(d.b, "}\n"...)
	return d.flush()
}

// flush writes the buffer and empties it.
func (d *document) flush() error {
	_, err := d.w.Write(d.b)
	d.b = d.b[:0]
	return err
}
