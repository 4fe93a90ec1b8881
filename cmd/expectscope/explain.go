package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/charmbracelet/x/ansi"
	"github.com/rogpeppe/go-internal/txtar"
	"github.com/spf13/cobra"

	"expectscope/analysis"
	"expectscope/analysis/engine"
	"expectscope/analysis/report"
	"expectscope/analysis/rules"
	"expectscope/capture/script"
)

func newExplain(c *console) *cobra.Command {
	return &cobra.Command{
		Use:   "explain RULE...",
		Short: "Explain a rule: what, why, by which clause, the fix, an example",
		Example: `  expectscope explain 417-no-retry
  expectscope rules`,
		RunE: func(_ *cobra.Command, ids []string) error {
			if len(ids) == 0 {
				return usage("expectscope rules lists the rules", "nothing to explain")
			}
			var b strings.Builder
			for i, id := range ids {
				r := rules.ByID(id)
				if r == nil {
					return unknownRule(id)
				}
				if i > 0 {
					b.WriteString("\n")
				}
				explain(&b, r, c.width())
			}
			_, err := fmt.Fprint(c.out, b.String())
			return written(err)
		},
		ValidArgsFunction: func(*cobra.Command, []string, string) ([]cobra.Completion, cobra.ShellCompDirective) {
			return ruleCompletions(), cobra.ShellCompDirectiveNoFileComp
		},
	}
}

// explain writes what the table knows about a rule, and its example.
func explain(b *strings.Builder, r *analysis.Rule, width int) {
	fmt.Fprintf(b, "%s: %s\n\n", r.ID, r.Title)
	para(b, "", r.Explain, width)
	b.WriteString("\n")
	readings(b, rules.Readings(r.ID), width)
	field := func(name, text string) {
		if text != "" {
			para(b, fmt.Sprintf("%-10s", name), text, width)
		}
	}
	field("severity", r.Severity.String())
	field("fault", faultNames(r, ", "))
	var clauses []string
	for _, c := range r.Clauses {
		clauses = append(clauses, c.String())
	}
	field("clause", strings.Join(clauses, ", "))
	field("since", r.Since)
	if len(r.Under) > 0 {
		field("cause", "may be a consequence of "+strings.Join(r.Under, ", "))
	}
	for i, fix := range rules.Remedies(r) {
		name := ""
		if i == 0 {
			name = "fix"
		}
		field(name, fix)
	}
	example(b, r, width)
}

// readings writes how servers read the values a rule is about.
func readings(b *strings.Builder, rows []rules.Reading, width int) {
	if len(rows) == 0 {
		return
	}
	line := func(name string, by [len(rules.Readers)]string) {
		fmt.Fprintf(b, "%-25s", name)
		for i, what := range by {
			fmt.Fprintf(b, "%*s", max(len(rules.Readers[i]), len("417*"))+1, what)
		}
		b.WriteString("\n")
	}
	line("measured", rules.Readers)
	for _, r := range rows {
		line("  "+r.Value, r.By)
	}
	para(b, "  ", "- says nothing and waits for the body; 417* refuses only once it has the body; HAProxy stands in front of Go", width)
	b.WriteString("\n")
}

// para writes text behind a name, folded between words, with the name's width
// before each further line.
func para(b *strings.Builder, name, text string, width int) {
	line, indent := name, strings.Repeat(" ", len(name))
	for i, word := range strings.Fields(text) {
		switch {
		case i == 0:
			line += word
		case ansi.StringWidth(line)+1+ansi.StringWidth(word) > width:
			b.WriteString(line + "\n")
			line = indent + word
		default:
			line += " " + word
		}
	}
	b.WriteString(line + "\n")
}

// example plays the rule's example and draws its exchanges.
func example(b *strings.Builder, r *analysis.Rule, width int) {
	text, _ := rules.Example(r.ID)
	archive := txtar.Parse([]byte(text))
	if len(archive.Files) == 0 {
		return
	}
	conversation, err := script.Parse(string(archive.Files[0].Data))
	if err != nil {
		panic(err) // the tests of analysis/rules play every example
	}
	b.WriteString("\n")
	para(b, "example   ", string(archive.Comment), width)
	for _, pair := range played(conversation) {
		b.WriteString("\n")
		for _, line := range report.Ladder(pair.x, pair.next, width-2) {
			b.WriteString(strings.TrimRight("  "+line, " ") + "\n")
		}
	}
	b.WriteString("\n  findings  (rule, severity, confidence, exchange)\n")
	for line := range strings.Lines(string(archive.Files[1].Data)) {
		b.WriteString("    " + line)
	}
}

// An attempt is an exchange and the one that repeats it, or else the same one behind a proxy, if any.
type attempt struct{ x, next *analysis.Exchange }

// played runs a conversation and returns its exchanges in order; one that
// repeats another stands with it, and so does the other side of a proxy.
func played(s *script.Script) []attempt {
	var kept keeper
	src := s.Source(script.Options{})
	e := engine.New(engine.Options{All: true}, &kept)
	e.Read(src, func() bool { return true }) // a script has no error
	e.Close(src)
	var all []attempt
	for _, x := range kept.exchanges {
		front, _ := x.HopTo(analysis.InFront)
		if kept.byID(x.RetryOf) != nil || kept.byID(front.To) != nil {
			continue
		}
		next := kept.byID(x.Retry().By)
		if hop, ok := x.HopTo(analysis.Behind); ok && next == nil {
			next = kept.byID(hop.To)
		}
		all = append(all, attempt{x, next})
	}
	return all
}

// A keeper keeps the exchanges of a run.
type keeper struct{ exchanges []*analysis.Exchange }

// Exchange keeps a copy, in the place of an earlier one with the same ID.
func (k *keeper) Exchange(x *analysis.Exchange) {
	c := *x
	at := slices.IndexFunc(k.exchanges, func(old *analysis.Exchange) bool { return old.ID == x.ID })
	if at >= 0 {
		k.exchanges[at] = &c
		return
	}
	k.exchanges = append(k.exchanges, &c)
}

// Finding is not needed: the example lists them.
func (k *keeper) Finding(*analysis.Finding) {}

func (k *keeper) byID(id string) *analysis.Exchange {
	for _, x := range k.exchanges {
		if x.ID == id && id != "" {
			return x
		}
	}
	return nil
}
