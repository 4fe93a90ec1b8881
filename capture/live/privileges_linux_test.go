package live

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"expectscope/capture"
)

// childVar tells a test that it runs in a process of its own, which it may spoil.
const childVar = "EXPECTSCOPE_TEST_CHILD"

// Without CAP_NET_RAW there is an error that says how to get it.
func TestOpenNotPermitted(t *testing.T) {
	// Capabilities are a thread's; this one ends with the test.
	runtime.LockOSThread()
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&head, &none[0]); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"lo", ""} {
		h, err := Open(Options{Interface: name})
		var e *Error
		if h != nil || !errors.As(err, &e) || e.Kind != NotPermitted || e.Hint() != "sudo setcap cap_net_raw+ep $(command -v expectscope)" {
			t.Errorf("error %v (%+v)", err, e)
		}
		if want := fmt.Sprintf("cannot capture from %s: not permitted", cmp.Or(name, Any)); err == nil || err.Error() != want {
			t.Errorf("error %v, want %s", err, want)
		}
	}
	if _, err := Interfaces(); err != nil {
		t.Errorf("the interfaces cannot be listed without a privilege: %v", err)
	}
}

func TestDropPrivileges(t *testing.T) {
	asRoot(t)
	if os.Getenv(childVar) != "" {
		dropInChild(t)
		return
	}
	program := filepath.Join(t.TempDir(), "live.test")
	build := exec.Command("go", "test", "-c", "-o", program, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Skipf("cannot build the test without cgo: %s", out)
	}
	child := exec.Command(program, "-test.run=^TestDropPrivileges$", "-test.v")
	child.Env = append(os.Environ(), childVar+"=1")
	out, err := child.CombinedOutput()
	if err != nil || !strings.Contains(string(out), "privileges are gone") {
		t.Errorf("%v\n%s", err, out)
	}
}

// dropInChild gives up the privileges of this process while it captures.
func dropInChild(t *testing.T) {
	port, send := receiver(t)
	h := open(t, Options{Interface: "lo", Filter: udpPort(t, port), Buffer: 2 << 20})
	// More threads, each kept by a goroutine that does nothing.
	stop := make(chan struct{})
	defer close(stop)
	for range 8 {
		ready := make(chan struct{})
		go func() {
			runtime.LockOSThread()
			close(ready)
			<-stop
		}()
		<-ready
	}
	priority(t, 0)
	if err := Prioritize(); err != nil {
		t.Fatal(err)
	}
	priority(t, niceness)
	if err := DropPrivileges(); err != nil {
		t.Fatal(err)
	}
	priority(t, niceness)
	tasks, err := filepath.Glob("/proc/self/task/*/status")
	if err != nil || len(tasks) < 8 {
		t.Fatalf("%d threads, %v", len(tasks), err)
	}
	for _, task := range tasks {
		status, err := os.ReadFile(task)
		if err != nil {
			t.Fatal(err)
		}
		for _, line := range []string{
			"CapInh:\t0000000000000000", "CapPrm:\t0000000000000000", "CapEff:\t0000000000000000",
			"CapBnd:\t0000000000000000", "CapAmb:\t0000000000000000", "NoNewPrivs:\t1",
		} {
			if !strings.Contains(string(status), line+"\n") {
				t.Errorf("%s lacks %q:\n%s", task, line, status)
			}
		}
	}
	var e *Error
	if _, err := Open(Options{}); !errors.As(err, &e) || e.Kind != NotPermitted {
		t.Errorf("another capture: %v, want not permitted", err)
	}
	fmt.Fprint(send, "still seen")
	h.Stop()
	got := 0
	rest(t, h, func(*capture.Packet) { got++ })
	if got != 1 {
		t.Errorf("%d packets captured without privileges, want 1", got)
	}
	if !t.Failed() {
		fmt.Println("privileges are gone")
	}
}

// priority checks the niceness of all threads.
func priority(t *testing.T, want int) {
	t.Helper()
	tasks, err := filepath.Glob("/proc/self/task/*")
	if err != nil {
		t.Fatal(err)
	}
	for _, task := range tasks {
		id, err := strconv.Atoi(filepath.Base(task))
		if err != nil {
			t.Fatal(err)
		}
		if p, err := unix.Getpriority(unix.PRIO_PROCESS, id); err != nil || 20-p != want {
			t.Errorf("thread %d has niceness %d (%v), want %d", id, 20-p, err, want)
		}
	}
}

// A process that was made nice stays so, and one that may not go first does not.
func TestPrioritizeKeepsNiceness(t *testing.T) {
	asRoot(t)
	runtime.LockOSThread() // niceness and capabilities are a thread's; this one ends with the test
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 3); err != nil {
		t.Fatal(err)
	}
	if err := Prioritize(); err != nil {
		t.Error(err)
	}
	if p, err := unix.Getpriority(unix.PRIO_PROCESS, 0); err != nil || p != 17 {
		t.Errorf("niceness %d (%v), want 3", 20-p, err)
	}
	if err := unix.Setpriority(unix.PRIO_PROCESS, 0, 0); err != nil {
		t.Fatal(err)
	}
	head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var none [2]unix.CapUserData
	if err := unix.Capset(&head, &none[0]); err != nil {
		t.Fatal(err)
	}
	if err := Prioritize(); !errors.Is(err, unix.EACCES) && !errors.Is(err, unix.EPERM) {
		t.Errorf("without the capability: %v, want a refusal", err)
	}
}

// In a program with cgo nothing is given up, and the error says so.
func TestDropPrivilegesWithCgo(t *testing.T) {
	if !withCgo {
		t.Skip("this test was built without cgo")
	}
	before, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		t.Fatal(err)
	}
	if err := DropPrivileges(); err == nil || !strings.Contains(err.Error(), "CGO_ENABLED=0") {
		t.Errorf("error %v", err)
	}
	after, err := os.ReadFile("/proc/thread-self/status")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(before)) {
		if strings.HasPrefix(line, "Cap") && !strings.Contains(string(after), line) {
			t.Errorf("%q is gone", line)
		}
	}
}
