// Package filter compiles tcpdump's filter expressions to classic BPF, the
// language of programs that tell which packets to keep.
//
// [Compile] reads an expression from left to right and knows at each word where
// things are in a frame of the link type; from the tests it reads it writes a
// program for the kernel ([Program.Raw]) and one for packets of a file
// ([Program.Match]). [ParseProgram] takes a program that tcpdump compiled.
//
// An expression means what it means to tcpdump, its traps included: and and or
// bind alike, vlan shifts all that is written behind it, and a read past the
// end of a frame is no match, under not as well. What is not supported is
// refused with its place, never guessed. Nothing is looked up: not addresses
// (no DNS), not ports or protocols (a table here, the same on every machine),
// not the interface's netmask.
//
// The words are: host, net (with /length or mask), port, portrange and proto,
// with src and dst joined or alone, behind ether (or link), ip, ip6, arp, rarp,
// tcp, udp or sctp; these alone, and icmp, icmp6, igmp, igrp, pim, vrrp, carp,
// esp, ah; broadcast, multicast, less, greater, inbound, outbound; vlan, mpls,
// pppoed, pppoes, with a number or without; comparisons of numbers, len and
// fields such as tcp[tcpflags] or ip[2:2], with + - * / % & | ^ << >>; and, or,
// not and parentheses. Qualifiers are repeated where they are left out: port 80
// or 443.
package filter

import (
	"encoding/binary"
	"fmt"
	"math"

	"golang.org/x/net/bpf"

	"expectscope/capture"
)

// Options say how the kernel shows frames to a program. The zero value is for
// files, and for sockets on which a frame is what it is in a file.
type Options struct {
	// Cooked: the socket has the link's header taken off (SOCK_DGRAM, as the
	// device any needs it). The kernel's program starts at the network
	// header and asks the kernel for the rest; the link type is that of the
	// frames handed out, Linux cooked v1 or v2.
	Cooked bool
	// VLANStripped: the kernel takes the outer VLAN tag off before the program
	// sees the frame, and keeps it beside. The kernel's program then takes
	// the first vlan of an expression from there. As with tcpdump, an
	// expression without vlan sees the frame as if it had no tag.
	//
	// Either way len, in the kernel, is the length of what the program sees.
	VLANStripped bool
	// SnapLen is how many bytes of a frame the kernel's program keeps; 0 is
	// all of them.
	SnapLen uint32
}

// A Program tells which packets to keep. It may be used by one goroutine at a
// time.
type Program struct {
	kernel []bpf.RawInstruction
	file   *bpf.VM
	// cut is for frames that the capture cut short, where the program asks
	// for the length on the wire: it finds that in front of the frame.
	cut   *bpf.VM
	frame []byte
}

// Compile compiles a filter expression for frames of a link type. The empty
// expression keeps everything. Errors are of type [*SyntaxError].
func Compile(expr string, link capture.LinkType, o Options) (*Program, error) {
	l, ok := links[link]
	if !ok {
		return nil, whole(expr, fmt.Errorf("frames of link type %d cannot be filtered, only those of %s", link, linkNames()))
	}
	t, _, err := parse(expr, newLayout(l, false))
	if err != nil {
		return nil, err
	}
	file, fault := assemble(t, math.MaxUint32)
	if fault != nil {
		return nil, whole(expr, fault)
	}
	if o.Cooked {
		if l.sent == nil {
			return nil, whole(expr, fmt.Errorf("a cooked socket hands out Linux cooked frames, not those of %s", l.name))
		}
		if t, _, err = parse(expr, newLayout(cooked, false)); err != nil {
			return nil, err
		}
	} else if o.VLANStripped {
		beside, left, err := parse(expr, newLayout(l, true))
		if err != nil {
			return nil, err
		}
		if !left.stripped {
			tagged := not(equal(metadata(bpf.ExtVLANTagPresent), 0))
			t = either{both{tagged, beside}, both{not(tagged), t}}
		}
	}
	kernel, fault := assemble(t, o.keep())
	if fault != nil {
		return nil, whole(expr, fault)
	}
	p, fault := newProgram(kernel, file)
	if fault != nil {
		return nil, whole(expr, fault)
	}
	return p, nil
}

// keep is what the kernel's program returns for a packet to keep.
func (o Options) keep() uint32 {
	if o.SnapLen == 0 {
		return math.MaxUint32
	}
	return o.SnapLen
}

// whole refuses an expression for what is in no single part of it.
func whole(expr string, err error) *SyntaxError {
	return &SyntaxError{Expr: expr, Length: len(expr), Msg: err.Error()}
}

// newProgram takes what the kernel is to run, and what is to run here.
func newProgram(kernel, file []bpf.Instruction) (*Program, error) {
	raw, err := bpf.Assemble(kernel)
	if err != nil {
		return nil, err
	}
	p := &Program{kernel: raw}
	if p.file, err = bpf.NewVM(file); err != nil {
		return nil, err
	}
	if prefixed, ok := lengthInFront(file); ok {
		p.cut, err = bpf.NewVM(prefixed)
	}
	return p, err
}

// lengthBytes is how many bytes the length takes in front of a frame.
const lengthBytes = 4

// lengthInFront rewrites a program for frames with their length on the wire in
// front of them: [bpf.VM] knows only the length of what it is given. A program
// that does not ask for it needs no rewriting.
func lengthInFront(program []bpf.Instruction) (rewritten []bpf.Instruction, asks bool) {
	rewritten = make([]bpf.Instruction, len(program))
	for i, in := range program {
		switch in := in.(type) {
		case bpf.LoadExtension:
			rewritten[i], asks = bpf.LoadAbsolute{Off: 0, Size: lengthBytes}, true
		case bpf.LoadAbsolute:
			rewritten[i] = bpf.LoadAbsolute{Off: in.Off + lengthBytes, Size: in.Size}
		case bpf.LoadIndirect:
			rewritten[i] = bpf.LoadIndirect{Off: in.Off + lengthBytes, Size: in.Size}
		case bpf.LoadMemShift:
			rewritten[i] = bpf.LoadMemShift{Off: in.Off + lengthBytes}
		default:
			rewritten[i] = in
		}
	}
	return rewritten, asks
}

// Raw is the program for SO_ATTACH_FILTER. It is the Program's: do not change
// it.
func (p *Program) Raw() []bpf.RawInstruction { return p.kernel }

// Match tells whether to keep a packet. The packet is of the link type the
// program was compiled for, with its VLAN tags in place; it is read, not kept.
func (p *Program) Match(packet *capture.Packet) bool {
	vm, frame := p.file, packet.Data
	if p.cut != nil && packet.Len != len(frame) {
		p.frame = binary.BigEndian.AppendUint32(p.frame[:0], uint32(packet.Len))
		p.frame = append(p.frame, frame...)
		vm, frame = p.cut, p.frame
	}
	n, err := vm.Run(frame)
	return err == nil && n != 0
}
