package main

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/spf13/cobra"

	"expectscope/analysis"
	"expectscope/analysis/rules"
)

func newRules(c *console) *cobra.Command {
	var format string
	cmd := &cobra.Command{
		Use:   "rules",
		Short: "List the rules: what is looked for",
		Long:  "List the rules: what is looked for, how much it matters, who is to change\nsomething, and the clause it stands on.",
		Args:  noArguments,
		RunE: func(*cobra.Command, []string) error {
			var err error
			switch format {
			case "text":
				_, err = fmt.Fprint(c.out, rulesTable(c.tableWidth()))
			case "json":
				_, err = c.out.Write(rulesJSON())
			default:
				return usage("the formats of the list are text and json", "%q is no format%s", format, meant(format, []string{"text", "json"}))
			}
			return written(err)
		},
	}
	cmd.Flags().StringVarP(&format, "format", "f", "text", "write this `FORMAT`: text or json")
	return cmd
}

// rulesTable lists the rules in columns; what does not fit goes on below, in its column.
func rulesTable(width int) string {
	rows := [][]string{{"RULE", "SEVERITY", "FAULT", "CLAUSE", "TITLE"}}
	for _, r := range rules.All() {
		clause := "-"
		if len(r.Clauses) > 0 {
			clause = r.Clauses[0].String()
		}
		rows = append(rows, []string{r.ID, r.Severity.String(), faultNames(r, "/"), clause, r.Title})
	}
	widths := make([]int, len(rows[0]))
	for _, row := range rows {
		for i, cell := range row {
			widths[i] = max(widths[i], ansi.StringWidth(cell))
		}
	}
	const faultWidth, clauseWidth, least = 12, 16, 16
	last := len(widths) - 1
	if gaps := last; sum(widths)+gaps > width {
		widths[2], widths[3] = faultWidth, clauseWidth
		widths[last] = max(least, width-sum(widths[:last])-gaps)
	}
	var b strings.Builder
	for _, row := range rows {
		writeRow(&b, row, widths)
	}
	return b.String()
}

// writeRow writes cells in columns, folded where they are wider.
func writeRow(b *strings.Builder, cells []string, widths []int) {
	lines, height := make([][]string, len(cells)), 0
	for i, cell := range cells {
		lines[i] = strings.Split(ansi.Wrap(cell, widths[i], "/"), "\n")
		height = max(height, len(lines[i]))
	}
	for y := range height {
		line := ""
		for i := range cells {
			text := ""
			if y < len(lines[i]) {
				text = strings.TrimSpace(lines[i][y])
			}
			line += text + strings.Repeat(" ", widths[i]-ansi.StringWidth(text)+1)
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
}

func sum(ns []int) (n int) {
	for _, v := range ns {
		n += v
	}
	return n
}

// faultNames lists who is to change something.
func faultNames(r *analysis.Rule, sep string) string {
	var names []string
	for _, f := range r.Fault {
		names = append(names, f.String())
	}
	return strings.Join(names, sep)
}

// ruleObject is a rule in the JSON list.
type ruleObject struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Severity string   `json:"severity"`
	Fault    []string `json:"fault"`
	Clauses  []string `json:"clauses"`
	Explain  string   `json:"explain"`
	Fix      []string `json:"fix"`
	Since    string   `json:"since"`
}

// rulesJSON is the rules as a JSON array.
func rulesJSON() []byte {
	all := []ruleObject{}
	for _, r := range rules.All() {
		o := ruleObject{
			ID: r.ID, Title: r.Title, Severity: r.Severity.String(), Fault: strings.Fields(faultNames(r, " ")), Clauses: []string{},
			Explain: strings.Join(strings.Fields(r.Explain), " "), Fix: append([]string{}, rules.Remedies(r)...), Since: r.Since,
		}
		for _, clause := range r.Clauses {
			o.Clauses = append(o.Clauses, clause.String())
		}
		all = append(all, o)
	}
	b, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		panic(err) // plain strings always encode
	}
	return append(b, '\n')
}
