package main

import (
	"go/constant"
	"go/token"
	"go/types"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// The tests that SECURITY.md names exist.
func TestSecurityNamesTests(t *testing.T) {
	doc, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	var tests strings.Builder
	err = filepath.WalkDir("../..", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, "_test.go") {
			b, err := os.ReadFile(name)
			tests.Write(b)
			return err
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	names := regexp.MustCompile("`((?:Test|Fuzz)[A-Za-z]+)`").FindAllStringSubmatch(string(doc), -1)
	if len(names) < 5 {
		t.Fatalf("SECURITY.md names %d tests", len(names))
	}
	for _, n := range names {
		if !strings.Contains(tests.String(), "func "+n[1]+"(") {
			t.Errorf("SECURITY.md names %s, and there is no such test", n[1])
		}
	}
}

// limits are the rows of SECURITY.md's table, and where in the code the numbers stand.
var limits = []struct {
	row   string
	where []string // "file: what stands before the number"
}{
	{"connections followed at once", []string{`reassembly/assembler.go: &o\.Conns,`}},
	{"SYNs without an answer", []string{`reassembly/assembler.go: &o\.HalfOpen,`}},
	{"bytes that wait for missing ones, in all and in one direction", []string{`reassembly/assembler.go: &o\.Bytes,`, `reassembly/assembler.go: &o\.DirBytes,`}},
	{"one message head", []string{`analysis/http1/head.go: maxHead\s+=`, `analysis/fields.go: MaxFields\s+=`}},
	{"requests of a connection that wait for an answer", []string{`analysis/http1/machine.go: maxOutstanding\s+=`}},
	{"interim responses kept of a request", []string{`analysis/record/record.go: MaxInterims\s+=`}},
	{"exchanges that wait to be judged", []string{`analysis/engine/settle.go: maxWaiting\s+=`}},
	{"one captured frame", []string{`capture/pcapfile/pcap.go: maxFrame\s+=`}},
	{"a window that zstd may ask for", []string{`capture/pcapfile/decompress.go: maxWindow\s+=`}},
}

// The limits that SECURITY.md states are those of the code.
func TestSecurityLimits(t *testing.T) {
	doc, err := os.ReadFile("../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, _ := strings.Cut(string(doc), "| Limit | Default |\n|---|---|\n")
	table, _, _ = strings.Cut(table, "\n\n")
	var want []string
	for _, l := range limits {
		var numbers []string
		for _, where := range l.where {
			numbers = append(numbers, strconv.FormatInt(limitOf(t, where), 10))
		}
		want = append(want, l.row+": "+strings.Join(numbers, ", "))
	}
	var got []string
	for row := range strings.SplitSeq(table, "\n") {
		cells := strings.Split(strings.Trim(row, "| "), " | ")
		var numbers []string
		for _, n := range regexp.MustCompile(`([\d,]*\d)( [KM]iB)?`).FindAllStringSubmatch(cells[1], -1) {
			v, _ := strconv.ParseInt(strings.ReplaceAll(n[1], ",", ""), 10, 64)
			numbers = append(numbers, strconv.FormatInt(v*map[string]int64{"": 1, " KiB": 1 << 10, " MiB": 1 << 20}[n[2]], 10))
		}
		got = append(got, cells[0]+": "+strings.Join(numbers, ", "))
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Errorf("SECURITY.md states other limits than the code has (-code +SECURITY.md):\n%s", d)
	}
}

// limitOf is the number in the code behind what stands before it.
func limitOf(t *testing.T, where string) int64 {
	t.Helper()
	file, before, _ := strings.Cut(where, ": ")
	code, err := os.ReadFile("../../" + file)
	if err != nil {
		t.Fatal(err)
	}
	found := regexp.MustCompile(before + `\s*([\d_]+(?:\s*<<\s*\d+)?)`).FindSubmatch(code)
	if found == nil {
		t.Fatalf("%s: nothing like %s", file, before)
	}
	v, err := types.Eval(token.NewFileSet(), nil, token.NoPos, string(found[1]))
	if err != nil {
		t.Fatal(err)
	}
	n, _ := constant.Int64Val(v.Value)
	return n
}
