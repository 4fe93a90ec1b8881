package report

import (
	"bytes"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"expectscope/analysis"
)

// TestPromParses: Prometheus' own parser takes what is written, and finds the figures in it.
func TestPromParses(t *testing.T) {
	var out bytes.Buffer
	results, s := fixture()
	if err := feed(promFormat(&out), results, s); err != nil {
		t.Fatal(err)
	}
	parser := expfmt.NewTextParser(model.LegacyValidation)
	families, err := parser.TextToMetricFamilies(&out)
	if err != nil {
		t.Fatal(err)
	}
	if got := families["expectscope_exchanges_total"].GetMetric()[0].GetCounter().GetValue(); got != float64(s.Exchanges) {
		t.Errorf("exchanges: %v, want %d", got, s.Exchanges)
	}
	sum := 0.0
	for _, m := range families["expectscope_findings_total"].GetMetric() {
		sum += m.GetCounter().GetValue()
	}
	want := uint64(0)
	for _, n := range s.Findings {
		want += n
	}
	if sum != float64(want) {
		t.Errorf("findings: %v, want %d", sum, want)
	}
	if f := families["expectscope_continue_wait_seconds"]; f.GetType() != dto.MetricType_HISTOGRAM {
		t.Errorf("the waits are a %v", f.GetType())
	}
}

func promFormat(out *bytes.Buffer) Writer {
	f, _ := ByName("prom")
	return f.New(out, Options{})
}

// TestWaits: each wait is in the bucket of its bound, and the buckets are cumulative.
func TestWaits(t *testing.T) {
	var m Metrics
	for _, ms := range []int64{0, 5, 360, 1000, 1000, 70_000} {
		x := analysis.Exchange{State: analysis.Settled}
		x.Request.Fields = []analysis.Field{{Name: "Expect", Value: "100-continue"}}
		x.Request.Last.Time = 1e9
		x.ReqBody.Sent, x.ReqBody.First.Packet = 1, 1
		x.ReqBody.First.Time = 1e9 + ms*1e6
		m.Exchange(&x)
		x.State = analysis.Open
		m.Exchange(&x) // not over: does not count
	}
	var out bytes.Buffer
	if err := m.Write(&out, &analysis.Summary{}); err != nil {
		t.Fatal(err)
	}
	for _, line := range []string{
		`_bucket{le="0.001"} 1`, `_bucket{le="0.01"} 2`, `_bucket{le="0.4"} 3`, `_bucket{le="0.75"} 3`,
		`_bucket{le="1.1"} 5`, `_bucket{le="60"} 5`, `_bucket{le="+Inf"} 6`, "_count 6\n", "_sum 72.365\n",
	} {
		if !bytes.Contains(out.Bytes(), []byte("expectscope_continue_wait_seconds"+line)) {
			t.Errorf("no line %q in\n%s", line, &out)
		}
	}
}
