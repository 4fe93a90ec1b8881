package tui

import (
	"encoding/binary"
	"strconv"
	"strings"

	"expectscope/analysis"
	"expectscope/analysis/query"
	"expectscope/analysis/report"
	"expectscope/analysis/store"
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
	// sum is what the line of a group has in the column, nil for nothing.
	sum func(*sums) string
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
			{
				title: "severity", width: 8, cell: func(r row) string { return r.f.Severity.String() }, tone: severityTone,
				num: func(r row) uint64 { return uint64(r.f.Severity)<<8 | uint64(r.f.Confidence) }, falls: true,
			},
			{title: "rule", width: 24, cell: func(r row) string { return indent(r.f) + r.f.Rule }, text: func(r row) string { return r.f.Rule }},
			{
				title: "confidence", width: 12, drop: 9, cell: func(r row) string { return r.f.Confidence.String() }, tone: doubtTone,
				num: func(r row) uint64 { return uint64(r.f.Confidence) }, falls: true,
			},
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
			{
				title: "id", width: 9, drop: 6, cell: func(r row) string { return safe(r.x.ID) },
				num: func(r row) uint64 { return uint64(r.x.Conn.First)<<16 + uint64(r.x.Stream) },
			},
			timeColumn(8), clientColumn(9), serverColumn(7), requestColumn,
			{title: "tls", width: 3, drop: 10, cell: func(r row) string { return strings.TrimPrefix(r.x.TLSVersion(), "no") }, text: func(r row) string { return r.x.TLSVersion() }},
			{title: "answers", width: 11, cell: answers, tone: statusTone, num: func(r row) uint64 { return uint64(status(r)) }},
			{title: "sent/declared", width: 15, drop: 3, align: right, cell: sent, num: func(r row) uint64 { return uint64(r.x.ReqBody.Sent) }, falls: true},
			wastedColumn, waitColumn(4),
			{title: "retry", width: 6, drop: 2, cell: retry, num: func(r row) uint64 { return uint64(r.x.Retry().Outcome) }, falls: true},
		},
		order: &column{num: func(r row) uint64 { return uint64(r.x.Request.Last.Time) }},
	}
	connectionKind = &kind{
		name: "connections", connections: true, count: func(store.Snapshot) int { return 0 },
		at: func(_ store.Snapshot, cs []connection, pos int32) row { return row{c: &cs[pos], x: cs[pos].x} },
		columns: []column{
			{title: "", width: 2, cell: mark, tone: markTone, num: func(r row) uint64 { return uint64(worst2(r)) }, falls: true},
			{
				title: "client", width: 21, cell: func(r row) string { return endpoint(r.x.Conn.Addr(r.x.Client)) }, align: ends,
				num: func(r row) uint64 { return address(r.x.Conn.Addr(r.x.Client)) },
			},
			{
				title: "server", width: 21, drop: 6, cell: func(r row) string { return endpoint(r.x.Conn.Addr(r.x.ServerDir())) }, align: ends,
				num: func(r row) uint64 { return address(r.x.Conn.Addr(r.x.ServerDir())) },
			},
			{
				title: "requests", width: 8, drop: 7, align: right, cell: func(r row) string { return report.Grouped(int64(len(r.c.exchanges))) },
				num: func(r row) uint64 { return uint64(len(r.c.exchanges)) }, falls: true,
			},
			{title: "gravest finding", width: 24, cell: gravestRule, tone: markTone, text: gravestRule},
			{
				title: "wasted", width: 11, drop: 5, align: right, cell: func(r row) string { return amount(r.c.wasted) },
				num: func(r row) uint64 { return uint64(r.c.wasted) }, falls: true,
			},
			{title: "end", width: 8, drop: 4, cell: ending, text: ending},
			{
				title: "started", width: 12, drop: 8, cell: func(r row) string { return clock(r.x.Request.Last.Time) },
				num: func(r row) uint64 { return uint64(r.x.Request.Last.Time) },
			},
		},
		order: &column{num: func(r row) uint64 { return uint64(r.x.Request.Last.Time) }},
	}
)

func clientColumn(drop int) column {
	return column{
		title: "client", width: 15, drop: drop, align: ends, cell: func(r row) string { return host(r.x.Conn.Addr(r.x.Client)) },
		num: func(r row) uint64 { return address(r.x.Conn.Addr(r.x.Client)) },
	}
}

func serverColumn(drop int) column {
	return column{
		title: "server", width: 20, drop: drop, align: ends, cell: func(r row) string { return endpoint(r.x.Conn.Addr(r.x.ServerDir())) },
		num: func(r row) uint64 { return address(r.x.Conn.Addr(r.x.ServerDir())) },
	}
}

func waitColumn(drop int) column {
	return column{title: "wait", width: 10, drop: drop, align: right, cell: func(r row) string {
		if ns, ok := query.Wait(&r.x.Exchange); ok && (r.x.Expects() || ns >= analysis.NoWait) {
			return report.Span(ns)
		}
		return ""
	}, sum: func(s *sums) string {
		if s.lost == 0 {
			return ""
		}
		return report.Span(s.lost)
	}, num: func(r row) uint64 { ns, _ := query.Wait(&r.x.Exchange); return uint64(ns) }, falls: true}
}

func timeColumn(drop int) column {
	return column{
		title: "time", width: 12, drop: drop, cell: func(r row) string { return clock(r.x.Request.Last.Time) },
		num: func(r row) uint64 { return uint64(r.x.Request.Last.Time) },
	}
}

var (
	requestColumn = column{
		title: "request", width: 20, flex: true, align: ends,
		cell: func(r row) string { return safe(r.x.Request.Method) + " " + safe(r.x.Request.Target) },
		text: func(r row) string { return r.x.Request.Target },
	}
	statusColumn = column{title: "status", width: 6, drop: 3, cell: func(r row) string {
		if n := status(r); n != 0 {
			return strconv.Itoa(n)
		}
		return "none"
	}, tone: statusTone, num: func(r row) uint64 { return uint64(status(r)) }}
	findingWastedColumn = column{
		title: "wasted", width: 11, drop: 2, align: right, cell: func(r row) string { return amount(r.f.Wasted) },
		sum: func(s *sums) string { return amount(s.wasted) }, num: func(r row) uint64 { return uint64(r.f.Wasted) }, falls: true,
	}
	wastedColumn = column{
		title: "wasted", width: 11, drop: 5, align: right, cell: func(r row) string { return amount(wasted(r.x)) },
		num: func(r row) uint64 { return uint64(wasted(r.x)) }, falls: true,
	}
)
