package report

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/charmbracelet/x/ansi"

	"expectscope/analysis"
)

var update = flag.Bool("update", false, "write the golden files anew")

// golden compares got with testdata/name.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(want, got) {
		wl, gl := strings.Split(string(want), "\n"), strings.Split(string(got), "\n")
		for i := range max(len(wl), len(gl)) {
			if i >= len(wl) || i >= len(gl) || wl[i] != gl[i] {
				t.Fatalf("%s differs from line %d on; run with -update and look at the difference\nwant: %q\ngot:  %q", path, i+1, wl[min(i, len(wl)-1)], gl[min(i, len(gl)-1)])
			}
		}
	}
}

// explained stands for the table of rules, whose texts change for their own reasons.
func explained(rule string) string {
	return map[string]string{
		"body-withheld-reuse": "A client that keeps the connection\n\tmust send the body it announced, e.g. after a 417. A second sentence.",
		"417-no-retry":        "A client that gets a 417 should repeat the request without Expect.",
	}[rule]
}

func TestGolden(t *testing.T) {
	for _, f := range Formats() {
		if f.Name == "text" {
			continue
		}
		t.Run(f.Name, func(t *testing.T) {
			var out bytes.Buffer
			results, s := fixture()
			if err := feed(f.New(&out, Options{}), results, s); err != nil {
				t.Fatal(err)
			}
			golden(t, "run"+f.Ext, out.Bytes())
		})
	}
}

func TestGoldenText(t *testing.T) {
	for name, o := range map[string]Options{
		"text-80.txt":    {},
		"text-60.txt":    {Width: 60},
		"text-120.txt":   {Width: 120},
		"text-color.txt": {Color: true},
		"text-live.txt":  {Stream: true, Top: 1},
		"text-all.txt":   {Top: -1},
		"text-files.txt": {Input: inputName},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			results, s := fixture()
			if err := feed(newText(&out, o, explained), results, s); err != nil {
				t.Fatal(err)
			}
			golden(t, name, out.Bytes())
			narrow(t, out.String(), o.width())
		})
	}
}

func TestGoldenLadder(t *testing.T) {
	refused, repeat := swallowed()
	elsewhere := *refused
	elsewhere.Conn = newConn(9, "10.0.0.1:51767", "10.0.0.2:8101")
	for _, width := range []int{40, 60, 80, 100} {
		var b strings.Builder
		for _, l := range [][]string{
			Ladder(inOrder(), nil, width), Ladder(refused, repeat, width), Ladder(&elsewhere, repeat, width), Ladder(ignored(2), nil, width),
			Ladder(hostile(), nil, width), Ladder(unanswered(), nil, width), Ladder(stopped(), nil, width),
		} {
			b.WriteString(strings.Join(l, "\n") + "\n\n")
		}
		golden(t, map[int]string{40: "ladder-40.txt", 60: "ladder-60.txt", 80: "ladder-80.txt", 100: "ladder-100.txt"}[width], []byte(b.String()))
		narrow(t, b.String(), width)
		harmless(t, b.String())
	}
}

// verdicts are the sentences for runs that differ in what was found.
func TestVerdict(t *testing.T) {
	x := inOrder()
	fact := finding(x, "expect-tiny", "Expect for a tiny body", analysis.Info, "")
	notice := finding(x, "late-100", "Slow 100 Continue", analysis.Notice, "")
	warning := finding(x, "some-rule", "Something Odd", analysis.Warning, "")
	warning.Fault = []analysis.Fault{analysis.FaultIntermediary}
	unsure := warning
	unsure.Confidence = analysis.Inconclusive
	for _, c := range []struct {
		findings []analysis.Finding
		s        analysis.Summary
		want     string
	}{
		{nil, analysis.Summary{}, "No HTTP request in this capture."},
		{nil, analysis.Summary{Exchanges: 1}, "No Expect exchange in this capture: 1 request, without an Expect field."},
		{nil, analysis.Summary{Exchanges: 1200}, "No Expect exchange in this capture: 1,200 requests, none with an Expect field."},
		{nil, analysis.Summary{Exchanges: 9, Expect: 1}, "The one Expect exchange was in order."},
		{[]analysis.Finding{fact}, analysis.Summary{Exchanges: 9, Expect: 9}, "All 9 Expect exchanges were in order."},
		{[]analysis.Finding{notice}, analysis.Summary{Exchanges: 3, Expect: 2, Waited: 2e9}, "Nothing is broken, but " +
			"one of 3 exchanges cost more than needed or deserved a look: one 100 came late. Cost: 2.00 s of waiting for a 100."},
		{[]analysis.Finding{unsure}, analysis.Summary{Exchanges: 3, Expect: 2}, "One of 3 exchanges may have gone wrong, " +
			"but the capture does not hold the evidence: something Odd."},
		{[]analysis.Finding{notice, warning}, analysis.Summary{Exchanges: 1, Expect: 1}, "The only exchange went wrong: something Odd. To change: a proxy on the way."},
		{[]analysis.Finding{warning}, analysis.Summary{Exchanges: 2, Expect: 1, Open: 1}, "One of 2 exchanges went wrong: something Odd. To change: a proxy on the way. One exchange is still open at the end."},
	} {
		w := newText(&bytes.Buffer{}, Options{}, explained)
		for i := range c.findings {
			if err := w.Finding(&c.findings[i]); err != nil {
				t.Fatal(err)
			}
		}
		if got := w.verdict(&c.s); got != c.want {
			t.Errorf("verdict\n got %s\nwant %s", got, c.want)
		}
	}
}

func inputName(n int) string { return []string{"", "first file.pcap", "second.pcap"}[n] }

// narrow checks that no line is wider than that.
func narrow(t *testing.T, text string, width int) {
	t.Helper()
	for line := range strings.Lines(text) {
		if w := ansi.StringWidth(strings.TrimSuffix(line, "\n")); w > width {
			t.Errorf("%d columns, not %d: %q", w, width, line)
		}
	}
}

// harmless checks that text holds nothing a terminal would act on, or that hides.
func harmless(t *testing.T, text string) {
	t.Helper()
	for line := range strings.Lines(text) {
		if line = strings.TrimSuffix(line, "\n"); Safe(line) != line {
			t.Errorf("not safe to show: %q", line)
		}
	}
}
