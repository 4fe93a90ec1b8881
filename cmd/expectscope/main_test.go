package main

import (
	"bytes"
	"flag"
	"io"
	"os"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

var update = flag.Bool("update", false, "write goldens, README and expected outputs of scripts anew")

func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"expectscope": main})
}

// A result is what a command line gave.
type result struct {
	out, err string
	status   int
}

// runWith executes a command line in this process. Before it starts, prepare may change the console.
func runWith(t *testing.T, prepare func(*console), args ...string) result {
	t.Helper()
	var out, errs bytes.Buffer
	c := &console{
		in: bytes.NewReader(nil), out: &out, err: &errs,
		env:    func(string) string { return "" },
		now:    func() time.Time { return time.Unix(1_800_000_000, 0) },
		notify: func(chan<- os.Signal) {},
		exit:   func(status int) { t.Errorf("the process is ended with status %d", status) },
	}
	if prepare != nil {
		prepare(c)
	}
	status := run(args, c)
	return result{out.String(), errs.String(), status}
}

// failingWriter takes n bytes and then no more.
type failingWriter struct {
	n   int
	err error
}

func (w *failingWriter) Write(b []byte) (int, error) {
	if len(b) > w.n {
		return w.n, w.err
	}
	w.n -= len(b)
	return len(b), nil
}

var _ io.Writer = (*failingWriter)(nil)
