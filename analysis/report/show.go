package report

import (
	"fmt"
	"iter"
	"strconv"
	"strings"

	"expectscope/analysis"
	"expectscope/capture"
)

// What the terminal UI shows is written as the text report writes it.

// Grouped is a number with thousands separators: 350,000.
func Grouped(n int64) string { return grouped(n) }

// Size is a number of bytes for people: exact below a million, then with one decimal: "350,000 bytes", "1.5 MB".
func Size(n int64) string { return size(n) }

// Span is a duration of nanoseconds for people: "6.2 ms", "1.00 s", "2 min 5 s".
func Span(ns int64) string { return span(ns) }

// Shorten cuts text wider than n columns in its middle and puts … there.
func Shorten(s string, n int) string { return shorten(s, n) }

// Proof is the Wireshark display filter that shows the evidence of a finding:
// its frames, or where they were not recorded the connection in that time.
func Proof(f *analysis.Finding) string {
	if !f.Unrecorded {
		return Filter(f.Evidence)
	}
	return string(appendSpan(nil, f))
}

// appendSpan appends a display filter for the packets of a finding's
// connection from its earliest to its latest evidence.
func appendSpan(b []byte, f *analysis.Finding) []byte {
	field := "ip.addr == "
	if f.Client.Addr().Is6() {
		field = "ipv6.addr == "
	}
	b = append(f.Client.Addr().AppendTo(append(b, field...)), " && "...)
	b = append(f.Server.Addr().AppendTo(append(b, field...)), " && tcp.port == "...)
	b = append(strconv.AppendUint(b, uint64(f.Client.Port()), 10), " && tcp.port == "...)
	b = append(strconv.AppendUint(b, uint64(f.Server.Port()), 10), " && frame.time_epoch >= "...)
	b = append(appendEpoch(b, f.Time), " && frame.time_epoch <= "...)
	return appendEpoch(b, f.Last)
}

// appendEpoch appends seconds since 1970 with nine fraction digits.
func appendEpoch(b []byte, ns int64) []byte {
	return fmt.Appendf(b, "%d.%09d", ns/1e9, ns%1e9)
}

// Filter is the Wireshark display filter that shows the packets of nums that are of the same input as the first, "" when there are none.
func Filter(nums []capture.Num) string {
	if len(nums) == 0 {
		return ""
	}
	return string(appendFilter(nil, nums, nums[0].Input()))
}

// Health says in lines of at most that width what was read and what the capture lacks.
func Health(s *analysis.Summary, o Options) []string {
	p := page{width: o.width()}
	health(&p, s, &o)
	return strings.Split(strings.Trim(string(p.b), "\n"), "\n")
}

// A Tally counts results for a [Tally.Verdict]. Its memory does not grow with them. The zero value is no Tally: see [NewTally].
type Tally struct{ t *text }

// NewTally returns an empty tally.
func NewTally() Tally { return Tally{newText(nil, Options{Top: 1}, explanation)} }

// Add counts an exchange and its findings, which come in the order of the engine.
func (t Tally) Add(x *analysis.Exchange, found iter.Seq[*analysis.Finding]) {
	_ = t.t.Exchange(x) // neither writes anything, so neither fails
	for f := range found {
		_ = t.t.Finding(f)
	}
}

// Verdict is the answer in a sentence or three: is something wrong, what it costs, who must change.
func (t Tally) Verdict(s *analysis.Summary) string {
	t.t.settle()
	return t.t.verdict(s)
}
