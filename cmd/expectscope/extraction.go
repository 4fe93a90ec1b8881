package main

import (
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"expectscope/analysis/engine"
	"expectscope/analysis/extract"
	"expectscope/capture"
	"expectscope/capture/pcapfile"
)

// An extraction writes the packets of some exchanges as pcapng. It reads its
// inputs three times: what analysis/extract says of that.
type extraction struct {
	names  []string // files
	ids    []string // exchanges
	rules  []string // globs: exchanges with such findings
	redact bool
	keys   *keylog // nil: TLS is read with what the captures hold
	// withKeys: the secrets of the connections that are written are written with them.
	withKeys bool
	window   time.Duration // 0: the default
	// goOn is asked every so many packets whether to read on; nil: always.
	goOn func(*capture.Stats) bool

	pass    int64 // 0, 1, 2
	stats   capture.Stats
	panics  []engine.Panic
	refused uint64
}

// A writeError is one of the output, not of the inputs.
type writeError struct{ error }

// errInterrupted ends an extraction that was told not to go on.
var errInterrupted = errors.New("interrupted: nothing was written")

// write writes the packets to w, which gets nothing when there is no such
// exchange. An input that breaks is no error: conclude tells of it.
func (x *extraction) write(w io.Writer) error {
	choice := extract.NewChoice(x.ids, func(rule string) bool { return matchesRule(x.rules, rule) })
	if err := x.analyze(engine.Options{All: choice.NeedsAll()}, choice); err != nil {
		return err
	}
	chosen := choice.Exchanges()
	if err := x.nothing(choice, chosen); err != nil {
		return err
	}
	reading := extract.NewReading(chosen, x.redact)
	x.pass++
	o := engine.Options{All: choice.NeedsAll(), Observe: reading.Observe}
	if x.withKeys {
		o.Secrets = reading.Secrets
	}
	if err := x.analyze(o, reading); err != nil {
		return err
	}
	if lacks := reading.Lacks(); len(lacks) > 0 {
		return fmt.Errorf("the capture changed while it was read: there is no %s any more", strings.Join(lacks, ", "))
	}
	x.pass++
	return x.copy(reading, w)
}

// nothing is what is wrong when there is nothing to write of something asked for.
func (x *extraction) nothing(choice *extract.Choice, chosen map[string]bool) error {
	in := strings.Join(x.names, ", ")
	missing, instead := choice.Missing()
	switch {
	case len(missing) > 0:
		hint := "expectscope analyze -f ndjson --all lists all exchanges"
		if len(instead) > 0 {
			hint = "there are, among others: " + strings.Join(instead, ", ")
		}
		return usage(hint, "there is no exchange %s in %s", strings.Join(missing, ", "), in)
	case len(chosen) == 0:
		return usage("expectscope "+strings.Join(x.names, " ")+" shows what is found", "there is no finding of %s in %s", strings.Join(x.rules, ", "), in)
	}
	return nil
}

// open opens the inputs once more.
func (x *extraction) open() (capture.Source, error) {
	return pcapfile.Open(x.names, pcapfile.Options{})
}

// on tells whether to read on: the three readings are one to whoever waits.
func (x *extraction) on(src capture.Source) bool {
	if x.goOn == nil {
		return true
	}
	const readings = 3
	st := *src.Stats()
	st.Read, st.Total = st.Read+x.pass*st.Total, st.Total*readings
	return x.goOn(&st)
}

// analyze reads the inputs through the engine.
func (x *extraction) analyze(o engine.Options, sink engine.Sink) error {
	src, err := x.open()
	if err != nil {
		return err
	}
	defer src.Close()
	keys, err := x.keys.again()
	if err != nil {
		return err
	}
	defer keys.close()
	keys.into(&o)
	o.RetryWindow, o.Multi = int64(x.window), len(src.Stats().Inputs) > 1
	e, going := engine.New(o, sink), true
	err = e.Read(src, func() bool { going = x.on(src); return going })
	if !going {
		return errInterrupted
	}
	e.Close(src)
	x.stats, x.panics = *src.Stats(), e.Panics()
	return err
}

// copy reads the inputs and writes what was chosen.
func (x *extraction) copy(reading *extract.Reading, w io.Writer) error {
	src, err := x.open()
	if err != nil {
		return err
	}
	defer src.Close()
	ng := pcapfile.NewNgWriter(w)
	if log := reading.Log(); len(log) > 0 {
		if err := ng.WriteSecrets(log); err != nil {
			return &writeError{err}
		}
	}
	copier := extract.NewCopier(reading, ng)
	var p capture.Packet
	for n := 1; ; n++ {
		if err = src.Next(&p); err != nil {
			break
		}
		if err := copier.Packet(&p); err != nil {
			return &writeError{err}
		}
		const perCheck = 1024
		if n%perCheck == 0 && !x.on(src) {
			return errInterrupted
		}
	}
	x.refused = copier.Refused
	if !errors.Is(err, io.EOF) {
		return err
	}
	if err := errors.Join(copier.Finish(), ng.Flush()); err != nil {
		return &writeError{err}
	}
	return nil
}

// conclude says what the packets do not cover, and gives the exit status.
func (x *extraction) conclude(c *console) error {
	unread := c.faults(x.panics, &x.stats)
	for i := range x.stats.Inputs {
		if err := x.stats.Inputs[i].Err; err != nil {
			c.inputsFailed(err)
			unread = true
		}
	}
	c.leftOut(x.refused)
	if unread {
		return exitStatus(statusUnread)
	}
	return nil
}

// leftOut says how many packets could not be redacted.
func (c *console) leftOut(packets uint64) {
	if packets > 0 {
		c.warn(fmt.Sprintf("%s left out: what is where in them is not certain enough to cover it", plural(packets, "packet")), "")
	}
}
