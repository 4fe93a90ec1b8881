package main

import (
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"expectscope/analysis"
	"expectscope/analysis/query"
	"expectscope/analysis/report"
	"expectscope/analysis/rules"
)

// severities from least to worst.
var severities = [...]analysis.Severity{analysis.Info, analysis.Notice, analysis.Warning, analysis.Error}

// chosenBy are the flags that choose exchanges and findings, and what they take: words of analysis/query.
var chosenBy = []struct{ key, usage string }{
	{"rule", "findings of these `RULES`: ids or globs, as 417-*"},
	{"severity", "findings of this `SEVERITY` or worse"},
	{"client", "these clients: `ADDRESS`[:PORT], CIDR or :PORT"},
	{"server", "these servers: `ADDRESS`[:PORT], CIDR or :PORT"},
	{"target", "targets with this `TEXT` in them; * is any text"},
	{"status", "these final `STATUSES`: 417, 4xx or none"},
}

// A selection chooses exchanges and findings to show. What one flag lists are
// alternatives; flags narrow one another. The zero value shows all.
type selection struct {
	about query.Query // what is asked of both
	found query.Query // what is asked of findings alone
	given []string    // the flags as they were given
}

// flags adds the flags of the selection to a command.
func (s *selection) flags(cmd *cobra.Command) {
	for _, f := range chosenBy {
		cmd.Flags().Func(f.key, "show "+f.usage, func(v string) error {
			s.given = append(s.given, "--"+f.key+" "+v)
			return s.add(f.key, v)
		})
	}
}

// add narrows the selection by a flag.
func (s *selection) add(key, value string) (err error) {
	q := &s.about
	if key == "rule" || key == "severity" {
		q = &s.found
	}
	*q, err = with(*q, key, value)
	return err
}

// with adds the word key:value to a query. Rules and severities that are misspelt are told what they are near to.
func with(q query.Query, key, value string) (query.Query, error) {
	for word := range strings.SplitSeq(value, ",") {
		switch word = strings.TrimSpace(word); {
		case key == "rule" && !matchesAnyRule(word):
			return q, unknownRule(word)
		case key == "severity":
			if _, err := parseSeverity(word); err != nil {
				return q, err
			}
		}
	}
	q, err := q.With(key, value)
	var e *query.Error
	if errors.As(err, &e) {
		return q, usage(e.Hint, "%s", e.Text)
	}
	return q, err
}

// exchange tells whether the exchange is to be shown. Rules and severities are
// properties of findings and choose no exchanges.
func (s *selection) exchange(x *analysis.Exchange) bool {
	return s.about.Match(x, func(func(*analysis.Finding) bool) {})
}

// finding tells whether the finding is to be shown.
func (s *selection) finding(f *analysis.Finding) bool {
	return s.about.MatchFinding(nil, f) && s.found.MatchFinding(nil, f)
}

// note says above a text report that it is not of all findings; the empty
// string if it is.
func (s *selection) note(shown, all uint64, width int) string {
	if len(s.given) == 0 {
		return ""
	}
	var b strings.Builder
	para(&b, "", fmt.Sprintf("Shown: %d of %s, as %s chooses. The sentence below is about these alone, the figures are of the whole capture.",
		shown, plural(all, "finding"), report.Safe(strings.Join(s.given, " "))), width)
	b.WriteString("\n")
	return b.String()
}

// parseSeverity reads a severity's name.
func parseSeverity(v string) (analysis.Severity, error) {
	for _, s := range severities {
		if s.String() == v {
			return s, nil
		}
	}
	return 0, usage("the severities are info, notice, warning and error", "%q is no severity%s", v, meant(v, severityNames()))
}

// severityNames are the names from least to worst.
func severityNames() []string {
	var names []string
	for _, s := range severities {
		names = append(names, s.String())
	}
	return names
}

// matchesAnyRule tells whether an id, or a glob, names a rule.
func matchesAnyRule(glob string) bool {
	return slices.ContainsFunc(rules.All(), func(r *analysis.Rule) bool { return matchesRule([]string{glob}, r.ID) })
}

// matchesRule tells whether one of the globs matches the id.
func matchesRule(globs []string, id string) bool {
	return slices.ContainsFunc(globs, func(g string) bool {
		ok, _ := path.Match(g, id) // a malformed pattern matches nothing, and is refused
		return ok
	})
}

func unknownRule(v string) *failure {
	return usage("expectscope rules lists the rules", "%q is no rule%s", v, meant(v, ruleIDs()))
}

func ruleIDs() []string {
	var ids []string
	for _, r := range rules.All() {
		ids = append(ids, r.ID)
	}
	return ids
}

// meant is the end of a message: what one probably meant.
func meant(typed string, words []string) string {
	if near := nearest(typed, words); near != "" {
		return "; did you mean " + near + "?"
	}
	return ""
}

// A threshold is what --fail-on lists: a severity and all above, and rules.
type threshold struct {
	set      bool // severity counts
	severity analysis.Severity
	rules    []string // globs
}

// add reads a severity or a rule.
func (t *threshold) add(v string) error {
	for word := range strings.SplitSeq(v, ",") {
		word = strings.TrimSpace(word)
		s, err := parseSeverity(word)
		switch {
		case err == nil && !t.set:
			t.severity, t.set = s, true
		case err == nil:
			t.severity = min(t.severity, s)
		case matchesAnyRule(word):
			t.rules = append(t.rules, word)
		default:
			return usage("give info, notice, warning, error, or a rule that expectscope rules lists",
				"%q is no severity and no rule%s", word, meant(word, append(severityNames(), ruleIDs()...)))
		}
	}
	return nil
}

// reached tells whether the finding is proof enough, and grave enough, to fail for.
func (t *threshold) reached(f *analysis.Finding) bool {
	return f.State == analysis.Final && f.Confidence > analysis.Inconclusive &&
		(t.set && f.Severity >= t.severity || matchesRule(t.rules, f.Rule))
}
