package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"expectscope/capture"
	"expectscope/capture/filter"
	"expectscope/capture/live"
)

const liveLong = `Watch an interface and tell what happens in its HTTP Expect exchanges, while
it happens: findings come as they settle, what hangs is shown while it hangs
(provisional: a later line about the same exchange and rule replaces it), and
the report comes at the end.

FILTER chooses packets in tcpdump's language, in the kernel: tcp port 8080.
Without -i all interfaces are watched; a packet that crosses several of them is
taken once. What the kernel had no room for is counted and said.

The first Ctrl-C or SIGTERM ends capturing and reports what was captured, the
second ends at once; so does --duration or --count end it.

Capturing needs root or the capability CAP_NET_RAW
(sudo setcap cap_net_raw+ep expectscope), which is given up as soon as capturing
has begun, with all others. With cap_sys_nice too, expectscope goes before other
programs, so that less is lost on a busy machine; start it with nice to not.

With -w the proof is in frames of the file that is written, else in frames
counted from the start. -w files are pcapng, for analyze and for Wireshark;
--rotate-size and --rotate-time begin another one (NAME-00001.pcapng, ...),
--files keeps the last ones only. --evidence writes a small capture for each
finding, named for its rule and exchange, out of the last 32 MB of packets.
--redact covers the report as analyze does, and the packets of --evidence as
extract does; of the browser it covers what o and e write, the screen shows what
was said. -w writes what it sees at once, so they do not go together.
--metrics serves counters and a histogram of waits for Prometheus, on loopback
unless the address says otherwise.

--keylog FILE is followed: a connection whose key is not there yet waits for it
for up to 10 seconds, and FILE itself need not be there when capturing begins.

The flags of the report and the exit status are those of analyze.`

const liveExamples = `  expectscope live
  expectscope live -i lo 'tcp port 8080' -f ndjson
  expectscope live -i eth0 -w seen.pcapng --rotate-size 100MB --files 10
  expectscope live --duration 10m --fail-on warning --evidence proof/
  expectscope live --until expect-stall -w stall.pcapng
  expectscope live --tui 'tcp port 80'
  expectscope live -D`

// recentBytes is how much memory --evidence, and the browser, take for packets.
const recentBytes = 32 << 20

// liveOptions are the values of the flags of live.
type liveOptions struct {
	*analyzeOptions
	capture  live.Options
	list     bool
	duration time.Duration
	count    uint64
	record   live.RecorderOptions
	evidence string
	until    threshold
	metrics  string
	tui      bool
}

func newLive(c *console) *cobra.Command {
	cmd := &cobra.Command{
		Use:     "live [FILTER]",
		Short:   "Tell what happens on an interface, while it happens",
		Long:    liveLong,
		Example: liveExamples,
		Args:    cobra.ArbitraryArgs,
	}
	o := liveFlags(cmd)
	cmd.RunE = func(_ *cobra.Command, words []string) error {
		if o.list {
			return c.listInterfaces()
		}
		return o.run(c, strings.Join(words, " "))
	}
	return cmd
}

// liveFlags adds the flags of live to a command, those of the report behind its own.
func liveFlags(cmd *cobra.Command) *liveOptions {
	o := &liveOptions{}
	fs := cmd.Flags()
	fs.SortFlags = false
	fs.StringVarP(&o.capture.Interface, "interface", "i", "", "watch `IFACE` (default any: all)")
	fs.BoolVarP(&o.list, "list", "D", false, "list the interfaces")
	fs.BoolVar(&o.capture.Promiscuous, "promiscuous", false, "see frames that are not for this machine too")
	fs.Func("snaplen", "keep `SIZE` of a frame (default 262144)", sizeInto("snaplen", &o.capture.SnapLen))
	fs.Func("buffer", "the kernel's buffer: `SIZE` (default 128MiB)", sizeInto("buffer", &o.capture.Buffer))
	fs.Func("duration", "end after `TIME`: 30s, 10m", timeInto("duration", &o.duration))
	fs.Func("count", "end after `N` packets", countInto("count", &o.count))
	fs.StringVarP(&o.record.Path, "write", "w", "", "write what is seen to `FILE`, as pcapng")
	fs.Func("rotate-size", "begin another file at `SIZE`: 100MB", sizeInto("rotate-size", &o.record.Size))
	fs.Func("rotate-time", "begin another file after `TIME`: 1h", timeInto("rotate-time", &o.record.Every))
	fs.Func("files", "keep the last `N` files", countInto("files", &o.record.Files))
	fs.Func("until", "end at the first finding of this `RULE` or SEVERITY", o.until.add)
	fs.StringVar(&o.metrics, "metrics", "", "serve Prometheus metrics at `ADDRESS`: 127.0.0.1:9417")
	fs.BoolVar(&o.tui, "tui", false, "browse in the terminal while it is captured")
	fs.StringVar(&o.evidence, "evidence", "", "write the packets around each finding into `DIR`")
	o.analyzeOptions = analyzeFlags(cmd)
	_ = cmd.RegisterFlagCompletionFunc("interface", completeInterfaces) // fails only for a flag that is not there
	return o
}

