package report

import (
	"bytes"
	"encoding/json"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expectscope/analysis"
	"expectscope/capture"
	"expectscope/reassembly"
)

// The contract's objects as encoding/json sees them: a field of ours that is missing here, or of another type, is an error.
type (
	jsonPacket struct {
		Kind   string    `json:"kind"`
		Status int       `json:"status"`
		Reason string    `json:"reason"`
		Time   time.Time `json:"time"`
		Packet uint64    `json:"packet"`
		File   string    `json:"file"`
		Ms     *float64  `json:"ms"`
	}
	jsonBody struct {
		Framing  string `json:"framing"`
		Declared *int64 `json:"declared"`
		Sent     *int64 `json:"sent"`
		Unsent   *int64 `json:"unsent"`
		Early    *int64 `json:"early"`
		Invited  *int64 `json:"invited"`
		Tail     *int64 `json:"tail"`
		Read     *int64 `json:"read"`
		Crossing *int64 `json:"crossing"`
		Lost     *int64 `json:"lost"`
		Complete *bool  `json:"complete"`
	}
	jsonExchange struct {
		Schema         int          `json:"schema"`
		Type           string       `json:"type"`
		ID             string       `json:"id"`
		File           string       `json:"file"`
		Proto          string       `json:"proto"`
		Client         string       `json:"client"`
		Server         string       `json:"server"`
		Method         string       `json:"method"`
		Target         string       `json:"target"`
		Authority      string       `json:"authority"`
		UserAgent      string       `json:"user_agent"`
		Via            string       `json:"via"`
		ServerSoftware string       `json:"server_software"`
		Expect         *string      `json:"expect"`
		ExpectClass    string       `json:"expect_class"`
		Time           *time.Time   `json:"time"`
		Packet         uint64       `json:"packet"`
		Interim        []jsonPacket `json:"interim"`
		Status         int          `json:"status"`
		Reason         string       `json:"reason"`
		FinalTime      *time.Time   `json:"final_time"`
		FinalPacket    uint64       `json:"final_packet"`
		FinalFile      string       `json:"final_file"`
		FinalMs        *float64     `json:"final_ms"`
		Close          *bool        `json:"close"`
		Body           *jsonBody    `json:"body"`
		WaitMs         *float64     `json:"wait_ms"`
		WastedBytes    *int64       `json:"wasted_bytes"`
		RetryOf        string       `json:"retry_of"`
		RetriedBy      string       `json:"retried_by"`
		Retry          string       `json:"retry"`
		RetryDelayMs   *float64     `json:"retry_delay_ms"`
		Ended          string       `json:"ended"`
		WaitingFor     string       `json:"waiting_for"`
		SilentMs       *float64     `json:"silent_ms"`
		Doubts         []jsonPacket `json:"doubts"`
	}
	jsonFinding struct {
		Schema        int       `json:"schema"`
		Type          string    `json:"type"`
		Rule          string    `json:"rule"`
		State         string    `json:"state"`
		Cause         string    `json:"cause"`
		Severity      string    `json:"severity"`
		Confidence    string    `json:"confidence"`
		Fault         any       `json:"fault"`
		Exchange      string    `json:"exchange"`
		Related       []string  `json:"related"`
		File          string    `json:"file"`
		Client        string    `json:"client"`
		Server        string    `json:"server"`
		Method        string    `json:"method"`
		Target        string    `json:"target"`
		Status        int       `json:"status"`
		Summary       string    `json:"summary"`
		WastedBytes   *int64    `json:"wasted_bytes"`
		SavedBytes    *int64    `json:"saved_bytes"`
		LostMs        *float64  `json:"lost_ms"`
		Clauses       []string  `json:"clauses"`
		Fix           string    `json:"fix"`
		Evidence      []uint64  `json:"evidence"`
		EvidenceOther []string  `json:"evidence_other"`
		Wireshark     string    `json:"wireshark"`
		Time          time.Time `json:"time"`
	}
)

