package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"

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
	files := w.evidence
	if w.evidence == nil {
		w.evidence = newMemory(&quiet, recentBytes, o.redact)
	}
	l := &load{store: store.New(), evidence: files, thrift: newThrift(c), src: w, keys: keys, live: true, unrecorded: w.recorder == nil, stop: make(chan struct{}), over: make(chan struct{})}
	go l.run()
	name := o.capture.Interface
	if name == "" {
		name = "any"
	}
	err = tui.Run(l.store, tui.Options{
		Title: "live " + name, Stop: w.Stop,
		Extract: func(id string) (string, error) {
			name, err := w.evidence.extractOne(l.store.Snapshot().Find(id))
			if errors.Is(err, errForgotten) && w.recorder != nil && !w.rotates { // it has the same numbers
				return extractOne([]string{o.record.Path}, id, nil, false)
			}
			return name, err
		},
		Write: func(format string, rows tui.Rows) (string, error) {
			return writeRows(format, rows, o.writing(c, w, false), o.redact)
		},
	})
	w.Stop()
	<-l.over
	if err != nil {
		return &failure{status: statusUsage, text: err.Error()}
	}
	return w.conclude(l.conclude(&quiet))
}

var errForgotten = fmt.Errorf("are gone: the last %d MB are remembered; live -w FILE keeps all", recentBytes>>20)

// extractOne writes the packets of an exchange to a new file in the working directory and names it.
func (e *evidence) extractOne(x *store.Exchange) (name string, err error) {
	file, err := newFile("expectscope-"+fileStem(x.ID), ".pcapng")
	if err != nil {
		return "", err
	}
	n, err := e.extract(file, x)
	if err == nil && n == 0 {
		err = fmt.Errorf("the packets of %s %w", x.ID, errForgotten)
	}
	if err = errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

// unrecorded marks findings whose packets nobody keeps.
type unrecorded struct{ engine.Sink }

// Finding passes a finding on.
func (u unrecorded) Finding(f *analysis.Finding) {
	f.Unrecorded = true
	u.Sink.Finding(f)
}
