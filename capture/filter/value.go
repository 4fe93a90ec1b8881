package filter

import "golang.org/x/net/bpf"

// A value is an unsigned 32-bit number computed from a frame.
type value interface {
	// emit puts the code that leaves the value in the accumulator. It may use
	// X, and memory from the given word on.
	emit(c *code, word int)
}

type (
	number uint32
	// metadata is what is known of a frame without reading it: its length, or
	// what only a kernel can tell.
	metadata bpf.Extension
	// octets are size (1, 2 or 4) octets of the frame, in network order.
	octets struct {
		off  uint32
		size int
		// index, where it is not nil, is added to off.
		index value
		// behind adds the length of the IPv4 header that starts at header.
		behind bool
		header uint32
	}
	operation struct {
		op   bpf.ALUOp
		a, b value
	}
)

func (v number) emit(c *code, _ int) { c.put(bpf.LoadConstant{Dst: bpf.RegA, Val: uint32(v)}) }

func (v metadata) emit(c *code, _ int) { c.put(bpf.LoadExtension{Num: bpf.Extension(v)}) }

func (v octets) emit(c *code, word int) {
	switch {
	case v.index != nil:
		c.put(bpf.LoadIndirect{Off: v.off, Size: v.size})
		c.put(bpf.TAX{})
		if v.behind {
			c.put(bpf.ALUOpX{Op: bpf.ALUOpAdd})
			c.put(bpf.LoadMemShift{Off: v.header})
		}
		v.index.emit(c, word)
	case v.behind:
		c.put(bpf.LoadIndirect{Off: v.off, Size: v.size})
		c.put(bpf.LoadMemShift{Off: v.header})
	default:
		c.put(bpf.LoadAbsolute{Off: v.off, Size: v.size})
	}
}

func (v operation) emit(c *code, word int) {
	if n, ok := v.b.(number); ok {
		c.put(bpf.ALUOpConstant{Op: v.op, Val: uint32(n)})
		v.a.emit(c, word)
		return
	}
	c.put(bpf.ALUOpX{Op: v.op})
	pair(c, v.a, v.b, word)
}

// pair puts the code that leaves a in the accumulator and b in X.
func pair(c *code, a, b value, word int) {
	c.keep(bpf.LoadScratch{Dst: bpf.RegA, N: word}, word)
	c.put(bpf.TAX{})
	b.emit(c, word+1)
	c.keep(bpf.StoreScratch{Src: bpf.RegA, N: word}, word)
	a.emit(c, word)
}
