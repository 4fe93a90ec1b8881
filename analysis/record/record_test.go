package record

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "write the journals of testdata/*.txtar anew")

// TestTranscripts plays the events of testdata/*.txtar and holds what the sink hears to the journal beside them.
// The first line may be "@wanted": the sink wants every request; "@all": every exchange is kept; "@open": one is open in the end.
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil || len(a.Files) != 2 {
				t.Fatalf("want the sections events and journal: %v", err)
			}
			text, option := string(a.Files[0].Data), ""
			if strings.HasPrefix(text, "@") {
				option, text, _ = strings.Cut(text, "\n")
			}
			j := &journal{wants: option == "@wanted"}
			p := newPlayer(t, j, &Pool{}, option == "@all")
			for line := range strings.Lines(text) {
				p.line(strings.TrimSpace(line))
			}
			if p.r.Open() != (option == "@open") {
				t.Errorf("an exchange is open: %v", p.r.Open())
			}
			got := strings.Join(j.lines, "\n") + "\n"
			if *update {
				a.Files[1].Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if diff := cmp.Diff(string(a.Files[1].Data), got); diff != "" {
				t.Errorf("journal (-want +got):\n%s", diff)
			}
		})
	}
}
