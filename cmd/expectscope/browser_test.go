package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// browserShots are the screens of the browser that the README shows: what is
// typed, and what is then on the screen.
var browserShots = []struct{ keys, sees string }{
	{"", "no-100"},
	{"j Enter", "esc back"},
}

// What the README shows of the browser is what the program draws in a terminal,
// 80 columns wide. -update (make docs) writes it anew.
func TestREADMEBrowser(t *testing.T) {
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed")
	}
	b, err := os.ReadFile(readme)
	if err != nil {
		t.Fatal(err)
	}
	want, err := replaceSection(string(b), "browser", browserPicture(t))
	if err != nil {
		t.Fatal(err)
	}
	if want == string(b) {
		return
	}
	if !*update {
		t.Fatal("README.md does not show what the browser draws: make docs writes it anew")
	}
	if err := os.WriteFile(readme, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// browserPicture is the screens of the demo, one after another.
func browserPicture(t *testing.T) string {
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	program := filepath.Join(dir, "expectscope") // under this name TestMain runs main
	if err := os.Symlink(self, program); err != nil {
		t.Skip(err)
	}
	demo, err := filepath.Abs(filepath.Join(pcaps, "demo.pcap"))
	if err != nil {
		t.Fatal(err)
	}
	tmux := func(args ...string) string {
		out, err := exec.Command("tmux", append([]string{"-S", filepath.Join(dir, "socket"), "-f", "/dev/null"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("tmux %v: %v: %s", args, err, out)
		}
		return string(out)
	}
	tmux("new-session", "-d", "-x", "80", "-y", "24", "-c", filepath.Dir(demo), "TERM=screen-256color "+program+" tui demo.pcap")
	defer tmux("kill-server")
	text := "```\n$ expectscope tui testdata/pcaps/demo.pcap\n"
	for i, shot := range browserShots {
		if shot.keys != "" {
			tmux(append([]string{"send-keys"}, strings.Fields(shot.keys)...)...)
			text += "```\n\n```\n"
		}
		screen, before := "", "none" // it has come when it shows what is waited for, and has stayed so for a while
		for end := time.Now().Add(20 * time.Second); screen != before || !strings.Contains(screen, shot.sees); time.Sleep(300 * time.Millisecond) {
			if before, screen = screen, tmux("capture-pane", "-p"); time.Now().After(end) {
				t.Fatalf("screen %d does not come:\n%s", i, screen)
			}
		}
		text += strings.TrimRight(screen, "\n") + "\n"
	}
	return text + "```\n"
}
