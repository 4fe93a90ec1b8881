package main

import (
	"os"
	"os/exec"
	"strings"
	"testing"
)

// Huge pages are of use only if they were asked for before gopacket fills its tables: package hugepages says why they are.
func TestHugePagesComeFirst(t *testing.T) {
	cmd := exec.Command(os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), "GODEBUG=inittrace=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	ours := strings.Index(string(out), "init expectscope/cmd/expectscope/hugepages @")
	tables := strings.Index(string(out), "init github.com/google/gopacket/layers @")
	if ours < 0 || tables < ours {
		t.Errorf("hugepages is initialised at %d, gopacket/layers at %d of\n%s", ours, tables, out)
	}
}
