//go:build !linux

package live

import "expectscope/capture"

// A Handle captures from one interface, or from all. On this system there is
// none: Open fails.
type Handle struct{ capture.Source }

// Open fails: expectscope captures on Linux only. The error's hint says what
// to do instead.
func Open(o Options) (*Handle, error) {
	return nil, &Error{Interface: o.Interface, Kind: Unsupported}
}

// Link is the link type of the packets.
func (*Handle) Link() capture.LinkType { return capture.LinkSLL2 }

// Stop ends the capture.
func (*Handle) Stop() {}

// Counters tells what else was counted.
func (*Handle) Counters() Counters { return Counters{} }

// Interfaces fails as Open does.
func Interfaces() ([]Interface, error) { return nil, &Error{Kind: Unsupported} }

// Link fails as Open does.
func Link(name string) (capture.LinkType, error) {
	return 0, &Error{Interface: name, Kind: Unsupported}
}

// Prioritize does nothing: there is no capture that could lose packets.
func Prioritize() error { return nil }

// DropPrivileges does nothing: there is no privilege to capture with.
func DropPrivileges() error { return nil }
