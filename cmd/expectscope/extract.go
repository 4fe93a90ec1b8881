package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"expectscope/analysis/extract"
	"expectscope/capture"
)

const extractLong = `Write the packets of exchanges to a pcapng file: all of their connections, those
of their repeats, and those a finding on them speaks of. Each packet that is
evidence has a comment that names the finding; Wireshark shows it.

FILE is as for analyze, but not standard input: captures are read three times.
ID is an exchange's, as the reports show it; RULE is a rule's id or a glob, as
417-*, and stands for all exchanges on which it fires. Several are all written.
A file that is called like an id or a rule is named ./FILE.

--redact makes a capture to attach to a ticket. It covers, at their length:
bodies; the values of header fields, but for Expect, Content-Length,
Transfer-Encoding, Connection and Upgrade, the ports of Host, the protocols of
Via and the names of known software; query strings, hosts and users in targets;
whatever was not understood, TLS, HTTP/2 and tunnels too. Equal values are
covered alike, so the analysis stays the same. It does not cover addresses and
ports, times, methods, paths, names of fields, statuses and sizes: look at the
result before it leaves your machine.

TLS is read with --keylog, or the secrets that the captures hold. Secrets are
written only --with-keys, as decryption secrets of pcapng in front of the
packets, and only those of the connections that are written: whoever has the
file reads all that was said on them.

Frames are numbered anew, so ids change with them. When the capture went on, the
last packet is an empty one that says until when: what did not happen until then
is not in the file either. Without -o the packets go to standard output, if that
is no terminal.

Exit status: 0; 2 wrong usage, or there is no such exchange or finding: nothing
is written; 3 an input could not be read to its end, or the output not be
written.`

const extractExamples = `  expectscope extract upload.pcap 12/1 -o upload-12.pcapng
  expectscope extract upload.pcap 417-no-retry --redact -o ticket.pcapng
  expectscope extract node*.pcap.gz '417-*' -o refused.pcapng`

// extractOptions are the values of the flags of extract.
type extractOptions struct {
	output string
	redact bool
	keylog string
	keys   bool // write secrets
	window time.Duration
}

func newExtract(c *console) *cobra.Command {
	o := &extractOptions{}
	cmd := &cobra.Command{
		Use:     "extract FILE... ID|RULE...",
		Short:   "Write the packets of exchanges to a file of their own",
		Long:    extractLong,
		Example: extractExamples,
		Args:    cobra.ArbitraryArgs,
		RunE:    func(_ *cobra.Command, args []string) error { return o.run(c, args) },
	}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVarP(&o.output, "output", "o", "", "write to `FILE`.pcapng")
	fs.BoolVar(&o.redact, "redact", false, "cover contents and values, for a ticket")
	windowFlag(cmd, &o.window)
	keylogFlag(cmd, &o.keylog)
	fs.BoolVar(&o.keys, "with-keys", false, "write the TLS secrets of these connections too")
	cmd.ValidArgsFunction = func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		if len(args) == 0 {
			return captureExts, cobra.ShellCompDirectiveFilterFileExt
		}
		return ruleCompletions(), cobra.ShellCompDirectiveDefault
	}
	return cmd
}

// run writes what is asked for.
func (o *extractOptions) run(c *console, args []string) error {
	if o.keys && o.redact {
		return usage("leave one of them out", "--with-keys tells what --redact covers")
	}
	x := &extraction{redact: o.redact, withKeys: o.keys, window: o.window}
	if err := x.take(args); err != nil {
		return err
	}
	if err := o.sound(c); err != nil {
		return err
	}
	keys, err := c.keylog(o.keylog, false)
	if err != nil {
		return err
	}
	defer keys.close()
	x.keys = keys
	out, err := openOutput(c, o.output, x.names)
	if err != nil {
		return err
	}
	if out.temp != "" { // captures hold what they saw: they are their owner's alone
		if err := out.file.Chmod(0o600); err != nil {
			out.abandon()
			return cannotWrite(out.name, err)
		}
	}
	stop, release := c.interrupts(out.abandon)
	defer release()
	bar := newProgress(c, false)
	x.goOn = func(st *capture.Stats) bool {
		bar.draw(st)
		return !isClosed(stop)
	}
	err = x.write(out)
	bar.clear()
	var unwritten *writeError
	switch {
	case errors.As(err, &unwritten):
		out.abandon()
		return cannotWrite(out.name, unwritten.error)
	case err != nil:
		out.abandon()
		return c.notExtracted(err)
	}
	if err := out.finish(); err != nil {
		return cannotWrite(out.name, err)
	}
	return x.conclude(c)
}

// sound tells what is wrong with where the packets are to go.
func (o *extractOptions) sound(c *console) error {
	ext := strings.ToLower(filepath.Ext(o.output))
	switch {
	case o.output == "" && isTerminal(c.out):
		return usage("give -o FILE.pcapng, or pipe it", "packets are nothing for a terminal")
	case ext != ".pcapng" && slices.Contains(captureExts, strings.TrimPrefix(ext, ".")):
		return usage("end the name in .pcapng: pcap has no room for comments", "cannot write %s: extract writes pcapng", o.output)
	}
	return nil
}

// take tells files from exchanges and rules, by their form alone.
func (x *extraction) take(args []string) error {
	for _, arg := range args {
		switch {
		case arg == "-":
			return usage("write it to a file first: tcpdump -w FILE", "extract reads its input three times, and standard input comes once")
		case extract.IsID(arg):
			x.ids = append(x.ids, arg)
		case matchesAnyRule(arg):
			x.rules = append(x.rules, arg)
		default:
			if noFile(arg) {
				return usage("a rule is as expectscope rules lists it, an exchange as 12/1", "no rule or exchange is called %s, and no file%s", arg, meant(arg, ruleIDs()))
			}
			x.names = append(x.names, arg)
		}
	}
	switch {
	case len(x.names) == 0:
		return usage("files and what to extract of them: expectscope extract upload.pcap 12/1", "name a capture file")
	case len(x.ids)+len(x.rules) == 0:
		return usage("expectscope "+strings.Join(x.names, " ")+" shows ids and rules", "say which exchange, or the findings of which rule")
	}
	return nil
}

// noFile tells whether a word can be meant for a rule or an exchange only: there is no such file, and captures are not called like that.
func noFile(arg string) bool {
	_, err := os.Stat(arg)
	return errors.Is(err, fs.ErrNotExist) && !slices.Contains(captureExts, strings.TrimPrefix(filepath.Ext(arg), "."))
}

// notExtracted says why nothing was written.
func (c *console) notExtracted(err error) error {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	c.inputsFailed(err)
	return exitStatus(statusUnread)
}
