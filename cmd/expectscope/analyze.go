package main

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"expectscope/analysis"
	"expectscope/analysis/engine"
	"expectscope/analysis/report"
	"expectscope/capture"
	"expectscope/capture/pcapfile"
)

const analyzeLong = `Read captures and tell what happened in their HTTP Expect exchanges.

FILE is a pcap or pcapng file, plain or compressed with gzip, zstd, lz4 or
bzip2; - is standard input. Several files are read in the order of their first
packets: rotated files make one capture, overlapping ones are kept apart, but
the two sides of a proxy are found in them: front.pcap back.pcap.

The first Ctrl-C ends reading and reports what was read, the second ends at
once.

--rule, --severity, --client, --server, --target and --status choose the
findings that are shown and that --fail-on sees, and all but the first two also
the exchanges. They never change the counts of the summary, which are of the
whole capture. Flags narrow one another; the values of a flag are alternatives,
separated by commas (but for --target) or by giving it again.

--redact covers, at their length, query strings, hosts and users, the values of
fields, and methods and reason phrases of nobody's standard, in every format.
Addresses, times, paths, names of fields, sizes, 100-continue and the name and
version of known software stay.

Without -f the extension of the -o FILE is the format. The file appears when it
is whole.

Exit status: 0 read whole, nothing reached --fail-on; 1 a finding that is not
inconclusive reached it; 2 wrong usage; 3 an input could not be read, or not to
its end (what was read is still reported), or the output not be written. 3 goes
before 1: a capture that was not seen whole proves nothing about its rest.`

const analyzeExamples = `  expectscope upload.pcap
  tcpdump -i any -U -w - 'tcp port 80' | expectscope -
  expectscope analyze node*.pcap.gz --server 10.0.0.0/8 --rule '417-*'
  expectscope analyze upload.pcap -o findings.csv
  expectscope analyze ci.pcap --fail-on warning`

// analyzeOptions are the values of the flags of analyze.
type analyzeOptions struct {
	format, output string
	all, local     bool
	redact         bool // what is private is covered
	top            int
	window         time.Duration
	selected       selection
	failOn         threshold
	filter         string // chooses packets of captures
	keylog         string // file of TLS secrets
}

func newAnalyze(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "analyze FILE...",
		Short:   "Tell what happened in captures (the verb can be left out)",
		Long:    analyzeLong,
		Example: analyzeExamples,
		Args:    cobra.ArbitraryArgs,
	}
	o := analyzeFlags(cmd)
	o.filterFlag(cmd)
	cmd.RunE = func(_ *cobra.Command, names []string) error {
		if len(names) == 0 {
			return usage("name capture files, or - for standard input", "nothing to analyze")
		}
		return o.run(c, names)
	}
	return cmd
}

// analyzeFlags adds the flags of analyze to a command.
func analyzeFlags(cmd *cobra.Command) *analyzeOptions {
	o := &analyzeOptions{}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVarP(&o.format, "format", "f", "", "`FORMAT`: "+strings.Join(formatNames(), ", ")+" (default text)")
	fs.StringVarP(&o.output, "output", "o", "", "write to `FILE`; its extension is the format")
	fs.BoolVar(&o.all, "all", false, "report exchanges without Expect too")
	o.selected.flags(cmd)
	fs.Func("fail-on", "exit 1 on a finding of this `SEVERITY` or RULE", o.failOn.add)
	windowFlag(cmd, &o.window)
	keylogFlag(cmd, &o.keylog)
	fs.Func("top", "instances of each rule to show: `N` or all (default "+strconv.Itoa(report.DefaultTop)+")", o.setTop)
	fs.BoolVar(&o.redact, "redact", false, "cover values of fields, query strings and hosts")
	fs.BoolVar(&o.local, "local", false, "times of the text in the local zone, not UTC")
	completeFlags(cmd)
	return o
}

// windowFlag adds --retry-window to a command.
func windowFlag(cmd *cobra.Command, window *time.Duration) {
	cmd.Flags().Func("retry-window", "`TIME` to repeat in after a 417 (default 10s)", func(v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d <= 0 {
			return usage("give a number and a unit: 500ms, 30s, 2m", "--retry-window cannot be %q", v)
		}
		*window = d
		return nil
	})
}

func (o *analyzeOptions) setTop(v string) error {
	n, err := strconv.Atoi(v)
	switch {
	case v == "all":
		n = -1
	case err != nil || n < 1:
		return usage("give a number from 1 on, or all", "--top cannot be %q", v)
	}
	o.top = n
	return nil
}

