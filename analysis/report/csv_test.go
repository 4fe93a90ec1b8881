package report

import (
	"bytes"
	"encoding/csv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expectscope/analysis"
	"expectscope/capture"
)

// rowsOf writes findings as CSV and reads them again.
func rowsOf(t *testing.T, o Options, findings ...analysis.Finding) [][]string {
	t.Helper()
	f, _ := ByName("csv")
	var out bytes.Buffer
	if err := feed(f.New(&out, o), []result{{inOrder(), findings}}, &analysis.Summary{}); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(&out).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

func TestCSV(t *testing.T) {
	if rows := rowsOf(t, Options{}); len(rows) != 1 || !cmp.Equal(rows[0], columns[:]) {
		t.Errorf("a run without findings is a head: %q", rows)
	}
	f := finding(inOrder(), "late-100", "Slow 100", analysis.Notice, "the 100 took 1 s, \"slow\"", 4, 6)
	f.Evidence = append(f.Evidence, capture.MakeNum(2, 9))
	f.Fault, f.Fix = []analysis.Fault{analysis.FaultClient, analysis.FaultServer}, []string{"a", "b"}
	f.Lost, f.Related = time.Second+time.Microsecond, []string{"1:1/2", "1:1/3"}
	rows := rowsOf(t, Options{Input: inputName}, f)
	if len(rows) != 2 {
		t.Fatalf("%d rows", len(rows))
	}
	got := map[string]string{}
	for i, name := range rows[0] {
		got[name] = rows[1][i]
	}
	want := map[string]string{
		"time": "2026-02-03T04:05:06.000000000Z", "severity": "notice", "rule": "late-100", "confidence": "certain", "state": "final", "cause": "",
		"fault": "client server", "client": "10.0.0.1:40000", "server": "10.0.0.2:80", "method": "PUT", "target": "/in-order", "status": "201",
		"summary": "the 100 took 1 s, \"slow\"", "wasted_bytes": "", "saved_bytes": "", "lost_ms": "1000.001", "fix": "a; b",
		"clauses": "RFC 9110 §10.1.1 SHOULD", "exchange": "1/1", "related": "1:1/2 1:1/3", "file": "first file.pcap", "evidence": "4 6", "evidence_other": "2:9",
		"wireshark": "frame.number in {4,6}",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// A spreadsheet must not take what a client sent for a formula.
func TestCSVHoldsNoFormula(t *testing.T) {
	for in, want := range map[string]string{
		"=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "\t=1": `\x09=1`, "\r=1": `\x0d=1`, "'=1": "'=1", "/a=b": "/a=b", "": "",
	} {
		if got := cell(in); got != want {
			t.Errorf("cell(%q) = %q, want %q", in, got, want)
		}
	}
	f := analysis.Finding{Rule: "r", Exchange: "1/1", Target: "=cmd|' /C calc'!A0", Method: "@X", Summary: "+1\n=2", Fix: []string{"-x"}, Fault: nil}
	rows := rowsOf(t, Options{}, f)
	for i, c := range rows[1] {
		if c != "" && strings.ContainsAny(c[:1], "=+-@\t\r") {
			t.Errorf("%s: %q", columns[i], c)
		}
		if Safe(c) != c {
			t.Errorf("%s: %q is not safe to show", columns[i], c)
		}
	}
	if at := rows[1][6]; at != "unknown" {
		t.Errorf("fault %q", at)
	}
}
