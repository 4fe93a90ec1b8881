package extract_test

import (
	"fmt"
	"net/netip"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// captures are the names of the committed captures.
func captures(t rapid.TB) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.pcap", "*.pcapng", "*.pcap.gz"} {
		found, err := filepath.Glob(filepath.Join("../../testdata/pcaps", pattern))
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range found {
			names = append(names, filepath.Base(f))
		}
	}
	if len(names) < 10 {
		t.Fatalf("only %d captures", len(names))
	}
	return names
}

// What is said of a redacted extract is what is said of the plain one, but for the
// texts that quote what is covered.
func TestRedactedSaysTheSame(t *testing.T) {
	for _, name := range captures(t) {
		t.Run(name, func(t *testing.T) {
			open := file(t, name)
			ids := said(t, open).ids()
			if len(ids) == 0 {
				t.Skip("no exchange in it")
			}
			same(t, said(t, written(t, cut(t, open, ids, nil, false))), said(t, written(t, cut(t, open, ids, nil, true))))
		})
	}
}

func same(t rapid.TB, plain, redacted *log) {
	t.Helper()
	texts := []cmp.Option{
		cmp.AllowUnexported(analysis.Exchange{}),
		cmpopts.IgnoreFields(analysis.Message{}, "Method", "Target", "Reason", "Head", "Fields"),
		cmpopts.IgnoreFields(analysis.RequestBody{}, "Prefix", "Resent"),
		cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".Inner" }, cmp.Comparer(func(a, b string) bool { return (a == "") == (b == "") })),
		cmpopts.IgnoreFields(analysis.Finding{}, "Summary", "Method", "Target", "UserAgent", "ServerSoftware"),
		cmpopts.IgnoreFields(reassembly.Conn{}, "MinRTT", "Heard"), // they are not measured on when nobody listens any more
		// When an exchange settles depends on when the reading of its connection was given up.
		cmpopts.SortSlices(func(a, b analysis.Exchange) bool { return a.ID < b.ID }),
		cmpopts.SortSlices(func(a, b analysis.Finding) bool { return a.Exchange+" "+a.Rule < b.Exchange+" "+b.Rule }),
		cmpopts.EquateComparable(netip.AddrPort{}),
		cmpopts.EquateEmpty(),
	}
	leaveOutHTTP2(plain, redacted)
	if d := cmp.Diff(plain.exchanges, redacted.exchanges, texts...); d != "" {
		t.Errorf("exchanges (-plain +redacted):\n%s", d)
	}
	if d := cmp.Diff(plain.findings, redacted.findings, texts...); d != "" {
		t.Errorf("findings (-plain +redacted):\n%s", d)
	}
}

// leaveOutHTTP2 leaves out what is covered whole: nothing can be said of it any more.
func leaveOutHTTP2(logs ...*log) {
	conn := func(id string) string { // with what came before its connection became HTTP/2
		id, _, _ = strings.Cut(id, "/")
		return id
	}
	covered := map[string]bool{}
	for _, l := range logs {
		for i := range l.exchanges {
			if x := &l.exchanges[i]; x.StreamID != 0 {
				covered[conn(x.ID)] = true
			}
		}
	}
	for _, l := range logs {
		l.exchanges = slices.DeleteFunc(l.exchanges, func(x analysis.Exchange) bool { return covered[conn(x.ID)] })
		l.findings = slices.DeleteFunc(l.findings, func(f analysis.Finding) bool { return covered[conn(f.Exchange)] })
	}
}

// What is said of an extract is what was said of the capture. Its frames have other numbers.
func TestExtractSaysTheSame(t *testing.T) {
	for _, name := range captures(t) {
		t.Run(name, func(t *testing.T) {
			open := file(t, name)
			whole := said(t, open)
			if len(whole.exchanges) == 0 {
				t.Skip("no exchange in it")
			}
			part := said(t, written(t, cut(t, open, whole.ids(), nil, false)))
			if d := cmp.Diff(whole.verdicts(), part.verdicts()); d != "" {
				t.Errorf("(-capture +extract):\n%s", d)
			}
		})
	}
}

// verdicts are what was said without the numbers of frames.
func (l *log) verdicts() []string {
	var vs []string
	for i := range l.exchanges {
		x := &l.exchanges[i]
		status := 0
		if x.Final != nil {
			status = x.Final.Status
		}
		vs = append(vs, fmt.Sprintf("%s %s %s: %d interim, %d, %s, retry %s, %+v", x.Conn.Client, x.Request.Method, x.Request.Target,
			len(x.Interim), status, x.Ended, x.Retry().Outcome, [...]int64{x.ReqBody.Sent, x.ReqBody.Early, x.ReqBody.Tail, x.RespBody.Sent}))
		for _, f := range l.findings {
			if f.Exchange == x.ID {
				vs = append(vs, fmt.Sprintf("  %s %s %s %s", f.Rule, f.Severity, f.Confidence, f.Summary))
			}
		}
	}
	return vs
}
