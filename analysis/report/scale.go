package report

import (
	"cmp"
	"slices"
	"strconv"
	"strings"

	"expectscope/analysis"
)

// ConnectionLadder draws the exchanges of one connection in the order of time, as [Ladder] draws one. The exchanges are
// in the order of their requests and there is at least one; times count from the end of the first one's head. A request that came
// before the request in front of it had its answer is drawn where it came.
func ConnectionLadder(xs []*analysis.Exchange, width int) []string {
	var steps []step
	for i, x := range xs {
		of := ladderSteps(x)
		if i+1 < len(xs) && x.Owed != nil && x.Owed.Bytes > 0 {
			at := x.Owed.At.Time
			of = append(of, step{kind: note, at: at, until: at, label: counted(x.Owed.Bytes, "byte", "bytes") + " still owed here"},
				step{kind: note, at: at, until: at, label: readings(x.Owed)})
		}
		steps = append(steps, of...)
	}
	slices.SortStableFunc(steps, func(a, b step) int { return cmp.Compare(a.at, b.at) })
	return draw(xs[0], steps, width)
}

// readings says what each side took the bytes for that came where a body was owed.
func readings(o *analysis.Owed) string {
	words := [...]string{analysis.ReadUnknown: "nobody knows what", analysis.ReadAsBody: "more of the body", analysis.ReadAsNext: "a new request"}
	return "client meant " + words[o.Client] + ", server read " + words[o.Server]
}

// Scale draws an exchange on one line of exactly width columns, true to time from left to right, and says below it what a column is. Letters stand
// for messages (R the request head, 1 a 1xx, F the final response, N the repeat), = for the body, ~ for waiting. It needs 20 columns.
func Scale(x, next *analysis.Exchange, width int) []string {
	steps := ladderSteps(x)
	if next != nil {
		steps = append(steps, at(next.Request.Last, head, client, "", ""))
	}
	width = max(width, 20)
	first, last := x.Request.First.Time, lastTime(steps)
	for i := range steps {
		first = min(first, steps[i].at)
	}
	total := max(last-first, 1)
	column := func(t int64) int { return int(float64(t-first)/float64(total)*float64(width-1) + 0.5) }
	line := []byte(strings.Repeat("~", width))
	if b := &x.ReqBody; b.Sent > 0 && b.First.Packet != 0 {
		for i := column(b.First.Time); i <= column(b.Last.Time); i++ {
			line[i] = '='
		}
	}
	if next != nil {
		line[column(next.Request.Last.Time)] = 'N'
	}
	for i := range x.Interim {
		line[column(x.Interim[i].Last.Time)] = '1'
	}
	if x.Final != nil {
		line[column(x.Final.Last.Time)] = 'F'
	}
	line[column(x.Request.Last.Time)] = 'R'
	legend := "0 to " + span(total) + ", a column is " + span(max(total/int64(width), 1))
	if d := len(x.Interim); d > 3 {
		legend += ", " + strconv.Itoa(d) + " interim responses"
	}
	return []string{string(line), cutEnd(legend, width)}
}