// written is what ndjson writes for one call, read back strictly into v.
func written(t *testing.T, o Options, call func(Writer) error, v any) {
	t.Helper()
	var out bytes.Buffer
	f, _ := ByName("ndjson")
	if err := call(f.New(&out, o)); err != nil {
		t.Fatal(err)
	}
	if n := bytes.Count(out.Bytes(), []byte("\n")); n != 1 || !bytes.HasSuffix(out.Bytes(), []byte("\n")) {
		t.Fatalf("%d lines: %s", n, &out)
	}
	d := json.NewDecoder(&out)
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		t.Fatal(err)
	}
}

func exchangeOf(t *testing.T, o Options, x *analysis.Exchange) (got jsonExchange) {
	t.Helper()
	written(t, o, func(w Writer) error { return w.Exchange(x) }, &got)
	return got
}

func findingOf(t *testing.T, o Options, f *analysis.Finding) (got jsonFinding) {
	t.Helper()
	written(t, o, func(w Writer) error { return w.Finding(f) }, &got)
	return got
}

func ptr[T any](v T) *T { return &v }

func TestExchangeObject(t *testing.T) {
	at := func(ns int64) time.Time { return time.Unix(0, epoch+ns).UTC() }
	want := jsonExchange{
		Schema: 1, Type: "exchange", ID: "1/1", Proto: "HTTP/1.1", Client: "10.0.0.1:40000", Server: "10.0.0.2:80",
		Method: "PUT", Target: "/in-order", Authority: "files.example", UserAgent: "curl/7.88.1", Via: `1.1 a, 1.1 "b"`,
		ServerSoftware: "nginx/1.22.1", Expect: ptr("100-continue"), ExpectClass: "exact", Time: ptr(at(0)), Packet: 4,
		Interim: []jsonPacket{{Status: 100, Reason: "Continue", Time: at(2 * msec), Packet: 6, Ms: ptr(2.0)}},
		Status:  201, Reason: "Created", FinalTime: ptr(at(42*msec + 123)), FinalPacket: 310, FinalMs: ptr(42.000123), Close: ptr(false),
		Body: &jsonBody{
			Framing: "content-length", Declared: ptr(int64(1_500_000)), Sent: ptr(int64(1_500_000)), Unsent: ptr(int64(0)),
			Early: ptr(int64(0)), Invited: ptr(int64(1_500_000)), Tail: ptr(int64(0)), Read: ptr(int64(1_500_000)),
			Crossing: ptr(int64(0)), Lost: ptr(int64(0)), Complete: ptr(true),
		},
		WaitMs: ptr(3.0005), WastedBytes: ptr(int64(0)), Ended: "complete", Doubts: []jsonPacket{},
	}
	if d := cmp.Diff(want, exchangeOf(t, Options{}, inOrder())); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
}

