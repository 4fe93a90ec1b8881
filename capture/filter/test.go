package filter

import "golang.org/x/net/bpf"

// A test is true or false for a frame.
type test interface {
	// emit puts the code that goes on at yes or at no, and returns the place
	// where it starts. A read past the end of the frame ends the program:
	// the frame does not match, whatever the test is part of. The order in
	// which tests read is therefore part of the language, and it is tcpdump's.
	emit(c *code, yes, no label) label
}

type (
	constant bool
	inverted struct{ t test }
	// both and either go from left to right and stop as soon as they know.
	both   struct{ a, b test }
	either struct{ a, b test }
	// compared holds a against b, as unsigned numbers.
	compared struct {
		a   value
		how bpf.JumpTest
		b   value
	}
)

func (t constant) emit(_ *code, yes, no label) label {
	if t {
		return yes
	}
	return no
}

func (t inverted) emit(c *code, yes, no label) label { return t.t.emit(c, no, yes) }

func (t both) emit(c *code, yes, no label) label {
	return t.a.emit(c, t.b.emit(c, yes, no), no)
}

func (t either) emit(c *code, yes, no label) label {
	return t.a.emit(c, yes, t.b.emit(c, yes, no))
}

func (t compared) emit(c *code, yes, no label) label {
	if n, ok := t.b.(number); ok {
		c.jumpIf(t.how, uint32(n), yes, no)
		t.a.emit(c, 0)
		return c.here()
	}
	c.jumpIfX(t.how, yes, no)
	pair(c, t.a, t.b, 0)
	return c.here()
}

// equal is true where v is n.
func equal(v value, n uint32) test { return compared{v, bpf.JumpEqual, number(n)} }

// masked is true where the bits of v that are set in mask are those of n.
func masked(v value, mask, n uint32) test {
	if mask != ^uint32(0) {
		v = operation{bpf.ALUOpAnd, v, number(mask)}
	}
	return equal(v, n)
}

// every is true where all of ts are. A false in front of others is the whole
// of it: on some links a protocol cannot occur.
func every(ts ...test) test {
	t := ts[len(ts)-1]
	for i := len(ts) - 2; i >= 0; i-- {
		switch ts[i] {
		case constant(true):
		case constant(false):
			t = ts[i]
		default:
			t = both{ts[i], t}
		}
	}
	return t
}

// some is true where one of ts is.
func some(ts ...test) test {
	t := ts[len(ts)-1]
	for i := len(ts) - 2; i >= 0; i-- {
		if ts[i] != constant(false) {
			t = either{ts[i], t}
		}
	}
	return t
}

func not(t test) test {
	if b, ok := t.(constant); ok {
		return !b
	}
	return inverted{t}
}
