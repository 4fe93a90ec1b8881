//go:build unix

package tui

import (
	"os"
	"os/signal"
	"syscall"
)

// prepare makes the terminal understand control sequences, which it does.
func prepare(*os.File) error { return nil }

// resized calls f each time the size of the terminal changes, until end is called.
func resized(f func()) (end func()) {
	changed, over := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(changed, syscall.SIGWINCH)
	go func() {
		for {
			select {
			case <-changed:
				f()
			case <-over:
				return
			}
		}
	}()
	return func() {
		signal.Stop(changed)
		close(over)
	}
}