// run analyzes the named inputs.
func (o *analyzeOptions) run(c *console, names []string) error {
	format, err := formatFor(o.format, o.output)
	if err != nil {
		return err
	}
	if slices.Contains(names, "-") && isTerminal(c.in) {
		return usage("pipe a capture into it: tcpdump -U -w - | expectscope -", "standard input is a terminal")
	}
	keep, err := c.keep(o.filter)
	if err != nil {
		return err
	}
	out, err := openOutput(c, o.output, names)
	if err != nil {
		return err
	}
	stop, release := c.interrupts(out.abandon)
	defer release()
	src, err := pcapfile.Open(names, pcapfile.Options{Stdin: c.in, Now: c.now, Stop: stop})
	if err != nil {
		out.abandon()
		c.inputsFailed(err)
		return exitStatus(statusUnread)
	}
	defer src.Close()
	piped := len(names) == 1 && src.Stats().Total == 0
	keys, err := c.keylog(o.keylog, piped)
	if err != nil {
		out.abandon()
		return err
	}
	defer keys.close()
	r := &running{c: c, keys: keys, out: out, options: o, keep: keep, piped: piped, text: format.Name == "text", stop: stop}
	r.w = o.writer(format, out, o.writing(c, src, piped && r.text && o.output == ""))
	r.bar = newProgress(c, o.output == "" && (piped || !r.text))
	if !slices.Contains(names, "-") {
		r.names = names
	}
	return r.read(src)
}

// writing is what the format is told.
func (o *analyzeOptions) writing(c *console, src capture.Source, stream bool) report.Options {
	w := report.Options{Top: o.top, Stream: stream, Selected: len(o.selected.given) > 0}
	w.Width = o.width(c)
	w.Color = o.output == "" && c.color()
	if o.local {
		w.Location = time.Local
	}
	if inputs := src.Stats().Inputs; len(inputs) > 1 {
		w.Input = func(n int) string { return inputs[n-1].Name }
	}
	return w
}

// writer writes to out in that format, redacted where that is asked for.
func (o *analyzeOptions) writer(f report.Format, out io.Writer, w report.Options) report.Writer {
	if o.redact {
		return report.Redacted(f.New(out, w))
	}
	return f.New(out, w)
}

// width is how wide the text report is.
func (o *analyzeOptions) width(c *console) int {
	if o.output != "" {
		return report.DefaultWidth
	}
	return c.width()
}

// A running analysis. It is the engine's sink: it chooses what is shown.
type running struct {
	c       *console
	out     *output
	w       report.Writer
	bar     *progress
	options *analyzeOptions
	// piped: the input comes as it is captured, so results are passed on one by one.
	piped bool
	// live: what goes on is shown while it does. several: the packets lie in more than one file.
	live, several bool
	evidence      *evidence // nil: no packets are written
	unrecorded    bool      // nothing keeps the packets: their numbers prove nothing
	metrics       *metrics  // nil: none are served
	keys          *keylog   // nil: TLS is read with what the capture holds
	// until ends the analysis at the first finding it reaches, by halt.
	until *threshold
	keep  func(*capture.Packet) bool // nil: all packets
	halt  func()
	text  bool     // the format is for a reader
	names []string // of files that can be read again; nil for what comes once
	stop  <-chan struct{}
	cut   bool   // stopped before the end of a file
	shown uint64 // findings
	found bool   // --fail-on was reached
	err   error  // of the first write that failed
}

// Exchange shows an exchange.
func (r *running) Exchange(x *analysis.Exchange) {
	if r.evidence != nil {
		r.evidence.exchange(x)
	}
	if r.metrics != nil {
		r.metrics.Exchange(x)
	}
	if r.text && x.State != analysis.Settled {
		return // it may still change, and comes again
	}
	if r.options.selected.exchange(x) {
		r.wrote(r.w.Exchange(x))
	}
}

// Finding shows a finding, and fails for it.
func (r *running) Finding(f *analysis.Finding) {
	if !r.options.selected.finding(f) {
		return
	}
	f.Unrecorded = r.unrecorded
	if r.evidence != nil {
		r.evidence.finding(f)
	}
	r.shown++
	r.found = r.found || r.options.failOn.reached(f)
	if r.until != nil && f.State != analysis.Withdrawn && r.until.reached(f) {
		r.until = nil
		r.halt()
	}
	r.wrote(r.w.Finding(f))
}

