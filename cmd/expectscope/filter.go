package main

import (
	"github.com/spf13/cobra"

	"expectscope/capture"
	"expectscope/capture/decode"
	"expectscope/capture/filter"
)

// filterFlag adds --filter, for verbs that read captures.
func (o *analyzeOptions) filterFlag(cmd *cobra.Command) {
	cmd.Flags().StringVarP(&o.filter, "filter", "F", "", "only packets this `FILTER` lets through, as tcpdump's")
}

// keep makes a filter expression a choice of packets; nil for the empty one.
// What an expression means depends on the kind of frame, so there is a program
// for each link type that comes by. Frames of a kind that the filter language does
// not know are passed over: nothing can be said of them.
func (c *console) keep(expr string) (func(*capture.Packet) bool, error) {
	if expr == "" {
		return nil, nil
	}
	p, err := filter.Compile(expr, capture.LinkEthernet, filter.Options{})
	if err != nil {
		return nil, c.filterRefused(err)
	}
	programs := map[capture.LinkType]*filter.Program{capture.LinkEthernet: p}
	return func(p *capture.Packet) bool {
		program, ok := programs[p.Link]
		if !ok {
			var err error
			if program, err = filter.Compile(expr, p.Link, filter.Options{}); err != nil {
				c.warn("no frame of link type "+decode.LinkName(p.Link)+" passes the filter: "+err.Error(), "")
			}
			programs[p.Link] = program
		}
		return program != nil && program.Match(p)
	}, nil
}
