package rules_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"expectscope/analysis"
	"expectscope/analysis/engine"
	"expectscope/analysis/rules"
	"expectscope/capture/script"
)

var update = flag.Bool("update", false, "write the findings of the examples anew")

// sink keeps what the engine says.
type sink struct{ findings []analysis.Finding }

func (s *sink) Exchange(*analysis.Exchange) {}
func (s *sink) Finding(f *analysis.Finding) { s.findings = append(s.findings, *f) }

// play runs a conversation through the whole pipeline.
func play(t *testing.T, conversation string) []analysis.Finding {
	t.Helper()
	return playAs(t, parsed(t, conversation), script.Options{})
}

func parsed(t *testing.T, conversation string) *script.Script {
	t.Helper()
	text, err := script.Parse(conversation)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func playAs(t *testing.T, text *script.Script, o script.Options) []analysis.Finding {
	t.Helper()
	var s sink
	src := text.Source(o)
	e := engine.New(engine.Options{All: true, Crash: true}, &s)
	if err := e.Read(src, func() bool { return true }); err != nil {
		t.Fatal(err)
	}
	e.Close(src)
	return s.findings
}

// listed are the findings as an example lists them: "rule severity confidence exchange", sorted.
func listed(fs []analysis.Finding) string {
	var lines []string
	for _, f := range fs {
		lines = append(lines, fmt.Sprintf("%s %s %s %s\n", f.Rule, f.Severity, f.Confidence, f.Exchange))
	}
	slices.Sort(lines)
	return strings.Join(lines, "")
}

func speaks(fs []analysis.Finding, id string) bool {
	return slices.ContainsFunc(fs, func(f analysis.Finding) bool { return f.Rule == id })
}

// Each rule has an example testdata/ID.txtar: one sentence, a conversation in which it speaks, all
// findings of that conversation, and a twin in which it is silent. They are also what "explain" shows.
func TestExamples(t *testing.T) {
	for _, r := range rules.All() {
		t.Run(r.ID, func(t *testing.T) {
			path := filepath.Join("testdata", r.ID+".txtar")
			ar, err := txtar.ParseFile(path)
			if err != nil {
				t.Fatalf("a rule has an example: %v", err)
			}
			sentence := strings.TrimSpace(string(ar.Comment))
			if sentence == "" || strings.Contains(sentence, "\n") || !strings.HasSuffix(sentence, ".") {
				t.Errorf("the comment is not one sentence on one line: %q", sentence)
			}
			var names []string
			for _, f := range ar.Files {
				names = append(names, f.Name)
			}
			if want := []string{"fires", "findings", "silent"}; !slices.Equal(names, want) {
				t.Fatalf("sections %v, want %v", names, want)
			}
			fires, silent := play(t, string(ar.Files[0].Data)), play(t, string(ar.Files[2].Data))
			if !speaks(fires, r.ID) {
				t.Errorf("it is silent where it is to speak; all findings:\n%s", listed(fires))
			}
			if speaks(silent, r.ID) {
				t.Errorf("it speaks where it is to be silent; all findings:\n%s", listed(silent))
			}
			held(t, slices.Concat(fires, silent))
			got := listed(fires)
			if *update {
				ar.Files[1].Data = []byte(got)
				if err := os.WriteFile(path, txtar.Format(ar), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(ar.Files[1].Data) {
				t.Errorf("findings:\n%swant:\n%s", got, ar.Files[1].Data)
			}
		})
	}
	orphans, _ := filepath.Glob("testdata/*.txtar")
	for _, path := range orphans {
		if id := strings.TrimSuffix(filepath.Base(path), ".txtar"); rules.ByID(id) == nil {
			t.Errorf("%s is the example of no rule", path)
		}
	}
}

// held checks what is true of every finding.
func held(t *testing.T, fs []analysis.Finding) {
	t.Helper()
	for _, f := range fs {
		switch {
		case f.Summary == "" || !strings.ContainsAny(f.Summary[len(f.Summary)-1:], ".?") || strings.ContainsAny(f.Summary, "\n\r%"):
			t.Errorf("%s: the summary is not a sentence: %q", f.Rule, f.Summary)
		case len(f.Evidence) == 0 || !slices.IsSorted(f.Evidence) || f.Time == 0:
			t.Errorf("%s: evidence %v at %d", f.Rule, f.Evidence, f.Time)
		case f.Wasted < 0 || f.Saved < 0 || f.Lost < 0:
			t.Errorf("%s: wasted %d, saved %d, lost %s", f.Rule, f.Wasted, f.Saved, f.Lost)
		case slices.Contains(f.Related, f.Exchange):
			t.Errorf("%s: %s is related to itself", f.Rule, f.Exchange)
		case f.Cause != "" && !slices.ContainsFunc(fs, func(g analysis.Finding) bool { return g.Rule == f.Cause && g.Exchange == f.Exchange }):
			t.Errorf("%s: its cause %s was not found", f.Rule, f.Cause)
		}
	}
}

// examples are the conversations of all examples, by name.
func examples(t *testing.T) map[string]*script.Script {
	t.Helper()
	all := map[string]*script.Script{}
	for _, r := range rules.All() {
		ar, err := txtar.ParseFile(filepath.Join("testdata", r.ID+".txtar"))
		if err != nil || len(ar.Files) != 3 {
			continue // TestExamples says so
		}
		all[r.ID+" fires"] = parsed(t, string(ar.Files[0].Data))
		all[r.ID+" silent"] = parsed(t, string(ar.Files[2].Data))
	}
	return all
}

// How the bytes were cut into segments changes nothing.
func TestExamplesByteByByte(t *testing.T) {
	for name, text := range examples(t) {
		whole, cut := playAs(t, text, script.Options{}), playAs(t, text, script.Options{SegmentSize: 1})
		if unpacked(whole) != unpacked(cut) {
			t.Errorf("%s: whole\n%sbyte by byte\n%s", name, unpacked(whole), unpacked(cut))
		}
	}
}

// unpacked is listed without exchange ids, which begin with a packet's number.
func unpacked(fs []analysis.Finding) string {
	fs = slices.Clone(fs)
	for i := range fs {
		_, fs[i].Exchange, _ = strings.Cut(fs[i].Exchange, "/")
	}
	return listed(fs)
}

// A packet that is missing from the capture makes findings vanish or weaker,
// but no accusation that the whole capture does not bear out is certain.
func TestExamplesWithAPacketMissing(t *testing.T) {
	const most = 40 // of one conversation: what is missing later is the middle of a body
	for name, text := range examples(t) {
		whole := playAs(t, text, script.Options{})
		for k := 1; k <= min(most, text.DataPackets(script.Options{})); k++ {
			for _, f := range playAs(t, text, script.Options{Drop: k}) {
				if f.Severity >= analysis.Warning && f.Confidence == analysis.Certain && !speaks(whole, f.Rule) {
					t.Errorf("%s without packet %d: %s: %s", name, k, f.Rule, f.Summary)
				}
			}
		}
	}
}
