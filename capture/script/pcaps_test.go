package script

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
)

var update = flag.Bool("update", false, "rebuild testdata/pcaps/*.pcap from their conversations")

const pcaps = "../../testdata/pcaps"

// TestPcapsAreBuilt holds every capture under testdata/pcaps to the
// conversation beside it; -update rebuilds them.
func TestPcapsAreBuilt(t *testing.T) {
	sources, err := filepath.Glob(filepath.Join(pcaps, "*.txtar"))
	if err != nil || len(sources) == 0 {
		t.Fatalf("no conversations under %s: %v", pcaps, err)
	}
	for _, source := range sources {
		t.Run(strings.TrimSuffix(filepath.Base(source), ".txtar"), func(t *testing.T) {
			s := parse(t, conversation(t, source))
			audit(t, s, readAll(t, s.Packets(Options{})))
			var want bytes.Buffer
			if err := s.WritePcap(&want); err != nil {
				t.Fatal(err)
			}
			path := strings.TrimSuffix(source, "txtar") + "pcap"
			if *update {
				if err := os.WriteFile(path, want.Bytes(), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			got, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(got, want.Bytes()) {
				t.Errorf("%s is stale: rebuild it with go test ./capture/script -update", path)
			}
			if len(got) > 300_000 {
				t.Errorf("%s has %d bytes, want at most 300,000: a committed capture stays small", path, len(got))
			}
		})
	}
}

// conversation is the section of that name; the sentence above it must say what
// the capture shows.
func conversation(t *testing.T, path string) string {
	t.Helper()
	a, err := txtar.ParseFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if comment := strings.TrimSpace(string(a.Comment)); comment == "" {
		t.Errorf("%s: expected a sentence above the conversation", path)
	}
	for _, f := range a.Files {
		if f.Name == "conversation" {
			return string(f.Data)
		}
	}
	t.Fatalf("%s has no section -- conversation --", path)
	return ""
}
