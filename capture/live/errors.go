package live

import "strings"

// An ErrorKind is why an interface cannot be captured.
type ErrorKind uint8

// The kinds of Error.
const (
	NotPermitted ErrorKind = iota + 1 // the process lacks CAP_NET_RAW
	NoInterface                       // there is no interface of that name
	Down                              // the interface is down
	NoMemory                          // the kernel has no memory for the ring
	BadFilter                         // the kernel refuses the filter
	Unsupported                       // this system, or its kernel, cannot do it
	Broken                            // anything else
)

// kinds holds what is said about each kind, and what to do about it; % stands
// for the interface.
var kinds = [...]struct{ text, hint string }{
	NotPermitted: {"not permitted", "sudo setcap cap_net_raw+ep $(command -v expectscope)"},
	NoInterface:  {"there is no such interface", "expectscope live -D lists the interfaces"},
	Down:         {"the interface is down", "sudo ip link set % up"},
	NoMemory:     {"the kernel has no memory for the buffer", "give a smaller --buffer"},
	BadFilter:    {"the kernel refuses the filter", "check what the filter asks for; the kernel takes 4,096 instructions"},
	Unsupported:  {"this system does not let expectscope capture", "tcpdump -U -w - | expectscope analyze -"},
	Broken:       {"the system refuses", "tcpdump -U -w - | expectscope analyze - is another way"},
}

// An Error says why an interface cannot be captured.
type Error struct {
	// Interface is its name, [Any] for all, or "" if it is about none.
	Interface string
	Kind      ErrorKind
	// Err is what lies behind it; it may be nil.
	Err error
}

// Error is one line: what cannot be done, on which interface, and what the system said.
func (e *Error) Error() string {
	var b strings.Builder
	b.WriteString("cannot capture")
	if e.Interface != "" {
		b.WriteString(" from " + e.Interface)
	}
	b.WriteString(": " + kinds[e.Kind].text)
	if e.Err != nil {
		b.WriteString(": " + e.Err.Error())
	}
	return b.String()
}

// Unwrap returns Err.
func (e *Error) Unwrap() error { return e.Err }

// Hint says what to do about it, in one line.
func (e *Error) Hint() string { return strings.ReplaceAll(kinds[e.Kind].hint, "%", e.Interface) }
