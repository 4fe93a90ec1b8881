package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// captures are the names of the committed captures, in their folder.
func captures(t *testing.T) []string {
	t.Helper()
	var names []string
	for _, pattern := range []string{"*.pcap", "*.pcapng", "*.pcap.gz"} {
		found, err := filepath.Glob(filepath.Join(pcaps, pattern))
		if err != nil {
			t.Fatal(err)
		}
		names = append(names, found...)
	}
	if len(names) < 10 {
		t.Fatalf("only %d captures in %s", len(names), pcaps)
	}
	return names
}

// Everything that is said of a committed capture is written down beside it, in
// NAME.golden.ndjson. -update writes it anew; git diff then shows what a change changes.
func TestGoldens(t *testing.T) {
	names := captures(t)
	t.Chdir(pcaps)
	for _, path := range names {
		base := filepath.Base(path)
		name, _, _ := strings.Cut(base, ".")
		t.Run(name, func(t *testing.T) {
			got := runWith(t, nil, "analyze", "--all", "-f", "ndjson", base)
			wantStatus := statusOK
			if strings.Contains(got.out, `"truncated":true`) {
				wantStatus = statusUnread
			}
			if got.status != wantStatus {
				t.Errorf("exit status %d, want %d: %s", got.status, wantStatus, got.err)
			}
			golden := name + ".golden.ndjson"
			if *update {
				if err := os.WriteFile(golden, []byte(got.out), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got.out, "\n")); d != "" {
				t.Errorf("%s differs (-want +got); make golden writes it anew:\n%s", golden, d)
			}
		})
	}
}

// The same capture gives the same bytes in every format, every time.
func TestDeterministic(t *testing.T) {
	for _, format := range formatNames() {
		first := runWith(t, nil, filepath.Join(pcaps, "demo.pcap"), "-f", format, "--all")
		for range 3 {
			if again := runWith(t, nil, filepath.Join(pcaps, "demo.pcap"), "-f", format, "--all"); again != first {
				t.Errorf("%s: two runs differ:\n%s", format, cmp.Diff(first.out, again.out))
			}
		}
	}
}
