package pcapfile

import "io"

// A window is the part of a stream that is in memory. Slices it gives out stay
// valid until the next call of peek or discard.
type window struct {
	src  io.Reader
	buf  []byte
	r, w int   // buf[r:w] is read from src and not yet consumed
	base int64 // stream offset of buf[0]
	err  error // why src ended; io.EOF if it just did
}

// offset is where in the stream the next unconsumed byte is.
func (w *window) offset() int64 { return w.base + int64(w.r) }

// peek returns the next n bytes without consuming them. It fails with io.EOF if
// the stream ended before the first of them, with io.ErrUnexpectedEOF if after,
// with capture.ErrIdle if they are not there yet, and else with src's error.
func (w *window) peek(n int) ([]byte, error) {
	if w.w-w.r < n {
		if err := w.fill(n); err != nil {
			return nil, err
		}
	}
	return w.buf[w.r : w.r+n : w.r+n], nil
}

// consume drops n bytes that peek returned.
func (w *window) consume(n int) { w.r += n }

// discard drops the next n bytes, and returns how many of them are still to
// come when it fails.
func (w *window) discard(n int64) (int64, error) {
	for n > 0 {
		if w.r == w.w {
			if err := w.fill(1); err != nil {
				if err == io.EOF {
					err = io.ErrUnexpectedEOF
				}
				return n, err
			}
		}
		k := min(n, int64(w.w-w.r))
		w.r += int(k)
		n -= k
	}
	return 0, nil
}

// fill reads until n bytes are there.
func (w *window) fill(n int) error {
	for empty := 0; w.w-w.r < n; {
		if w.err != nil {
			if w.err == io.EOF && w.w > w.r {
				return io.ErrUnexpectedEOF
			}
			return w.err
		}
		w.room(n)
		k, err := w.src.Read(w.buf[w.w:])
		w.w += k
		switch {
		case err != nil && isIdle(err):
			return err
		case err != nil:
			w.err = err
		case k == 0:
			if empty++; empty == 100 {
				w.err = io.ErrNoProgress
			}
		default:
			empty = 0
		}
	}
	return nil
}

// room makes place behind w.w. The block grows only when it is full of bytes
// that were read, so a length alone never makes it large.
func (w *window) room(n int) {
	if w.r == w.w || w.r > 0 && (w.w == len(w.buf) || w.r+n > len(w.buf)) {
		copy(w.buf, w.buf[w.r:w.w])
		w.base += int64(w.r)
		w.w -= w.r
		w.r = 0
	}
	if w.w == len(w.buf) {
		w.buf = append(w.buf, make([]byte, len(w.buf))...)
	}
}
