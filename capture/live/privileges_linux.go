package live

import (
	"errors"
	"fmt"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// maxCapability is more than Linux has; prctl(2) tells where they end.
const maxCapability = 63

// DropPrivileges gives up every capability of the process and whatever could
// give one back, on all its threads: what is open stays usable, all else is as
// for an ordinary user, for good. The effective, permitted, inheritable and
// ambient sets are emptied, so is the bounding set as far as the process may
// (CAP_SETPCAP), and no_new_privs is set, with which no program that is executed
// gains anything (capabilities(7)).
//
// It fails in a program built with cgo: there, Go cannot reach all threads.
func DropPrivileges() error {
	err := prctl(unix.PR_SET_NO_NEW_PRIVS, 1)
	if err == nil {
		err = prctl(unix.PR_CAP_AMBIENT, unix.PR_CAP_AMBIENT_CLEAR_ALL)
	}
	if err == nil {
		err = emptyBoundingSet()
	}
	if err == nil {
		head := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
		var none [2]unix.CapUserData
		_, _, errno := syscall.AllThreadsSyscall(unix.SYS_CAPSET, uintptr(unsafe.Pointer(&head)), uintptr(unsafe.Pointer(&none)), 0)
		if errno != 0 {
			err = errno
		}
	}
	switch {
	case err == nil:
		return nil
	case errors.Is(err, unix.ENOTSUP):
		return errors.New("cannot give up privileges: this program was built with cgo, build it with CGO_ENABLED=0")
	}
	return fmt.Errorf("cannot give up privileges: %w", err)
}

// emptyBoundingSet takes every capability out of the bounding set.
func emptyBoundingSet() error {
	for c := uintptr(0); c <= maxCapability; c++ {
		err := prctl(unix.PR_CAPBSET_DROP, c)
		switch {
		case errors.Is(err, unix.EINVAL): // there are no more
			return nil
		case errors.Is(err, unix.EPERM): // no_new_privs has to do
			return nil
		case err != nil:
			return err
		}
	}
	return nil
}

// prctl makes this call on every thread.
func prctl(option, arg uintptr) error {
	if _, _, errno := syscall.AllThreadsSyscall6(unix.SYS_PRCTL, option, arg, 0, 0, 0, 0); errno != 0 {
		return errno
	}
	return nil
}