// What is not known is absent, never 0 or "".
func TestExchangeObjectLeavesOutTheUnknown(t *testing.T) {
	open := exchangeOf(t, Options{}, stopped())
	if open.FinalTime != nil || open.FinalMs != nil || open.Close != nil || open.Status != 0 || open.WastedBytes != nil ||
		open.Body.Tail != nil || open.Body.Read != nil || open.Body.Crossing != nil {
		t.Errorf("claims about a final response that was not seen: %+v", open)
	}
	if open.WaitingFor != "client" || open.SilentMs == nil || *open.SilentMs != 12998 {
		t.Errorf("waits for %q since %v", open.WaitingFor, open.SilentMs)
	}
	chunked := stopped()
	chunked.ReqBody.Framing, chunked.ReqBody.Declared = analysis.FramingChunked, -1
	if b := exchangeOf(t, Options{}, chunked).Body; b.Framing != "chunked" || b.Declared != nil || b.Unsent != nil || *b.Sent != 4096 {
		t.Errorf("the length of a chunked body is not known: %+v", b)
	}
	oneSided := stopped()
	oneSided.Conn.Seen[reassembly.Reverse] = false
	if b := exchangeOf(t, Options{}, oneSided).Body; b.Early != nil || b.Invited != nil {
		t.Errorf("what the client knew is not known where the server's side is missing: %+v", b)
	}
	bodyless := exchangeOf(t, Options{}, unanswered())
	if b := bodyless.Body; b.Framing != "none" || *b.Declared != 0 || *b.Sent != 0 || *b.Unsent != 0 || bodyless.WaitMs != nil {
		t.Errorf("no body is a fact: %+v", b)
	}
	if bodyless.Expect != nil || bodyless.Interim == nil || bodyless.Doubts == nil {
		t.Errorf("no Expect, but arrays: %+v", bodyless)
	}
	headless := &analysis.Exchange{ID: "9/0", Conn: newConn(9, "10.0.0.1:1", "10.0.0.2:2")}
	headless.Amend().Orphans = []analysis.Message{response(200, "OK", 0, 9)}
	if x := exchangeOf(t, Options{}, headless); x.Time != nil || x.Packet != 0 || x.Body != nil || x.Method != "" {
		t.Errorf("claims about a request that was not seen: %+v", x)
	}
	empty := put(newConn(1, "10.0.0.1:1", "10.0.0.2:2"), 1, "/", 5, 0, 4, analysis.Field{Name: "EXPECT"})
	if x := exchangeOf(t, Options{}, empty); x.Expect == nil || *x.Expect != "" || x.ExpectClass != "empty" {
		t.Errorf("an empty Expect field is a fact: %+v", x)
	}
}

func TestExchangeObjectRetry(t *testing.T) {
	x, next := swallowed()
	first, second := exchangeOf(t, Options{}, x), exchangeOf(t, Options{}, next)
	if first.Retry != "same-connection" || first.RetriedBy != "20/2" || first.RetryOf != "" || first.RetryDelayMs != nil {
		t.Errorf("the refused one: %+v", first)
	}
	if second.Retry != "" || second.RetriedBy != "" || second.RetryOf != "20/1" || *second.RetryDelayMs != 1 || !*second.Close {
		t.Errorf("the repeat: %+v", second)
	}
	if evil := exchangeOf(t, Options{}, hostile()); evil.Retry != "none" || *evil.WastedBytes != 12_000 ||
		!cmp.Equal(evil.Doubts, []jsonPacket{{Kind: "gap", Packet: 607}}) {
		t.Errorf("the one never repeated: %+v", evil)
	}
}

func TestFindingObject(t *testing.T) {
	results, _ := fixture()
	f := results[1].findings[0]
	f.Lost, f.Saved, f.Wasted = 1500*time.Microsecond, 7, 8
	want := jsonFinding{
		Schema: 1, Type: "finding", Rule: "body-withheld-reuse", State: "final", Severity: "error", Confidence: "certain",
		Fault: []any{"client", "server"}, Exchange: "20/1", Related: []string{"20/2"}, Client: "10.0.0.1:51766", Server: "10.0.0.2:8101",
		Method: "PUT", Target: "/noexpect/a.bin", Status: 417, Summary: "a new request began where 350,000 bytes of body were owed",
		WastedBytes: ptr(int64(8)), SavedBytes: ptr(int64(7)), LostMs: ptr(1.5), Clauses: []string{"RFC 9110 §10.1.1 SHOULD"},
		Fix:      "nginx: close after the refusal (keepalive_timeout 0 in that location); curl: -H 'Expect:'",
		Evidence: []uint64{24, 26, 28, 46}, Wireshark: "frame.number in {24,26,28,46}", Time: time.Unix(0, epoch+100*msec).UTC(),
	}
	if d := cmp.Diff(want, findingOf(t, Options{}, &f)); d != "" {
		t.Errorf("(-want +got)\n%s", d)
	}
	f.Fault, f.State, f.Confidence = nil, analysis.Withdrawn, analysis.Likely
	if got := findingOf(t, Options{}, &f); got.Fault != "unknown" || got.State != "withdrawn" || got.Confidence != "likely" {
		t.Errorf("%+v", got)
	}
	f.Fault, f.Status, f.Wasted = []analysis.Fault{analysis.FaultIntermediary}, 0, 0
	if got := findingOf(t, Options{}, &f); got.Fault != "intermediary" || got.Status != 0 || got.WastedBytes != nil {
		t.Errorf("%+v", got)
	}
}

