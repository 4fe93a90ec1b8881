package report

import (
	"encoding/csv"
	"io"
	"strconv"
	"strings"

	"expectscope/analysis"
	"expectscope/capture"
)

var _ = format(Format{
	Name: "csv", Ext: ".csv",
	Summary: "a table of the findings, one a row, for a spreadsheet",
	New: func(w io.Writer, o Options) Writer {
		return &table{csv: csv.NewWriter(w), opts: o}
	},
})

// columns is the table's head. The names are those of the finding object of the JSON formats; lists are separated by spaces, clauses by ", ".
var columns = [...]string{
	"time", "severity", "rule", "confidence", "state", "cause", "fault",
	"client", "server", "method", "target", "status", "summary",
	"wasted_bytes", "saved_bytes", "lost_ms", "fix", "clauses",
	"exchange", "related", "file", "evidence", "evidence_other", "wireshark",
}

// table writes a head and a row for each finding. Exchanges and the summary have no place in one table and are left to the other formats.
type table struct {
	csv   *csv.Writer
	opts  Options
	begun bool
	enc   encoder // for the form of times
}

// Exchange writes nothing: the table is one of findings.
func (t *table) Exchange(*analysis.Exchange) error { return nil }

// Finding writes a row.
func (t *table) Finding(f *analysis.Finding) error {
	if err := t.begin(); err != nil {
		return err
	}
	return t.row(t.cells(f))
}

// Close makes sure that a table without rows has a head.
func (t *table) Close(*analysis.Summary) error { return t.begin() }

func (t *table) begin() error {
	if t.begun {
		return nil
	}
	t.begun = true
	return t.row(columns[:])
}

func (t *table) row(cells []string) error {
	if err := t.csv.Write(cells); err != nil {
		return err
	}
	t.csv.Flush()
	return t.csv.Error()
}

// cells are the values in the order of columns, each safe for a spreadsheet.
func (t *table) cells(f *analysis.Finding) []string {
	home := 0
	if len(f.Evidence) > 0 {
		home = f.Evidence[0].Input()
	}
	frames, others := frameLists(f.Evidence, home)
	filter := ""
	if frames != "" {
		filter = string(appendFilter(nil, f.Evidence, home))
		if f.Unrecorded {
			filter = Proof(f)
		}
	}
	cells := []string{
		t.time(f.Time), f.Severity.String(), f.Rule, f.Confidence.String(), f.State.String(), f.Cause, faults(f.Fault),
		endpoint(f.Client), endpoint(f.Server), f.Method, f.Target, count(int64(f.Status)), f.Summary,
		count(f.Wasted), count(f.Saved), milliseconds(int64(f.Lost)), strings.Join(f.Fix, "; "), clauses(f.Clauses),
		f.Exchange, strings.Join(f.Related, " "), t.opts.file(home), frames, others, filter,
	}
	for i := range cells {
		cells[i] = cell(cells[i])
	}
	return cells
}

// cell makes a value safe: printable, and no formula. Spreadsheets take a cell for a formula that begins with one of = + - @ tab or carriage return
// (OWASP, CSV Injection); Safe has taken care of the last two.
func cell(s string) string {
	s = Safe(s)
	if s != "" && strings.IndexByte("=+-@", s[0]) >= 0 {
		return "'" + s
	}
	return s
}

// time is RFC 3339 in UTC with nine fraction digits, "" when not known.
func (t *table) time(ns int64) string {
	if ns == 0 {
		return ""
	}
	t.enc.b = t.enc.b[:0]
	t.enc.time("", ns)
	return strings.Trim(string(t.enc.b), `":`)
}

// count is a number, "" for 0: the rule does not count it.
func count(n int64) string {
	if n == 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

func milliseconds(ns int64) string {
	if ns == 0 {
		return ""
	}
	return string(appendMs(nil, ns))
}

func faults(parties []analysis.Fault) string {
	if len(parties) == 0 {
		return analysis.FaultUnknown.String()
	}
	words := make([]string, len(parties))
	for i, p := range parties {
		words[i] = p.String()
	}
	return strings.Join(words, " ")
}

func clauses(cs []analysis.Clause) string {
	words := make([]string, len(cs))
	for i, c := range cs {
		words[i] = c.String()
	}
	return strings.Join(words, ", ")
}

// frameLists lists the frames of the input home, and the packets of others as "<input>:<frame>".
func frameLists(nums []capture.Num, home int) (frames, others string) {
	var a, b []string
	for _, n := range nums {
		frame := strconv.FormatUint(n.Frame(), 10)
		if n.Input() == home {
			a = append(a, frame)
		} else {
			b = append(b, strconv.Itoa(n.Input())+":"+frame)
		}
	}
	return strings.Join(a, " "), strings.Join(b, " ")
}
