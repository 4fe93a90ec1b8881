package main

import (
	"errors"
	"io/fs"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
)

const rootLong = `expectscope reads packet captures and tells what happened in their HTTP
Expect: 100-continue exchanges: what went wrong, what it cost, who must change
what, and in which packets the proof is.`

// newRoot is the command line as a whole. A file without a verb is analyzed,
// so the root has the flags of analyze.
func newRoot(c *console) *cobra.Command {
	info, _ := debug.ReadBuildInfo()
	root := &cobra.Command{
		Use:               "expectscope FILE...",
		Long:              rootLong,
		Example:           analyzeExamples,
		Args:              cobra.ArbitraryArgs,
		Version:           versionText(info),
		SilenceErrors:     true,
		SilenceUsage:      true,
		DisableAutoGenTag: true,
	}
	root.SetVersionTemplate("expectscope {{.Version}}\n")
	root.SetIn(c.in)
	root.SetOut(c.out)
	root.SetErr(c.err)
	root.SetFlagErrorFunc(func(cmd *cobra.Command, err error) error { return flagFailure(cmd.Flags(), err) })
	root.SetUsageTemplate(usageTemplate)
	o := analyzeFlags(root)
	o.filterFlag(root)
	verbs := []*cobra.Command{newAnalyze(c), newTUI(c), newLive(c), newExtract(c), newExplain(c), newRules(c), newVersion(c)}
	root.AddCommand(verbs...)
	strictHelp(root)
	root.RunE = func(cmd *cobra.Command, names []string) error {
		if len(names) == 0 {
			cmd.SetOut(c.err)
			if err := cmd.Usage(); err != nil {
				return err
			}
			return exitStatus(statusUsage)
		}
		if err := misspelt(names[0], verbs); err != nil {
			return err
		}
		return o.run(c, names)
	}
	return root
}

// strictHelp makes cobra's own verbs refuse what they do not know.
func strictHelp(root *cobra.Command) {
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range root.Commands() {
		switch cmd.Name() {
		case "help":
			cmd.RunE = func(_ *cobra.Command, args []string) error {
				about, rest, err := root.Find(args)
				if err != nil || len(rest) > 0 {
					return usage("expectscope --help lists the verbs", "there is no help about %q", strings.Join(args, " "))
				}
				about.InitDefaultHelpFlag()
				return about.Help()
			}
		case "completion":
			cmd.RunE = func(_ *cobra.Command, args []string) error {
				return usage("expectscope completion bash, zsh, fish or powershell", "completion needs the name of a shell, and got %q", strings.Join(args, " "))
			}
			cmd.Args = cobra.ArbitraryArgs
		}
	}
}

// misspelt is an error if the word is no file, and looks like a verb.
func misspelt(word string, verbs []*cobra.Command) error {
	if strings.ContainsAny(word, "./\\") {
		return nil
	}
	if _, err := os.Stat(word); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	names := []string{"help", "completion"}
	for _, v := range verbs {
		names = append(names, v.Name())
	}
	if near := nearest(word, names); near != "" {
		return usage("did you mean "+near+"?", "%q is no verb, and no file of that name is here", word)
	}
	return nil
}

// noArguments refuses arguments.
func noArguments(cmd *cobra.Command, args []string) error {
	if len(args) > 0 {
		return usage("expectscope "+cmd.Name()+" --help says what it takes", "%s takes no argument, and got %q", cmd.Name(), args[0])
	}
	return nil
}

// usageTemplate is cobra's, with the verbs in front of the flags and without
// what is said twice.
const usageTemplate = `Usage:
  {{.UseLine}}{{if .HasAvailableSubCommands}}
  {{.CommandPath}} VERB ...

Verbs:{{range .Commands}}{{if or .IsAvailableCommand (eq .Name "help")}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}{{end}}{{if .HasExample}}

Examples:
{{.Example}}{{end}}{{if .HasAvailableLocalFlags}}

Flags:
{{.LocalFlags.FlagUsages | trimTrailingWhitespaces}}{{end}}{{if .HasAvailableSubCommands}}

expectscope VERB --help says more about a verb.{{end}}
`
