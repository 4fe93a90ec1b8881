package rules

import (
	"slices"
	"strings"
	"testing"

	"expectscope/analysis"
)

// Every value of the table is one its rule speaks of, but for those that stand by as the measure; every rule named has rows.
func TestReadings(t *testing.T) {
	classes := map[string][]analysis.ExpectClass{
		disguised: {analysis.ObfuscatedExpect, analysis.ListExpect}, unknown: {analysis.UnknownExpect}, empty: {analysis.EmptyExpect},
	}
	plain := []string{"100-CONTINUE", "100-continue, tab around"}
	for _, r := range readings {
		if ByID(r.of) == nil {
			t.Errorf("%q belongs to %q, which is no rule", r.Value, r.of)
		}
		for i, what := range r.By {
			if !slices.Contains([]string{"100", "417", "417*", "400", "-"}, what) || what == "417*" && Readers[i] != "Apache" {
				t.Errorf("%q: %s reads it as %q", r.Value, Readers[i], what)
			}
		}
		want, told := classes[r.of], strings.TrimSuffix(strings.TrimPrefix(r.Value, "Expect : "), ", folded")
		if slices.Contains(plain, r.Value) || want == nil || strings.Contains(r.Value, ", folded") {
			continue
		}
		if told == "(no value)" {
			told = ""
		}
		spaced := strings.HasPrefix(r.Value, "Expect :")
		if got := analysis.ClassifyExpect([]string{told}, spaced); !slices.Contains(want, got) {
			t.Errorf("%q is %s, and stands under %s", r.Value, got, r.of)
		}
	}
	for _, id := range []string{disguised, unknown, empty, repeated} {
		if len(Readings(id)) == 0 {
			t.Errorf("%s has no rows", id)
		}
	}
	if Readings("417-no-retry") != nil {
		t.Error("a rule about no value has rows")
	}
}
