package filter

import (
	"fmt"
	"strings"

	"golang.org/x/net/bpf"
)

// maxDepth is how deep parentheses and negations can nest.
const maxDepth = 200

// A parser reads an expression from left to right. The layout moves along with
// it: that vlan shifts what is written after it, and not what it is joined
// with, is what the language says.
type parser struct {
	expr   string
	tokens []token // those not read yet; the last one is the end and stays
	layout layout
	// given are the qualifiers that hold for an address or a port without
	// any: those of what was read before it. Nil: nothing was, or it takes
	// none.
	given *qualifiers
	depth int
	err   *SyntaxError // the first; after it only the end is left to read
}

// parse reads a whole expression; left is the layout behind it.
func parse(expr string, l layout) (t test, left layout, err *SyntaxError) {
	p := &parser{expr: expr, tokens: lex(expr), layout: l}
	t = constant(true)
	if p.peek(0).kind != end {
		t = p.expression()
		if t := p.peek(0); t.is(")") {
			p.fail(t, "there is no ( for this )")
		}
		p.expect(end, "and or or belongs here")
	}
	return t, p.layout, p.err
}

// peek is the token n after the next one.
func (p *parser) peek(n int) token { return p.tokens[min(n, len(p.tokens)-1)] }

// next reads a token.
func (p *parser) next() token {
	t := p.tokens[0]
	if len(p.tokens) > 1 {
		p.tokens = p.tokens[1:]
	}
	return t
}

// skip reads the next token if it is one of the given marks or keywords.
func (p *parser) skip(texts ...string) bool {
	ok := p.peek(0).is(texts...)
	if ok {
		p.next()
	}
	return ok
}

// fail refuses the expression for what is at t.
func (p *parser) fail(t token, format string, args ...any) test {
	if p.err == nil {
		p.err = &SyntaxError{Expr: p.expr, Offset: t.off, Length: t.length, Msg: fmt.Sprintf(format, args...)}
	}
	p.tokens = p.tokens[len(p.tokens)-1:]
	return constant(false)
}

// expect fails unless the next token is of a kind; wanted says what should be
// there.
func (p *parser) expect(k kind, wanted string) {
	if t := p.peek(0); t.kind != k {
		p.refuse(t, wanted)
	}
}

// refuse fails at a token that cannot stand where it does.
func (p *parser) refuse(t token, wanted string) test {
	if wanted != "" {
		wanted = ": " + wanted
	}
	switch t.kind {
	case end:
		return p.fail(t, "the expression ends too early%s", wanted)
	case excluded:
		return p.fail(t, "%q is not supported", t.text)
	case nonsense:
		return p.fail(t, "%q does not belong in a filter", t.text)
	case mangled:
		return p.fail(t, "%q is not a number of 32 bits (0x… is hexadecimal, 0… octal)", t.text)
	case badAddr:
		return p.fail(t, "%q is neither an IPv6 nor a MAC address", t.text)
	case name:
		if k := classify(strings.ToLower(t.text)); k.kind == word || k.kind == mark {
			return p.fail(t, "keywords have small letters: write %s", k.text)
		}
	}
	return p.fail(t, "unexpected %q%s", p.expr[t.off:t.off+t.length], wanted)
}

// want reads a mark that must come next.
func (p *parser) want(text string) {
	if t := p.peek(0); !p.skip(text) {
		p.refuse(t, fmt.Sprintf("%q belongs here", text))
	}
}

// enter counts a level of nesting; the caller counts it down again.
func (p *parser) enter(t token) bool {
	p.depth++
	if p.depth > maxDepth {
		p.fail(t, "more than %d levels of parentheses and negations", maxDepth)
		return false
	}
	return true
}

// expression reads terms joined by and and or, which bind alike and from left
// to right: a or b and c is (a or b) and c.
func (p *parser) expression() test {
	t := p.term()
	for {
		op := p.peek(0)
		if !p.skip("and", "or") {
			return t
		}
		var u test
		if p.repeats() {
			u = p.operand()
		} else {
			u = p.term()
		}
		t = join(op.text, t, u)
	}
}

func join(op string, a, b test) test {
	if op == "and" {
		return both{a, b}
	}
	return either{a, b}
}

