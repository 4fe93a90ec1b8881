package script

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// Parse reads the text of a conversation. An error names the line and what was
// expected there.
func Parse(text string) (*Script, error) {
	p := parser{names: map[string]*conn{}, state: map[*conn]*progress{}}
	for i, line := range strings.Split(text, "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		p.num = i + 1
		if err := p.line(line); err != nil {
			return nil, fmt.Errorf("line %d: %w", p.num, err)
		}
	}
	for _, c := range p.script.conns {
		for s, held := range p.state[c].corked {
			if held != nil {
				return nil, fmt.Errorf("line %d: the %v's corked bytes never leave: expected another line of data from it",
					held.line, side(s))
			}
		}
	}
	return &p.script, nil
}

// A parser holds what earlier lines said.
type parser struct {
	script Script
	num    int // of the line at hand
	names  map[string]*conn
	latest *conn
	state  map[*conn]*progress

	ended    bool
	now      time.Duration // when the line before ended
	until    time.Duration // when all lines so far had ended
	bytes    int
	segments int
}

// progress is how far a connection has come.
type progress struct {
	last   *act // nil before the handshake
	sent   [2][]*act
	seen   [2]int  // how many of the other side's lines each has received
	closed [2]kind // finishing or resetting, once sent
	corked [2]*act // bytes that wait for the side's next line
}

func (p *parser) line(text string) error {
	if p.ended {
		return fmt.Errorf("nothing can follow @end")
	}
	when, rest, err := cutTime(text)
	if err != nil {
		return err
	}
	switch word, args, _ := strings.Cut(rest, " "); {
	case word == "@conn":
		return p.open(when, stripComment(args))
	case word == "@end":
		if args = stripComment(" " + args); args != "" {
			return fmt.Errorf("expected nothing after @end, not %q", args)
		}
		p.ended = true
		return p.add(when, &act{kind: ending})
	case strings.HasPrefix(word, "@"):
		return fmt.Errorf("expected @conn, @end or a time such as @1.5s, not %q", word)
	}
	return p.send(when, rest)
}

// An instant is the time a line starts with.
type instant struct {
	set, absolute bool
	d             time.Duration
}

// cutTime takes the time off the start of a line.
func cutTime(text string) (when instant, rest string, err error) {
	digit := len(text) > 1 && (text[1] >= '0' && text[1] <= '9' || text[1] == '.')
	if text[0] != '+' && (text[0] != '@' || !digit) {
		return instant{}, text, nil
	}
	word, rest, _ := strings.Cut(text, " ")
	d, err := time.ParseDuration(word[1:])
	if err != nil || d < 0 || d > maxTime {
		return instant{}, "", fmt.Errorf("expected a time such as +20ms or @1.5s, at most %v, not %q", maxTime, word)
	}
	if rest = strings.TrimSpace(rest); rest == "" {
		return instant{}, "", fmt.Errorf("expected an act after the time %s", word)
	}
	return instant{set: true, absolute: text[0] == '@', d: d}, rest, nil
}

// stripComment cuts what follows two spaces and a #.
func stripComment(s string) string {
	if i := strings.Index(s, "  #"); i >= 0 {
		s = s[:i]
	}
	return strings.TrimSpace(s)
}

// add gives an act its time and appends it to the script.
func (p *parser) add(when instant, a *act) error {
	if err := p.setTime(when, a); err != nil {
		return err
	}
	a.line = p.num
	p.now = a.at + a.lasts()
	p.until = max(p.until, p.now)
	if p.now > maxTime {
		return fmt.Errorf("a script lasts at most %v", maxTime)
	}
	p.script.acts = append(p.script.acts, a)
	if a.conn != nil {
		p.state[a.conn].last = a
	}
	return nil
}

func (p *parser) setTime(when instant, a *act) error {
	var last *act
	if a.conn != nil {
		last = p.state[a.conn].last
	}
	switch {
	case when.absolute:
		a.at = when.d
	case when.set:
		a.at = p.now + when.d
	case len(p.script.acts) == 0:
		a.at = 0
	default:
		a.at = p.now + defaultStep
		if last != nil && last.kind != opening && last.from != a.from {
			a.at = p.now + max(defaultStep, a.conn.rtt/2)
		}
	}
	if a.kind == ending && a.at < p.until {
		return fmt.Errorf("@end at %v is before the last packet, at %v", a.at, p.until)
	}
	if last == nil {
		return nil
	}
	if soonest := last.at + last.lasts() + segmentGap; a.at < soonest {
		if when.absolute {
			return fmt.Errorf("expected a time from @%v on, when the connection's line above has ended", soonest)
		}
		a.at = soonest
	}
	return nil
}

// open reads what follows @conn.
func (p *parser) open(when instant, args string) error {
	words := strings.Fields(args)
	c := &conn{rtt: defaultRTT, mss: defaultMSS, isn: [2]uint32{1000, 2000}, ttl: [2]uint8{defaultTTL, defaultTTL}}
	if len(words) > 0 && isName(words[0]) {
		c.name, words = words[0], words[1:]
	}
	if len(words) < 2 {
		return fmt.Errorf("expected @conn [name] client:port server:port [option...]")
	}
	for s, w := range words[:2] {
		a, err := netip.ParseAddrPort(w)
		if err != nil || a.Addr().Zone() != "" || a.Addr().Is4In6() || a.Port() == 0 {
			return fmt.Errorf("expected the %v's address and port, such as 10.0.0.1:80 or [2001:db8::1]:80, not %q", side(s), w)
		}
		c.addr[s] = a
	}
	if c.addr[client].Addr().Is4() != c.addr[server].Addr().Is4() {
		return fmt.Errorf("expected two addresses of one family, not %v and %v", c.addr[client], c.addr[server])
	}
	if c.addr[client] == c.addr[server] {
		return fmt.Errorf("expected two different endpoints, not %v twice", c.addr[client])
	}
	for _, w := range words[2:] {
		if err := c.option(w); err != nil {
			return err
		}
	}
	if c.name != "" {
		p.names[c.name] = c
	}
	p.latest = c
	p.state[c] = &progress{}
	p.script.conns = append(p.script.conns, c)
	return p.add(when, &act{kind: opening, conn: c, from: client})
}