// check refuses flags that say nothing together.
func (o *liveOptions) check() error {
	r := &o.record
	rotates := r.Size > 0 || r.Every > 0
	switch {
	case rotates && r.Path == "":
		return usage("name the files with -w FILE", "nothing is written that could be rotated")
	case r.Files > 0 && !rotates:
		return usage("say when another file begins: --rotate-size 100MB or --rotate-time 1h", "--files keeps the last of several files, and there is one")
	case o.tui && (o.output != "" || o.format != "" || o.metrics != "" || o.until.set || len(o.until.rules) > 0):
		return usage("without --tui they work; with it, o writes the list that is shown", "-f, -o, --metrics and --until go with a report, and --tui shows none")
	case o.redact && r.Path != "":
		return usage("capture with -w FILE, then expectscope extract FILE '*' --redact -o ticket.pcapng",
			"--redact cannot cover what -w writes at once: what must be covered is known only when a message's head is complete")
	case r.Path == "-":
		return usage("tcpdump -U -w - writes packets to standard output", "-w cannot write to standard output: the report goes there")
	case o.capture.Promiscuous && (o.capture.Interface == "" || o.capture.Interface == live.Any):
		return usage("name one with -i", "--promiscuous goes with one interface")
	}
	return nil
}

// run watches the interface.
func (o *liveOptions) run(c *console, expr string) error {
	if err := o.check(); err != nil {
		return err
	}
	format, err := formatFor(o.format, o.output)
	if err != nil {
		return err
	}
	if err := o.compile(c, expr); err != nil {
		return err
	}
	out, err := openOutput(c, o.output, nil)
	if err != nil {
		return err
	}
	stop, release := c.interrupts(out.abandon)
	defer release()
	if o.tui {
		return o.browse(c, out, stop)
	}
	keys, err := c.keylog(o.keylog, true)
	if err != nil {
		out.abandon()
		return err
	}
	defer keys.close()
	var m *metrics
	if o.metrics != "" {
		if m, err = serveMetrics(c, o.metrics); err != nil {
			out.abandon()
			return err
		}
		defer m.close()
	}
	w, err := o.watch(c)
	if err != nil {
		out.abandon()
		return c.captureFailed(err)
	}
	defer w.Close()
	defer w.endAt(stop, o.duration)()
	r := &running{c: c, keys: keys, out: out, options: o.analyzeOptions, piped: true, live: true, text: format.Name == "text", stop: stop, evidence: w.evidence, metrics: m, unrecorded: w.recorder == nil}
	if o.until.set || len(o.until.rules) > 0 {
		r.until, r.halt = &o.until, w.Stop
	}
	writing := o.writing(c, w, r.text && o.output == "")
	if w.recorder != nil && w.rotates {
		writing.Input, r.several = w.recorder.File, true
	}
	r.w = o.writer(format, out, writing)
	r.bar = newProgress(c, o.output == "")
	err = r.read(w)
	return w.conclude(err)
}

// compile makes the kernel's program of a filter expression.
func (o *liveOptions) compile(c *console, expr string) error {
	if expr == "" {
		return nil
	}
	link, err := live.Link(o.capture.Interface)
	if err != nil {
		return c.captureFailed(err)
	}
	p, err := filter.Compile(expr, link, filter.Options{Cooked: link == capture.LinkSLL2, VLANStripped: true})
	if err != nil {
		return c.filterRefused(err)
	}
	o.capture.Filter = p.Raw()
	return nil
}

