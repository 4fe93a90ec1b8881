package filter

import (
	"fmt"
	"strconv"
	"strings"

	"golang.org/x/net/bpf"
)

// ParseProgram reads a program as `tcpdump -ddd` prints it: how many
// instructions there are, then each in a line of its own: opcode, jump if true,
// jump if false, operand. The program is for the link type that tcpdump
// compiled it for, which the text does not say.
//
// A program that asks what only a kernel knows (tcpdump compiles one for vlan
// on an interface) is refused: it could not be run here. So is o.Cooked, as
// tcpdump's programs are for frames that have the link's header. Errors are of
// type [*SyntaxError].
func ParseProgram(text string, o Options) (*Program, error) {
	if o.Cooked {
		return nil, whole(text, fmt.Errorf("a compiled program does not fit a cooked socket: give the expression"))
	}
	lines := textLines(text)
	if len(lines) == 0 {
		return nil, whole(text, fmt.Errorf("a program starts with the number of its instructions"))
	}
	refuse := func(l textLine, format string, args ...any) error {
		return &SyntaxError{Expr: text, Offset: l.off, Length: len(l.text), Msg: fmt.Sprintf(format, args...)}
	}
	n, err := strconv.ParseUint(lines[0].text, 10, 32)
	switch {
	case err != nil:
		return nil, refuse(lines[0], "a program starts with the number of its instructions: give what tcpdump -ddd prints")
	case n == 0 || n > maxInstructions:
		return nil, refuse(lines[0], "a program has between 1 and %d instructions", maxInstructions)
	case int(n) != len(lines)-1:
		return nil, refuse(lines[0], "%d instructions are announced and %d are there", n, len(lines)-1)
	}
	file := make([]bpf.Instruction, n)
	for i, l := range lines[1:] {
		raw, ok := rawInstruction(l.text)
		if !ok {
			return nil, refuse(l, "an instruction is four numbers: opcode, jumps if true and false, operand")
		}
		file[i] = raw.Disassemble()
		switch in := file[i].(type) {
		case bpf.RawInstruction:
			return nil, refuse(l, "there is no such instruction")
		case bpf.LoadExtension:
			if in.Num != bpf.ExtLen {
				return nil, refuse(l, "only a kernel can run this instruction: compile for a file (tcpdump -r FILE -ddd), or give the expression")
			}
		case bpf.RetConstant:
			if in.Val != 0 {
				file[i] = bpf.RetConstant{Val: o.keep()}
			}
		}
	}
	p, err := newProgram(file, file)
	if err != nil {
		return nil, whole(text, fmt.Errorf("not a valid program: %w", err))
	}
	return p, nil
}

// A textLine is a line with something in it.
type textLine struct {
	off  int
	text string
}

func textLines(text string) []textLine {
	var ls []textLine
	off := 0
	for line := range strings.Lines(text) {
		if s := strings.TrimSpace(line); s != "" {
			ls = append(ls, textLine{off + strings.Index(line, s), s})
		}
		off += len(line)
	}
	return ls
}

func rawInstruction(s string) (raw bpf.RawInstruction, ok bool) {
	fields := strings.Fields(s)
	if len(fields) != 4 {
		return raw, false
	}
	var n [4]uint64
	for i, bits := range [4]int{16, 8, 8, 32} {
		var err error
		if n[i], err = strconv.ParseUint(fields[i], 10, bits); err != nil {
			return raw, false
		}
	}
	return bpf.RawInstruction{Op: uint16(n[0]), Jt: uint8(n[1]), Jf: uint8(n[2]), K: uint32(n[3])}, true
}
