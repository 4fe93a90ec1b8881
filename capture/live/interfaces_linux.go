package live

import (
	"net"
	"net/netip"

	"golang.org/x/sys/unix"

	"expectscope/capture"
)

// Interfaces lists the interfaces of this machine in the order of their
// indexes. It needs no privilege.
func Interfaces() ([]Interface, error) {
	all, err := net.Interfaces()
	if err != nil {
		return nil, &Error{Kind: Broken, Err: err}
	}
	list := make([]Interface, 0, len(all))
	for _, i := range all {
		hardware, err := hardwareOf(i.Name)
		if err != nil {
			continue // gone since
		}
		n := Interface{
			Name: i.Name, Index: i.Index, Link: linkOf(hardware),
			Up: i.Flags&net.FlagUp != 0, Running: i.Flags&net.FlagRunning != 0, Loopback: i.Flags&net.FlagLoopback != 0,
		}
		addrs, _ := i.Addrs() // none if it is gone
		for _, a := range addrs {
			if p, err := netip.ParsePrefix(a.String()); err == nil {
				n.Addrs = append(n.Addrs, p)
			}
		}
		list = append(list, n)
	}
	return list, nil
}

// Link is the link type of frames captured from the interface of that name, or
// from all of them ("" or [Any]). Its errors are of type [*Error].
func Link(name string) (capture.LinkType, error) {
	if name == "" || name == Any {
		return capture.LinkSLL2, nil
	}
	hardware, err := hardwareOf(name)
	if err != nil {
		return 0, refused(name, NoInterface, err)
	}
	return linkOf(hardware), nil
}

// hardwareOf is the kind of hardware (ARPHRD_) of an interface.
func hardwareOf(name string) (uint16, error) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_DGRAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return 0, err
	}
	defer unix.Close(fd)
	req, err := unix.NewIfreq(name)
	if err != nil { // too long to be one
		return 0, unix.ENODEV
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFHWADDR, req); err != nil {
		return 0, err
	}
	return req.Uint16(), nil
}

// upIndex is the index of an interface that is up.
func upIndex(fd int, name string) (int, error) {
	req, err := unix.NewIfreq(name)
	if err != nil {
		return 0, unix.ENODEV
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFFLAGS, req); err != nil {
		return 0, err
	}
	if req.Uint16()&unix.IFF_UP == 0 {
		return 0, unix.ENETDOWN
	}
	if err := unix.IoctlIfreq(fd, unix.SIOCGIFINDEX, req); err != nil {
		return 0, err
	}
	return int(req.Uint32()), nil
}