func isName(s string) bool {
	for i, r := range s {
		letter := r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z'
		if !letter && (i == 0 || r < '0' || r > '9') {
			return false
		}
	}
	return s != ""
}

// option reads one option of an @conn line.
func (c *conn) option(word string) error {
	key, value, _ := strings.Cut(word, "=")
	ok := false
	switch key {
	case "rtt":
		d, err := time.ParseDuration(value)
		c.rtt, ok = d, err == nil && d >= 0 && d <= time.Hour
	case "mss":
		n, err := strconv.ParseUint(value, 10, 16)
		c.mss, ok = int(n), err == nil && n >= 1 && n <= maxPayload
	case "isn":
		a, b, err := pair(value, 32)
		c.isn, ok = [2]uint32{uint32(a), uint32(b)}, err == nil
	case "ttl":
		a, b, err := pair(value, 8)
		c.ttl, ok = [2]uint8{uint8(a), uint8(b)}, err == nil && a > 0 && b > 0
	case "nosyn":
		c.nosyn, ok = true, word == key
	case "only":
		s := client
		if value == server.String() {
			s = server
		}
		c.only, ok = &s, value == s.String()
	}
	if !ok {
		return fmt.Errorf("expected rtt=20ms, mss=1460, isn=1,2, ttl=64,64, nosyn or only=client, not %q", word)
	}
	return nil
}

// pair reads two numbers with a comma between them.
func pair(s string, bits int) (a, b uint64, err error) {
	x, y, _ := strings.Cut(s, ",")
	if a, err = strconv.ParseUint(x, 10, bits); err == nil {
		b, err = strconv.ParseUint(y, 10, bits)
	}
	return a, b, err
}

// send reads a line of a client or a server.
func (p *parser) send(when instant, text string) error {
	i := strings.IndexAny(text, "<> ")
	if i > 0 && text[i] == ' ' { // a name may stand apart from its arrow
		if rest := strings.TrimLeft(text[i:], " "); rest[0] == '<' || rest[0] == '>' {
			text = text[:i] + rest
		}
	}
	if i < 0 || text[i] == ' ' {
		return fmt.Errorf("expected >, <, @conn or @end, not %q", text)
	}
	c := p.latest
	if name := text[:i]; name != "" {
		if c = p.names[name]; c == nil {
			return fmt.Errorf("there is no connection %q: expected a name that an @conn line gave", name)
		}
	}
	if c == nil {
		return fmt.Errorf("expected an @conn line before anything is sent")
	}
	a := &act{conn: c, line: p.num}
	if text[i] == '<' {
		a.from = server
	}
	if err := a.content(strings.TrimSpace(text[i+1:])); err != nil {
		return err
	}
	if p.bytes += len(a.data); p.bytes > maxBytes {
		return fmt.Errorf("a script holds at most %d bytes", maxBytes)
	}
	return p.append(when, a)
}

// append puts an act in its place in the connection.
func (p *parser) append(when instant, a *act) error {
	st := p.state[a.conn]
	if k := st.closed[a.from]; k == resetting || k == finishing && (a.kind == sending || a.kind == finishing) {
		return fmt.Errorf("the %v has ended its side: expected no more of it", a.from)
	}
	if held := st.corked[a.from]; held != nil {
		if a.kind != sending {
			return fmt.Errorf("the %v has corked bytes: expected more data from it", a.from)
		}
		a.data = append(held.data, a.data...)
		st.corked[a.from] = nil
	}
	if a.mods.cork {
		if a.kind != sending || len(a.mods.given) > 1 {
			return fmt.Errorf("[cork] is for data, and goes with no other modifier: expected those on the line it leaves with")
		}
		if err := p.setTime(when, a); err != nil {
			return err
		}
		p.now = a.at
		st.corked[a.from] = a
		return nil
	}
	if err := a.cut(); err != nil {
		return err
	}
	if p.segments += len(a.ends); p.segments > maxSegments {
		return fmt.Errorf("a script holds at most %d segments", maxSegments)
	}
	if err := st.hide(a); err != nil {
		return err
	}
	switch a.kind {
	case finishing, resetting:
		st.closed[a.from] = a.kind
		fallthrough
	case sending:
		st.sent[a.from] = append(st.sent[a.from], a)
	}
	return p.add(when, a)
}

// hide finds the lines that a was sent without having received.
func (st *progress) hide(a *act) error {
	theirs := st.sent[a.from.other()]
	seen := len(theirs) - a.mods.blind
	if seen < st.seen[a.from] {
		return fmt.Errorf("[blind %d]: the %v has sent only %d lines that the %v has not acknowledged",
			a.mods.blind, a.from.other(), len(theirs)-st.seen[a.from], a.from)
	}
	if a.mods.ack == ackAll {
		st.seen[a.from] = seen
	}
	if a.mods.blind == 0 {
		return nil
	}
	theirs = theirs[seen:]
	a.hidden = theirs[0]
	for _, t := range theirs {
		t.hider = a
	}
	return nil
}
