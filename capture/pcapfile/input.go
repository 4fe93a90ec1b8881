package pcapfile

import (
	"errors"
	"io"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"expectscope/capture"
)

// peekSize is enough to find the first packet of almost any capture.
const peekSize = 8 << 10

// liveAge is how old the first packet of a live pipe is at most.
const liveAge = 10 * time.Second

// A recordReader parses one format.
type recordReader interface {
	// next fills Time, Len, Link and Data of p, and what the format says of
	// drops and secrets in stat. It sets Num to how many records before this
	// one have a frame number in Wireshark though they are no packets. It can
	// be called again after capture.ErrIdle.
	next(p *capture.Packet, stat *capture.Input) error
	// start is where the record or block starts that next failed at.
	start() int64
}

// An input is one file or pipe.
type input struct {
	name  string
	opts  *Options
	stat  *capture.Input
	num   int // 1-based
	tap   uint16
	first int64 // time of the first packet; MaxInt64 if none is known

	opened bool // it was a capture when it was looked at
	ended  bool // and was read to its end by that
	pipe   bool
	size   int64 // of a file; 0 for a pipe

	raw         *rawReader // nil: not open
	compression string
	win         window
	rd          recordReader
	head        capture.Packet // the packet that was read but not handed out
}

// open opens the input and reads its header.
func (in *input) open(size int) error {
	raw, err := in.attach()
	if err != nil {
		return err
	}
	in.raw = raw
	if in.pipe {
		size = blockSize // it cannot be opened again for more than a look
	}
	if len(in.win.buf) < size {
		in.win.buf = make([]byte, size)
	}
	in.win = window{src: raw, buf: in.win.buf}
	if err := in.recognize(); err != nil {
		in.close()
		return err
	}
	in.opened = true
	return nil
}

// attach gets at the bytes: a file, a pipe, or a reader that is neither.
func (in *input) attach() (*rawReader, error) {
	var f *os.File
	if in.name == "-" {
		if in.opts.Stdin == nil {
			return nil, &InputError{Name: in.name, Kind: Unopened, Err: errors.New("there is none")}
		}
		std, ok := in.opts.Stdin.(*os.File)
		if !ok {
			in.pipe = true
			return &rawReader{src: in.opts.Stdin}, nil
		}
		f = std
	} else {
		var err error
		if f, err = os.Open(in.name); err != nil {
			return nil, openError(in.name, err)
		}
	}
	raw := &rawReader{src: f}
	if in.name != "-" {
		raw.file = f
	}
	info, err := f.Stat()
	switch {
	case err != nil:
		raw.close()
		return nil, openError(in.name, err)
	case info.IsDir():
		raw.close()
		return nil, &InputError{Name: in.name, Kind: Directory}
	case info.Mode().IsRegular():
		in.size = info.Size()
	default:
		in.pipe = true
		raw.pipe = newPipe(f, in.opts.Stop)
		raw.src = raw.pipe
	}
	return raw, nil
}

// foreign names what people give by mistake, by its first bytes.
var foreign = []struct{ magic, name string }{
	{"\xfd7zX", "an xz file; undo it with xz -dc and give -"},
	{"7z\xbc\xaf", "a 7z archive"},
	{"PK\x03\x04", "a zip archive"},
	{"Rar!", "a rar archive"},
	{"snoo", "a snoop file; convert it with editcap"},
	{"GMBU", "a Network Monitor file; convert it with editcap"},
	{"RTSS", "a Network Monitor file; convert it with editcap"},
	{"CLIE", "a TLS key log"},
	{"SERV", "a TLS key log"},
	{"# SS", "a TLS key log"},
	{"{", "JSON"},
	{"<", "a web page or XML"},
}

// recognize finds the format by the first bytes, through a compression if
// there is one.
func (in *input) recognize() error {
	magic, err := in.magic()
	if err != nil {
		return err
	}
	if c := compressionOf(magic); c != nil {
		in.compression = c.name
		if err := in.decompress(c); err != nil {
			return in.failure(err, 0)
		}
		if magic, err = in.magic(); err != nil {
			return err
		}
		if compressionOf(magic) != nil {
			return &InputError{Name: in.name, Kind: Nested}
		}
	}
	if _, _, ok := pcapMagic(magic); ok {
		in.rd, err = retry(func() (recordReader, error) { return newPcapReader(&in.win) })
	} else if load32(magic, false) == blockSection {
		in.rd, err = retry(func() (recordReader, error) { return newNgReader(&in.win) })
	} else {
		for _, f := range foreign {
			if strings.HasPrefix(string(magic), f.magic) {
				return &InputError{Name: in.name, Kind: NotCapture, Err: errors.New("it is " + f.name)}
			}
		}
		return &InputError{Name: in.name, Kind: NotCapture}
	}
	if err != nil {
		return in.failure(err, 0)
	}
	return nil
}

