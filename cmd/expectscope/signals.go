package main

import "os"

// interrupts makes the first Ctrl-C (or SIGTERM) close stop, and the second
// call abandon and end the process. release ends the watch.
func (c *console) interrupts(abandon func()) (stop <-chan struct{}, release func()) {
	signals := make(chan os.Signal, 2)
	c.notify(signals)
	first, done := make(chan struct{}), make(chan struct{})
	go func() {
		select {
		case <-signals:
			close(first)
		case <-done:
			return
		}
		select {
		case <-signals:
			abandon()
			c.exit(statusKilled)
		case <-done:
		}
	}()
	return first, func() { close(done) }
}

// isClosed tells whether the channel was closed.
func isClosed(ch <-chan struct{}) bool {
	select {
	case <-ch:
		return true
	default:
		return false
	}
}
