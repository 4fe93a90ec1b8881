package tlskey

import (
	"time"

	"expectscope/reassembly"
)

// Bounds on waiting for a key: octets of one connection and of all, and time.
const (
	maxHeld    = 256 << 10
	maxAllHeld = 16 << 20
	maxWait    = int64(10 * time.Second)
)

// A queue holds what a Stream sees while it waits for a key.
type queue struct {
	stuck  *half // whose record needs the key; nil: nothing waits
	vain   bool  // the wait was too long: what can be read without the key is
	record sealed
	since  int64
	events []event
	held   int
	ends   int
}

// An event is one of a chunk, a gap and an end.
type event struct {
	chunk *reassembly.Chunk
	gap   *reassembly.Gap
	end   *reassembly.End
}

const sizeOfEvent = 128 // roughly

// wait stops the reading before a record until its key comes.
func (s *Stream) wait(h *half, record []byte, at *reassembly.Chunk) {
	q := &s.queue
	first := q.since == 0
	q.stuck, q.record = h, sealed{append([]byte(nil), record...), *at}
	if first {
		q.since = at.Mark.Time
		if s.o.Waits != nil {
			s.o.Waits(s)
		}
	}
	q.count(s, len(record))
}

// count notes octets that are held.
func (q *queue) count(s *Stream, n int) {
	q.held += n
	s.o.Keys.held += n
	if q.held > maxHeld || s.o.Keys.held > maxAllHeld {
		s.o.Keys.full++
		s.giveUp()
	}
}

func (q *queue) add(s *Stream, e event) {
	q.events = append(q.events, e)
	n := sizeOfEvent
	if e.chunk != nil {
		n += len(e.chunk.Data)
	}
	if e.end != nil {
		q.ends++
	}
	q.count(s, n)
}

// chunk keeps a copy of a chunk from index from on.
func (q *queue) chunk(s *Stream, c *reassembly.Chunk, from int) {
	rest := *c
	rest.Data = append([]byte(nil), c.Data[from:]...)
	q.add(s, event{chunk: &rest})
}

// drop forgets what is held.
func (q *queue) drop(s *Stream) {
	s.o.Keys.held -= q.held
	*q = queue{since: q.since, vain: q.vain}
}

// Waiting tells whether the Stream holds back what it sees until a key comes.
func (s *Stream) Waiting() bool { return s.queue.stuck != nil }

// Retry reads on if the key has come, or without it when that takes too long; now is in nanoseconds since 1970.
func (s *Stream) Retry(now int64) {
	q := &s.queue
	if q.stuck == nil {
		return
	}
	if s.o.More != nil {
		s.o.More()
	}
	if q.stuck.opener(q.stuck.stage, s.suite) == nil {
		if now-q.since <= maxWait {
			return
		}
		q.vain = true
	}
	h, record, events := q.stuck, q.record, q.events
	q.drop(s)
	h.record(record.record, &record.at)
	for i := range events {
		if q.stuck != nil { // for another key
			for _, e := range events[i:] {
				q.add(s, e)
			}
			return
		}
		switch e := events[i]; {
		case e.chunk != nil:
			s.Data(e.chunk)
		case e.gap != nil:
			s.Gap(e.gap)
		case e.end != nil:
			s.End(e.end)
		}
	}
}
