package pcapfile

import (
	"bufio"
	"bytes"
	"compress/bzip2"
	"fmt"
	"io"
	"strings"
	"sync"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"
)

// maxWindow bounds the memory that a zstd stream can ask for; it is what
// zstd --ultra -22 asks for.
const maxWindow = 128 << 20

// aheadBlocks blocks of aheadSize go round between the decompressing goroutine
// and the reader.
const (
	aheadBlocks = 3
	aheadSize   = 512 << 10
)

// A compression is known by its first bytes.
type compression struct {
	name  string
	magic string
	open  func(io.Reader) (io.Reader, error)
}

var compressions = []compression{
	{"gzip", "\x1f\x8b", func(r io.Reader) (io.Reader, error) { return gzip.NewReader(r) }},
	{"zstd", "\x28\xb5\x2f\xfd", openZstd},
	{"zstd", "\x50\x2a\x4d\x18", openZstd}, // a skippable frame
	{"lz4", "\x04\x22\x4d\x18", openLZ4},
	{"lz4", "\x02\x21\x4c\x18", openLZ4}, // the legacy frame
	{"bzip2", "BZh", func(r io.Reader) (io.Reader, error) { return bzip2.NewReader(r), nil }},
}

// openZstd decodes in the caller's goroutine.
func openZstd(r io.Reader) (io.Reader, error) {
	return zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
}

func openLZ4(r io.Reader) (io.Reader, error) { return lz4.NewReader(r), nil }

// compressionOf knows a compression by its first four bytes; nil if it is
// none.
func compressionOf(magic []byte) *compression {
	first := string(magic)
	if skippable := magic[0]&0xf0 == 0x50; skippable { // as pzstd begins; RFC 8878, Section 3.1.2
		first = "\x50" + first[1:]
	}
	for i, c := range compressions {
		if strings.HasPrefix(first, c.magic) {
			return &compressions[i]
		}
	}
	return nil
}

// decompress puts c between the window and its source. What is in the window
// already is given back to the source.
func (in *input) decompress(c *compression) error {
	w := &in.win
	begun := bytes.NewReader(bytes.Clone(w.buf[w.r:w.w]))
	if in.raw.pipe != nil {
		in.raw.pipe.idles = false // a decompressor cannot be asked again
	}
	dec := &guarded{open: c.open, src: bufio.NewReaderSize(io.MultiReader(begun, in.raw), len(w.buf))}
	var src io.Reader = dec
	if in.pipe || len(w.buf) > peekSize {
		src = newAhead(dec, !in.pipe)
	}
	in.win = window{src: src, buf: w.buf}
	return nil
}

// A guarded decompressor turns panics on hostile bytes into errors.
type guarded struct {
	open func(io.Reader) (io.Reader, error)
	src  io.Reader
	dec  io.Reader
}

// Read begins to decompress when it is called first. Its error is also a panic of the decompressor.
func (g *guarded) Read(b []byte) (n int, err error) {
	defer func() {
		if v := recover(); v != nil {
			n, err = 0, fmt.Errorf("the decompressor failed: %v", v)
		}
	}()
	if g.dec == nil {
		if g.dec, err = g.open(g.src); err != nil {
			if err == io.EOF {
				err = io.ErrUnexpectedEOF
			}
			return 0, err
		}
	}
	return g.dec.Read(b)
}

// An ahead reads in a goroutine of its own, a few blocks ahead of its reader.
type ahead struct {
	full chan aheadBlock
	free chan []byte
	done chan struct{}
	once sync.Once
	cur  aheadBlock
	rest []byte // what is unread of cur
}

type aheadBlock struct {
	buf []byte
	n   int
	err error
}

// newAhead reads src ahead. whole: blocks are filled before they are handed on, since most of the price of a block is that of waking
// its reader; else, where more may be long in coming, what is there is.
func newAhead(src io.Reader, whole bool) *ahead {
	a := &ahead{
		full: make(chan aheadBlock, aheadBlocks),
		free: make(chan []byte, aheadBlocks),
		done: make(chan struct{}),
	}
	for range aheadBlocks {
		a.free <- make([]byte, aheadSize)
	}
	go a.run(src, whole)
	return a
}

func (a *ahead) run(src io.Reader, whole bool) {
	defer close(a.full)
	for {
		select {
		case <-a.done:
			return
		case buf := <-a.free:
			n, err := src.Read(buf)
			for k := n; whole && err == nil && k > 0 && n < len(buf); n += k {
				k, err = src.Read(buf[n:])
			}
			a.full <- aheadBlock{buf, n, err} // has room for every block
			if err != nil {
				return
			}
		}
	}
}

// Read gives what was read ahead, and the error of the source behind the last of it.
func (a *ahead) Read(b []byte) (int, error) {
	for len(a.rest) == 0 {
		if a.cur.err != nil {
			return 0, a.cur.err
		}
		if a.cur.buf != nil {
			a.free <- a.cur.buf
		}
		next, ok := <-a.full
		if !ok {
			return 0, io.ErrClosedPipe
		}
		a.cur, a.rest = next, next.buf[:next.n]
	}
	n := copy(b, a.rest)
	a.rest = a.rest[n:]
	return n, nil
}

// close lets the goroutine end as soon as its read returns.
func (a *ahead) close() { a.once.Do(func() { close(a.done) }) }
