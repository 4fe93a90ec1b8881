package main

import (
	"bufio"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// aloneVar is set in a process with a network of its own.
const aloneVar = "EXPECTSCOPE_ALONE"

// alone runs a test once more in a process that has a network namespace of its
// own, where no one else talks, and tells whether this is that process.
func alone(t *testing.T) bool {
	t.Helper()
	if os.Getenv(aloneVar) != "" {
		if out, err := exec.Command("ip", "link", "set", "lo", "up").CombinedOutput(); err != nil {
			t.Fatalf("loopback stays down: %v, %s", err, out)
		}
		return true
	}
	asRoot(t)
	if _, err := exec.LookPath("ip"); err != nil {
		t.Skip("there is no ip (iproute2) to make a network with")
	}
	cmd := again(t, t.Name(), aloneVar)
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNET, Pdeathsig: syscall.SIGKILL}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); errors.Is(err, syscall.EPERM) {
		t.Skipf("cannot make a network namespace: %v", err)
	} else if err != nil {
		t.Fatal(err)
	}
	skipped := false
	for in := bufio.NewReader(out); ; {
		line, err := in.ReadString('\n')
		if err != nil {
			break
		}
		skipped = skipped || strings.HasPrefix(line, "--- SKIP")
		t.Log(strings.TrimSuffix(line, "\n"))
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("alone in its network: %v", err)
	}
	if skipped {
		t.Skip("it was skipped there")
	}
	return false
}

// again is a command that runs one test of this program, in an environment with
// one more variable.
func again(t *testing.T, test, variable string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, "-test.run=^"+test+"$", "-test.v", "-test.timeout=0")
	cmd.Env = append(os.Environ(), variable+"=1")
	return cmd
}
