package rules

import (
	"embed"
	"maps"
	"slices"

	"expectscope/analysis"
)

//go:embed testdata/*.txtar
var exampleFiles embed.FS

// Example is the example of the rule with that id, a txtar archive: a sentence, then the
// sections "fires" (a conversation in the language of capture/script), "findings" (all findings of it, one a
// line: rule, severity, confidence, exchange) and "silent" (a twin in which the rule does not speak). ok is false if there is
// no such rule.
func Example(id string) (archive string, ok bool) {
	if ByID(id) == nil {
		return "", false
	}
	b, err := exampleFiles.ReadFile("testdata/" + id + ".txtar")
	return string(b), err == nil
}

// Remedies lists everything the rule may advise: for each of its keys what holds in
// general, then what holds for particular software. The lines stand for themselves.
func Remedies(r *analysis.Rule) []string {
	var lines []string
	for _, k := range r.Fix {
		f := fixes[k]
		all := []string{f.general}
		for _, name := range slices.Sorted(maps.Keys(f.by)) {
			all = append(all, f.by[name])
		}
		for _, line := range all {
			if line != "" && !slices.Contains(lines, line) {
				lines = append(lines, line)
			}
		}
	}
	return lines
}
