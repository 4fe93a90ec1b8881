package live

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"expectscope/capture"
	"expectscope/capture/pcapfile"
)

const (
	// gather is how many bytes a recorder collects before it writes.
	gather = 64 << 10
	// flushEvery is the capture time after which it writes what it has.
	flushEvery = int64(time.Second)
)

// RecorderOptions says where packets are recorded.
type RecorderOptions struct {
	// Path is the pcapng file. A file that is there is replaced. With rotation
	// the files are numbered: seen.pcapng becomes seen-00001.pcapng,
	// seen-00002.pcapng, …
	Path string
	// Size begins another file before one would have more bytes; 0 is no bound.
	Size int64
	// Every begins another file when one covers that much time, counted in the
	// packets' times; 0 is no bound.
	Every time.Duration
	// Files bounds how many files are kept: the oldest is removed. 0 is no
	// bound.
	Files int
}

func (o *RecorderOptions) rotates() bool { return o.Size > 0 || o.Every > 0 }

// A Recorder writes packets to pcapng files. Only whole blocks are handed to
// the system, at least once a second of capture time: a program that is killed
// leaves a file that is sound to its end. Files can be read by their owner only,
// because captures hold what they saw.
//
// The first error, such as a full disk, ends recording; what was written stays.
type Recorder struct {
	o       RecorderOptions
	ng      *pcapfile.NgWriter
	file    *os.File
	buf     []byte // whole blocks that are not written yet
	size    int64  // bytes of whole blocks in the file
	begun   int64  // time of its first packet; 0: it has none
	flushed int64  // capture time of the last write
	link    capture.LinkType
	last    int64
	drops   uint64   // not yet written to a file
	kept    []string // paths, oldest first
	number  int      // of the files made so far
	frame   uint64   // of the last packet in its file
	ended   bool
}

// NewRecorder makes the first file.
func NewRecorder(o RecorderOptions) (*Recorder, error) {
	r := &Recorder{o: o}
	if err := r.begin(); err != nil {
		return nil, err
	}
	return r, nil
}

// begin begins another file.
func (r *Recorder) begin() error {
	path := r.o.Path
	r.number++
	if r.o.rotates() {
		ext := filepath.Ext(path)
		path = fmt.Sprintf("%s-%05d%s", strings.TrimSuffix(path, ext), r.number, ext)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return cannotRecord(path, err)
	}
	r.file, r.buf, r.size, r.begun, r.frame = f, r.buf[:0], 0, 0, 0
	r.kept = append(r.kept, path)
	r.ng = pcapfile.NewNgWriter((*blocks)(r))
	if err := r.ng.Flush(); err != nil {
		return r.fail(err)
	}
	if r.o.Files > 0 && len(r.kept) > r.o.Files {
		err := os.Remove(r.kept[0])
		r.kept = r.kept[1:]
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return r.fail(err)
		}
	}
	return nil
}

// blocks is where the pcapng writer puts what it wrote.
type blocks Recorder

// Write adds to the block that is being filled; it never fails.
func (b *blocks) Write(p []byte) (int, error) {
	b.buf = append(b.buf, p...)
	return len(p), nil
}

// Write records a packet, and gives it the number that it has in the files
// ([capture.MakeNum] with the file's number, see [Recorder.File]). After an
// error, which it returns once, it only numbers on.
func (r *Recorder) Write(p *capture.Packet) error {
	if r.ended {
		r.count(p)
		return nil
	}
	if r.full(p) {
		if err := r.finish(); err != nil {
			return r.fail(err)
		}
		if err := r.begin(); err != nil {
			r.ended = true
			return err
		}
	}
	r.count(p)
	if r.begun == 0 {
		r.begun, r.link = p.Time, p.Link
	}
	r.last = p.Time
	err := r.ng.WritePacket(p, "")
	if err == nil {
		err = r.ng.Flush()
	}
	if due := p.Time - r.flushed; err == nil && (len(r.buf) >= gather || due >= flushEvery || due < 0) {
		r.flushed = p.Time
		err = r.flush()
	}
	if err != nil {
		return r.fail(err)
	}
	return nil
}

// full tells whether the packet belongs into another file.
func (r *Recorder) full(p *capture.Packet) bool {
	const overhead = 36 // of a packet block, with its padding
	return r.begun != 0 && (r.o.Size > 0 && r.size+int64(len(r.buf)+len(p.Data)+overhead) > r.o.Size ||
		r.o.Every > 0 && p.Time-r.begun >= int64(r.o.Every))
}

// Dropped takes note of packets that the kernel dropped. The file says so at
// its end.
func (r *Recorder) Dropped(n uint64) { r.drops += n }

// Flush writes what was recorded: for times without packets.
func (r *Recorder) Flush() error {
	if r.ended {
		return nil
	}
	if err := r.flush(); err != nil {
		return r.fail(err)
	}
	return nil
}

// flush hands whole blocks to the system. What was written in part is taken
// back.
func (r *Recorder) flush() error {
	_, err := r.file.Write(r.buf)
	if err != nil {
		_ = r.file.Truncate(r.size) // if it cannot be, the file ends in a cut block, which readers bear
		return err
	}
	r.size += int64(len(r.buf))
	r.buf = r.buf[:0]
	return nil
}

// finish ends the file.
func (r *Recorder) finish() error {
	if r.begun != 0 {
		if err := r.ng.WriteDrops(r.link, r.last, r.drops); err != nil {
			return err
		}
		r.drops = 0
	}
	if err := errors.Join(r.ng.Flush(), r.flush()); err != nil {
		return err
	}
	return r.file.Close()
}

// fail ends recording.
func (r *Recorder) fail(err error) error {
	r.ended = true
	_ = r.file.Close() // err came first
	return cannotRecord(r.kept[len(r.kept)-1], err)
}

// Close ends the last file.
func (r *Recorder) Close() error {
	if r.ended {
		return nil
	}
	if err := r.finish(); err != nil {
		return r.fail(err)
	}
	r.ended = true
	return nil
}

// maxNumber is how many files a [capture.Num] tells apart; then numbers are
// used again.
const maxNumber = 1<<16 - 1

// count gives a packet its number.
func (r *Recorder) count(p *capture.Packet) {
	r.frame++
	p.Num = capture.MakeNum((r.number-1)%maxNumber+1, r.frame)
}

// File is the path of the file with that number ([capture.Num.Input]), or "" if
// it is not kept.
func (r *Recorder) File(number int) string {
	oldest := r.number - len(r.kept) // as an index, from 0
	i := (number - 1 - oldest) % maxNumber
	if i < 0 {
		i += maxNumber
	}
	if number < 1 || i >= len(r.kept) {
		return ""
	}
	return r.kept[i]
}

// A RecordError says why recording ended, or could not begin. The capture is
// not touched by it.
type RecordError struct {
	Path string
	Err  error
}

// Error is one line, with the file and what the system said.
func (e *RecordError) Error() string { return "cannot record to " + e.Path + ": " + e.Err.Error() }

// Unwrap returns Err.
func (e *RecordError) Unwrap() error { return e.Err }

// Hint says what to do about it, in one line.
func (e *RecordError) Hint() string {
	return "check the disk's space and the permissions of the directory; --rotate-size and --files bound what is kept"
}

// cannotRecord takes the path, which it says itself, off err.
func cannotRecord(path string, err error) error {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return &RecordError{path, err}
}
