package tui

import (
	"encoding/binary"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"expectscope/analysis"
	"expectscope/analysis/report"
	"expectscope/analysis/store"
	"expectscope/reassembly"
)

// What the columns say.

// rootSeverity is the severity of the gravest finding on the exchange that is a cause, so that consequences stay with it.
func rootSeverity(r row) analysis.Severity {
	s := analysis.Info
	for _, f := range r.x.Findings {
		s = max(s, f.Severity)
	}
	return s
}

// rank is the finding's place among those of its exchange, each consequence behind its cause.
func rank(r row) int {
	for i, f := range tree(r.x) {
		if f == r.f {
			return i
		}
	}
	return len(r.x.Findings)
}

// tree lists the findings of an exchange so that each consequence comes right behind its cause.
func tree(x *store.Exchange) []*store.Finding {
	var out []*store.Finding
	var under func(cause string, depth int)
	under = func(cause string, depth int) {
		for _, f := range x.Findings {
			if f.Cause == cause && int(f.Depth) == depth {
				out = append(out, f)
				if depth < len(x.Findings) {
					under(f.Rule, depth+1)
				}
			}
		}
	}
	under("", 0)
	return out
}

// indent stands before a consequence.
func indent(f *store.Finding) string {
	if f.Depth == 0 {
		return ""
	}
	return spaces(int(f.Depth)-1) + "└"
}

// worst is the gravest severity on an exchange, 1 for info, 0 when nothing was found.
func worst(x *store.Exchange) int {
	n := 0
	for _, f := range x.Findings {
		n = max(n, int(f.Severity)+1)
	}
	return n
}

func worst2(r row) int {
	if r.c.worst == nil {
		return 0
	}
	return int(r.c.worst.Severity) + 1
}

// mark says in a letter how grave what was found is.
func mark(r row) string {
	n := worst(r.x)
	if r.c != nil {
		n = worst2(r)
	}
	return [...]string{"", "i", "n", "W", "E"}[n]
}

func markTone(t *theme, r row) style {
	n := worst(r.x)
	if r.c != nil {
		n = worst2(r)
	}
	if n == 0 {
		return style{}
	}
	return t.severity[n-1]
}

func severityTone(t *theme, r row) style { return t.severity[r.f.Severity] }

func doubtTone(t *theme, r row) style {
	if r.f.Confidence == analysis.Inconclusive {
		return t.dim
	}
	return style{}
}

func statusTone(t *theme, r row) style {
	if n := status(r); n == 0 || n >= 400 {
		return t.strong
	}
	return style{}
}

// status is the final status, 0 for none.
func status(r row) int {
	if r.x.Final == nil {
		return 0
	}
	return r.x.Final.Status
}

// answers lists the statuses: 100 201.
func answers(r row) string {
	var b strings.Builder
	for i := range r.x.Interim {
		if i == 2 && len(r.x.Interim) > 3 {
			b.WriteString("… ")
			break
		}
		b.WriteString(strconv.Itoa(r.x.Interim[i].Status) + " ")
	}
	if r.x.Final == nil {
		return b.String() + "none"
	}
	return b.String() + strconv.Itoa(r.x.Final.Status)
}

// sent is the body: sent of declared.
func sent(r row) string {
	b := &r.x.ReqBody
	switch {
	case b.Framing == analysis.FramingNone:
		return ""
	case b.Declared < 0:
		return brief(b.Sent) + "/" + b.Framing.String()
	}
	return brief(b.Sent) + "/" + brief(b.Declared)
}

// short is a number of bytes in few columns.
func short(n int64) string {
	if n < 1e9 {
		return report.Grouped(n)
	}
	return report.Size(n)
}

// brief is a number of bytes in at most 8 columns.
func brief(n int64) string {
	if n < 1e6 {
		return report.Grouped(n)
	}
	return report.Size(n)
}

// amount is a number of bytes, nothing for none.
func amount(n int64) string {
	if n == 0 {
		return ""
	}
	return short(n)
}

// retry says what became of a refused expectation, or that this is a repeat.
func retry(r row) string {
	switch r.x.Retry().Outcome {
	case analysis.RetryNone:
		return "never"
	case analysis.RetrySameConn:
		return "same"
	case analysis.RetryNewConn:
		return "new"
	case analysis.RetryUnknown:
		if abandoned(r.x) {
			return "never?"
		}
		return "?"
	}
	if r.x.RetryOf != "" {
		return "is one"
	}
	return ""
}

// abandoned tells whether a refused exchange was at least likely not repeated, though the capture does not show the whole of the time in
// which it could have been: its client hung up, for instance.
func abandoned(x *store.Exchange) bool {
	return slices.ContainsFunc(x.Findings, func(f *store.Finding) bool { return f.Rule == "417-no-retry" && f.Confidence >= analysis.Likely })
}

func gravestRule(r row) string {
	if r.c.worst == nil {
		return ""
	}
	return r.c.worst.Rule
}

// ending is how the connection ended, each side's way.
func ending(r row) string {
	a, b := r.c.last.End(reassembly.Forward).How, r.c.last.End(reassembly.Reverse).How
	switch {
	case a == reassembly.RST || b == reassembly.RST:
		return "reset"
	case a == reassembly.FIN || b == reassembly.FIN:
		return "closed"
	case a == reassembly.Idle:
		return "idle"
	case a == reassembly.Reused:
		return "reused"
	}
	return "open"
}

// address is a number that orders addresses: an IPv4 address and its port, or the beginning of an IPv6 address.
func address(a netip.AddrPort) uint64 {
	ip := a.Addr().Unmap()
	if ip.Is4() {
		b := ip.As4()
		return uint64(binary.BigEndian.Uint32(b[:]))<<16 | uint64(a.Port())
	}
	b := ip.As16()
	return binary.BigEndian.Uint64(b[:])
}

func endpoint(a netip.AddrPort) string {
	if !a.IsValid() {
		return "?"
	}
	return a.String()
}

func host(a netip.AddrPort) string {
	if !a.IsValid() {
		return "?"
	}
	return a.Addr().String()
}

// path is a target without its query.
func path(target string) string {
	p, _, _ := strings.Cut(target, "?")
	return p
}

// clock is a time of day in UTC with milliseconds, 12 columns.
func clock(ns int64) string {
	day := ns / 1e6 % 86_400_000
	if day < 0 {
		day += 86_400_000
	}
	b := make([]byte, 0, 12)
	two := func(n int64, end byte) { b = append(b, '0'+byte(n/10%10), '0'+byte(n%10), end) }
	two(day/3_600_000, ':')
	two(day/60_000%60, ':')
	two(day/1000%60, '.')
	b = append(b, '0'+byte(day/100%10))
	two(day%100, ' ')
	return string(b[:12])
}
