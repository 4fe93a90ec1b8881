package main

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"expectscope/analysis/report"
)

// An output is where results go: standard output, or a file that appears whole
// or not at all.
type output struct {
	*bufio.Writer
	name string
	file *os.File // nil: standard output
	// temp is the file's name until it is whole, final what it is called then;
	// temp is empty when the file is written in place.
	temp, final string
}

// outputBuffer is how much is written at once: an exchange with its findings is some KB.
const outputBuffer = 32 << 10

// openOutput opens the file of that name, or standard output if the name is
// empty. It refuses to write over one of the inputs.
func openOutput(c *console, name string, inputs []string) (*output, error) {
	if name == "" {
		return &output{Writer: bufio.NewWriterSize(c.out, outputBuffer), name: "standard output"}, nil
	}
	o := &output{name: name, final: name}
	if real, err := filepath.EvalSymlinks(name); err == nil {
		o.final = real
	}
	mode := fs.FileMode(0o666) // less what the umask says
	info, err := os.Stat(o.final)
	switch {
	case err == nil && info.IsDir():
		return nil, usage("name a file in it", "cannot write %s: it is a directory", name)
	case err == nil && sameAsAny(info, inputs):
		return nil, usage("give -o another name", "cannot write %s: it is an input", name)
	case err == nil && !info.Mode().IsRegular():
		o.file, err = os.OpenFile(o.final, os.O_WRONLY, 0)
	default:
		if err == nil {
			mode = info.Mode().Perm()
		}
		o.temp = fmt.Sprintf("%s.%d.part", o.final, os.Getpid())
		o.file, err = os.OpenFile(o.temp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	}
	if err != nil {
		return nil, cannotWrite(name, err)
	}
	o.Writer = bufio.NewWriterSize(o.file, outputBuffer)
	return o, nil
}

// sameAsAny tells whether the file is one of the named ones, under any name.
func sameAsAny(info fs.FileInfo, names []string) bool {
	for _, name := range names {
		if other, err := os.Stat(name); err == nil && os.SameFile(info, other) {
			return true
		}
	}
	return false
}

// finish writes what is buffered and gives the file its name.
func (o *output) finish() error {
	err := o.Flush()
	if o.file == nil {
		return err
	}
	err = errors.Join(err, o.file.Close())
	if o.temp == "" {
		return err
	}
	if err == nil {
		err = os.Rename(o.temp, o.final)
	}
	if err != nil {
		o.abandon()
	}
	return err
}

// abandon takes the unfinished file away.
func (o *output) abandon() {
	if o.temp != "" {
		os.Remove(o.temp)
	}
}

// written turns an error of writing to standard output into a failure.
func written(err error) error {
	if err == nil {
		return nil
	}
	return cannotWrite("standard output", err)
}

// cannotWrite says why nothing can be written there.
func cannotWrite(name string, err error) *failure {
	var path *fs.PathError
	if errors.As(err, &path) {
		err = path.Err
	}
	return &failure{
		status: statusUnread, text: fmt.Sprintf("cannot write %s: %v", name, err),
		hint: "check the disk's space and the permissions of the directory",
	}
}

// formatFor finds the format: by its name, else by the extension of the output
// file, else text.
func formatFor(name, file string) (report.Format, error) {
	if name == "" && file == "" {
		name = "text"
	}
	if name != "" {
		if f, ok := report.ByName(name); ok {
			return f, nil
		}
		return report.Format{}, unknownFormat(name)
	}
	if f, ok := report.ByExt(file); ok {
		return f, nil
	}
	var known []string
	for _, f := range report.Formats() {
		known = append(known, f.Ext)
	}
	return report.Format{}, usage("end the name in "+strings.Join(known, ", ")+", or say which with -f FORMAT",
		"the format of %s is not known by its name", file)
}

// unknownFormat says what formats there are; to a capture filter, what -f is.
func unknownFormat(name string) *failure {
	if strings.ContainsAny(name, " ") || nearest(name, []string{"tcp", "udp", "port", "host", "net"}) == name {
		return usage("a packet filter goes to -F: expectscope FILE -F '"+name+"'",
			"-f is the format of the output, and %q looks like a packet filter", name)
	}
	return usage("the formats are "+strings.Join(formatNames(), ", "), "%q is no format%s", name, meant(name, formatNames()))
}

func formatNames() []string {
	var names []string
	for _, f := range report.Formats() {
		names = append(names, f.Name)
	}
	return names
}