// With several inputs each packet number says which file it is of.
func TestSeveralInputs(t *testing.T) {
	o := Options{Input: inputName}
	x := inOrder()
	x.ID = "1:1/1"
	x.Final.Last.Packet = capture.MakeNum(2, 3)
	x.Doubts = []analysis.Doubt{{Kind: analysis.DoubtGap, At: reassembly.Mark{Packet: capture.MakeNum(2, 1)}}, {Kind: analysis.DoubtSnapLen}}
	got := exchangeOf(t, o, x)
	if got.File != "first file.pcap" || got.ID != "1:1/1" || got.FinalPacket != 3 || got.FinalFile != "second.pcap" || got.Interim[0].File != "" {
		t.Errorf("%+v", got)
	}
	if !cmp.Equal(got.Doubts, []jsonPacket{{Kind: "gap", Packet: 1, File: "second.pcap"}, {Kind: "snaplen"}}) {
		t.Errorf("doubts %+v", got.Doubts)
	}
	f := finding(x, "late-100", "Slow 100", analysis.Notice, "slow", 4, 6)
	f.Evidence = append(f.Evidence, capture.MakeNum(2, 3), capture.MakeNum(2, 15))
	fg := findingOf(t, o, &f)
	if fg.File != "first file.pcap" || !cmp.Equal(fg.Evidence, []uint64{4, 6}) || !cmp.Equal(fg.EvidenceOther, []string{"2:3", "2:15"}) ||
		fg.Wireshark != "frame.number in {4,6}" {
		t.Errorf("%+v", fg)
	}
	f.Evidence = nil
	if fg := findingOf(t, o, &f); fg.File != "" || fg.Wireshark != "" || fg.Evidence == nil {
		t.Errorf("without evidence: %+v", fg)
	}
}

func TestSummaryObject(t *testing.T) {
	_, s := fixture()
	var got map[string]any
	written(t, Options{}, func(w Writer) error { return w.Close(s) }, &got)
	for name, want := range map[string]any{
		"schema": 1.0, "type": "summary", "packets": 1808.0, "bytes": 2345678.0, "connections": 10.0, "exchanges": 12.0, "finals": 9.0, "interims": 2.0,
		"open": 2.0, "orphan_responses": 0.0, "expect_exchanges": 9.0, "refused_417": 2.0, "retried": 1.0, "not_retried": 1.0, "retry_unknown": 0.0,
		"wasted_bytes": 362000.0, "saved_bytes": 0.0, "waited_ms": 5012.0, "limits_hit": map[string]any{"connections": 3.0},
		"findings": map[string]any{"body-withheld-reuse": 1.0, "417-no-retry": 1.0, "expect-timeout": 5.0, "expect-tiny": 5.0},
	} {
		if !cmp.Equal(got[name], want) {
			t.Errorf("%s: %v, want %v", name, got[name], want)
		}
	}
	health := got["capture"].(map[string]any)
	for name, want := range map[string]any{
		"first": "2026-02-03T04:05:06.000000000Z", "last": "2026-02-03T04:05:26.000000000Z", "truncated": true, "drops": 2.0,
		"unsupported_link_types": map[string]any{"IEEE802_11": 7.0}, "gaps": 1.0, "opaque_connections": 4.0,
	} {
		if !cmp.Equal(health[name], want) {
			t.Errorf("capture.%s: %v, want %v", name, health[name], want)
		}
	}
	in := health["inputs"].([]any)[0].(map[string]any)
	if in["name"] != `upload\x1b.pcap` || !strings.Contains(in["error"].(string), "133270") {
		t.Errorf("inputs: %v", in)
	}
	got = nil
	written(t, Options{}, func(w Writer) error { return w.Close(&analysis.Summary{}) }, &got)
	health = got["capture"].(map[string]any)
	for _, name := range []string{"first", "last", "drops"} {
		if v, ok := health[name]; ok {
			t.Errorf("capture.%s is %v, but nothing was read", name, v)
		}
	}
}

