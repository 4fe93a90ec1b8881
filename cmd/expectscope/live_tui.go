package main

import (
	"bytes"

	"expectscope/analysis"
	"expectscope/analysis/engine"
	"expectscope/analysis/store"
	"expectscope/tui"
)

// browse watches the interface in the terminal's browser until the user quits.
// What there is to say meanwhile is said when the terminal is ours again.
func (o *liveOptions) browse(c *console, out *output, stop <-chan struct{}) error {
	out.abandon() // no report is written
	if !isTerminal(c.out) || !isTerminal(c.in) {
		return usage("expectscope live writes a report to anything", "the browser needs a terminal")
	}
	var said bytes.Buffer
	quiet := *c
	quiet.err = &said
	defer func() { _, _ = c.err.Write(said.Bytes()) }()
	keys, err := c.keylog(o.keylog, true)
	if err != nil {
		return err
	}
	defer keys.close()
	w, err := o.watch(&quiet)
	if err != nil {
		return c.captureFailed(err)
	}
	defer w.Close()
	defer w.endAt(stop, o.duration)()
	l := &load{store: store.New(), thrift: newThrift(c), src: w, keys: keys, live: true, unrecorded: w.recorder == nil, stop: make(chan struct{}), over: make(chan struct{})}
	go l.run()
	name := o.capture.Interface
	if name == "" {
		name = "any"
	}
	err = tui.Run(l.store, tui.Options{
		Title: "live " + name, Stop: w.Stop,
		Write: func(format string, rows tui.Rows) (string, error) {
			return writeRows(format, rows, o.writing(c, w, false))
		},
	})
	w.Stop()
	<-l.over
	if err != nil {
		return &failure{status: statusUsage, text: err.Error()}
	}
	return w.conclude(l.conclude(&quiet))
}

// unrecorded marks findings whose packets nobody keeps.
type unrecorded struct{ engine.Sink }

// Finding passes a finding on.
func (u unrecorded) Finding(f *analysis.Finding) {
	f.Unrecorded = true
	u.Sink.Finding(f)
}
