package engine

import (
	"errors"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"expectscope/capture"
	"expectscope/capture/pcapfile"
)

// mutationsVar says how many mutants of each capture are tried, and has those beside the checkout tried too (make mutate); "all" tries
// each mutation at each packet, which takes hours. mutateOnly chooses captures by a part of their names.
const (
	mutationsVar = "EXPECTSCOPE_MUTATIONS"
	mutateOnly   = "EXPECTSCOPE_MUTATE"
	mutants      = 20
)

// maimed captures are no whole ones: what they lack already needs no further loss to be out of sight.
var maimed = map[string]string{
	"A78-no-fins.pcap": "the FINs were taken out; an acknowledgement of one more hides the end altogether",
}

// captures are the capture files at hand: the testdata's, and those beside the checkout.
func captures(t testing.TB) []string {
	t.Helper()
	var files []string
	for _, root := range []string{"../../testdata/pcaps", "../../../shared/lab", "../../../shared/corpus"} {
		if root != "../../testdata/pcaps" && os.Getenv(mutationsVar) == "" {
			continue // not everybody has them, and they take long
		}
		_ = filepath.WalkDir(root, func(name string, d os.DirEntry, err error) error {
			base := filepath.Base(name)
			if err == nil && !d.IsDir() && (strings.Contains(base, ".pcap") || strings.Contains(base, ".cap") || strings.Contains(base, ".trace")) &&
				!strings.HasSuffix(base, ".tsv") && !strings.HasSuffix(base, ".ndjson") && strings.Contains(base, os.Getenv(mutateOnly)) {
				files = append(files, name)
			}
			return nil
		})
	}
	if len(files) == 0 {
		t.Fatal("no captures")
	}
	return files
}

// packetsOf are all packets of a file, as far as it can be read.
func packetsOf(t testing.TB, name string) []capture.Packet {
	t.Helper()
	src, err := pcapfile.Open([]string{name}, pcapfile.Options{})
	if err != nil {
		t.Skipf("%s: %v", name, err)
	}
	defer src.Close()
	var ps []capture.Packet
	for {
		var p capture.Packet
		if err := src.Next(&p); err != nil {
			if !errors.Is(err, io.EOF) {
				t.Logf("%s: %v", name, err)
			}
			return ps
		}
		p.Data = append([]byte(nil), p.Data...)
		ps = append(ps, p)
	}
}

// judged runs packets through an engine; it must not take long, nor panic.
func judged(t *testing.T, name string, ps []capture.Packet) *log {
	t.Helper()
	begun := time.Now()
	src := newReplay(ps)
	l, sum := analyze(t, src, Options{All: true, Crash: true})
	bounded(t, name, l, sum)
	if took := time.Since(begun); took > 10*time.Second+time.Duration(len(ps))*time.Millisecond {
		t.Errorf("%s took %v", name, took)
	}
	return l
}

// TestMutations: a worse capture of a conversation accuses nobody with certainty whom the whole capture does not accuse.
func TestMutations(t *testing.T) {
	files := captures(t)
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			if why := maimed[filepath.Base(file)]; why != "" {
				t.Skip(why)
			}
			ps := packetsOf(t, file)
			if len(ps) == 0 {
				t.Skip("no packets")
			}
			whole := judged(t, "whole", ps)
			tried := map[string]int{}
			for m, i := range sample(ps) {
				out := mutations[m].make(ps, i)
				if len(out) == 0 {
					continue
				}
				tried[mutations[m].name]++
				name := mutations[m].name + " at " + strconv.Itoa(i+1)
				for _, bad := range unproven(whole, judged(t, name, out)) {
					t.Errorf("%s: certain of %s", name, bad)
				}
			}
			for k := range min(mutants, len(ps)) { // another conversation: it is to be read, and that is all
				judged(t, "flipped "+strconv.Itoa(k), flipped(ps, uint64(k)))
			}
			if len(ps) > 100 && len(tried) < len(mutations)/2 {
				t.Errorf("of %d mutations only these were tried: %v", len(mutations), tried)
			}
		})
	}
}

// flipped are packets with one to eight bits turned over in one of a hundred of them, behind the link header.
func flipped(ps []capture.Packet, seed uint64) []capture.Packet {
	r := rand.New(rand.NewPCG(2, seed))
	out := slices.Clone(ps)
	for range 1 + len(ps)/100 {
		p := &out[r.IntN(len(out))]
		if len(p.Data) <= 14 {
			continue
		}
		p.Data = slices.Clone(p.Data)
		for range 1 + r.IntN(8) {
			p.Data[14+r.IntN(len(p.Data)-14)] ^= 1 << r.IntN(8)
		}
	}
	return out
}

// sample yields mutations and the packets to mutate: all there are, or some, the same in every run.
func sample(ps []capture.Packet) func(func(m, i int) bool) {
	n, want := len(ps)*len(mutations), mutants
	if v := os.Getenv(mutationsVar); v == "all" {
		want = n
	} else if k, err := strconv.Atoi(v); err == nil {
		want = k
	}
	return func(yield func(m, i int) bool) {
		r := rand.New(rand.NewPCG(1, uint64(len(ps))))
		for k := range min(n, want) {
			at := k
			if want < n {
				at = r.IntN(n)
			}
			if !yield(at%len(mutations), at/len(mutations)) {
				return
			}
		}
	}
}
