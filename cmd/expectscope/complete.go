package main

import (
	"github.com/spf13/cobra"

	"expectscope/analysis/report"
	"expectscope/analysis/rules"
)

// captureExts are the extensions that captures have.
var captureExts = []string{"pcap", "pcapng", "cap", "gz", "zst", "lz4", "bz2"}

// completeFlags offers files to analyze, and the values of the flags that have a list of them.
func completeFlags(cmd *cobra.Command) {
	cmd.ValidArgsFunction = func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
		return captureExts, cobra.ShellCompDirectiveFilterFileExt
	}
	offer := func(flag string, values func() []cobra.Completion) {
		err := cmd.RegisterFlagCompletionFunc(flag, func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return values(), cobra.ShellCompDirectiveNoFileComp
		})
		if err != nil {
			panic(err) // the flag is not there: a fault of ours that every run shows
		}
	}
	offer("format", formatCompletions)
	offer("rule", ruleCompletions)
	offer("severity", severityNames)
	offer("fail-on", func() []cobra.Completion { return append(severityNames(), ruleCompletions()...) })
}

func formatCompletions() []cobra.Completion {
	var cs []cobra.Completion
	for _, f := range report.Formats() {
		cs = append(cs, cobra.CompletionWithDesc(f.Name, f.Summary))
	}
	return cs
}

func ruleCompletions() []cobra.Completion {
	var cs []cobra.Completion
	for _, r := range rules.All() {
		cs = append(cs, cobra.CompletionWithDesc(r.ID, r.Title))
	}
	return cs
}
