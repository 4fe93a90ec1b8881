package tui

import (
	"os"

	"golang.org/x/sys/windows"
)

// prepare makes the console understand control sequences.
func prepare(out *os.File) error {
	var mode uint32
	h := windows.Handle(out.Fd())
	if err := windows.GetConsoleMode(h, &mode); err != nil {
		return err
	}
	return windows.SetConsoleMode(h, mode|windows.ENABLE_VIRTUAL_TERMINAL_PROCESSING)
}

// resized does nothing here: the console tells its size among the keys, and Bubble Tea hears it.
func resized(func()) (end func()) { return func() {} }