// filterRefused says what is wrong with a filter, and shows where.
func (c *console) filterRefused(err error) error {
	var e *filter.SyntaxError
	if !errors.As(err, &e) {
		return usage("man pcap-filter describes the language", "%v", err)
	}
	c.fail(e.Error(), "")
	for line := range strings.Lines(e.Caret() + "\n") {
		fmt.Fprint(c.err, "  ", line)
	}
	fmt.Fprintln(c.err, "expectscope: hint: man pcap-filter describes the language")
	return exitStatus(statusUsage)
}

// captureFailed says why there is nothing to read.
func (c *console) captureFailed(err error) error {
	var f *failure
	if errors.As(err, &f) {
		return f
	}
	var hinted interface{ Hint() string }
	hint := ""
	if errors.As(err, &hinted) {
		hint = hinted.Hint()
	}
	return &failure{status: statusUnread, text: err.Error(), hint: hint}
}

// watch begins to capture, makes what is written to, and gives up all privileges.
func (o *liveOptions) watch(c *console) (*watched, error) {
	w := &watched{c: c, limit: o.count, rotates: o.record.Size > 0 || o.record.Every > 0}
	o.capture.Notice = w.notice
	h, err := live.Open(o.capture)
	if err != nil {
		return nil, err
	}
	w.Handle = h
	fail := func(err error) (*watched, error) {
		w.Close()
		return nil, err
	}
	var dirs []string
	if o.output != "" {
		dirs = append(dirs, filepath.Dir(o.output))
	}
	if o.evidence != "" {
		dirs = append(dirs, o.evidence)
		if w.evidence, err = newEvidence(c, o.evidence, recentBytes, o.redact); err != nil {
			return fail(err)
		}
	}
	if o.record.Path != "" {
		if w.rotates {
			dirs = append(dirs, filepath.Dir(o.record.Path))
		}
		if w.recorder, err = live.NewRecorder(o.record); err != nil {
			return fail(err)
		}
	}
	_ = live.Prioritize() // where it is not permitted, what is lost is counted
	if err := live.DropPrivileges(); err != nil {
		c.warn(err.Error(), "")
	}
	for _, dir := range dirs {
		if err := writable(dir); err != nil {
			return fail(cannotWrite(dir+" without privileges", err))
		}
	}
	return w, nil
}

// writable tells whether files can be made in a directory.
func writable(dir string) error {
	f, err := os.CreateTemp(dir, ".expectscope-*")
	if err != nil {
		return err
	}
	return errors.Join(f.Close(), os.Remove(f.Name()))
}

// sizeInto reads a flag's size into a number of bytes.
func sizeInto[T int | int64](flag string, to *T) func(string) error {
	return func(v string) error {
		n, ok := parseSize(v)
		if !ok || n < 1 || int64(T(n)) != n {
			return usage("give a number and a unit: 65535, 64KiB, 100MB, 1GB", "--%s cannot be %q", flag, v)
		}
		*to = T(n)
		return nil
	}
}

// units of sizes. A letter alone is what tcpdump and dd make of it, roughly.
var units = []struct {
	name  string
	bytes float64
}{
	{"kib", 1 << 10},
	{"mib", 1 << 20},
	{"gib", 1 << 30},
	{"kb", 1e3},
	{"mb", 1e6},
	{"gb", 1e9},
	{"k", 1e3},
	{"m", 1e6},
	{"g", 1e9},
	{"b", 1},
	{"", 1},
}

// parseSize reads 65535, 64KiB, 1.5GB.
func parseSize(v string) (int64, bool) {
	lower := strings.ToLower(strings.TrimSpace(v))
	for _, u := range units {
		if digits, ok := strings.CutSuffix(lower, u.name); ok {
			n, err := strconv.ParseFloat(strings.TrimSpace(digits), 64)
			bytes := n * u.bytes
			return int64(bytes), err == nil && bytes >= 0 && bytes < 1<<62
		}
	}
	return 0, false
}

// timeInto reads a flag's duration.
func timeInto(flag string, to *time.Duration) func(string) error {
	return func(v string) error {
		d, err := time.ParseDuration(v)
		if err != nil || d <= 0 {
			return usage("give a number and a unit: 500ms, 30s, 10m, 1h", "--%s cannot be %q", flag, v)
		}
		*to = d
		return nil
	}
}

// countInto reads a flag's number from 1 on.
func countInto[T int | uint64](flag string, to *T) func(string) error {
	return func(v string) error {
		n, err := strconv.ParseInt(v, 10, 0)
		if err != nil || n < 1 {
			return usage("give a number from 1 on", "--%s cannot be %q", flag, v)
		}
		*to = T(n)
		return nil
	}
}
