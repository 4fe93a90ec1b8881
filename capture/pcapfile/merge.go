package pcapfile

import (
	"io"
	"math"
	"slices"

	"expectscope/capture"
)

// blockSize is how much is read at a time; wideBlockSize when more than
// manyInputs overlap, so that memory stays small.
const (
	blockSize     = 512 << 10
	wideBlockSize = 64 << 10
	manyInputs    = 8
)

// A source merges inputs by time. At any moment the input that is read from is
// cur; it is left only when its next packet is later than until, the time of
// the earliest packet elsewhere.
type source struct {
	stats   capture.Stats
	active  []*input // read from, each but cur has a packet in head
	pending []*input // not yet due, in the order of their first packets
	cur     *input
	until   int64
	taps    []tap
	done    int64  // bytes of the inputs that ended
	spare   []byte // block of an input that ended
}

// A tap is a place of capture; inputs follow one another in it.
type tap struct {
	end  int64 // time of its latest packet, once it is not busy
	busy bool  // one of the active inputs belongs to it
}

// Next gives the earliest packet of all inputs; see [capture.Source].
func (s *source) Next(p *capture.Packet) error {
	if in := s.cur; in != nil {
		err := in.next(p)
		switch {
		case err == nil && p.Time <= s.until:
			return nil
		case err == nil:
			in.head = *p
		case err == io.EOF:
			s.retire(in)
		default:
			return err
		}
		s.cur = nil
	}
	return s.turn(p)
}

// turn hands out the earliest packet, and keeps to its input.
func (s *source) turn(p *capture.Packet) error {
	var best *input
	for {
		best, s.until = nil, math.MaxInt64
		for _, in := range s.active {
			switch {
			case best == nil:
				best = in
			case in.head.Time < best.head.Time:
				best, s.until = in, best.head.Time
			default:
				s.until = min(s.until, in.head.Time)
			}
		}
		if len(s.pending) == 0 {
			break
		}
		if first := s.pending[0].first; best != nil && best.head.Time <= first {
			s.until = min(s.until, first)
			break
		}
		s.admit()
	}
	if best == nil {
		return io.EOF
	}
	s.cur, *p = best, best.head
	return nil
}

// admit makes the next pending input active, if it still has a packet: a file
// is opened again here and may have changed.
func (s *source) admit() {
	in := s.pending[0]
	s.pending = s.pending[1:]
	if in.rd == nil {
		size := blockSize
		if len(s.active) >= manyInputs {
			size = wideBlockSize
		}
		if cap(s.spare) >= size {
			in.win.buf, s.spare = s.spare, nil
		}
		in.reset()
		if in.stat.Err = in.open(size); in.stat.Err != nil {
			in.close()
			s.done += in.size
			return
		}
		if in.next(&in.head) != nil { // a file never idles: it ended
			in.close()
			s.done += in.size
			return
		}
	}
	in.tap = s.tap(in.head.Time)
	in.head.Num, in.head.Tap = capture.MakeNum(in.num, in.head.Num.Frame()), in.tap
	s.active = append(s.active, in)
}

// tap finds the tap that an input with a first packet at the given time
// belongs to: the one that ended last before it, or a new one.
func (s *source) tap(first int64) uint16 {
	best := -1
	for i, t := range s.taps {
		if !t.busy && t.end <= first && (best < 0 || t.end > s.taps[best].end) {
			best = i
		}
	}
	if best < 0 {
		best = len(s.taps)
		s.taps = append(s.taps, tap{})
	}
	s.taps[best].busy = true
	return uint16(best)
}

// retire takes an input that ended out of the merge.
func (s *source) retire(in *input) {
	s.active = slices.DeleteFunc(s.active, func(a *input) bool { return a == in })
	s.taps[in.tap] = tap{end: in.stat.Last}
	s.done += max(in.size, in.read())
	if len(in.win.buf) > len(s.spare) {
		s.spare = in.win.buf
	}
	in.close()
	in.rd, in.win = nil, window{} // the inputs stay, their memory does not
}

// Stats is what was read so far, of all inputs. The caller must not change it.
func (s *source) Stats() *capture.Stats {
	s.stats.Read = s.done
	for _, in := range s.active {
		s.stats.Read += in.read()
	}
	return &s.stats
}

// Close ends all inputs; it never fails.
func (s *source) Close() error {
	for _, in := range slices.Concat(s.active, s.pending) {
		in.close()
	}
	s.cur, s.active, s.pending = nil, nil, nil
	return nil
}