// wrote notes the first error of writing.
func (r *running) wrote(err error) {
	if err == nil && r.piped {
		err = r.out.Flush()
	}
	if r.err == nil {
		r.err = err
	}
}

// goOn is asked every so many packets whether to read on. A pipe ends by
// itself when it is to stop, after what is in it.
func (r *running) goOn(src capture.Source) bool {
	r.bar.draw(src.Stats())
	r.cut = isClosed(r.stop) && !r.piped
	return r.err == nil && !r.cut
}

// read runs the analysis, and says what went wrong and what is missing.
func (r *running) read(src capture.Source) error {
	o := r.options
	several := r.several || len(src.Stats().Inputs) > 1
	eo := engine.Options{All: o.all, RetryWindow: int64(o.window), Multi: several, Live: r.live, Keep: r.keep}
	r.keys.into(&eo)
	e := engine.New(eo, r)
	if w, ok := src.(*watched); ok {
		w.missed = e.Missed
	}
	broke := e.Read(src, func() bool {
		if r.metrics != nil {
			r.metrics.update(r.c.now(), func() *analysis.Summary { return e.Summary(src) })
		}
		return r.goOn(src)
	})
	sum := e.Close(src)
	sum.Capture.Truncated = sum.Capture.Truncated || r.cut || broke != nil
	r.bar.clear()
	if r.err == nil && r.text {
		_, r.err = r.out.WriteString(o.selected.note(r.shown, total(sum.Findings), o.width(r.c)))
	}
	if r.err == nil {
		r.err = r.w.Close(sum)
	}
	if r.err == nil && r.text && r.names != nil && o.output == "" && isTerminal(r.c.out) {
		_, r.err = fmt.Fprintf(r.out, "\nbrowse it: expectscope tui %s\n", report.Safe(strings.Join(r.names, " ")))
	}
	if r.err == nil {
		r.err = r.out.finish()
	} else {
		r.out.abandon()
	}
	return r.verdict(src.Stats(), sum, e.Panics(), broke)
}

// verdict says on standard error what the results do not, and gives the exit status.
func (r *running) verdict(st *capture.Stats, sum *analysis.Summary, faults []engine.Panic, broke error) error {
	unread := r.cut
	for i := range st.Inputs {
		if err := st.Inputs[i].Err; err != nil {
			r.c.inputsFailed(err)
			unread = true
		}
	}
	if broke != nil {
		r.c.fail(broke.Error(), "")
		unread = true
	}
	if r.cut {
		r.c.fail(fmt.Sprintf("interrupted after %s of %s: the rest was not read", bytesText(st.Read), bytesText(st.Total)), "")
	}
	unread = r.c.faults(faults, st) || unread
	if !unread {
		unread = r.c.advise(sum)
	}
	switch {
	case r.err != nil:
		return cannotWrite(r.out.name, r.err)
	case unread:
		return exitStatus(statusUnread)
	case r.found:
		return exitStatus(statusFound)
	}
	return nil
}

// inputsFailed says of each input why it could not be read.
func (c *console) inputsFailed(err error) {
	if all, ok := err.(interface{ Unwrap() []error }); ok {
		for _, e := range all.Unwrap() {
			c.inputsFailed(e)
		}
		return
	}
	var in *pcapfile.InputError
	if errors.As(err, &in) {
		c.fail(in.Error(), in.Hint())
		return
	}
	c.fail(err.Error(), "")
}

// faultsShown is how many faults of ours are told one by one.
const faultsShown = 3

// faults tells of faults of ours that cost connections, and whether there were any.
func (c *console) faults(faults []engine.Panic, st *capture.Stats) bool {
	for i, f := range faults {
		if i == faultsShown {
			c.fail(fmt.Sprintf("%d more connections were left out for internal faults", len(faults)-i), "")
			break
		}
		frame, hint := f.Packet.Frame(), "please report it, with the frames around it if you may"
		where := "at the end of the capture"
		if n := f.Packet.Input(); 1 <= n && n <= len(st.Inputs) {
			name := st.Inputs[n-1].Name
			where = fmt.Sprintf("at frame %d of %s", frame, name)
			hint += fmt.Sprintf(": editcap -r %s out.pcap %d-%d", name, max(frame, 51)-50, frame+50)
		}
		c.fail(fmt.Sprintf("internal fault %s, its connection was left out: %v", where, f.Value), hint)
	}
	return len(faults) > 0
}