// magic waits for the first four bytes.
func (in *input) magic() ([]byte, error) {
	b, err := retry(func() ([]byte, error) { return in.win.peek(4) })
	switch err {
	case nil:
		return b, nil
	case io.EOF:
		return nil, &InputError{Name: in.name, Kind: Empty}
	case io.ErrUnexpectedEOF:
		if in.compression == "" {
			return nil, &InputError{Name: in.name, Kind: NotCapture}
		}
	}
	return nil, in.failure(err, 0)
}

// retry waits as long as f is idle.
func retry[T any](f func() (T, error)) (T, error) {
	for {
		v, err := f()
		if !isIdle(err) {
			return v, err
		}
	}
}

func isIdle(err error) bool { return err == capture.ErrIdle }

// peek opens the input to learn the time of its first packet, and closes it
// again if it can be reopened.
func (in *input) peek() error {
	if err := in.open(peekSize); err != nil {
		return err
	}
	_, err := retry(func() (struct{}, error) { return struct{}{}, in.next(&in.head) })
	if err != nil {
		in.ended = true
		in.close()
		return in.stat.Err
	}
	in.first = in.head.Time
	if in.pipe {
		return nil
	}
	in.close()
	in.win, in.rd, in.head = window{}, nil, capture.Packet{}
	*in.stat = capture.Input{Name: in.name, Secrets: in.stat.Secrets}
	return nil
}

// reset forgets what peek found, before the input is read from its start.
func (in *input) reset() { *in.stat = capture.Input{Name: in.name} }

// next reads the next packet. It returns io.EOF also when the input broke: the
// reason is in its statistics.
func (in *input) next(p *capture.Packet) error {
	s := in.stat
	if err := in.rd.next(p, s); err != nil {
		switch {
		case isIdle(err):
			return err
		case err == io.EOF, isEnd(err) && in.stopped():
		default:
			s.Err = in.failure(err, in.rd.start())
		}
		return io.EOF
	}
	if s.Packets == 0 {
		s.First, s.Last = p.Time, p.Time
		in.judgeLive(p.Time)
	} else {
		s.First, s.Last = min(s.First, p.Time), max(s.Last, p.Time)
	}
	p.Len = max(p.Len, len(p.Data)) // what was captured was there
	s.Packets++
	s.Bytes += uint64(p.Len)
	if p.Len > len(p.Data) {
		s.Snapped++
	}
	p.Num = capture.MakeNum(in.num, s.Packets+uint64(p.Num))
	p.Tap = in.tap
	return nil
}

// judgeLive decides by the first packet whether the pipe is worth waiting for:
// what was captured long ago comes as fast as it can, and its quiet seconds
// mean nothing.
func (in *input) judgeLive(first int64) {
	if in.raw.pipe == nil || in.compression != "" {
		return
	}
	now := in.opts.Now
	in.raw.pipe.idles = now != nil && now().Sub(time.Unix(0, first)).Abs() < liveAge
}

// stopped tells whether the user ended the pipe.
func (in *input) stopped() bool { return in.raw.pipe != nil && in.raw.pipe.stopped() }

// failure says what err, met in the record at the given offset, means to the
// user.
func (in *input) failure(err error, at int64) error {
	e := &InputError{Name: in.name, Offset: at, Compression: in.compression, Err: bare(err)}
	var bad *corrupt
	var read *readError
	switch {
	case errors.As(err, &bad):
		e.Kind, e.Err = Corrupt, bad.error
	case errors.As(err, &read):
		e.Kind, e.Err = Unreadable, bare(read.error)
	case isEnd(err):
		e.Kind, e.Err = Cut, nil
	case in.compression != "":
		e.Kind = Decompress
	default:
		e.Kind = Unreadable
	}
	return e
}

// read is how many bytes were read, compressed ones if it is.
func (in *input) read() int64 {
	if in.raw == nil {
		return 0
	}
	return in.raw.n.Load()
}

// close ends the goroutine of a compressed input and closes the file. It may
// be called more than once.
func (in *input) close() {
	if in.raw == nil {
		return
	}
	if a, ok := in.win.src.(*ahead); ok {
		a.close()
	}
	in.raw.close()
}

// A rawReader counts the bytes of a file, and marks its errors as those of the
// system.
type rawReader struct {
	src  io.Reader
	file *os.File // nil: not ours to close
	pipe *pipe    // nil: a file
	n    atomic.Int64
}

type readError struct{ error }

// Read reads from the file or pipe. Errors other than its end and [capture.ErrIdle] are a *readError.
func (r *rawReader) Read(b []byte) (int, error) {
	n, err := r.src.Read(b)
	r.n.Add(int64(n))
	if err != nil && err != io.EOF && !isIdle(err) {
		err = &readError{err}
	}
	return n, err
}

func (r *rawReader) close() {
	if r.pipe != nil {
		r.pipe.end()
	}
	if r.file != nil {
		r.file.Close()
	}
}
