package engine

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expectscope/analysis"
	"expectscope/capture/script"
)

// counts are the figures of a body that count bytes.
func counts(b *analysis.RequestBody) analysis.RequestBody {
	return analysis.RequestBody{Body: analysis.Body{Sent: b.Sent}, Early: b.Early, Invited: b.Invited, Tail: b.Tail, Read: b.Read, Crossing: b.Crossing}
}

// TestWorkedExample holds the pipeline to the worked example of the byte accounting: every figure and every finding. The
// packets are those that capture/script's own test counts by hand.
func TestWorkedExample(t *testing.T) {
	text, err := os.ReadFile("../../capture/script/testdata/worked.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, size := range []int{0, 1, 100} {
		l, sum := play(t, string(text), script.Options{SegmentSize: size})
		if len(l.exchanges) != 2 {
			t.Fatalf("%d exchanges, want 2", len(l.exchanges))
		}
		x, again := &l.exchanges[0], &l.exchanges[1]
		if x.Request.ExpectClass() == analysis.NoExpect {
			x, again = again, x
		}
		want := analysis.RequestBody{Body: analysis.Body{Sent: 60000}, Early: 55000, Tail: 5000, Read: 15000, Crossing: 40000}
		if diff := cmp.Diff(want, counts(&x.ReqBody)); diff != "" {
			t.Errorf("segments of %d: the refused body (-want +got):\n%s", size, diff)
		}
		unsent, _ := x.Unsent()
		wasted, _ := x.Wasted()
		if unsent != 40000 || wasted != 60000 || size == 0 && x.WaitedForContinue() != 1e9 {
			t.Errorf("segments of %d: unsent %d, wasted %d, waited %d ns", size, unsent, wasted, x.WaitedForContinue())
		}
		if again.ReqBody.Sent != 100000 || again.RetryOf != x.ID || again.ReqBody.Read != 100000 {
			t.Errorf("segments of %d: the repeat of %q sent %+v", size, again.RetryOf, again.ReqBody)
		}
		if diff := cmp.Diff([]string{
			"417-for-100-continue warning", "417-late warning", "417-received notice", "417-retry-ok info", "body-withheld-close info",
			"expect-timeout notice", "no-100 error", "waste-early notice", "waste-rejected notice", "waste-resent info",
		}, l.rules(x)); diff != "" {
			t.Errorf("segments of %d: findings of the refused request (-want +got):\n%s", size, diff)
		}
		if rs := l.rules(again); rs != nil {
			t.Errorf("segments of %d: findings of the repeat: %v", size, rs)
		}
		for _, f := range l.findings {
			if f.Rule == "waste-rejected" && f.Wasted != 60000 || f.Rule == "waste-resent" && (f.Wasted != 0 || !strings.Contains(f.Summary, "60")) {
				t.Errorf("segments of %d: %s says %d bytes: %s", size, f.Rule, f.Wasted, f.Summary)
			}
		}
		if sum.WastedBytes != 60000 || sum.BodySent != 160000 || size == 0 && sum.Waited != 1e9 || sum.Retried != 1 {
			t.Errorf("segments of %d: wasted %d of %d sent, waited %d ns, %d retried", size, sum.WastedBytes, sum.BodySent, sum.Waited, sum.Retried)
		}
	}
}

// Chunks of 4096, 4096 and 100 bytes are 8292 bytes of content in 8319 on the wire, however they are cut.
func TestChunkedExample(t *testing.T) {
	const text = `
@conn 10.0.0.1:40000 10.0.0.2:80
> PUT /up HTTP/1.1 | Host: a | Transfer-Encoding: chunked | Expect: 100-continue
+5ms < HTTP/1.1 100 Continue
+5ms > chunk 4096
> chunk 4096
> chunk 100
> lastchunk
+5ms < HTTP/1.1 403 Forbidden | Content-Length: 0
> fin
< fin
+70s @end
`
	for _, size := range []int{0, 1, 7} {
		l, _ := play(t, text, script.Options{SegmentSize: size})
		x := l.find(t, "/1")
		want := analysis.RequestBody{Body: analysis.Body{Sent: 8292}, Invited: 8292, Read: 8292}
		if diff := cmp.Diff(want, counts(&x.ReqBody)); diff != "" || !x.ReqBody.Complete {
			t.Errorf("segments of %d, complete %v (-want +got):\n%s", size, x.ReqBody.Complete, diff)
		}
		const head = len("PUT /up HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n")
		if wire := x.Ends[x.Client].At.Off - uint64(head); wire != 8319 {
			t.Errorf("segments of %d: %d bytes on the wire behind the head, want 8319", size, wire)
		}
		if _, known := x.Unsent(); known || x.N() != -1 {
			t.Errorf("the length of a chunked body is known beforehand: %d", x.N())
		}
	}
}
