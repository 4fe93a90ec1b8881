package script

import (
	"cmp"
	"slices"
	"time"
)

// A segment is one packet in the making.
type segment struct {
	at       time.Duration // since Start
	act      *act
	from     side
	flags    uint8
	seq, ack uint32
	payload  []byte
	copied   bool // the second one of [dup]
	first    bool // of its act
	lost     bool // [lost]
}

// play runs the conversation and returns its segments in the order in which the
// tap captured them. The end of the capture is a segment of no connection.
func (s *Script) play(o Options) []segment {
	var out []segment
	players := make(map[*conn]*player, len(s.conns))
	until := time.Duration(1<<63 - 1)
	for _, a := range s.acts {
		if a.kind == ending {
			until = a.at
			continue
		}
		p := players[a.conn]
		if p == nil {
			p = newPlayer(a.conn)
			players[a.conn] = p
		}
		p.act(a, o.SegmentSize)
	}
	for _, c := range s.conns {
		p := players[c]
		p.flush(client, until)
		p.flush(server, until)
		out = append(out, p.out...)
	}
	if n := len(s.acts); n > 0 && s.acts[n-1].kind == ending {
		out = append(out, segment{at: until, act: s.acts[n-1]})
	}
	slices.SortStableFunc(out, func(a, b segment) int { return cmp.Compare(a.at, b.at) })
	refreshCopies(out)
	out = slices.DeleteFunc(out, func(s segment) bool { return s.at > until || s.unseen() })
	out = drop(out, o.Drop)
	return delay(out)
}

// unseen tells whether the tap missed the segment, or all its direction.
func (s *segment) unseen() bool {
	return s.lost || s.act.conn != nil && s.act.conn.only != nil && *s.act.conn.only != s.from
}

// refreshCopies gives every repeated segment the acknowledgement number its
// sender had reached when it repeated it.
func refreshCopies(out []segment) {
	type sender struct {
		conn *conn
		side side
	}
	reached := map[sender]uint32{}
	for i := range out {
		s := &out[i]
		k := sender{s.act.conn, s.from}
		switch {
		case s.flags&ackFlag == 0:
		case s.copied:
			s.ack = reached[k]
		default:
			if r, ok := reached[k]; !ok || int32(s.ack-r) > 0 {
				reached[k] = s.ack
			}
		}
	}
}

// drop leaves out the k-th packet with data.
func drop(out []segment, k int) []segment {
	for i := range out {
		if len(out[i].payload) > 0 {
			if k--; k == 0 {
				return slices.Delete(out, i, i+1)
			}
		}
	}
	return out
}

// delay moves what was captured late. It goes from the end to the start, so
// that one move does not shift the place of the next.
func delay(out []segment) []segment {
	for i := len(out) - 1; i >= 0; i-- {
		s := out[i]
		if s.act.mods.late == 0 || !s.first || s.copied {
			continue
		}
		to := min(i+s.act.mods.late, len(out)-1)
		copy(out[i:], out[i+1:to+1])
		s.at = max(s.at, out[max(to-1, 0)].at)
		out[to] = s
	}
	return out
}

// A player is the two TCPs of one connection.
type player struct {
	conn *conn
	tcp  [2]tcp
	out  []segment
	// reset is set by a RST: nobody acknowledges anything after it.
	reset bool
}

// A tcp is one side: what it sent and what it received. Offsets count the
// octets of a stream; SYN is before them and FIN is one more.
type tcp struct {
	next  uint32 // offset of the next octet it sends
	acked uint32 // how far it has acknowledged the other side

	received uint32         // how far it has received, hidden lines excepted
	latest   time.Duration  // when it received that
	due      []duty         // pure ACKs to be sent, in the order of time
	waiting  *time.Duration // when the delayed ACK for less than two segments is due
	hidden   map[*act][]arrival
	starts   map[*act]uint32 // offset at which an act of this side starts
}

// A duty is a pure ACK that is due at a time.
type duty struct {
	at  time.Duration
	off uint32
}

// An arrival is what a receiver gets: the stream up to an offset.
type arrival struct {
	at     time.Duration
	off    uint32
	urgent bool // a FIN is acknowledged at once
}

func newPlayer(c *conn) *player {
	p := &player{conn: c}
	for s := range p.tcp {
		p.tcp[s].hidden = map[*act][]arrival{}
		p.tcp[s].starts = map[*act]uint32{}
	}
	return p
}

// act plays one line.
func (p *player) act(a *act, pieceSize int) {
	if a.kind == opening {
		p.handshake(a)
		return
	}
	me := &p.tcp[a.from]
	p.flush(a.from, a.at)
	me.starts[a] = me.next
	flags, ack := p.acknowledge(a)
	switch s := (segment{at: a.at, act: a, from: a.from, flags: flags, seq: me.next, ack: ack, first: true}); a.kind {
	case sending:
		p.data(s, pieceSize)
	case finishing:
		s.flags |= finFlag
		p.send(s, 1)
		me.next++
		p.arrive(a, arrival{a.at, me.next, true})
	case resetting:
		s.flags |= rstFlag
		p.send(s, 1)
		p.reset = true
		p.tcp[client].forget()
		p.tcp[server].forget()
	case acking:
		p.send(s, 1)
	}
	p.unhide(a)
}

