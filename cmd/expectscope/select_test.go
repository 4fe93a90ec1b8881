package main

import (
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// finding is a finding that every flag below chooses.
func finding() analysis.Finding {
	return analysis.Finding{
		Rule: "417-no-retry", Severity: analysis.Warning, Confidence: analysis.Certain,
		Client: netip.MustParseAddrPort("10.0.0.1:40000"), Server: netip.MustParseAddrPort("10.0.0.2:80"),
		Target: "/up", Status: 417,
	}
}

func TestSelection(t *testing.T) {
	for _, c := range []struct {
		flags string
		want  bool
	}{
		{"", true},
		{"--rule=417-no-retry", true},
		{"--rule=417-*", true},
		{"--rule=no-100", false},
		{"--rule=no-100,417-no-retry", true},
		{"--rule=no-100 --rule=417-no-retry", true},
		{"--severity=warning", true},
		{"--severity=error", false},
		{"--client=10.0.0.1", true},
		{"--client=10.0.0.2", false},
		{"--client=10.0.0.2,10.0.0.0/30", true},
		{"--server=10.0.0.2:80", true},
		{"--server=10.0.0.1", false},
		{"--target=up", true},
		{"--target=down", false},
		{"--target=down --target=/u*", true},
		{"--status=417", true},
		{"--status=4xx,none", true},
		{"--status=none", false},
		{"--severity=error --severity=notice", true},
		{"--target=a,b --target=/u,p", false},
		{"--client=10.0.0.1 --server=:81", false},
		{"--client=10.0.0.1 --server=:80 --target=up --status=417 --rule=417-* --severity=notice", true},
	} {
		cmd := newAnalyze(&console{})
		o := &selection{}
		cmd.ResetFlags()
		o.flags(cmd)
		if err := cmd.ParseFlags(strings.Fields(c.flags)); err != nil {
			t.Errorf("%s: %v", c.flags, err)
			continue
		}
		f := finding()
		if got := o.finding(&f); got != c.want {
			t.Errorf("%s: finding chosen: %v, want %v", c.flags, got, c.want)
		}
		x := analysis.Exchange{Conn: &reassembly.Conn{Client: f.Client, Server: f.Server}}
		x.Request.Target, x.Final = f.Target, &analysis.Message{Status: f.Status}
		ofFindings := strings.HasPrefix(c.flags, "--rule") || strings.HasPrefix(c.flags, "--severity")
		if got := o.exchange(&x); got != (c.want || ofFindings) {
			t.Errorf("%s: exchange chosen: %v", c.flags, got)
		}
	}
}

func TestThreshold(t *testing.T) {
	for _, c := range []struct {
		words  string
		change func(*analysis.Finding)
		want   bool
	}{
		{"", nil, false},
		{"warning", nil, true},
		{"notice", nil, true},
		{"error", nil, false},
		{"error,notice", nil, true},
		{"notice,error", nil, true},
		{"417-no-retry", nil, true},
		{"no-100", nil, false},
		{"no-100,417-*", nil, true},
		{"info", func(f *analysis.Finding) { f.Confidence = analysis.Inconclusive }, false},
		{"417-no-retry", func(f *analysis.Finding) { f.Confidence = analysis.Inconclusive }, false},
		{"417-no-retry", func(f *analysis.Finding) { f.Confidence = analysis.Likely }, true},
		{"info", func(f *analysis.Finding) { f.State = analysis.Provisional }, false},
		{"info", func(f *analysis.Finding) { f.Severity = analysis.Info }, true},
	} {
		var at threshold
		if c.words != "" {
			if err := at.add(c.words); err != nil {
				t.Errorf("%s: %v", c.words, err)
			}
		}
		f := finding()
		if c.change != nil {
			c.change(&f)
		}
		if got := at.reached(&f); got != c.want {
			t.Errorf("%q reached: %v, want %v", c.words, got, c.want)
		}
	}
	var at threshold
	for _, bad := range []string{"", "warn ing", "417-[", "zzz*", "warning,"} {
		if err := at.add(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestNearest(t *testing.T) {
	for typed, want := range map[string]string{
		"analyse": "analyze", "explian": "explain", "rule": "rules", "vers": "version", "x": "", "upload": "", "capture": "",
	} {
		if got := nearest(typed, []string{"analyze", "explain", "rules", "version", "help", "completion"}); got != want {
			t.Errorf("%q: %q, want %q", typed, got, want)
		}
	}
	for _, c := range []struct {
		a, b string
		want int
	}{{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"kitten", "sitting", 3}, {"abc", "abc", 0}, {"ab", "ba", 2}} {
		if got := distance(c.a, c.b); got != c.want {
			t.Errorf("distance of %q and %q: %d, want %d", c.a, c.b, got, c.want)
		}
	}
}

// The severities that flags know are all there are, in their order.
func TestSeveritiesAreAll(t *testing.T) {
	if !slices.IsSorted(severities[:]) {
		t.Errorf("not from least to worst: %v", severities)
	}
	want := []string{"info", "notice", "warning", "error"}
	if d := cmp.Diff(want, severityNames()); d != "" {
		t.Error(d)
	}
}

// A slip in a flag is told, with what was probably meant.
func TestSelectionRefuses(t *testing.T) {
	for flags, want := range map[string]string{
		"--rule=417-no-rety": "did you mean 417-no-retry?", "--rule=417-no-retry,": "is no rule", "--severity=eror": "did you mean error?",
		"--client=localhost": "is no address", "--server=10.0.0.0/33": "is no address", "--status=41": "is no final status", "--status=": "is no final status", "--target=": "there is nothing to look for",
	} {
		cmd := newAnalyze(&console{})
		cmd.ResetFlags()
		(&selection{}).flags(cmd)
		if err := cmd.ParseFlags([]string{flags}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %s", flags, err, want)
		}
	}
}
