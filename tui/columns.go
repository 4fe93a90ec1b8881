package tui

import (
	"encoding/binary"
	"net/netip"
	"strconv"
	"strings"

	"expectscope/analysis"
	"expectscope/analysis/query"
	"expectscope/analysis/report"
	"expectscope/analysis/store"
	"expectscope/reassembly"
)

// A kind is a sort of list: what its rows are, what is shown of them.
type kind struct {
	name                  string // what its rows are called
	findings, connections bool
	count                 func(store.Snapshot) int
	at                    func(n store.Snapshot, cs []connection, pos int32) row
	columns               []column
	order                 *column // of the rows, where no column is chosen
	groupings             []grouping
}

// A grouping is a way to put findings together; the first of a kind is none.
type grouping struct {
	name   string
	key    func(row) string
	causes bool   // groups are rules: those that are causes come first
	column string // the title of the column the group's line says already
}

// A column is one figure of a row. When the terminal is too narrow the columns give way in the order of drop, the largest
// first; those with drop 0 always stay.
type column struct {
	title string
	width int
	flex  bool // takes the room that is left
	drop  int
	align alignment
	cell  func(row) string
	// tone is how the cell is shown, nil for plain.
	tone func(*theme, row) style
	// num or text is what the column is sorted by; the larger number comes first at the first key press where falls is set.
	num   func(row) uint64
	text  func(row) string
	falls bool
}

// prefix is the key, or what is enough to tell most keys apart.
func (c *column) prefix(r row) uint64 {
	if c.num != nil {
		return c.num(r)
	}
	var b [8]byte
	copy(b[:], c.text(r))
	return binary.BigEndian.Uint64(b[:])
}

// kinds of lists.
var (
	findingKind = &kind{
		name: "findings", findings: true,
		count: func(n store.Snapshot) int { return n.Findings.Len() },
		at: func(n store.Snapshot, _ []connection, pos int32) row {
			f := n.Findings.At(int(pos))
			if f == nil {
				return row{}
			}
			return row{x: n.On(f), f: f}
		},
		columns: []column{
			{title: "severity", width: 8, cell: func(r row) string { return r.f.Severity.String() }, tone: severityTone,
				num: func(r row) uint64 { return uint64(r.f.Severity)<<8 | uint64(r.f.Confidence) }, falls: true},
			{title: "rule", width: 23, cell: func(r row) string { return indent(r.f) + r.f.Rule }, text: func(r row) string { return r.f.Rule }},
			{title: "confidence", width: 12, drop: 9, cell: func(r row) string { return r.f.Confidence.String() }, tone: doubtTone,
				num: func(r row) uint64 { return uint64(r.f.Confidence) }, falls: true},
			clientColumn(7), serverColumn(5), requestColumn, statusColumn, findingWastedColumn, waitColumn(4), timeColumn(6),
		},
		order: &column{num: func(r row) uint64 { return uint64(3-rootSeverity(r))<<60 | uint64(r.x.Pos)<<8 | uint64(rank(r)) }},
		groupings: []grouping{
			{name: "nothing"},
			{name: "rule", key: func(r row) string { return r.f.Rule }, causes: true, column: "rule"},
			{name: "server", key: func(r row) string { return endpoint(r.f.Server) }, column: "server"},
			{name: "client", key: func(r row) string { return r.f.Client.Addr().String() }},
			{name: "target", key: func(r row) string { return r.f.Method + " " + path(r.f.Target) }, column: "request"},
		},
	}
	exchangeKind = &kind{
		name: "exchanges", count: func(n store.Snapshot) int { return n.Exchanges.Len() },
		at: func(n store.Snapshot, _ []connection, pos int32) row { return row{x: n.Exchanges.At(int(pos))} },
		columns: []column{
			{title: "", width: 2, cell: mark, tone: markTone, num: func(r row) uint64 { return uint64(worst(r.x)) }, falls: true},
			{title: "id", width: 9, drop: 6, cell: func(r row) string { return safe(r.x.ID) },
				num: func(r row) uint64 { return uint64(r.x.Conn.First)<<16 + uint64(r.x.Stream) }},
			timeColumn(8), clientColumn(9), serverColumn(7), requestColumn,
			{title: "answers", width: 11, cell: answers, tone: statusTone, num: func(r row) uint64 { return uint64(status(r)) }},
			{title: "sent/declared", width: 17, drop: 3, align: right, cell: sent, num: func(r row) uint64 { return uint64(r.x.ReqBody.Sent) }, falls: true},
			wastedColumn, waitColumn(4),
			{title: "retry", width: 6, drop: 2, cell: retry, num: func(r row) uint64 { return uint64(r.x.Retry.Outcome) }, falls: true},
		},
		order: &column{num: func(r row) uint64 { return uint64(r.x.Request.Last.Time) }},
	}
	connectionKind = &kind{
		name: "connections", connections: true, count: func(store.Snapshot) int { return 0 },
		at: func(_ store.Snapshot, cs []connection, pos int32) row { return row{c: &cs[pos], x: cs[pos].x} },
		columns: []column{
			{title: "", width: 2, cell: mark, tone: markTone, num: func(r row) uint64 { return uint64(worst2(r)) }, falls: true},
			{title: "client", width: 21, cell: func(r row) string { return endpoint(r.x.Conn.Addr(r.x.Client)) }, align: ends,
				num: func(r row) uint64 { return address(r.x.Conn.Addr(r.x.Client)) }},
			{title: "server", width: 21, drop: 6, cell: func(r row) string { return endpoint(r.x.Conn.Addr(r.x.ServerDir())) }, align: ends,
				num: func(r row) uint64 { return address(r.x.Conn.Addr(r.x.ServerDir())) }},
			{title: "requests", width: 8, drop: 7, align: right, cell: func(r row) string { return report.Grouped(int64(len(r.c.exchanges))) },
				num: func(r row) uint64 { return uint64(len(r.c.exchanges)) }, falls: true},
			{title: "gravest finding", width: 23, cell: gravestRule, tone: markTone, text: gravestRule},
			{title: "wasted", width: 11, drop: 5, align: right, cell: func(r row) string { return amount(r.c.wasted) },
				num: func(r row) uint64 { return uint64(r.c.wasted) }, falls: true},
			{title: "end", width: 8, drop: 4, cell: ending, text: ending},
			{title: "started", width: 12, drop: 8, cell: func(r row) string { return clock(r.x.Request.Last.Time) },
				num: func(r row) uint64 { return uint64(r.x.Request.Last.Time) }},
		},
		order: &column{num: func(r row) uint64 { return uint64(r.x.Request.Last.Time) }},
	}
)

