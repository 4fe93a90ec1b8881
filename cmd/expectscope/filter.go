package main

import (
	"errors"

	"expectscope/analysis/report"
	"expectscope/capture"
	"expectscope/capture/filter"
)

// filtered hands out the packets of a source that a filter expression lets
// through. What an expression means depends on the kind of frame, so there is a
// program for each link type that comes by.
type filtered struct {
	capture.Source
	expr     string
	programs map[capture.LinkType]*filter.Program
}

// newFiltered checks the expression for Ethernet, the most general kind of
// frame; the empty expression lets everything through.
func newFiltered(src capture.Source, expr string) (capture.Source, error) {
	if expr == "" {
		return src, nil
	}
	f := &filtered{Source: src, expr: expr, programs: map[capture.LinkType]*filter.Program{}}
	if err := f.check(capture.LinkEthernet); err != nil {
		return nil, err
	}
	return f, nil
}

func (f *filtered) check(link capture.LinkType) error {
	p, err := filter.Compile(f.expr, link, filter.Options{})
	if err != nil {
		return badFilter(err)
	}
	f.programs[link] = p
	return nil
}

// badFilter shows where in the expression the fault is.
func badFilter(err error) error {
	const hint = "the language is tcpdump's: -F 'tcp port 80 and host 10.0.0.2' (man pcap-filter); names are not looked up"
	var s *filter.SyntaxError
	if errors.As(err, &s) {
		return usage(hint, "bad filter: %s\n%s", report.Safe(s.Msg), s.Caret())
	}
	return usage(hint, "bad filter: %v", err)
}

// Next skips packets that the filter does not let through.
func (f *filtered) Next(p *capture.Packet) error {
	for {
		if err := f.Source.Next(p); err != nil {
			return err
		}
		program, ok := f.programs[p.Link]
		if !ok {
			if err := f.check(p.Link); err != nil {
				return err
			}
			program = f.programs[p.Link]
		}
		if program.Match(p) {
			return nil
		}
	}
}
