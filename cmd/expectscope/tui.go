package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"expectscope/analysis/engine"
	"expectscope/analysis/query"
	"expectscope/analysis/report"
	"expectscope/analysis/store"
	"expectscope/capture"
	"expectscope/capture/pcapfile"
	"expectscope/tui"
)

const tuiLong = `Browse what analyze knows in a terminal: findings, exchanges, an overview and
connections, each number one key away from the packets that prove it. ? shows
the keys.

FILE is as for analyze; with - the keyboard is the terminal that the program was
started from. The views fill while a big file is read; esc stops reading and
keeps what is there. Every exchange is kept in memory, less than 2 KB for each.

The other flags are the words of the filter (/) and begin one: it can be changed,
and nothing is left out. With --redact the files that o and e write are covered as
analyze and extract cover theirs; the screen shows what was said.

Exit status: 0; 2 wrong usage, or no terminal; 3 an input could not be read, or
not to its end.`

const tuiExamples = `  expectscope tui upload.pcap
  expectscope tui node*.pcap.gz --rule '417-*' --server 10.0.0.2
  ssh host tcpdump -U -w - tcp port 80 | expectscope tui -`

func newTUI(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "tui FILE...",
		Short:   "Browse captures in a terminal",
		Long:    tuiLong,
		Example: tuiExamples,
		Args:    cobra.ArbitraryArgs,
	}
	var keylog string
	redact := false
	cmd.Flags().BoolVar(&redact, "redact", false, "cover what is private in what o and e write")
	keylogFlag(cmd, &keylog)
	var filter []string
	for _, f := range chosenBy {
		cmd.Flags().Func(f.key, "begin with "+f.usage, func(v string) error {
			word := f.key + ":" + v
			if strings.ContainsAny(v, " \t") {
				word = f.key + `:"` + v + `"`
			}
			filter = append(filter, word)
			_, err := with(query.Query{}, f.key, v)
			return err
		})
	}
	cmd.ValidArgsFunction = cobra.FixedCompletions(captureExts, cobra.ShellCompDirectiveFilterFileExt)
	// Registering fails only for a flag that is not there.
	_ = cmd.RegisterFlagCompletionFunc("rule", cobra.FixedCompletions(ruleCompletions(), cobra.ShellCompDirectiveNoFileComp))
	_ = cmd.RegisterFlagCompletionFunc("severity", cobra.FixedCompletions(severityNames(), cobra.ShellCompDirectiveNoFileComp))
	cmd.RunE = func(_ *cobra.Command, names []string) error {
		if len(names) == 0 {
			return usage("name capture files, or - for standard input", "nothing to browse")
		}
		return c.browse(names, strings.Join(filter, " "), keylog, redact)
	}
	return cmd
}

// browse reads the inputs and shows what was found until the user quits.
func (c *console) browse(names []string, filter, keylog string, redact bool) error {
	o := tui.Options{Title: title(names), Filter: filter}
	if !isTerminal(c.out) {
		return usage("expectscope analyze "+strings.Join(names, " ")+" writes a report to anything", "the browser needs a terminal, and standard output is none")
	}
	if c.env("TERM") == "dumb" {
		return usage("expectscope analyze "+strings.Join(names, " ")+" writes a report to anything", "the browser places text on the screen, which TERM=dumb says this terminal cannot")
	}
	if !isTerminal(c.in) {
		tty, err := os.Open("/dev/tty")
		if err != nil || !slices.Contains(names, "-") {
			return usage("expectscope analyze "+strings.Join(names, " ")+" writes a report to anything", "the browser needs a terminal, and standard input is none")
		}
		defer tty.Close()
		o.In = tty
	} else if slices.Contains(names, "-") {
		return usage("pipe a capture into it: tcpdump -U -w - | expectscope tui -", "standard input is a terminal")
	}
	stop := make(chan struct{})
	src, err := pcapfile.Open(names, pcapfile.Options{Stdin: c.in, Now: c.now, Stop: stop})
	if err != nil {
		c.inputsFailed(err)
		return exitStatus(statusUnread)
	}
	defer src.Close()
	keys, err := c.keylog(keylog, slices.Contains(names, "-"))
	if err != nil {
		return err
	}
	defer keys.close()
	l := &load{store: store.New(), thrift: newThrift(c), src: src, keys: keys, stop: stop, over: make(chan struct{})}
	o.Stop = l.end
	if inputs := src.Stats().Inputs; len(inputs) > 1 {
		o.Input = func(n int) string { return inputs[n-1].Name }
	}
	o.Write = func(format string, rows tui.Rows) (string, error) {
		return writeRows(format, rows, report.Options{Input: o.Input}, redact)
	}
	if !slices.Contains(names, "-") {
		o.Extract = func(id string) (string, error) { return extractOne(names, id, keys, redact) }
	}
	go l.run()
	select { // a small capture is whole on the first screen
	case <-l.over:
	case <-time.After(headStart):
	}
	err = tui.Run(l.store, o)
	l.end()
	<-l.over
	if err != nil {
		return &failure{status: statusUsage, text: err.Error()}
	}
	return l.conclude(c)
}

