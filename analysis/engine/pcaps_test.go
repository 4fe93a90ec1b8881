package engine

import (
	"path/filepath"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/capture/pcapfile"
	"expectscope/capture/script"
)

// What is said is a function of the packets: the same from a script, from the file built of it, and once more.
func TestDeterminism(t *testing.T) {
	for name, text := range conversations(t) {
		s := parsed(t, text)
		first, sum := analyze(t, s.Source(script.Options{}), Options{All: true, Crash: true})
		file, err := pcapfile.Open([]string{"../../testdata/pcaps/" + name + ".pcap"}, pcapfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer file.Close()
		for how, src := range map[string]capture.Source{"again": s.Source(script.Options{}), "from a file": file} {
			again, sum2 := analyze(t, src, Options{All: true, Crash: true})
			if diff := cmp.Diff(first.all(), again.all()); diff != "" {
				t.Errorf("%s %s (-first +again):\n%s", name, how, diff)
			}
			sum2.Capture.Inputs = sum.Capture.Inputs // they carry the file's name
			if diff := cmp.Diff(sum, sum2); diff != "" {
				t.Errorf("%s %s: summary (-first +again):\n%s", name, how, diff)
			}
		}
	}
}

// Real captures too are the same each time, and each finding names an exchange that was told.
func TestRealCaptures(t *testing.T) {
	files, err := filepath.Glob("../../testdata/pcaps/real-*.pcap*")
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Skip("no real captures in testdata/pcaps")
	}
	for _, file := range files {
		run := func() *log {
			src, err := pcapfile.Open([]string{file}, pcapfile.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer src.Close()
			l := &log{}
			e := New(Options{Crash: true}, l)
			_ = e.Read(src, func() bool { return true }) // some are cut in the middle of a record on purpose
			sum := e.Close(src)
			bounded(t, filepath.Base(file), l, sum)
			return l
		}
		first, again := run(), run()
		if diff := cmp.Diff(first.all(), again.all()); diff != "" {
			t.Errorf("%s (-first +again):\n%s", filepath.Base(file), diff)
		}
	}
}

// bounded checks what holds of every run: sums add up, and findings stand on exchanges that were told.
func bounded(t *testing.T, name string, l *log, sum *analysis.Summary) {
	t.Helper()
	told := map[string]bool{}
	for i := range l.exchanges {
		x := &l.exchanges[i]
		told[x.ID] = true
		b := &x.ReqBody
		if b.Sent != b.Early+b.Invited+b.Tail || x.Final != nil && b.Sent != b.Read+b.Crossing+b.Tail || b.Lost > b.Sent {
			t.Errorf("%s: %s: the sums of %+v are wrong", name, x.ID, *b)
		}
		if x.State != analysis.Settled {
			t.Errorf("%s: %s is told before it is settled", name, x.ID)
		}
	}
	for _, f := range l.findings {
		if !told[f.Exchange] {
			t.Errorf("%s: %s of %s, which was not told", name, f.Rule, f.Exchange)
		}
	}
	if sum.Exchanges < uint64(len(told)) || sum.Finals > sum.Exchanges || sum.Retried+sum.NotRetried+sum.RetryUnknown != sum.Refused417 {
		t.Errorf("%s: %d told of %d exchanges with %d finals; %d refused: %d retried, %d not, %d unknown", name, len(told),
			sum.Exchanges, sum.Finals, sum.Refused417, sum.Retried, sum.NotRetried, sum.RetryUnknown)
	}
}

// How the bytes were cut into segments changes no finding.
func TestByteByByte(t *testing.T) {
	for name, text := range conversations(t) {
		whole, sum := play(t, text, script.Options{})
		bounded(t, name, whole, sum)
		cut, _ := play(t, text, script.Options{SegmentSize: 1})
		if diff := cmp.Diff(whole.findingLines(), cut.findingLines()); diff != "" {
			t.Errorf("%s (-whole +cut):\n%s", name, diff)
		}
	}
}

// borneOut names, for a rule, another that says the same and more: a loop is a repeat with Expect, several times.
var borneOut = map[string]string{"417-retry-still-expects": "417-loop"}

// A packet that is missing from the capture makes findings vanish or weaker, but
// no accusation is certain that the whole capture does not bear out.
func TestAPacketMissing(t *testing.T) {
	const most = 60 // of one conversation, spread over it
	for name, text := range conversations(t) {
		s := parsed(t, text)
		whole, _ := play(t, text, script.Options{})
		n := s.DataPackets(script.Options{})
		for k := 1; k <= n; k += 1 + n/most {
			l, sum := analyze(t, s.Source(script.Options{Drop: k}), Options{All: true, Crash: true})
			bounded(t, name, l, sum)
			for _, rule := range l.accuses() {
				if as := whole.accuses(); !slices.Contains(as, rule) && !slices.Contains(as, borneOut[rule]) {
					t.Errorf("%s without packet %d: %s is said to be certain", name, k, rule)
				}
			}
		}
	}
}