// The document holds what the lines hold, in the same form.
func TestDocumentIsTheLines(t *testing.T) {
	results, s := fixture()
	var doc, lines bytes.Buffer
	for name, out := range map[string]*bytes.Buffer{"json": &doc, "ndjson": &lines} {
		f, _ := ByName(name)
		if err := feed(f.New(out, Options{}), results, s); err != nil {
			t.Fatal(err)
		}
	}
	var got struct {
		Schema              int
		Exchanges, Findings []json.RawMessage
		Summary             json.RawMessage
	}
	if err := json.Unmarshal(doc.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	var exchanges, findings []json.RawMessage
	var summary json.RawMessage
	for line := range bytes.Lines(lines.Bytes()) {
		line = bytes.TrimSpace(line)
		switch {
		case bytes.Contains(line, []byte(`"type":"exchange"`)):
			exchanges = append(exchanges, line)
		case bytes.Contains(line, []byte(`"type":"finding"`)):
			findings = append(findings, line)
		default:
			summary = line
		}
	}
	if d := cmp.Diff([]any{exchanges, findings, summary, 1}, []any{got.Exchanges, got.Findings, got.Summary, got.Schema}); d != "" {
		t.Errorf("(-lines +document)\n%s", d)
	}
	doc.Reset()
	f, _ := ByName("json")
	if err := feed(f.New(&doc, Options{}), nil, &analysis.Summary{}); err != nil || !json.Valid(doc.Bytes()) {
		t.Errorf("an empty run: %v %s", err, &doc)
	}
}

func TestExchangeAllocations(t *testing.T) {
	if racing {
		t.Skip("the race detector allocates")
	}
	f, _ := ByName("ndjson")
	w := f.New(io.Discard, Options{Input: inputName})
	results, _ := fixture()
	all := func() {
		for i := range results {
			if err := w.Exchange(results[i].x); err != nil {
				t.Fatal(err)
			}
		}
	}
	if n := testing.AllocsPerRun(100, all); n != 0 {
		t.Errorf("%v allocations for %d exchanges, want none", n, len(results))
	}
}

func BenchmarkExchange(b *testing.B) {
	f, _ := ByName("ndjson")
	w := f.New(io.Discard, Options{})
	x := inOrder()
	b.ReportAllocs()
	for b.Loop() {
		if err := w.Exchange(x); err != nil {
			b.Fatal(err)
		}
	}
}

// TestProofOfWhatWasNotRecorded: frame numbers of packets that nobody kept are no proof; the connection in that time is.
func TestProofOfWhatWasNotRecorded(t *testing.T) {
	f := analysis.Finding{
		Client: netip.MustParseAddrPort("[2001:db8::1]:4000"), Server: netip.MustParseAddrPort("[2001:db8::2]:80"),
		Evidence: []capture.Num{capture.MakeNum(1, 7)}, Time: 1_700_000_000_000_000_001, Last: 1_700_000_001_500_000_000, Unrecorded: true,
	}
	const want = "ipv6.addr == 2001:db8::1 && ipv6.addr == 2001:db8::2 && tcp.port == 4000 && tcp.port == 80 && " +
		"frame.time_epoch >= 1700000000.000000001 && frame.time_epoch <= 1700000001.500000000"
	if got := Proof(&f); got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	f.Unrecorded = false
	if got := Proof(&f); got != "frame.number in {7}" {
		t.Errorf("recorded: %s", got)
	}
}
