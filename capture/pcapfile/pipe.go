package pcapfile

import (
	"io"
	"os"
	"sync"

	"expectscope/capture"
)

// A pipe is looked at ten times a second while nothing is in it; ten times
// nothing is a quiet second.
const (
	pollMillis = 100
	quietPolls = 10
)

// leftInPipe bounds what is read after a stop: the most that a pipe can be
// made to hold without privilege (pipe(7)).
const leftInPipe = 1 << 20

// A pipe is read without waiting longer than asked for, so that time can pass
// and a stop is seen.
type pipe struct {
	file  *os.File
	idles bool // report quiet seconds
	stop  <-chan struct{}
	done  chan struct{}
	once  sync.Once
	left  int // bytes that may still be read after a stop
}

func newPipe(f *os.File, stop <-chan struct{}) *pipe {
	return &pipe{file: f, idles: true, stop: stop, done: make(chan struct{}), left: leftInPipe}
}

// Read waits for bytes. Where the pipe idles it gives [capture.ErrIdle] after a quiet second, and when it was stopped [io.EOF] behind what is in it.
func (p *pipe) Read(b []byte) (int, error) {
	for quiet := 0; ; {
		wait := pollMillis
		stopped := p.stopped()
		if stopped {
			wait = 0
		}
		ready, err := readable(p.file, wait)
		switch {
		case err != nil:
			return 0, err
		case stopped && (!ready || p.left == 0):
			return 0, io.EOF
		case ready && stopped:
			n, err := p.file.Read(b[:min(len(b), p.left)])
			p.left -= n
			return n, err
		case ready:
			return p.file.Read(b)
		}
		if quiet++; p.idles && quiet == quietPolls {
			return 0, capture.ErrIdle
		}
	}
}

// stopped tells whether the user or close ended the pipe.
func (p *pipe) stopped() bool {
	select {
	case <-p.stop:
		return true
	case <-p.done:
		return true
	default:
		return false
	}
}

// end makes a read that waits return.
func (p *pipe) end() { p.once.Do(func() { close(p.done) }) }
