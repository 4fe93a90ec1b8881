package filter

import (
	"flag"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"expectscope/capture"
)

var update = flag.Bool("update", false, "write tcpdump's answers to testdata")

// tables are the files of expressions. Each line is how many of the generated
// frames tcpdump keeps, a hash of which ones, and the expression.
var tables = map[string]capture.LinkType{
	"ethernet": capture.LinkEthernet, "sll": capture.LinkSLL, "sll2": capture.LinkSLL2, "raw": capture.LinkRaw,
	"ipv4": capture.LinkIPv4, "ipv6": capture.LinkIPv6, "null": capture.LinkNull, "loop": capture.LinkLoop,
}

type row struct{ answer, expr string }

func tablePath(name string) string { return filepath.Join("testdata", name+".txt") }

// readTable reads the lines of a table; comments have no answer.
func readTable(t *testing.T, name string) []row {
	t.Helper()
	text, err := os.ReadFile(tablePath(name))
	if err != nil {
		t.Fatal(err)
	}
	var rows []row
	for line := range strings.Lines(string(text)) {
		line = strings.TrimSuffix(line, "\n")
		if strings.HasPrefix(line, "#") {
			rows = append(rows, row{expr: line})
			continue
		}
		f := strings.SplitN(line, " ", 3)
		if len(f) != 3 {
			t.Fatalf("%s: not a line of a table: %q", tablePath(name), line)
		}
		rows = append(rows, row{f[0] + " " + f[1], f[2]})
	}
	return rows
}

func answer(kept []bool) string {
	n := 0
	h := fnv.New64a()
	for _, k := range kept {
		b := byte(0)
		if k {
			n++
			b = 1
		}
		h.Write([]byte{b})
	}
	return fmt.Sprintf("%d %016x", n, h.Sum64())
}

func mustCompile(t *testing.T, expr string, link capture.LinkType, o Options) *Program {
	t.Helper()
	p, err := Compile(expr, link, o)
	if err != nil {
		t.Fatalf("%s: %v", expr, err)
	}
	return p
}

// TestTables holds every expression to the committed answers, which tcpdump
// gave.
func TestTables(t *testing.T) {
	total := 0
	for name, link := range tables {
		ps := generate(link, false)
		for _, r := range readTable(t, name) {
			if r.answer == "" || *update {
				continue
			}
			total++
			if got := answer(matches(mustCompile(t, r.expr, link, Options{}), ps)); got != r.answer {
				t.Errorf("%s: %s: kept %s, tcpdump keeps %s", name, r.expr, got, r.answer)
			}
		}
	}
	if total < 400 && !*update {
		t.Errorf("%d expressions in the tables, want at least 400", total)
	}
}

// short skips what starts tcpdump a thousand times.
func short(t *testing.T) {
	t.Helper()
	if testing.Short() {
		t.Skip("-short: expressions are held to the committed answers alone")
	}
}

// TestTablesAgainstTcpdump asks tcpdump again, packet by packet, and about
// frames that are cut short too.
func TestTablesAgainstTcpdump(t *testing.T) {
	short(t)
	for name, link := range tables {
		t.Run(name, func(t *testing.T) {
			ps := append(generate(link, false), generate(link, true)...)
			o := newOracle(t, ps)
			var out strings.Builder
			for _, r := range readTable(t, name) {
				if r.answer == "" {
					fmt.Fprintln(&out, r.expr)
					continue
				}
				if strange(t, r.expr) {
					fmt.Fprintln(&out, r.answer, r.expr)
					continue
				}
				p := mustCompile(t, r.expr, link, Options{})
				kept := compare(t, o, r.expr, p, ps)
				fmt.Fprintln(&out, answer(kept[:frameCount]), r.expr)
			}
			if *update && !t.Failed() {
				if err := os.WriteFile(tablePath(name), []byte(out.String()), 0o666); err != nil {
					t.Fatal(err)
				}
			}
		})
	}
}

