package pcapfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
)

// An ErrorKind is what went wrong with an input.
type ErrorKind uint8

// The kinds of InputError. With the first seven nothing of the input was read;
// with the last four everything before Offset was.
const (
	Missing    ErrorKind = iota + 1 // there is no such file
	Directory                       // the name is a directory's
	Repeated                        // "-" was given twice
	Empty                           // there is not one byte in it
	NotCapture                      // it starts like no capture
	Nested                          // compressed, and so is what is inside
	Unopened                        // the system does not let us open it
	Unreadable                      // reading failed: an I/O error
	Cut                             // it ends inside a record, or its compressed stream is cut
	Corrupt                         // a record cannot be right
	Decompress                      // the compressed stream is damaged
)

// kinds holds what is said about each kind; placed kinds have an offset.
var kinds = [...]struct {
	text, hint string
	placed     bool
}{
	Missing:    {text: "no such file", hint: "check the path"},
	Directory:  {text: "is a directory", hint: "name the capture files in it"},
	Repeated:   {text: "is given twice", hint: "give - once: it can be read only once"},
	Empty:      {text: "is empty", hint: "check that the capturing program wrote anything; tcpdump -U writes each packet at once"},
	NotCapture: {text: "is not a capture", hint: "give a pcap or pcapng file, plain or compressed with gzip, zstd, lz4 or bzip2"},
	Nested:     {text: "is compressed twice", hint: "undo one compression first"},
	Unopened:   {text: "cannot be opened", hint: "check the file's permissions, and the limit of open files (ulimit -n)"},
	Unreadable: {text: "cannot be read", hint: "check the disk or the connection; everything before was read", placed: true},
	Cut:        {text: "is cut off", hint: "the capturing program was stopped or the copy is incomplete; everything before was read", placed: true},
	Corrupt:    {text: "is damaged", hint: "the file was changed or two writers shared it; everything before was read", placed: true},
	Decompress: {text: "cannot be decompressed", hint: "test the file with its own tool (gzip -t, zstd -t); everything before was read", placed: true},
}

// An InputError says why an input could not be opened, or not be read to its
// end.
type InputError struct {
	// Name is the input as the user gave it; "-" is the standard input.
	Name string
	Kind ErrorKind
	// Offset is where the first record (or block) that could not be read
	// starts, in bytes. In a compressed input it counts decompressed bytes.
	// Only the kinds from Unreadable on have it.
	Offset int64
	// Compression is the name of the input's compression, or empty.
	Compression string
	// Err is what lies behind it; it may be nil.
	Err error
}

// Error is one line: which input, what is wrong with it, and where where that is known.
func (e *InputError) Error() string {
	var b strings.Builder
	b.WriteString(e.Name)
	if e.Name == "-" {
		b.Reset()
		b.WriteString("standard input")
	}
	k := kinds[e.Kind]
	b.WriteString(" " + k.text)
	if k.placed {
		fmt.Fprintf(&b, " at byte %d", e.Offset)
		if e.Compression != "" {
			b.WriteString(" of what " + e.Compression + " holds")
		}
	}
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns Err.
func (e *InputError) Unwrap() error { return e.Err }

// Hint says what to do about it, in one line.
func (e *InputError) Hint() string { return kinds[e.Kind].hint }

// openError tells the reasons apart for which the system refuses a file.
func openError(name string, err error) *InputError {
	if errors.Is(err, fs.ErrNotExist) {
		return &InputError{Name: name, Kind: Missing}
	}
	return &InputError{Name: name, Kind: Unopened, Err: bare(err)}
}

// bare takes the file name, which InputError says already, off err.
func bare(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// A corrupt error is about a record that cannot be right.
type corrupt struct{ error }

// isEnd tells a stream's end from damage.
func isEnd(err error) bool { return err == io.EOF || err == io.ErrUnexpectedEOF }
