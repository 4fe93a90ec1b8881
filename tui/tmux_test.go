package tui

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"expectscope/analysis/store"
)

// The test binary, run with this variable, is the browser over the fixture; with "panic", one whose stop button breaks.
const browse = "EXPECTSCOPE_TEST_BROWSE"

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(browse) {
	case "":
		os.Exit(m.Run())
	case "panic":
		st := store.New()
		st.Progress(1, 2)
		err = Run(st, Options{Title: "upload.pcap", Stop: func() { panic("the button broke") }})
	default:
		err = Run(fixture(), Options{Title: "upload.pcap"})
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// A terminal is a real one: a window of tmux, 80x24.
type terminal struct {
	t      *testing.T
	socket string
}

// openTerminal runs the browser in a terminal, between two words.
func openTerminal(t *testing.T, mode string) terminal {
	t.Helper()
	if _, err := exec.LookPath("tmux"); err != nil {
		t.Skip("tmux is not installed")
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	tt := terminal{t, filepath.Join(t.TempDir(), "tmux")}
	script := fmt.Sprintf("echo BEFORE; %s=%s TERM=screen-256color '%s'; echo STATUS $?; exec sleep 60", browse, mode, self)
	cmd := exec.Command("tmux", "-S", tt.socket, "-f", "/dev/null", "new-session", "-d", "-x", "80", "-y", "24", "sh", "-c", script)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Skipf("tmux does not start: %v: %s", err, out)
	}
	t.Cleanup(func() { _ = exec.Command("tmux", "-S", tt.socket, "kill-server").Run() })
	return tt
}

func (tt terminal) tmux(args ...string) string {
	tt.t.Helper()
	out, err := exec.Command("tmux", append([]string{"-S", tt.socket}, args...)...).CombinedOutput()
	if err != nil {
		tt.t.Fatalf("tmux %v: %v: %s", args, err, out)
	}
	return string(out)
}

// sees waits until the terminal shows the text. tmux has no event for it, so it is asked again and again.
func (tt terminal) sees(text string) {
	tt.t.Helper()
	screen := ""
	for end := time.Now().Add(20 * time.Second); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if screen = tt.tmux("capture-pane", "-p"); strings.Contains(screen, text) {
			return
		}
	}
	tt.t.Fatalf("%q is not on the terminal:\n%s", text, screen)
}

// clean tells that the terminal is as it was: the main screen with what stood on it, a cursor, no mouse.
func (tt terminal) clean(status string) {
	tt.t.Helper()
	tt.sees("STATUS " + status)
	tt.sees("BEFORE")
	if got := strings.TrimSpace(tt.tmux("display-message", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}")); got != "0 0 1" {
		tt.t.Errorf("alternate screen, mouse and cursor are %s", got)
	}
}

func TestTmux(t *testing.T) {
	tt := openTerminal(t, "fixture")
	tt.sees("body-withheld-reuse")
	tt.tmux("send-keys", "Enter")
	tt.sees("repeated on the same connection, 350,000 bytes still owed")
	tt.tmux("send-keys", "r")
	tt.sees("repeats   7/1")
	tt.tmux("send-keys", "2", "/", "status:4xx", "Enter")
	tt.sees("3 shown")
	tt.tmux("resize-window", "-x", "50", "-y", "10")
	tt.sees("needs 60 columns")
	tt.tmux("resize-window", "-x", "120", "-y", "40")
	tt.sees("sent/declared")
	tt.tmux("send-keys", "q")
	tt.clean("0")
}

func TestTmuxTerm(t *testing.T) {
	tt := openTerminal(t, "fixture")
	tt.sees("body-withheld-reuse")
	pid := strings.TrimSpace(tt.tmux("display-message", "-p", "#{pane_pid}"))
	child, err := exec.Command("pgrep", "-P", pid).Output()
	if err != nil {
		t.Skip("pgrep does not find the program")
	}
	if out, err := exec.Command("kill", "-TERM", strings.TrimSpace(string(child))).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	tt.clean("0")
}

func TestTmuxPanic(t *testing.T) {
	tt := openTerminal(t, "panic")
	tt.sees("stop loading")
	tt.tmux("send-keys", "Escape")
	tt.sees("STATUS 1")
	if got := strings.TrimSpace(tt.tmux("display-message", "-p", "#{alternate_on} #{mouse_any_flag} #{cursor_flag}")); got != "0 0 1" {
		t.Errorf("alternate screen, mouse and cursor are %s", got)
	}
}