// acknowledge finds the flag and number that an act's segments carry. What they
// acknowledge needs no pure ACK any more.
func (p *player) acknowledge(a *act) (flags uint8, ack uint32) {
	me, them := &p.tcp[a.from], &p.tcp[a.from.other()]
	switch a.mods.ack {
	case ackNone:
		return 0, 0
	case ackPrev:
		return ackFlag, me.acked
	case ackAt:
		return ackFlag, a.mods.ackOffset
	}
	ack = them.next
	if a.hidden != nil {
		ack = them.starts[a.hidden]
	}
	me.acked = ack
	me.forget()
	return ackFlag, ack
}

// data sends an act's bytes in segments like s, cut into pieces.
func (p *player) data(s segment, pieceSize int) {
	a, me := s.act, &p.tcp[s.from]
	begin := 0
	for i, end := range a.ends {
		at := a.at + time.Duration(i)*segmentGap
		for piece := 0; begin < end; piece++ {
			n := end - begin
			if pieceSize > 0 {
				n = min(n, pieceSize)
			}
			s.at = at + min(time.Duration(piece), segmentGap-1)
			s.seq, s.payload, s.first = me.next, a.data[begin:begin+n], begin == 0
			if begin += n; begin == len(a.data) {
				s.flags |= pshFlag
			}
			p.send(s, i+1)
			me.next += uint32(n)
			p.arrive(a, arrival{s.at, me.next, false})
		}
	}
}

// send puts the n-th segment of an act on the wire, or not, or twice.
func (p *player) send(s segment, n int) {
	s.lost = s.act.mods.lost.holds(n)
	p.emit(s)
	if s.act.mods.dup > 0 {
		s.at += s.act.mods.dup
		s.copied, s.lost = true, false
		p.emit(s)
	}
}

// emit puts a segment on the wire: its offsets become sequence numbers.
func (p *player) emit(s segment) {
	isn := p.conn.isn
	s.seq += isn[s.from] + 1
	if s.flags&ackFlag != 0 {
		s.ack += isn[s.from.other()] + 1
	}
	p.out = append(p.out, s)
}

// handshake is RFC 9293, Section 3.5, seen halfway.
func (p *player) handshake(a *act) {
	if a.conn.nosyn {
		return
	}
	half := a.conn.rtt / 2
	p.emit(segment{at: a.at, act: a, from: client, flags: synFlag, seq: ^uint32(0)})
	p.emit(segment{at: a.at + half, act: a, from: server, flags: synFlag | ackFlag, seq: ^uint32(0)})
	p.emit(segment{at: a.at + a.conn.rtt, act: a, from: client, flags: ackFlag})
}

// arrive tells the other side of what it gets, now or, where it has yet to send
// a line without having received this one, after that line.
func (p *player) arrive(a *act, got arrival) {
	if p.reset {
		return
	}
	to := &p.tcp[a.from.other()]
	if a.hider != nil {
		to.hidden[a.hider] = append(to.hidden[a.hider], got)
		return
	}
	to.receive(got, p.conn)
}

// unhide lets the sender of an act receive what it had not when it sent it.
func (p *player) unhide(a *act) {
	me := &p.tcp[a.from]
	if p.reset {
		return
	}
	var shift time.Duration
	if arrivals := me.hidden[a]; len(arrivals) > 0 {
		shift = max(0, a.at+a.lasts()-arrivals[0].at)
	}
	for _, got := range me.hidden[a] {
		got.at += shift
		me.receive(got, p.conn)
	}
	delete(me.hidden, a)
}

// receive makes ACKs due: RFC 9293, Section 3.8.6.3, and RFC 5681, Section 4.2.
func (t *tcp) receive(got arrival, c *conn) {
	if t.waiting != nil && *t.waiting < max(t.latest, got.at) {
		t.delayed()
	}
	t.received, t.latest = got.off, max(t.latest, got.at)
	covered := t.acked
	if n := len(t.due); n > 0 {
		covered = t.due[n-1].off
	}
	at := t.latest + c.rtt/2
	switch {
	case got.urgent || int(got.off-covered) >= fullSegments*c.mss:
		t.due = append(t.due, duty{at, got.off})
		t.waiting = nil
	case t.waiting == nil:
		at += delayedACK
		t.waiting = &at
	}
}

// delayed makes the ACK that waited due at its time.
func (t *tcp) delayed() {
	t.due = append(t.due, duty{*t.waiting, t.received})
	t.waiting = nil
}

// forget drops the ACKs that are not due yet.
func (t *tcp) forget() {
	t.due, t.waiting = nil, nil
}

// flush sends a side's pure ACKs that are due before a time.
func (p *player) flush(from side, before time.Duration) {
	t := &p.tcp[from]
	if t.waiting != nil {
		t.delayed()
	}
	kept := t.due[:0]
	for _, d := range t.due {
		if d.at >= before {
			kept = append(kept, d)
			continue
		}
		t.acked = d.off
		p.emit(segment{at: d.at, act: &act{kind: acking, conn: p.conn, from: from}, from: from, flags: ackFlag, seq: t.next, ack: d.off})
	}
	t.due = kept
}
