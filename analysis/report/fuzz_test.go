package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"regexp"
	"strings"
	"testing"
	"time"

	"expectscope/analysis"
	"expectscope/analysis/rules"
	"expectscope/capture"
	"expectscope/reassembly"
)

// A taker hands out parts of a fuzzer's input, zeros when it is used up.
type taker struct{ b []byte }

func (k *taker) byte() byte {
	if len(k.b) == 0 {
		return 0
	}
	c := k.b[0]
	k.b = k.b[1:]
	return c
}

func (k *taker) int() int64 {
	n := int64(0)
	for range k.byte() % 9 {
		n = n<<8 | int64(k.byte())
	}
	return n
}

func (k *taker) string() string {
	n := min(int(k.byte()), len(k.b))
	s := string(k.b[:n])
	k.b = k.b[n:]
	return s
}

func (k *taker) mark() reassembly.Mark {
	return reassembly.Mark{Time: k.int(), Packet: capture.MakeNum(int(k.byte()%3), uint64(k.byte())), Off: uint64(k.int()), Acked: uint64(k.int())}
}

func (k *taker) message() analysis.Message {
	m := analysis.Message{
		Method: k.string(), Target: k.string(), Status: int(k.int()), Reason: k.string(), Version: k.string(),
		First: k.mark(), Last: k.mark(), Close: k.byte()&1 != 0,
	}
	for range k.byte() % 5 {
		names := [...]string{"Expect", "User-Agent", "Server", "Via", "Host", "eXPECT"}
		m.Fields = append(m.Fields, analysis.Field{Name: names[int(k.byte())%len(names)], Value: k.string(), Spaced: k.byte()&1 != 0})
	}
	return m
}

func (k *taker) exchange() *analysis.Exchange {
	x := &analysis.Exchange{
		ID: k.string(), Conn: newConn(uint64(k.byte()), "10.0.0.1:1", "[2001:db8::1]:2"), Client: reassembly.Dir(k.byte() % 2),
		Request: k.message(), State: analysis.State(k.byte() % 3), Ended: analysis.Ended(k.byte() % 8),
		LastActivity: k.mark(), At: k.int(), RetryOf: k.string(), RetryDelay: k.int(),
	}
	x.Amend().Retry = analysis.Retry{Outcome: analysis.RetryOutcome(k.byte() % 5), By: k.string()}
	x.ReqBody.Framing, x.ReqBody.Declared, x.ReqBody.Sent = analysis.Framing(k.byte()%6), k.int(), k.int()
	x.ReqBody.Early, x.ReqBody.Tail = k.int(), k.int()
	x.ReqBody.First, x.ReqBody.Last, x.ReqBody.Complete = k.mark(), k.mark(), k.byte()&1 != 0
	for range k.byte() % 4 {
		x.Interim = append(x.Interim, k.message())
	}
	if k.byte()&1 != 0 {
		m := k.message()
		x.Final = &m
	}
	x.Ends = new([2]reassembly.End)
	for i := range x.Ends {
		x.Ends[i] = reassembly.End{Dir: reassembly.Dir(i), At: k.mark(), How: reassembly.Ending(k.byte() % 6), Sender: k.byte()&1 != 0}
	}
	if k.byte()&1 != 0 {
		x.Owed = &analysis.Owed{At: k.mark(), Bytes: k.int()}
	}
	if k.byte()&1 != 0 {
		x.Doubts = []analysis.Doubt{{Kind: analysis.DoubtKind(k.byte() % 12), At: k.mark()}}
	}
	for side := range analysis.Side(k.byte() % 3) { // at most one on each side: hop.FuzzMatcher
		x.Amend().Hops = append(x.Sequel().Hops, analysis.Hop{Side: side, To: k.string(), Confidence: analysis.Confidence(k.byte() % 3), By: analysis.Tie(k.byte() % 128), Why: k.string(), Early: k.int()})
	}
	for range k.byte() % 3 {
		x.Amend().Links = append(x.Sequel().Links, analysis.Link{Kind: analysis.LinkKind(k.byte() % 4), To: k.string(), Tier: analysis.Tier(k.byte() % 4), Confidence: analysis.Confidence(k.byte() % 3)})
	}
	return x
}

func (k *taker) rule() *analysis.Rule {
	all := rules.All()
	return all[int(k.byte())%len(all)]
}

func (k *taker) finding(x *analysis.Exchange) analysis.Finding {
	r := k.rule() // rules are ours; all else may be the wire's
	f := analysis.Finding{
		Rule: r.ID, Exchange: x.ID, Title: r.Title, State: analysis.FindingState(k.byte() % 3),
		Severity: analysis.Severity(k.byte() % 4), Confidence: analysis.Confidence(k.byte() % 3), Summary: k.string(),
		Client: x.Conn.Client, Server: x.Conn.Server, Method: x.Request.Method, Target: x.Request.Target, Status: int(k.int()),
		UserAgent: k.string(), ServerSoftware: k.string(), Wasted: k.int(), Saved: k.int(), Lost: time.Duration(k.int()), Time: k.int(),
	}
	if k.byte()&1 != 0 {
		f.Cause = k.rule().ID
	}
	for range k.byte() % 3 {
		f.Fault = append(f.Fault, analysis.Fault(k.byte()%4))
		f.Fix = append(f.Fix, k.string())
		f.Related = append(f.Related, k.string())
	}
	for range k.byte() % 8 {
		f.Evidence = append(f.Evidence, capture.MakeNum(int(k.byte()%3), uint64(k.int())))
	}
	return f
}

