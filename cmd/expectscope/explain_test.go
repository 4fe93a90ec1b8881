package main

import (
	"strings"
	"testing"
	"unicode/utf8"

	"expectscope/analysis/rules"
)

// explain knows every rule, and says of each what the table holds.
func TestExplainEveryRule(t *testing.T) {
	for _, r := range rules.All() {
		got := runWith(t, nil, "explain", r.ID)
		if got.status != 0 || got.err != "" {
			t.Errorf("explain %s: status %d, %s", r.ID, got.status, got.err)
			continue
		}
		wants := []string{
			r.ID + ": " + r.Title, "\nseverity  " + r.Severity.String(), "\nfault     ", "\nexample   ",
			"client ", " server", "\n    " + r.ID + " ",
		}
		for _, c := range r.Clauses {
			wants = append(wants, c.String()[:len("RFC 0000")])
		}
		if len(rules.Remedies(r)) > 0 {
			wants = append(wants, "\nfix       ")
		}
		if len(r.Under) > 0 {
			wants = append(wants, "\ncause     may be a consequence of "+r.Under[0])
		}
		for _, want := range wants {
			if !strings.Contains(got.out, want) {
				t.Errorf("explain %s lacks %q:\n%s", r.ID, want, got.out)
			}
		}
		for _, row := range rules.Readings(r.ID) {
			if !strings.Contains(got.out, "\n  "+row.Value+" ") {
				t.Errorf("explain %s lacks how servers read %q:\n%s", r.ID, row.Value, got.out)
			}
		}
		for line := range strings.Lines(got.out) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > 80 && strings.Contains(strings.TrimSpace(line), " ") {
				t.Errorf("explain %s: a line has %d columns: %s", r.ID, n, line)
			}
		}
	}
}
