package report

import (
	"io"
	"maps"
	"slices"
	"strconv"

	"expectscope/analysis"
)

var _ = format(Format{
	Name: "prom", Ext: ".prom",
	Summary: "counters for Prometheus, in its text exposition format",
	New: func(w io.Writer, _ Options) Writer {
		return &promFile{w: w}
	},
})

// promFile writes the metrics of a run that has ended.
type promFile struct {
	w io.Writer
	m Metrics
}

// Exchange counts its wait.
func (p *promFile) Exchange(x *analysis.Exchange) error {
	p.m.Exchange(x)
	return nil
}

// Finding writes nothing: the summary counts them.
func (p *promFile) Finding(*analysis.Finding) error { return nil }

// Close writes all metrics.
func (p *promFile) Close(s *analysis.Summary) error { return p.m.Write(p.w, s) }

// waitBounds are the upper bounds of the histogram's buckets in seconds; the clients' known time-outs (0.35, 1, 3, 5 s)
// lie just below one each.
var waitBounds = [...]float64{0.001, 0.01, 0.05, 0.1, 0.25, 0.4, 0.75, 1.1, 2, 3.1, 5.1, 10, 30, 60}

// Metrics accumulates what a summary does not hold: how long clients waited for an answer to their Expect. The zero value is ready.
type Metrics struct {
	waits [len(waitBounds)]uint64 // waits up to each bound, and not up to the one before
	count uint64
	sum   float64
}

// Exchange takes in an exchange; one that is not settled yet does not count.
func (m *Metrics) Exchange(x *analysis.Exchange) {
	if x.State != analysis.Settled || !x.Expects() || len(x.Interim) == 0 && x.Final == nil && x.ReqBody.Sent == 0 {
		return
	}
	wait := float64(x.WaitedForContinue()) / 1e9
	m.count++
	m.sum += wait
	for i, bound := range waitBounds {
		if wait <= bound {
			m.waits[i]++
			break
		}
	}
}

// Write writes the metrics of a run in Prometheus' text exposition format. The labels are ours: rule ids, outcomes, never text from the wire.
func (m *Metrics) Write(w io.Writer, s *analysis.Summary) error {
	p := &exposition{}
	p.counter("expectscope_packets_total", "Packets captured.", float64(s.Packets))
	p.counter("expectscope_packet_bytes_total", "Their length on the wire.", float64(s.Bytes))
	p.counter("expectscope_dropped_packets_total", "Packets the capture says it missed.", float64(s.Capture.Drops))
	p.counter("expectscope_connections_total", "TCP connections seen.", float64(s.Connections))
	p.gauge("expectscope_open_connections", "TCP connections followed now.", float64(s.OpenConnections))
	p.counter("expectscope_gaps_total", "Holes in streams.", float64(s.Capture.Gaps))
	p.counter("expectscope_exchanges_total", "HTTP exchanges that are over.", float64(s.Exchanges))
	p.counter("expectscope_expect_exchanges_total", "Those with an Expect field.", float64(s.Expect))
	p.head("expectscope_refused_total", "Expectations refused with 417, by what followed.", "counter")
	p.sample("expectscope_refused_total", "outcome", "repeated", float64(s.Retried))
	p.sample("expectscope_refused_total", "outcome", "not_repeated", float64(s.NotRetried))
	p.sample("expectscope_refused_total", "outcome", "unknown", float64(s.RetryUnknown))
	p.head("expectscope_body_bytes_total", "Request content bytes, by what became of them.", "counter")
	p.sample("expectscope_body_bytes_total", "fate", "sent", float64(s.BodySent))
	p.sample("expectscope_body_bytes_total", "fate", "wasted", float64(s.WastedBytes))
	p.sample("expectscope_body_bytes_total", "fate", "saved", float64(s.SavedBytes))
	p.head("expectscope_findings_total", "Findings, by rule.", "counter")
	for _, rule := range slices.Sorted(maps.Keys(s.Findings)) {
		p.sample("expectscope_findings_total", "rule", rule, float64(s.Findings[rule]))
	}
	m.histogram(p)
	_, err := w.Write(p.b)
	return err
}

func (m *Metrics) histogram(p *exposition) {
	const name = "expectscope_continue_wait_seconds"
	p.head(name, "Time clients waited for an answer to their Expect.", "histogram")
	n := uint64(0)
	for i, bound := range waitBounds {
		n += m.waits[i]
		p.sample(name+"_bucket", "le", strconv.FormatFloat(bound, 'g', -1, 64), float64(n))
	}
	p.sample(name+"_bucket", "le", "+Inf", float64(m.count))
	p.sample(name+"_sum", "", "", m.sum)
	p.sample(name+"_count", "", "", float64(m.count))
}

// exposition appends lines of the text exposition format.
type exposition struct{ b []byte }

func (p *exposition) head(name, help, kind string) {
	p.b = append(p.b, "# HELP "+name+" "+help+"\n# TYPE "+name+" "+kind+"\n"...)
}

func (p *exposition) counter(name, help string, v float64) {
	p.head(name, help, "counter")
	p.sample(name, "", "", v)
}

func (p *exposition) gauge(name, help string, v float64) {
	p.head(name, help, "gauge")
	p.sample(name, "", "", v)
}

func (p *exposition) sample(name, label, value string, v float64) {
	p.b = append(p.b, name...)
	if label != "" {
		p.b = append(p.b, '{')
		p.b = append(p.b, label...)
		p.b = append(p.b, '=')
		p.b = strconv.AppendQuote(p.b, value)
		p.b = append(p.b, '}')
	}
	p.b = append(p.b, ' ')
	p.b = strconv.AppendFloat(p.b, v, 'g', -1, 64)
	p.b = append(p.b, '\n')
}
