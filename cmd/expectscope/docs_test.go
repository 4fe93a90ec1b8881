package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"expectscope/analysis/rules"
)

const readme = "../../README.md"

// pictureLines is how much of the demo's report the README shows.
const pictureLines = 62

// What the README shows of the program is what the program says. -update (make
// docs) writes it anew.
func TestREADME(t *testing.T) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	want := string(b)
	for name, text := range map[string]string{"demo": picture(t), "rules": ruleTable()} {
		if want, err = replaceSection(want, name, text); err != nil {
			t.Fatal(err)
		}
	}
	if want == string(b) {
		return
	}
	if !*update {
		t.Fatal("README.md does not show what the program says: make docs writes it anew")
	}
	if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// replaceSection puts text between the marks of a section.
func replaceSection(doc, name, text string) (string, error) {
	begin, end := "<!-- "+name+": written by make docs -->\n", "<!-- end of "+name+" -->\n"
	before, rest, ok := strings.Cut(doc, begin)
	_, after, ok2 := strings.Cut(rest, end)
	if !ok || !ok2 {
		return "", fmt.Errorf("README.md has no section between %q and %q", begin, end)
	}
	return before + begin + text + end + after, nil
}

// picture is the first command and the beginning of what it prints.
func picture(t *testing.T) string {
	got := runWith(t, nil, filepath.Join(pcaps, "demo.pcap"))
	if got.status != 0 || got.err != "" {
		t.Fatalf("the demo fails: status %d, %s", got.status, got.err)
	}
	lines := strings.SplitAfter(got.out, "\n")
	if len(lines) > pictureLines {
		at := pictureLines
		for at > 0 && lines[at-1] != "\n" { // between two findings
			at--
		}
		lines = append(lines[:at:at], "[...]\n")
	}
	return "```\n$ go run ./cmd/expectscope testdata/pcaps/demo.pcap\n" + strings.Join(lines, "") + "```\n"
}

// ruleTable is the rules as a Markdown table.
func ruleTable() string {
	var b strings.Builder
	b.WriteString("| rule | severity | fault | clause | what |\n|---|---|---|---|---|\n")
	for _, r := range rules.All() {
		var clauses []string
		for _, c := range r.Clauses {
			clauses = append(clauses, c.String())
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", r.ID, r.Severity, faultNames(r, ", "), strings.Join(clauses, ", "), r.Title)
	}
	return b.String()
}

// Every flag, verb and format that there is stands in the README, and every
// make target that the documents name exists.
func TestDocumentsNameWhatThereIs(t *testing.T) {
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	root := newRoot(&console{})
	for _, verb := range root.Commands() {
		if !strings.Contains(string(b), "expectscope "+verb.Name()) {
			t.Errorf("README.md does not name the verb %s", verb.Name())
		}
	}
	for _, f := range formatNames() {
		if !strings.Contains(string(b), "`"+f+"`") {
			t.Errorf("README.md does not name the format %s", f)
		}
	}
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"README.md", "CONTRIBUTING.md"} {
		text, err := os.ReadFile("../../" + name)
		if err != nil {
			t.Fatal(err)
		}
		for i, rest := range strings.Split(string(text), "`make ") {
			target, _, _ := strings.Cut(rest, "`")
			target, _, _ = strings.Cut(target, " ")
			if i > 0 && !strings.Contains(string(makefile), "\n"+target+":") {
				t.Errorf("%s names make %s, which is not there", name, target)
			}
		}
	}
}

// Help fits a terminal, and each flag has one line.
func TestHelpFits(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"analyze", "--help"}, {"extract", "--help"}, {"live", "--help"}, {"rules", "--help"}, {"explain", "--help"}, {"version", "--help"}} {
		got := runWith(t, nil, args...)
		if got.status != 0 || got.err != "" || got.out == "" {
			t.Errorf("%v: status %d, %s", args, got.status, got.err)
		}
		for line := range strings.Lines(got.out) {
			if n := len(line) - 1; n > 80 {
				t.Errorf("%v: a line has %d columns: %s", args, n, line)
			}
		}
	}
}

// Nobody learns from messages with capitals and full stops at the end.
func TestMessagesHaveOneForm(t *testing.T) {
	for _, args := range [][]string{
		{"nowhere.pcap"},
		{"analyze"},
		{"--nonsense"},
		{"x", "-f", "y"},
		{"x", "-f"},
		{"x", "--rule", "y"},
		{"x", "--severity", "y"},
		{"x", "--client", "y"},
		{"x", "--status", "y"},
		{"x", "--fail-on", "y"},
		{"x", "--top", "y"},
		{"x", "--retry-window", "y"},
		{"x", "--all=y"},
		{"x", "-o", "y"},
		{"x", "-o", "/"},
		{"rules", "y"},
		{"explain", "y"},
		{"explain"},
		{"extract"},
		{"extract", "x.pcap"},
		{"extract", "1/1"},
		{"extract", "-", "1/1"},
		{"extract", "nowhere.pcap", "1/1"},
		{"extract", "x.pcap", "1/1", "-o", "y.pcap"},
		{"extract", "../../testdata/pcaps/demo.pcap", "9/9"},
		{"completion", "y"},
		{"completion"},
		{"help", "y"},
		{"version", "--y"},
		{"live", "--nonsense"},
		{"live", "--buffer", "y"},
		{"live", "--snaplen", "0"},
		{"live", "--duration", "-1s"},
		{"live", "--count", "0"},
		{"live", "-f", "y"},
		{"live", "-o", "/"},
		{"live", "--rotate-size", "1MB"},
		{"live", "--files", "3", "-w", "y"},
		{"live", "-w", "-"},
		{"live", "--promiscuous"},
		{"live", "-i", "none0"},
		{"live", "-i", "none0", "tcp"},
		{".."},
	} {
		got := runWith(t, nil, args...)
		if got.status != statusUsage && got.status != statusUnread || got.out != "" {
			t.Errorf("%q: status %d, output %q", args, got.status, got.out)
		}
		lines := strings.Split(strings.TrimSuffix(got.err, "\n"), "\n")
		if len(lines) != 2 {
			t.Errorf("%q: expected an error and a hint:\n%s", args, got.err)
			continue
		}
		for i, prefix := range []string{"expectscope: error: ", "expectscope: hint: "} {
			text, ok := strings.CutPrefix(lines[i], prefix)
			if !ok || text == "" || strings.HasSuffix(text, ".") || 'A' <= text[0] && text[0] <= 'Z' {
				t.Errorf("%q: %s", args, lines[i])
			}
		}
	}
}
