package main

import (
	"errors"
	"fmt"
	"io"
	"time"

	"expectscope/capture"
	"expectscope/capture/live"
)

// A watched is a live capture as a source: what goes through it is recorded and
// remembered.
type watched struct {
	*live.Handle
	c        *console
	recorder *live.Recorder // nil: nothing is written
	rotates  bool
	evidence *evidence // nil: nothing is remembered
	limit    uint64    // packets after which it ends; 0: none
	seen     uint64
	noted    uint64 // drops that the recorder knows of
	unsaved  bool   // recording failed
	downAt   int64  // when the interface went down
	// missed is told from when to when it was down.
	missed func(from, to int64, why string)
}

// Next fills p with the next packet.
func (w *watched) Next(p *capture.Packet) error {
	if w.limit > 0 && w.seen == w.limit {
		return io.EOF
	}
	err := w.Handle.Next(p)
	switch {
	case err == nil:
		w.seen++
		if w.recorder != nil {
			w.recorded(w.recorder.Write(p))
		}
		if w.evidence != nil {
			w.evidence.add(p)
		}
	case errors.Is(err, capture.ErrIdle) && w.recorder != nil:
		w.recorded(w.recorder.Flush())
	}
	return err
}

// recorded says once that recording failed.
func (w *watched) recorded(err error) {
	if err == nil {
		return
	}
	w.unsaved = true
	var e *live.RecordError
	if errors.As(err, &e) {
		w.c.fail(e.Error()+"; the analysis goes on without", e.Hint())
		return
	}
	w.c.fail(err.Error(), "")
}

// Stats tells what was captured.
func (w *watched) Stats() *capture.Stats {
	st := w.Handle.Stats()
	if drops := st.Inputs[0].Drops; w.recorder != nil && drops > w.noted {
		w.recorder.Dropped(drops - w.noted)
		w.noted = drops
	}
	return st
}

// notice says that the interface went down or came back.
func (w *watched) notice(n live.Notice) {
	if !n.Up {
		w.downAt = n.Time
		w.c.warn(fmt.Sprintf("the interface %s went down: until it is back nothing is seen", n.Interface), "")
		return
	}
	if w.missed != nil {
		w.missed(w.downAt, n.Time, "the interface "+n.Interface+" was down")
	}
	away := time.Duration(n.Time - w.downAt).Round(100 * time.Millisecond)
	w.c.warn(fmt.Sprintf("the interface %s is back after %v: what it carried meanwhile was not seen", n.Interface, away), "")
}

// endAt ends the capture at a signal, or after a time if that is not 0. The
// function it returns ends the waiting.
func (w *watched) endAt(stop <-chan struct{}, after time.Duration) (release func()) {
	done := make(chan struct{})
	var over <-chan time.Time
	if after > 0 {
		over = time.After(after)
	}
	go func() {
		select {
		case <-stop:
		case <-over:
		case <-done:
			return
		}
		w.Stop()
	}()
	return func() { close(done) }
}

// conclude ends what is written, and says what the capture missed. err is how
// the analysis ended.
func (w *watched) conclude(err error) error {
	in := w.Stats().Inputs[0]
	if w.recorder != nil {
		w.recorded(w.recorder.Close())
	}
	if in.Drops > 0 {
		w.c.warn(fmt.Sprintf("the kernel had no room for %s, %d times: what depends on them is in doubt", plural(in.Drops, "packet"), in.Freezes),
			"give a larger --buffer, or a FILTER that chooses fewer packets")
	}
	unsaved := w.unsaved
	if w.evidence != nil {
		unsaved = w.evidence.conclude(w.Stats()) || unsaved
	}
	var status exitStatus
	if unsaved && (err == nil || errors.As(err, &status) && status < statusUnread) {
		return exitStatus(statusUnread)
	}
	return err
}
