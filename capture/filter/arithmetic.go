package filter

import (
	"slices"

	"golang.org/x/net/bpf"
)

// arithmeticMarks follow a number where it is part of a relation.
var arithmeticMarks = []string{"+", "-", "*", "/", "%", "&", "|", "^", "<<", ">>", "=", "!=", "<", "<=", ">", ">="}

// An operator joins two values. One that binds more strongly has the larger
// rank. Those of rank 0 have none in tcpdump's grammar: whatever stands before
// them, all that follows is their right side, so a%b+c is a%(b+c).
type operator struct {
	op   bpf.ALUOp
	rank int
}

var operators = map[string]operator{
	"|": {bpf.ALUOpOr, 1}, "&": {bpf.ALUOpAnd, 2},
	"<<": {bpf.ALUOpShiftLeft, 3}, ">>": {bpf.ALUOpShiftRight, 3},
	"+": {bpf.ALUOpAdd, 4}, "-": {bpf.ALUOpSub, 4},
	"*": {bpf.ALUOpMul, 5}, "/": {bpf.ALUOpDiv, 5},
	"^": {bpf.ALUOpXor, 0}, "%": {bpf.ALUOpMod, 0},
}

const unary = 6 // the rank of a minus sign

// An operand is a value and what must be true of a frame for it to have one.
type operand struct {
	value
	guards []test
}

// arithmetic tells whether a relation comes next. Only what is behind it shows
// whether a parenthesis belongs to one.
func (p *parser) arithmetic() bool {
	t := p.peek(0)
	switch {
	case t.is("len", "-"):
		return true
	case t.kind == word:
		return p.peek(1).is("[")
	case t.kind == numeral:
		return p.peek(1).is(arithmeticMarks...)
	case !t.is("("):
		return false
	}
	depth := 0
	for i, t := range p.tokens {
		switch {
		case t.is("(", "["):
			depth++
		case t.is(")", "]"):
			depth--
		}
		if depth == 0 {
			return p.peek(i + 1).is(arithmeticMarks...)
		}
	}
	return false
}

// relation reads two values and how they compare.
func (p *parser) relation() test {
	a := p.sum(0)
	op := p.next()
	how, ok := comparisons[op.text]
	if !ok || op.kind != mark {
		return p.refuse(op, "a comparison belongs here")
	}
	b := p.sum(0)
	ts := append(slices.Concat(a.guards, b.guards), compared{a.value, how, b.value})
	return every(ts...)
}

// sum reads values joined by operators that bind more strongly than rank. What
// the first of them asks of the frame is asked, what the others ask is not:
// 10 + ip[8] > 70 reads that byte of any frame, as tcpdump does.
func (p *parser) sum(rank int) operand {
	a := p.factor()
	for {
		t := p.peek(0)
		o, ok := operators[t.text]
		if !ok || t.kind != mark || o.rank != 0 && o.rank <= rank {
			return a
		}
		p.next()
		right := p.peek(0)
		b := p.sum(o.rank)
		if n, ok := b.value.(number); ok {
			switch {
			case n == 0 && (t.text == "/" || t.text == "%"):
				p.fail(right, "division by zero")
			case n > 31 && (t.text == "<<" || t.text == ">>"):
				p.fail(right, "shift by more than 31 bits")
			}
		}
		a.value = calculate(o.op, a.value, b.value)
	}
}

// calculate is a value joined with another: a number, where both are.
func calculate(op bpf.ALUOp, a, b value) value {
	x, okX := a.(number)
	y, okY := b.(number)
	if !okX || !okY {
		return operation{op, a, b}
	}
	switch op {
	case bpf.ALUOpAdd:
		return x + y
	case bpf.ALUOpSub:
		return x - y
	case bpf.ALUOpMul:
		return x * y
	case bpf.ALUOpAnd:
		return x & y
	case bpf.ALUOpOr:
		return x | y
	case bpf.ALUOpXor:
		return x ^ y
	case bpf.ALUOpShiftLeft:
		return x << y
	case bpf.ALUOpShiftRight:
		return x >> y
	}
	if y == 0 {
		return number(0) // refused by now
	}
	if op == bpf.ALUOpDiv {
		return x / y
	}
	return x % y
}

// factor reads a value without operators, or one in parentheses.
func (p *parser) factor() operand {
	t := p.next()
	if !p.enter(t) {
		return operand{value: number(0)}
	}
	defer func() { p.depth-- }()
	switch {
	case t.kind == numeral:
		return operand{value: number(t.number)}
	case t.is("len"):
		return operand{value: metadata(bpf.ExtLen)}
	case t.is("("):
		a := p.sum(0)
		p.want(")")
		return a
	case t.is("-"):
		a := p.sum(unary)
		return operand{calculate(bpf.ALUOpSub, number(0), a.value), a.guards}
	}
	if k, ok := protocols[t.text]; ok && t.kind == word && p.peek(0).is("[") {
		if !k.indexed {
			p.fail(t, "%q has no fields to read", t.text)
		}
		return p.field(t, k)
	}
	p.refuse(t, "a number, len, or a protocol and [offset] belongs here")
	return operand{value: number(0)}
}

// field reads the offset and size of a field of a protocol's header.
func (p *parser) field(t token, k protocol) operand {
	p.want("[")
	index := p.sum(0)
	size := 1
	if p.skip(":") {
		s := p.peek(0)
		size = int(p.numeral("1, 2 or 4 bytes"))
		if size != 1 && size != 2 && size != 4 {
			p.fail(s, "a field has 1, 2 or 4 bytes")
			size = 1
		}
	}
	p.want("]")
	l := &p.layout
	at := octets{off: l.network, size: size}
	guards := index.guards
	switch {
	case isLink(t) && l.headless && l.header == 0:
		p.fail(t, "the link's header is not there to be read (%s)", l.name)
	case isLink(t):
		at.off = l.header
	case k.ethertype != 0:
		guards = append(guards, p.network(t, k.ethertype))
	case !k.v4:
		at.off += 40
		guards = slices.Concat([]test{l.is(typeIPv6)}, guards, []test{equal(l.at(6, 1), k.number)})
	default:
		at.behind, at.header = true, l.network
		guards = slices.Concat([]test{l.is(typeIPv4)}, guards, []test{l.carries(k), l.first()})
	}
	if n, ok := index.value.(number); ok {
		// At a negative offset is what precedes the header.
		at.off += uint32(n)
		if at.off > maxOffset {
			p.fail(t, "there is nothing at this offset")
		}
		return operand{at, guards}
	}
	at.index = index.value
	return operand{at, guards}
}

// maxOffset is more than any frame holds. Larger offsets mean other things to
// a kernel.
const maxOffset = 1 << 24
