//go:build !linux

package tui

import (
	"io"
	"os"
)

// keys is what is typed on the terminal, until end is called.
func keys(in *os.File) (r io.Reader, end func()) { return in, func() {} }
