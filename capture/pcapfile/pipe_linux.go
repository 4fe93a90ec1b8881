package pcapfile

import (
	"os"

	"golang.org/x/sys/unix"
)

// readable waits up to the given milliseconds until a read of f would not
// block: bytes are there, or its writer is gone. A pipe on the standard input
// takes no deadline, so this is poll(2).
func readable(f *os.File, millis int) (bool, error) {
	conn, err := f.SyscallConn()
	if err != nil {
		return false, err
	}
	var n int
	var failed error
	err = conn.Control(func(fd uintptr) {
		for {
			n, failed = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, millis)
			if failed != unix.EINTR {
				return
			}
		}
	})
	if err == nil {
		err = failed
	}
	return n > 0, err
}
