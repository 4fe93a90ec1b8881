// Command expectscope reads packet captures and tells what happened in their
// HTTP "Expect: 100-continue" exchanges: who waited, who refused, who repeated,
// what it cost, who must change what, and in which packets the proof is.
//
// A command line becomes a cobra command (root.go); analyze.go joins a source
// (capture/pcapfile), the pipeline (analysis/engine) and a writer
// (analysis/report). Rules, explanations and formats come from their tables, so
// help and completion list them without knowing them.
//
// Standard output holds results and nothing else. What goes to standard error
// is lower case, without a full stop, and has one of the forms
//
//	expectscope: error: what, where
//	expectscope: warning: what the results do not cover
//	expectscope: hint: what to do about it
//
// The command judges nothing, and reads no configuration: the same command line
// on the same capture gives the same results.
package main

import (
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	_ "expectscope/cmd/expectscope/hugepages" // first of all
)

// defaultShare is the garbage that is collected at, in percent of what is kept.
const defaultShare = 40

func main() {
	if os.Getenv("GOGC") == "" { // the heap is small: less memory for a few percent of the time
		debug.SetGCPercent(defaultShare)
	}
	os.Exit(run(os.Args[1:], &console{
		in: os.Stdin, out: os.Stdout, err: os.Stderr,
		env: os.Getenv, now: time.Now, exit: os.Exit,
		notify: func(ch chan<- os.Signal) { signal.Notify(ch, os.Interrupt, syscall.SIGTERM) },
	}))
}

// run executes a command line and returns the exit status.
func run(args []string, c *console) int {
	root := newRoot(c)
	root.SetArgs(args)
	return c.conclude(root.Execute())
}