func clientColumn(drop int) column {
	return column{title: "client", width: 15, drop: drop, align: ends, cell: func(r row) string { return host(r.x.Conn.Addr(r.x.Client)) },
		num: func(r row) uint64 { return address(r.x.Conn.Addr(r.x.Client)) }}
}

func serverColumn(drop int) column {
	return column{title: "server", width: 20, drop: drop, align: ends, cell: func(r row) string { return endpoint(r.x.Conn.Addr(r.x.ServerDir())) },
		num: func(r row) uint64 { return address(r.x.Conn.Addr(r.x.ServerDir())) }}
}

func waitColumn(drop int) column {
	return column{title: "wait", width: 8, drop: drop, align: right, cell: func(r row) string {
		if ns, ok := query.Wait(&r.x.Exchange); ok && (r.x.Expects() || ns >= analysis.NoWait) {
			return report.Span(ns)
		}
		return ""
	}, num: func(r row) uint64 { ns, _ := query.Wait(&r.x.Exchange); return uint64(ns) }, falls: true}
}

func timeColumn(drop int) column {
	return column{title: "time", width: 12, drop: drop, cell: func(r row) string { return clock(r.x.Request.Last.Time) },
		num: func(r row) uint64 { return uint64(r.x.Request.Last.Time) }}
}

var (
	requestColumn = column{title: "request", width: 20, flex: true, align: ends,
		cell: func(r row) string { return safe(r.x.Request.Method) + " " + safe(r.x.Request.Target) },
		text: func(r row) string { return r.x.Request.Target }}
	statusColumn = column{title: "status", width: 6, drop: 3, cell: func(r row) string {
		if n := status(r); n != 0 {
			return strconv.Itoa(n)
		}
		return "none"
	}, tone: statusTone, num: func(r row) uint64 { return uint64(status(r)) }}
	findingWastedColumn = column{title: "wasted", width: 11, drop: 2, align: right, cell: func(r row) string { return amount(r.f.Wasted) },
		num: func(r row) uint64 { return uint64(r.f.Wasted) }, falls: true}
	wastedColumn = column{title: "wasted", width: 11, drop: 5, align: right, cell: func(r row) string { return amount(wasted(r.x)) },
		num: func(r row) uint64 { return uint64(wasted(r.x)) }, falls: true}
)

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
		return report.Grouped(b.Sent) + "/" + b.Framing.String()
	}
	return short(b.Sent) + "/" + short(b.Declared)
}

// short is a number of bytes in few columns.
func short(n int64) string {
	if n < 1e9 {
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
	switch r.x.Retry.Outcome {
	case analysis.RetryNone:
		return "never"
	case analysis.RetrySameConn:
		return "same"
	case analysis.RetryNewConn:
		return "new"
	case analysis.RetryUnknown:
		return "?"
	}
	if r.x.RetryOf != "" {
		return "is one"
	}
	return ""
}

func gravestRule(r row) string {
	if r.c.worst == nil {
		return ""
	}
	return r.c.worst.Rule
}

// ending is how the connection ended, each side's way.
func ending(r row) string {
	a, b := r.c.last.Ends[reassembly.Forward].How, r.c.last.Ends[reassembly.Reverse].How
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
