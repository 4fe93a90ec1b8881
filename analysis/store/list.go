package store

import "sync/atomic"

// chunkLen is how many records a chunk holds.
const chunkLen = 1024

type chunk[T any] [chunkLen]*T

// A list grows at its end, written by one goroutine and read by any number.
//
// A reader takes the length first and the spine, the list of chunks, after it. A slot is written before the length that
// includes it is published, and never again: to replace a record its chunk and the spine are copied. So whoever holds a
// view reads memory that nobody writes, and nobody waits.
type list[T any] struct {
	n     atomic.Int64
	spine atomic.Pointer[[]*chunk[T]]
}

// add appends a record and returns its position.
func (l *list[T]) add(v *T) int {
	i := int(l.n.Load())
	spine := l.chunks()
	if i == len(spine)*chunkLen {
		spine = append(spine, new(chunk[T])) // beyond what any reader's slice holds
		l.spine.Store(&spine)
	}
	spine[i/chunkLen][i%chunkLen] = v
	l.n.Store(int64(i) + 1)
	return i
}

// replace puts v at a position that is taken.
func (l *list[T]) replace(i int, v *T) {
	spine := append([]*chunk[T](nil), l.chunks()...)
	c := *spine[i/chunkLen]
	c[i%chunkLen] = v
	spine[i/chunkLen] = &c
	l.spine.Store(&spine)
}

func (l *list[T]) chunks() []*chunk[T] {
	if p := l.spine.Load(); p != nil {
		return *p
	}
	return nil
}

func (l *list[T]) view() View[T] {
	n := int(l.n.Load())
	return View[T]{n: n, chunks: l.chunks()}
}

// A View is a list as it was at one moment. It never changes and may be copied.
type View[T any] struct {
	n      int
	chunks []*chunk[T]
}

// Len is the number of positions.
func (v View[T]) Len() int { return v.n }

// At is the record at a position from 0 to Len()-1. It must not be changed. It is nil where the record was withdrawn.
func (v View[T]) At(i int) *T { return v.chunks[i/chunkLen][i%chunkLen] }