// term reads a primitive, a relation, or a parenthesis.
func (p *parser) term() test {
	t := p.peek(0)
	if !p.enter(t) {
		return constant(false)
	}
	defer func() { p.depth-- }()
	switch {
	case p.skip("not"):
		return not(p.term())
	case p.arithmetic():
		p.given = nil
		return p.relation()
	case p.skip("("):
		before := p.given
		u := p.expression()
		p.want(")")
		p.given = before
		return u
	}
	return p.primitive()
}

// repeats tells whether what follows and or or is an address or a port without
// qualifiers, maybe negated and in parentheses.
func (p *parser) repeats() bool {
	n := 0
	for p.peek(n).is("not", "(") {
		n++
	}
	t := p.peek(n)
	switch t.kind {
	case name, dotted, address6, hardware:
		return true
	case numeral:
		after := n + 1
		for p.peek(after).is(")") {
			after++
		}
		return !p.peek(after).is(arithmeticMarks...)
	}
	return false
}

// operand reads what qualifiers are for: an address or a port, a negation of
// one, or a parenthesis of them. `port (80 or not 443)` is of the language.
func (p *parser) operand() test {
	t := p.peek(0)
	if !p.enter(t) {
		return constant(false)
	}
	defer func() { p.depth-- }()
	switch {
	case p.skip("not"):
		return not(p.operand())
	case p.skip("("):
		u := p.operand()
		for {
			op := p.peek(0)
			if !p.skip("and", "or") {
				break
			}
			u = join(op.text, u, p.operand())
		}
		p.want(")")
		return u
	}
	if p.given == nil {
		return p.bare(t)
	}
	return p.qualified(*p.given)
}

// bare refuses an address or a port without qualifiers.
func (p *parser) bare(t token) test {
	switch t.kind {
	case name:
		if classify(strings.ToLower(t.text)).kind != name {
			break
		}
		if strings.Contains(t.text, "-") {
			return p.fail(t, "%q is one word, without a meaning: a minus sign has spaces around it", t.text)
		}
		fallthrough
	case numeral:
		return p.fail(t, "%q alone says nothing: put host, net, port or another qualifier before it", t.text)
	case dotted, address6, hardware:
		return p.fail(t, "%q alone says nothing: put host or another qualifier before it", t.text)
	}
	return p.refuse(t, "an address, a port or a protocol belongs here")
}

// primitive reads what starts with a keyword.
func (p *parser) primitive() test {
	t := p.peek(0)
	switch {
	case p.skip("less", "greater"):
		p.given = nil
		how := bpf.JumpLessOrEqual
		if t.text == "greater" {
			how = bpf.JumpGreaterOrEqual
		}
		return compared{metadata(bpf.ExtLen), how, number(p.numeral("a length in bytes"))}
	case p.skip("inbound", "outbound"):
		p.given = nil
		if p.layout.sent == nil || p.layout.header > 0 {
			return p.fail(t, "the frames do not say which of them were sent (%s)", p.layout.where())
		}
		out := equal(p.layout.sent, outgoing)
		if t.text == "inbound" {
			return not(out)
		}
		return out
	case t.is("vlan", "mpls", "pppoed", "pppoes"):
		p.given = nil
		return p.encapsulation()
	}
	return p.head()
}

// encapsulation reads a keyword that moves what is read after it.
func (p *parser) encapsulation() test {
	t := p.next()
	if t.text == "pppoed" {
		return p.network(t, typePPPoED)
	}
	pass := map[string]struct {
		most uint32
		do   func(int) (test, error)
	}{
		"vlan":   {1<<12 - 1, p.layout.vlan},
		"mpls":   {1<<20 - 1, p.layout.mpls},
		"pppoes": {1<<16 - 1, p.layout.pppoes},
	}[t.text]
	id := -1
	if i := p.peek(0); i.kind == numeral {
		p.next()
		if i.number > pass.most {
			return p.fail(i, "%q is more than the largest number for %s, %d", i.text, t.text, pass.most)
		}
		id = int(i.number)
	}
	u, err := pass.do(id)
	if err != nil {
		return p.fail(t, "%s", err)
	}
	return u
}

// numeral reads a number.
func (p *parser) numeral(what string) uint32 {
	t := p.next()
	if t.kind != numeral {
		p.refuse(t, what+" belongs here")
	}
	return t.number
}
