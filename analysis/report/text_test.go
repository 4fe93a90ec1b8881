package report

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"expectscope/analysis"
	"expectscope/capture"
)

// textOf is the report of a run.
func textOf(t *testing.T, o Options, results []result, s *analysis.Summary) string {
	t.Helper()
	var out bytes.Buffer
	if err := feed(newText(&out, o, explained), results, s); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// inOrderOf checks that the report says these things in this order.
func inOrderOf(t *testing.T, report string, parts ...string) {
	t.Helper()
	rest := report
	for _, p := range parts {
		_, after, ok := strings.Cut(rest, p)
		if !ok {
			t.Fatalf("%q is missing, or not where it belongs, in\n%s", p, report)
		}
		rest = after
	}
}

// manyFindings is a run of n timeouts of which number i wasted i bytes.
func manyFindings(n int) []result {
	x := ignored(0)
	var results []result
	for i := range n {
		f := finding(x, "expect-timeout", "Client gave up waiting", analysis.Notice, fmt.Sprintf("case %d.", i), uint64(i+1))
		f.Exchange, f.Wasted = fmt.Sprintf("%d/1", i), int64(i)
		results = append(results, result{x, []analysis.Finding{f}})
	}
	return results
}

func TestTextShowsTheWorst(t *testing.T) {
	results := manyFindings(50)
	results[7].findings[0].Severity = analysis.Warning
	s := &analysis.Summary{Exchanges: 50, Expect: 50}
	got := textOf(t, Options{}, results, s)
	inOrderOf(t, got, "50 times", "case 7.", "case 49.", "case 48.", "and 47 more")
	if n := strings.Count(got, "case "); n != DefaultTop {
		t.Errorf("%d instances, want %d", n, DefaultTop)
	}
	if n := strings.Count(textOf(t, Options{Top: 10}, results, s), "case "); n != 10 {
		t.Errorf("%d instances of 10 asked for", n)
	}
	all := textOf(t, Options{Top: -1}, results, s)
	if n := strings.Count(all, "case "); n != 50 || strings.Contains(all, "more") {
		t.Errorf("%d instances of all 50", n)
	}
}

// Of equal findings the first are shown.
func TestTextKeepsTheFirstOfEquals(t *testing.T) {
	results := manyFindings(9)
	for i := range results {
		results[i].findings[0].Wasted = 5
	}
	inOrderOf(t, textOf(t, Options{}, results, &analysis.Summary{Exchanges: 9}), "case 0.", "case 1.", "case 2.", "and 6 more")
}

// Consequences stand under their first cause, in whatever order they come.
func TestTextConsequences(t *testing.T) {
	x := ignored(0)
	a := finding(x, "rule-a", "A", analysis.Notice, "the cause")
	b := finding(x, "rule-b", "B", analysis.Warning, "a consequence")
	b.Cause = "rule-a"
	c := finding(x, "rule-c", "C", analysis.Error, "a consequence of the consequence")
	c.Cause = "rule-b"
	lone := finding(x, "rule-d", "D", analysis.Notice, "its cause did not fire")
	lone.Cause = "rule-z"
	for _, order := range [][]analysis.Finding{{a, b, c, lone}, {a, c, b, lone}, {lone, c, b, a}} {
		got := textOf(t, Options{}, []result{{x, order}, {ignored(1), nil}}, &analysis.Summary{Exchanges: 2})
		inOrderOf(t, got, "ERROR    rule-a  A; once", "with it  rule-c (error), rule-b (warning)", "the cause", "NOTICE   rule-d  D; once", "its cause did not fire")
		if strings.Contains(got, "a consequence") {
			t.Errorf("a consequence has its own paragraph:\n%s", got)
		}
	}
	twice := textOf(t, Options{}, []result{{x, []analysis.Finding{a, b}}, {ignored(1), func() []analysis.Finding {
		a, b := a, b
		a.Exchange, b.Exchange = "2/1", "2/1"
		return []analysis.Finding{a, b}
	}()}}, &analysis.Summary{Exchanges: 2})
	inOrderOf(t, twice, "Both exchanges went wrong", "A; 2 times", "rule-b (warning, 2 times)")
}

// A finding that may still change is not counted; live it is shown as it comes.
func TestTextStream(t *testing.T) {
	x := ignored(0)
	first := finding(x, "late-100", "Slow 100", analysis.Notice, "not yet")
	first.State = analysis.Provisional
	last := finding(x, "late-100", "Slow 100", analysis.Warning, "took 2 s")
	last.Confidence = analysis.Inconclusive
	gone := finding(x, "no-100", "Expect ignored", analysis.Notice, "never mind")
	gone.State = analysis.Withdrawn
	results := []result{{x, []analysis.Finding{first, gone, last}}}
	s := &analysis.Summary{Exchanges: 1, Expect: 1}
	got := textOf(t, Options{Stream: true, Width: 120}, results, s)
	inOrderOf(t, got,
		"04:05:07.000 NOTICE  provisional late-100  PUT /slow/0 201: not yet  10.0.0.7:42000\n",
		"NOTICE  withdrawn no-100", "WARNING late-100  inconclusive: PUT", "\n\nThe only exchange may have gone wrong", "late-100  Slow 100; once, inconclusive")
	quiet := textOf(t, Options{}, results, s)
	if strings.Contains(quiet, "not yet") || strings.Contains(quiet, "never mind") || strings.Contains(quiet, "2 times") {
		t.Errorf("a finding that was taken back is told:\n%s", quiet)
	}
}

func TestTextHanging(t *testing.T) {
	var results []result
	for i := range 15 {
		x := unanswered()
		x.Request.Target = fmt.Sprintf("/poll/%d", i)
		x.LastActivity.Time += int64(i*7%15) * 1e9 / 2
		results = append(results, result{x, nil})
	}
	got := textOf(t, Options{Width: 130}, results, &analysis.Summary{Exchanges: 15})
	inOrderOf(t, got, "No Expect exchange in this capture", "15 exchanges are still open at the end.", "OPEN     15 exchanges are open at the end of the capture; the longest silent:",
		"GET /poll/0\n", "waits for the server: nothing moved for 14.0 s; request in frame 704", "GET /poll/13\n", "nothing moved for 13.5 s")
	if n := strings.Count(got, "waits for"); n != openShown {
		t.Errorf("%d shown, want %d", n, openShown)
	}
	one := textOf(t, Options{Input: inputName, Width: 100}, results[:1], &analysis.Summary{Exchanges: 1})
	inOrderOf(t, one, "One exchange is still open", "OPEN     1 exchange is open at the end of the capture\n", "request in frame 704 of first file.pcap")
}

// Colour adds sequences and changes nothing else.
func TestTextColor(t *testing.T) {
	results, s := fixture()
	o := Options{Stream: true, Width: 70}
	plain := textOf(t, o, results, s)
	o.Color = true
	colored := textOf(t, o, results, s)
	if colored == plain || sgr.ReplaceAllString(colored, "") != plain {
		t.Errorf("without its colours the coloured report is not the plain one")
	}
	harmless(t, plain)
}

func TestTextTimeZone(t *testing.T) {
	results, s := fixture()
	got := textOf(t, Options{Location: time.FixedZone("XST", 2*3600)}, results, s)
	inOrderOf(t, got, "06:05:06.100000", "2026-02-03 06:05:06 XST")
}

// Long evidence is cut, and that is said; several files have a filter each.
func TestTextProof(t *testing.T) {
	x := ignored(0)
	f := finding(x, "late-100", "Slow 100", analysis.Notice, "")
	for i := range uint64(proofShown + 2) {
		f.Evidence = append(f.Evidence, capture.MakeNum(1, 1000+i))
	}
	got := textOf(t, Options{}, []result{{x, []analysis.Finding{f}}}, &analysis.Summary{Exchanges: 1})
	inOrderOf(t, got, "proof: frame.number in {1000,", "1039} and 2 packets more")
	if strings.Contains(got, "1040") {
		t.Errorf("more than %d packets:\n%s", proofShown, got)
	}
	f.Evidence = []capture.Num{capture.MakeNum(1, 7), capture.MakeNum(1, 9), capture.MakeNum(2, 3)}
	got = textOf(t, Options{Input: inputName}, []result{{x, []analysis.Finding{f}}}, &analysis.Summary{Exchanges: 1})
	inOrderOf(t, got, "    proof: first file.pcap\n", "      frame.number in {7,9}\n", "    proof: second.pcap\n", "      frame.number in {3}\n")
}

// The report of a long run needs no more memory than that of a short one.
func TestTextMemoryIsFlat(t *testing.T) {
	w := newText(io.Discard, Options{}, explained)
	results, _ := fixture()
	worse := manyFindings(100)
	slices.Reverse(worse)
	for _, rs := range [][]result{results, worse} {
		for i := range rs {
			for j := range rs[i].findings {
				if err := w.Finding(&rs[i].findings[j]); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	lesser := worse[50]
	if n := testing.AllocsPerRun(1000, func() {
		if w.Exchange(lesser.x) != nil || w.Finding(&lesser.findings[0]) != nil {
			t.Fatal("failed")
		}
	}); n != 0 {
		t.Errorf("%v allocations for a finding that is not kept", n)
	}
	for _, g := range w.groups {
		if len(g.top) > DefaultTop {
			t.Errorf("%s keeps %d findings", g.rule, len(g.top))
		}
	}
}

// What is kept is a copy: the engine uses its memory again.
func TestTextKeepsCopies(t *testing.T) {
	results, s := fixture()
	want := textOf(t, Options{}, results, s)
	var out bytes.Buffer
	w := newText(&out, Options{}, explained)
	var x analysis.Exchange
	var f analysis.Finding
	for i := range results {
		x = *results[i].x
		if err := w.Exchange(&x); err != nil {
			t.Fatal(err)
		}
		x = analysis.Exchange{}
		for j := range results[i].findings {
			f = results[i].findings[j]
			f.Evidence, f.Fix = slices.Clone(f.Evidence), slices.Clone(f.Fix)
			if err := w.Finding(&f); err != nil {
				t.Fatal(err)
			}
			clear(f.Evidence)
			clear(f.Fix)
			f = analysis.Finding{}
		}
	}
	if err := w.Close(s); err != nil {
		t.Fatal(err)
	}
	if out.String() != want {
		t.Errorf("the report changed:\n%s", &out)
	}
}

func TestTextNamesThePrograms(t *testing.T) {
	var results []result
	for i := range 5 {
		x := ignored(0)
		f := finding(x, "rule", "Title", analysis.Warning, "")
		f.Exchange, f.UserAgent = fmt.Sprintf("%d/1", i), fmt.Sprintf("agent/%d (a long comment)", i%4)
		f.Fault = []analysis.Fault{analysis.FaultClient, analysis.FaultIntermediary}
		results = append(results, result{x, []analysis.Finding{f}})
	}
	got := strings.Join(strings.Fields(textOf(t, Options{}, results, &analysis.Summary{Exchanges: 5})), " ")
	inOrderOf(t, got, "To change: the client (agent/0, agent/1, agent/2 and others) and a proxy on the way.", "fault: client or intermediary")
}

func TestFirstSentence(t *testing.T) {
	for in, want := range map[string]string{
		"": "", "No stop": "No stop", "One. Two.": "One.", "See e.g. RFC 9110.\n  More.": "See e.g. RFC 9110.", "\tA\n\tB.": "A B.",
	} {
		if got := firstSentence(in); got != want {
			t.Errorf("firstSentence(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestProduct(t *testing.T) {
	for in, want := range map[string]string{"": "", "curl/7.88.1": "curl/7.88.1", "Mozilla/5.0 (X11)": "Mozilla/5.0", "a\r\n\tb": "a", " \tx y": "x"} {
		if got := product(in); got != want {
			t.Errorf("product(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestHealth(t *testing.T) {
	for _, c := range []struct {
		health analysis.CaptureHealth
		want   string
	}{
		{analysis.CaptureHealth{Last: 2e9}, "CAPTURE  58 packets in 2.00 s from 1970-01-01 00:00:00 UTC; whole; drops unknown; no doubts\n"},
		{analysis.CaptureHealth{DropsKnown: true, Doubts: 2, Inputs: make([]capture.Input, 2)}, "58 packets of 2 inputs in 0 s from 1970-01-01 00:00:00 UTC; whole; no drops; 2 exchanges in doubt\n"},
		{analysis.CaptureHealth{Opaque: map[string]uint64{"other": 2}}, "         not HTTP, connections: 2 other\n"},
		{analysis.CaptureHealth{BadChecksums: 1}, "         1 segment with a wrong checksum\n"},
		{
			analysis.CaptureHealth{Strays: 1, IgnoredResets: 1200},
			"         1 stray segment, 1,200 RSTs that ended nothing\n",
		},
	} {
		p := page{width: 200}
		health(&p, &analysis.Summary{Packets: 58, Capture: c.health}, &Options{})
		if !strings.Contains(string(p.b), c.want) {
			t.Errorf("%q is missing in\n%s", c.want, p.b)
		}
	}
	p := page{width: 80}
	health(&p, &analysis.Summary{}, &Options{})
	if got := string(p.b); got != "\nCAPTURE  0 packets; whole; drops unknown; no doubts\n" {
		t.Errorf("an empty capture: %q", got)
	}
}
