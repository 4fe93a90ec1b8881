package filter

import (
	"fmt"

	"golang.org/x/net/bpf"
)

// maxInstructions is the longest program a kernel takes (BPF_MAXINSNS).
const maxInstructions = 4096

// scratchWords is how many words of memory a classic BPF program has.
const scratchWords = 16

// A code is a program written from its end to its start: a jump knows only how
// far it skips forward, so what it jumps to must be there first.
type code struct {
	reversed []bpf.Instruction
	scratch  int // words of memory used
}

// A label is a place in a program: how many instructions there are from it to
// the end.
type label int

// here is the place of what was put last.
func (c *code) here() label { return label(len(c.reversed)) }

// put puts an instruction in front of the program and returns its place.
func (c *code) put(i bpf.Instruction) label {
	c.reversed = append(c.reversed, i)
	return c.here()
}

// skip is how many instructions an instruction put now skips to go on at l.
func (c *code) skip(l label) uint32 { return uint32(c.here() - l) }

// near is l, or the place of a new jump to l where l is too far for the 8 bits
// a conditional jump has.
func (c *code) near(l label) label {
	const reach = 255 - 1 // the other branch may put one more jump in between
	if c.skip(l) <= reach {
		return l
	}
	return c.put(bpf.Jump{Skip: c.skip(l)})
}

// jumpIf compares the accumulator with a constant.
func (c *code) jumpIf(how bpf.JumpTest, val uint32, yes, no label) {
	yes = c.near(yes)
	no = c.near(no)
	c.put(bpf.JumpIf{Cond: how, Val: val, SkipTrue: uint8(c.skip(yes)), SkipFalse: uint8(c.skip(no))})
}

// jumpIfX compares the accumulator with X.
func (c *code) jumpIfX(how bpf.JumpTest, yes, no label) {
	yes = c.near(yes)
	no = c.near(no)
	c.put(bpf.JumpIfX{Cond: how, SkipTrue: uint8(c.skip(yes)), SkipFalse: uint8(c.skip(no))})
}

// keep puts what stores the accumulator in a word of memory, or loads it.
func (c *code) keep(i bpf.Instruction, word int) {
	c.scratch = max(c.scratch, word+1)
	c.put(i)
}

// assemble writes the program that keeps the first snapLen bytes of the frames t
// is true for.
func assemble(t test, snapLen uint32) ([]bpf.Instruction, error) {
	c := &code{}
	no := c.put(bpf.RetConstant{Val: 0})
	yes := c.put(bpf.RetConstant{Val: snapLen})
	if start := t.emit(c, yes, no); start != c.here() {
		c.put(bpf.Jump{Skip: c.skip(start)})
	}
	if n := len(c.reversed); n > maxInstructions {
		return nil, fmt.Errorf("the expression needs %d instructions, a filter has at most %d: write a shorter one", n, maxInstructions)
	}
	if c.scratch > scratchWords {
		return nil, fmt.Errorf("the arithmetic needs %d words of memory, a filter has %d: write it with fewer parentheses", c.scratch, scratchWords)
	}
	p := make([]bpf.Instruction, 0, len(c.reversed))
	for i := len(c.reversed) - 1; i >= 0; i-- {
		p = append(p, c.reversed[i])
	}
	return p, nil
}
