package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"expectscope/analysis/report"
	"expectscope/capture/decode"
	"expectscope/capture/live"
)

// listInterfaces writes a table of the interfaces.
func (c *console) listInterfaces() error {
	all, err := live.Interfaces()
	if err != nil {
		return c.captureFailed(err)
	}
	return written(writeInterfaces(c.out, all))
}

// writeInterfaces writes a table of interfaces, and of the one that is all of them.
func writeInterfaces(w io.Writer, all []live.Interface) error {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tINDEX\tSTATE\tLINK\tADDRESSES")
	fmt.Fprintln(t, live.Any+"\t-\t-\tall of them\t-")
	for _, i := range all {
		addrs := make([]string, len(i.Addrs))
		for k, a := range i.Addrs {
			addrs[k] = a.String()
		}
		if len(addrs) == 0 {
			addrs = []string{"-"}
		}
		fmt.Fprintf(t, "%s\t%d\t%s\t%s\t%s\n", report.Safe(i.Name), i.Index, stateOf(&i), linkOf(&i), strings.Join(addrs, " "))
	}
	return t.Flush()
}

// stateOf is whether the interface carries traffic.
func stateOf(i *live.Interface) string {
	switch {
	case !i.Up:
		return "down"
	case !i.Running:
		return "up, no carrier"
	}
	return "up"
}

func linkOf(i *live.Interface) string {
	if i.Loopback {
		return "loopback"
	}
	return decode.LinkName(i.Link)
}

// completeInterfaces offers the names of interfaces.
func completeInterfaces(*cobra.Command, []string, string) ([]string, cobra.ShellCompDirective) {
	all, err := live.Interfaces()
	if err != nil {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	names := []string{live.Any}
	for _, i := range all {
		names = append(names, i.Name)
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}
