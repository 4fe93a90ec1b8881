package rules

import (
	"slices"
	"strings"
	"testing"
)

func TestExampleOfEveryRule(t *testing.T) {
	for _, r := range All() {
		text, ok := Example(r.ID)
		if !ok || !strings.Contains(text, "\n-- fires --\n@") {
			t.Errorf("%s: no example with a conversation: %q", r.ID, text)
		}
	}
	for _, id := range []string{"", "no-such-rule", "../rules", "417-no-retry.txtar"} {
		if text, ok := Example(id); ok {
			t.Errorf("an example of %q: %q", id, text)
		}
	}
}

// Whatever a finding may advise, for whatever software, is among the remedies of its rule.
func TestRemediesHoldAllAdvice(t *testing.T) {
	for _, r := range All() {
		all := Remedies(r)
		for i, line := range all {
			if line == "" || slices.Contains(all[:i], line) {
				t.Errorf("%s: remedy %q is empty or given twice", r.ID, line)
			}
		}
		for _, agent := range []string{"", "curl/8.5.0", "Go-http-client/1.1", "Java-http-client/17"} {
			for _, line := range remedies(r.Fix, agent, "nginx/1.22.1") {
				if !slices.Contains(all, line) {
					t.Errorf("%s: %q is advised to %q and not listed", r.ID, line, agent)
				}
			}
		}
	}
}
