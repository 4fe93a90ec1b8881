package tui

import (
	"fmt"
	"io"
	"os"
	"syscall"
)

// keys is what is typed on the terminal, read through Go's own poller, until end is called. Bubble Tea waits for keys in a system call of
// its own, of which the runtime does not know how long it lasts: it looks after it for ten milliseconds behind each key, a thousand
// times a second and more, which costs more than all that a key makes us do. The terminal is opened anew for it, because others that
// have it open would see that it does not block. Where that is not allowed, as after su, it is read as it is.
func keys(in *os.File) (r io.Reader, end func()) {
	f, err := os.OpenFile(fmt.Sprintf("/proc/self/fd/%d", in.Fd()), os.O_RDONLY|syscall.O_NOCTTY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return in, func() {}
	}
	return struct{ io.Reader }{f}, func() { _ = f.Close() }
}