func (k *taker) summary() *analysis.Summary {
	s := &analysis.Summary{Packets: uint64(k.int()), Exchanges: uint64(k.int()), Expect: uint64(k.int()), Open: uint64(k.int()), WastedBytes: k.int(), Waited: k.int()}
	s.Findings = map[string]uint64{k.string(): uint64(k.int())}
	s.Limits = map[string]uint64{k.string(): uint64(k.int())}
	s.Capture = analysis.CaptureHealth{
		First: k.int(), Last: k.int(), Truncated: k.byte()&1 != 0, Drops: uint64(k.int()), DropsKnown: k.byte()&1 != 0,
		Opaque: map[string]uint64{k.string(): 1}, Undecoded: map[string]uint64{k.string(): 2}, Unsupported: map[string]uint64{k.string(): 3},
		Inputs: []capture.Input{{Name: k.string()}},
	}
	return s
}

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// FuzzWriters writes hostile results in all formats: nothing panics, nothing a terminal or spreadsheet acts on comes out, JSON and CSV
// can be read and hold what went in, text keeps its width.
func FuzzWriters(f *testing.F) {
	f.Add([]byte{}, 80)
	f.Add([]byte("\x04"+"1/1\x1b"+strings.Repeat("\x05a\x1b[0m\x09/\u202ex\xff\u200b\x02\x01\x02", 40)), 60)
	f.Add([]byte(strings.Repeat("\x03=1+\x08\xff\xff\xff\xff\xff\xff\xff\xff", 60)), 120)
	f.Add([]byte(strings.Repeat("\x0c資料夾é\x03\x01\x00\x00", 60)), 40)
	f.Fuzz(func(t *testing.T, data []byte, width int) {
		k := &taker{data}
		results := []result{{x: k.exchange()}, {x: k.exchange()}}
		for i := range results {
			for range k.byte() % 4 {
				results[i].findings = append(results[i].findings, k.finding(results[i].x))
			}
		}
		s := k.summary()
		o := Options{Width: 40 + width&127, Stream: true}
		if k.byte()&1 != 0 {
			o.Input = func(int) string { return "in\x1bput.pcap" }
		}
		out := map[string]string{}
		for _, f := range Formats() {
			var b bytes.Buffer
			if err := feed(f.New(&b, o), results, s); err != nil {
				t.Fatal(err)
			}
			harmless(t, b.String())
			out[f.Name] = b.String()
		}
		checkJSON(t, out, results)
		checkCSV(t, out["csv"], results)
		narrow(t, out["text"], o.Width)
		o.Color = true
		if colored := coloredText(o, results, s); sgr.ReplaceAllString(colored, "") != out["text"] {
			t.Error("colour changes more than colour")
		}
		for _, next := range []*analysis.Exchange{nil, results[1].x} {
			drawing := strings.Join(Ladder(results[0].x, next, o.Width), "\n")
			narrow(t, drawing, o.Width)
			harmless(t, drawing)
		}
	})
}

// coloredText is the text report with the real rules' texts.
func coloredText(o Options, results []result, s *analysis.Summary) string {
	var b bytes.Buffer
	f, _ := ByName("text")
	if err := feed(f.New(&b, o), results, s); err != nil {
		return err.Error()
	}
	return b.String()
}

func checkJSON(t *testing.T, out map[string]string, results []result) {
	t.Helper()
	if !json.Valid([]byte(out["json"])) {
		t.Errorf("not JSON: %q", out["json"])
	}
	lines := strings.Split(strings.TrimSuffix(out["ndjson"], "\n"), "\n")
	for i := range results {
		var got map[string]any
		if err := json.Unmarshal([]byte(lines[0]), &got); err != nil {
			t.Fatalf("%v: %q", err, lines[0])
		}
		m := &results[i].x.Request
		expect, present := m.Expect()
		for name, want := range map[string]string{"target": m.Target, "method": m.Method, "expect": expect, "proto": m.Version, "id": results[i].x.ID} {
			switch v, ok := got[name]; {
			case !ok && (want == "" && name != "expect" || name == "expect" && !present):
			case v != joinedSafe(name, m, want):
				t.Errorf("%s: %q, was %q", name, v, want)
			}
		}
		lines = lines[1+len(results[i].findings):]
	}
	if len(lines) != 1 || !json.Valid([]byte(lines[0])) {
		t.Errorf("the last line: %q", lines)
	}
}

// joinedSafe is what a value becomes: the lines of Expect are made safe one by one.
func joinedSafe(name string, m *analysis.Message, value string) string {
	if name != "expect" {
		return Safe(value)
	}
	vs := m.Values("Expect")
	for i := range vs {
		vs[i] = Safe(vs[i])
	}
	return strings.Join(vs, ", ")
}

func checkCSV(t *testing.T, out string, results []result) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	want := 1
	for i := range results {
		want += len(results[i].findings)
	}
	if len(rows) != want {
		t.Fatalf("%d rows, want %d", len(rows), want)
	}
	for _, row := range rows {
		for _, c := range row {
			if c != "" && strings.ContainsAny(c[:1], "=+-@") {
				t.Errorf("a formula: %q", c)
			}
		}
	}
}