// headStart is how long the load may take before the first screen is drawn.
const headStart = 30 * time.Millisecond

// title is what the header calls the inputs.
func title(names []string) string {
	s := filepath.Base(names[0])
	if names[0] == "-" {
		s = "standard input"
	}
	if len(names) > 1 {
		s += fmt.Sprintf(" and %d more", len(names)-1)
	}
	return s
}

// A load fills a store while it is browsed.
type load struct {
	store *store.Store
	src   capture.Source
	keys  *keylog // nil: TLS is read with what the capture holds
	stop  chan struct{}
	once  sync.Once
	over  chan struct{} // closed when nothing more will come
	live  bool          // what goes on is shown while it does
	// evidence writes the packets of each finding; nil: nobody does.
	evidence *evidence
	// unrecorded: nothing keeps the packets, so their numbers prove nothing.
	unrecorded bool
	thrift     *thrift
	broke      error
	faults     []engine.Panic
}

// end makes the load end early, if it has not ended.
func (l *load) end() { l.once.Do(func() { close(l.stop) }) }

func (l *load) run() {
	defer close(l.over)
	var sink engine.Sink = l.store
	if l.unrecorded {
		sink = unrecorded{l.store}
	}
	if l.evidence != nil {
		sink = proving{sink, l.evidence}
	}
	o := engine.Options{All: true, Multi: len(l.src.Stats().Inputs) > 1, Live: l.live}
	l.keys.into(&o)
	e := engine.New(o, sink)
	stopped, counted := false, time.Time{}
	l.broke = e.Read(l.src, func() bool {
		st := l.src.Stats()
		l.store.Progress(st.Read, st.Total)
		l.thrift.adjust()
		if now := time.Now(); l.live && now.Sub(counted) >= time.Second {
			counted = now
			l.store.Counted(e.Summary(l.src))
		}
		stopped = isClosed(l.stop)
		return !stopped
	})
	sum := e.Close(l.src)
	l.faults = e.Panics()
	sum.Capture.Truncated = sum.Capture.Truncated || stopped || l.broke != nil
	err := l.broke
	for i := range sum.Capture.Inputs {
		err = errors.Join(err, sum.Capture.Inputs[i].Err)
	}
	l.store.Close(sum, stopped, err)
	l.thrift.settle()
}

// conclude says what could not be read. That the user stopped it is no news to them.
func (l *load) conclude(c *console) error {
	unread := c.faults(l.faults, l.src.Stats())
	for _, in := range l.src.Stats().Inputs {
		if in.Err != nil {
			c.inputsFailed(in.Err)
			unread = true
		}
	}
	if l.broke != nil {
		c.fail(l.broke.Error(), "")
		unread = true
	}
	if unread {
		return exitStatus(statusUnread)
	}
	return nil
}

// writeRows writes a list to a new file in the working directory and names it.
func writeRows(format string, rows tui.Rows, o report.Options, redact bool) (name string, err error) {
	f, ok := report.ByName(format)
	if !ok {
		return "", fmt.Errorf("there is no format %s", format)
	}
	file, err := newFile("expectscope-list", f.Ext)
	if err != nil {
		return "", err
	}
	b := bufio.NewWriter(file)
	w := f.New(b, o)
	if redact {
		w = report.Redacted(w)
	}
	if err = rows(w); err == nil && format == "csv" {
		err = w.Close(nil) // a table without rows has its head all the same
	}
	return file.Name(), errors.Join(err, b.Flush(), file.Close())
}

// extractOne writes the packets of an exchange to a new file in the working directory and names it.
func extractOne(names []string, id string, keys *keylog, redact bool) (name string, err error) {
	file, err := newFile("expectscope-"+fileStem(id), ".pcapng")
	if err != nil {
		return "", err
	}
	x := &extraction{names: names, ids: []string{id}, keys: keys, redact: redact}
	if err = errors.Join(x.write(file), file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

// fileStem is an exchange's ID as part of a file's name.
func fileStem(id string) string { return strings.NewReplacer("/", "-", ":", ".").Replace(id) }

// newFile makes a file that is not there yet: stem.ext, or stem-2.ext and so on.
func newFile(stem, ext string) (*os.File, error) {
	name := stem + ext
	for n := 2; ; n++ {
		file, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
		if !errors.Is(err, fs.ErrExist) {
			return file, err
		}
		name = fmt.Sprintf("%s-%d%s", stem, n, ext)
	}
}