// compare fails where tcpdump and p differ, and returns tcpdump's answer. A
// read past the end of a frame is no match, and tcpdump's optimizer leaves out
// reads: where it makes a difference, either answer is right.
func compare(t *testing.T, o *oracle, expr string, p *Program, ps []capture.Packet) []bool {
	t.Helper()
	want, refused := o.ask(t, expr)
	if refused != "" {
		t.Errorf("%s: compiled, and tcpdump says: %s", expr, refused)
		return make([]bool, len(ps))
	}
	got := matches(p, ps)
	if n, _ := differences(got, want, ps); n > 0 {
		plain, _ := o.ask(t, expr, "-O")
		for i := range plain {
			if got[i] == plain[i] {
				got[i] = want[i]
			}
		}
	}
	if n, first := differences(got, want, ps); n > 0 {
		t.Errorf("%s: %d of %d packets differ, the first is % x", expr, n, len(ps), first)
	}
	return want
}

// TestRandomTrees joins expressions of the table at random, and asks tcpdump
// about what comes out.
func TestRandomTrees(t *testing.T) {
	short(t)
	const trees = 400
	ps := generate(capture.LinkEthernet, true)
	o := newOracle(t, ps)
	var leaves []string
	for _, r := range readTable(t, "ethernet") {
		if r.answer != "" && !strange(t, r.expr) {
			leaves = append(leaves, r.expr)
		}
	}
	g := &generator{rand.New(rand.NewPCG(7, 7))}
	refused := 0
	for range trees {
		expr := g.tree(leaves, 4)
		p, err := Compile(expr, capture.LinkEthernet, Options{})
		if err != nil {
			refused++ // for what mpls and pppoes make of what is behind them
			continue
		}
		compare(t, o, expr, p, ps)
	}
	if refused > trees/4 {
		t.Errorf("%d of %d trees were refused: too many to say much", refused, trees)
	}
}

// TestRandomOperands leaves qualifiers out at random: what is taken without
// them, and what they then are, is what it is to tcpdump.
func TestRandomOperands(t *testing.T) {
	short(t)
	const trees = 250
	ps := generate(capture.LinkEthernet, true)
	o := newOracle(t, ps)
	leaves := []string{
		"tcp", "port 80", "src port 8080", "udp dst port 53", "host 10.0.0.1", "src host ::1", "net 10.0.0.0/8", "dst net 192.168",
		"portrange 80-443", "len > 80", "ip[9] = 6", "80", "443", "53", "10.0.0.1", "::1", "192.168", "80", "443", "8080", "10.0.0.2", "fe80::1",
	}
	g := &generator{rand.New(rand.NewPCG(8, 8))}
	taken := 0
	for range trees {
		expr := pick(g, leaves[:9]...) + pick(g, " and ", " or ") + g.tree(leaves, 2)
		p, err := Compile(expr, capture.LinkEthernet, Options{})
		_, refused := o.ask(t, expr)
		switch {
		case err != nil && refused == "":
			t.Errorf("%v, and tcpdump takes %s", err, expr)
		case err == nil && refused == "":
			taken++
			compare(t, o, expr, p, ps)
		case err == nil && !strings.Contains(expr, "(("): // tcpdump has no two parentheses around an address
			t.Errorf("%s: compiled, and tcpdump says: %s", expr, refused)
		}
	}
	if taken < trees/5 || taken > trees*4/5 {
		t.Errorf("%d of %d trees were taken: one side of the line is hardly tried", taken, trees)
	}
}

// tree joins leaves, in parentheses or not.
func (g *generator) tree(leaves []string, depth int) string {
	if depth == 0 || g.chance(4) {
		return pick(g, leaves...)
	}
	switch g.IntN(8) {
	case 0:
		return "not " + g.tree(leaves, depth-1)
	case 1:
		return "!(" + g.tree(leaves, depth-1) + ")"
	case 2:
		return "(" + g.tree(leaves, depth-1) + ")"
	}
	return g.tree(leaves, depth-1) + pick(g, " and ", " or ", " && ", " || ") + g.tree(leaves, depth-1)
}
