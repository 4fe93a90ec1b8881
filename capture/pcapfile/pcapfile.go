// Package pcapfile reads and writes captures: pcap and pcapng, from files and
// pipes, plain or compressed.
//
// [Open] merges any number of inputs into one [capture.Source]. A block of
// 512 KiB is read at a time and records are parsed in place, so a packet costs
// no copy and no allocation. Files are opened when their first packet is due
// and closed at their end; files that continue one another share a tap.
//
// The package does not repair: a record that cannot be right ends its input,
// with an [InputError] in [capture.Input.Err] that says where. What came before
// it was handed out, and the other inputs go on.
//
// The formats are described in draft-ietf-opsawg-pcap and
// draft-ietf-opsawg-pcapng; section numbers in this package are theirs.
package pcapfile

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"time"

	"expectscope/capture"
)

// maxInputs is how many inputs a capture.Num can tell apart.
const maxInputs = 1<<16 - 1

// Options says how inputs are read. The zero value reads files.
type Options struct {
	// Stdin is what the name "-" stands for. An [os.File] that is a pipe is
	// polled, so that Next can return [capture.ErrIdle]; any other reader is
	// read until it ends. Close does not close it.
	Stdin io.Reader
	// Now tells the time of day; with it a pipe whose first packet is younger
	// than ten seconds is known to be live. Without it, no pipe is live once a
	// packet came.
	Now func() time.Time
	// Stop, once closed, ends pipes: what already lies in a pipe is still read
	// (at most 1 MiB), and then it ends as if the writer had closed it. A
	// record that is incomplete by then is no error. Files are not affected:
	// their reader just stops calling Next.
	Stop <-chan struct{}
}

// Open returns the packets of the named inputs, merged by time. The name "-"
// is [Options.Stdin].
//
// Inputs are numbered in the order of their first packets, which is the order
// of Stats().Inputs; inputs without a packet come last. One that starts when
// another has ended continues that one's tap, so rotated files are one tap and
// overlapping ones are several.
//
// An input that cannot be opened, or breaks later, has an [*InputError] in
// Stats().Inputs and takes nothing from the others: Next returns only nil,
// io.EOF and capture.ErrIdle. If no input at all can be opened, Open fails
// with their errors joined.
//
// Open waits for the header of a pipe, and for its first packet if there are
// other inputs, until Options.Stop is closed.
func Open(names []string, o Options) (capture.Source, error) {
	if len(names) == 0 || len(names) > maxInputs {
		return nil, fmt.Errorf("cannot read %d inputs: give between 1 and %d", len(names), maxInputs)
	}
	var failed []error
	all := make([]*input, len(names))
	for i, name := range names {
		in := &input{name: name, opts: &o, first: math.MaxInt64, stat: &capture.Input{Name: name}}
		all[i] = in
		if name == "-" && slices.Contains(names[:i], "-") {
			in.stat.Err = &InputError{Name: name, Kind: Repeated}
		} else if len(names) == 1 {
			in.stat.Err = in.open(blockSize)
		} else {
			in.stat.Err = in.peek()
		}
		if !in.opened {
			failed = append(failed, in.stat.Err)
		}
	}
	if len(failed) == len(names) {
		return nil, errors.Join(failed...)
	}
	return newSource(all), nil
}

// newSource orders the inputs and gives them their numbers.
func newSource(all []*input) *source {
	slices.SortStableFunc(all, func(a, b *input) int { return cmp.Compare(a.first, b.first) })
	s := &source{stats: capture.Stats{Inputs: make([]capture.Input, len(all))}}
	known := true
	for i, in := range all {
		s.stats.Inputs[i] = *in.stat
		in.stat, in.num = &s.stats.Inputs[i], i+1
		s.stats.Total += in.size
		known = known && !in.pipe
		if in.opened && !in.ended {
			s.pending = append(s.pending, in)
		} else {
			in.close()
			s.done += in.size
		}
	}
	if !known {
		s.stats.Total = 0
	}
	if len(all) == 1 && len(s.pending) == 1 { // the common case: nothing to compare with
		s.cur, s.active, s.pending = s.pending[0], s.pending, nil
		s.taps, s.until = []tap{{busy: true}}, math.MaxInt64
	}
	return s
}
