package report

import (
	"errors"
	"io"
	"slices"
	"strings"
	"testing"

	"expectscope/analysis/rules"
)

func TestFormats(t *testing.T) {
	var names []string
	exts := map[string]bool{}
	for _, f := range Formats() {
		names = append(names, f.Name)
		if f.Summary == "" || strings.HasSuffix(f.Summary, ".") || strings.ToLower(f.Summary[:1]) != f.Summary[:1] {
			t.Errorf("%s: summary %q", f.Name, f.Summary)
		}
		if !strings.HasPrefix(f.Ext, ".") || exts[f.Ext] {
			t.Errorf("%s: extension %q", f.Name, f.Ext)
		}
		exts[f.Ext] = true
		if got, ok := ByName(f.Name); !ok || got.Name != f.Name {
			t.Errorf("%s is not found by its name", f.Name)
		}
		if got, ok := ByExt("dir.x/out" + strings.ToUpper(f.Ext)); !ok || got.Name != f.Name {
			t.Errorf("%s is not found by its extension", f.Name)
		}
	}
	if want := []string{"csv", "json", "ndjson", "prom", "text"}; !slices.Equal(names, want) {
		t.Errorf("formats %q, want %q", names, want)
	}
	if f, ok := ByName("yaml"); ok {
		t.Errorf("yaml is %q", f.Name)
	}
	for _, path := range []string{"out", "out.xml", "", ".json/x"} {
		if f, ok := ByExt(path); ok {
			t.Errorf("%q is %q", path, f.Name)
		}
	}
}

// The caller cannot change the table.
func TestFormatsIsACopy(t *testing.T) {
	Formats()[0].Name = "changed"
	if Formats()[0].Name != "csv" {
		t.Error("the table was changed")
	}
}

var errFull = errors.New("no space left")

// full is a writer that fails after so many calls.
type full struct{ left int }

func (f *full) Write(b []byte) (int, error) {
	if f.left--; f.left < 0 {
		return 0, errFull
	}
	return len(b), nil
}

// However far a writer got, the error of what is under it comes out, once there is one.
func TestWriteErrors(t *testing.T) {
	for _, f := range Formats() {
		results, s := fixture()
		calls := &full{left: 1 << 30}
		if err := feed(f.New(calls, Options{Stream: true}), results, s); err != nil {
			t.Fatal(err)
		}
		for n := range 1<<30 - calls.left {
			if err := feed(f.New(&full{left: n}, Options{Stream: true}), results, s); !errors.Is(err, errFull) {
				t.Errorf("%s, failing after %d writes: %v", f.Name, n, err)
			}
		}
	}
}

// The same run gives the same bytes.
func TestDeterministic(t *testing.T) {
	for _, f := range Formats() {
		var first string
		for range 5 {
			var out strings.Builder
			results, s := fixture()
			if err := feed(f.New(&out, Options{Stream: true}), results, s); err != nil {
				t.Fatal(err)
			}
			if first == "" {
				first = out.String()
			}
			if out.String() != first {
				t.Errorf("%s differs from run to run", f.Name)
			}
		}
	}
}

// Every rule has a sentence for the report, and every phrase a rule.
func TestRuleTexts(t *testing.T) {
	for _, r := range rules.All() {
		if s := firstSentence(explanation(r.ID)); !strings.HasSuffix(s, ".") || len(s) > 400 {
			t.Errorf("%s: the first sentence of its explanation is %q", r.ID, s)
		}
	}
	for id := range phrases {
		if rules.ByID(id) == nil {
			t.Errorf("a phrase for %s, which is no rule", id)
		}
	}
	if got := explanation("no-such-rule"); got != "" {
		t.Errorf("an explanation of no rule: %q", got)
	}
}

var _ io.Writer = (*full)(nil)
