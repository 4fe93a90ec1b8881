// Package record turns the events of a protocol machine into exchanges. It is
// where bytes, waits and causes of doubt are accounted for, once for all
// protocols (account.go).
//
// Most exchanges are of no interest: no Expect, no early answer, nothing to
// retry. Their entries are reused and no string is made of them. One that is of interest
// is kept: its heads become strings and the [Sink] gets a pointer, which
// stays the same while the exchange goes on.
package record

import (
	"cmp"
	"slices"
	"strconv"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// A Sink hears of exchanges. The pointers of kept ones stay valid; x in Counted is reused after the call.
type Sink interface {
	// Wants tells whether a request without Expect is of interest, as the repeat of a refused one.
	Wants(h *analysis.Head) bool
	// Opened: the request head of a kept exchange is complete.
	Opened(x *analysis.Exchange)
	// Noted: a kept exchange without Expect has become of interest by an answer.
	Noted(x *analysis.Exchange)
	// Refused: a kept exchange with an Expect field got a 417.
	Refused(x *analysis.Exchange)
	// Rejected: a kept exchange got a final response of 300 or above; behind Refused.
	Rejected(x *analysis.Exchange)
	// Closed: a kept exchange is over. It is called again when an answer nobody asked for comes behind it.
	Closed(x *analysis.Exchange)
	// Revoked: a kept exchange never was one (see [analysis.Events.Owed]).
	Revoked(x *analysis.Exchange)
	// Counted: an exchange is over, kept or not. Heads of one that is not kept are not filled in.
	Counted(x *analysis.Exchange)
	// Orphan: a response head that answers no request.
	Orphan(h *analysis.Head)
}

// Bounds on what an exchange keeps of a hostile peer.
const (
	// MaxInterims is how many interim responses to a request are kept.
	MaxInterims    = 1000
	maxInterimText = 4 * analysis.FloodBytes // of their heads
	maxOrphans     = 16
	maxRuns        = 1024
)

// A Recorder builds the exchanges of one connection. It implements [analysis.Events].
type Recorder struct {
	sink   Sink
	pool   *Pool
	conn   *reassembly.Conn
	client reassembly.Dir
	prefix string // of exchange ids
	all    bool
	open   []*entry
	one    [1]*entry // of which open is made: most clients wait for the answer
	last   *entry    // the youngest that is over
	owing  *analysis.Exchange
	tls    *analysis.TLS
}

// New returns a recorder for a connection. client is the direction of its
// requests; prefix stands before its exchange ids; all: keep every exchange.
func New(s Sink, p *Pool, c *reassembly.Conn, client reassembly.Dir, prefix string, all bool) *Recorder {
	r := &Recorder{sink: s, pool: p, conn: c, client: client, prefix: prefix, all: all}
	r.open = r.one[:0]
	return r
}

// SetClient says which direction the requests travel in, once that is known.
func (r *Recorder) SetClient(d reassembly.Dir) { r.client = d }

// SetTLS says what the bytes of requests from now on were decrypted from.
func (r *Recorder) SetTLS(t *analysis.TLS) { r.tls = t }

// Open tells whether an exchange is open.
func (r *Recorder) Open() bool { return len(r.open) > 0 }

func (r *Recorder) find(stream uint32) *entry {
	if n := len(r.open); n == 1 && r.open[0].x.Stream == stream { // most clients wait for the answer
		return r.open[0]
	}
	i, ok := slices.BinarySearchFunc(r.open, stream, func(e *entry, s uint32) int { return cmp.Compare(e.x.Stream, s) })
	if !ok {
		return nil
	}
	return r.open[i]
}

// Request opens an exchange.
func (r *Recorder) Request(stream uint32, h *analysis.Head) {
	var before *analysis.Exchange
	if h.Stream != 0 {
		r.wentOn(h)
	} else if prev := r.before(stream); prev != nil {
		prev.x.NextFirst, prev.x.NextHead = h.First, h.Last
		if prev.kept {
			before = prev.x
		}
	}
	r.retire()
	e := r.pool.get()
	e.before = before
	e.x = &e.own
	x := e.x
	x.Conn, x.Client, x.Stream, x.StreamID, x.TLS = r.conn, r.client, stream, h.Stream, r.tls
	x.Request.First, x.Request.Last, x.Request.TTL, x.Request.Close = h.First, h.Last, h.TTL, h.Close
	x.ReqBody.Framing, x.ReqBody.Declared = h.Framing, h.Length
	x.LastActivity = h.Last
	e.req = append(e.req[:0], h.Text...)
	if r.conn.Start == reassembly.MidStream {
		x.AddDoubt(analysis.DoubtMidStream, analysis.PartHandshake, h.First)
	}
	r.enter(e)
	if h.Expect || h.Odd || r.all || r.sink.Wants(h) {
		r.keep(e)
		r.sink.Opened(e.x)
	}
}

// enter puts an entry among the open ones, which are in the order of their streams, as they open but for a hostile peer's.
func (r *Recorder) enter(e *entry) {
	i := len(r.open)
	r.open = append(r.open, e)
	for ; i > 0 && r.open[i-1].x.Stream > e.x.Stream; i-- {
		r.open[i-1], r.open[i] = r.open[i], r.open[i-1]
	}
}

// before is the entry of the request in front of stream.
func (r *Recorder) before(stream uint32) *entry {
	if n := len(r.open); n > 0 {
		return r.open[n-1]
	}
	if r.last != nil && r.last.x.Stream+1 == stream {
		return r.last
	}
	return nil
}

// retire frees the last closed entry: nothing can come behind it any more.
func (r *Recorder) retire() {
	if r.last != nil {
		r.pool.put(r.last)
		r.last = nil
	}
}

func (r *Recorder) id(stream uint32) string {
	b := append(make([]byte, 0, 24), r.prefix...)
	b = strconv.AppendUint(b, r.conn.First.Frame(), 10)
	b = append(b, '/')
	return string(strconv.AppendUint(b, uint64(stream), 10))
}

// Interim adds a 1xx response.
func (r *Recorder) Interim(stream uint32, h *analysis.Head) {
	e := r.find(stream)
	if e == nil {
		return
	}
	r.keep(e)
	e.touch(h.Last)
	if len(e.x.Interim) == 0 {
		r.heard(e.x)
	}
	if len(e.x.Interim) < MaxInterims {
		m := message(h)
		if e.interims += len(h.Text); e.interims > maxInterimText {
			m.Head, m.Fields = "", nil
		}
		e.x.Interim = append(e.x.Interim, m)
	}
	if h.Status == 100 && e.invite == 0 {
		e.invite = h.Last.Off
	}
	if len(e.x.Interim) == 1 {
		r.sink.Noted(e.x)
	}
}

// Response adds the final response.
func (r *Recorder) Response(stream uint32, h *analysis.Head) {
	e := r.find(stream)
	if e == nil || e.x.Final != nil {
		return
	}
	x := e.x
	e.touch(h.Last)
	if e.before != nil {
		e.before.NextFinal = h.First
	}
	x.StreamID = max(x.StreamID, h.Stream) // that of a request that asked for HTTP/2 too
	x.RespBody = analysis.Body{Framing: h.Framing, Declared: h.Length}
	e.split(h)
	if e.kept {
		m := message(h)
		x.Final = &m
		e.listen()
	} else {
		e.final = analysis.Message{Status: h.Status, First: h.First, Last: h.Last, TTL: h.TTL, Close: h.Close}
		x.Final = &e.final
		e.fin = append(e.fin[:0], h.Text...)
	}
	if x.Notable() {
		r.keep(e)
		x = e.x
		r.sink.Noted(x)
	}
	if h.Status == 417 {
		if _, ok := x.Request.Get("Expect"); ok {
			r.sink.Refused(x)
		}
	}
	if e.kept && h.Status >= 300 {
		r.sink.Rejected(x)
	}
}

// Orphan adds an answer nobody asked for to the exchange it came behind.
func (r *Recorder) Orphan(after uint32, h *analysis.Head) {
	r.sink.Orphan(h)
	e := r.last
	if open := r.find(after); open != nil {
		e = open
	}
	if after == 0 || e == nil || e.x.Stream != after {
		return
	}
	r.keep(e)
	if len(e.x.Sequel().Orphans) < maxOrphans {
		e.x.Amend().Orphans = append(e.x.Sequel().Orphans, message(h))
	}
	if e.closed {
		r.sink.Closed(e.x)
	}
}

// Owed records the two readings of what came where a body was owed.
func (r *Recorder) Owed(stream, next uint32, o analysis.Owed) {
	e := r.find(stream)
	if e == nil {
		return
	}
	r.keep(e)
	e.x.Owed, r.owing = &o, e.x
	if o.Client == analysis.ReadAsNext {
		o.Next = r.id(next)
		return
	}
	r.owing = nil
	e.x.NextFirst, e.x.NextHead = reassembly.Mark{}, reassembly.Mark{}
	for n := len(r.open); n > 0 && r.open[n-1].x.Stream >= next; n = len(r.open) {
		gone := r.open[n-1]
		if gone.kept {
			r.sink.Revoked(gone.x)
		}
		if gone.x.Stream == next && e.x.ReqBody.Sent == 0 { // its head is what the content begins with
			e.x.ReqBody.Inner, _ = analysis.BeginsRequest(gone.req)
		}
		r.open = r.open[:n-1]
	}
}

// Done notes that the message in one direction is over.
func (r *Recorder) Done(stream uint32, d reassembly.Dir, how analysis.Ended, m reassembly.Mark) {
	e := r.find(stream)
	if e == nil || e.done[d] {
		return
	}
	e.done[d], e.how[d] = true, how
	if how == analysis.EndedComplete {
		if e.touch(m); d == r.client {
			e.x.ReqBody.Complete, e.x.ReqBody.End = e.x.ReqBody.Framing != analysis.FramingUnknown, m
		} else {
			e.x.RespBody.Complete, e.x.RespBody.End = e.x.Final != nil, m
		}
	}
	if e.x.ShortStream() {
		r.keep(e)
	}
	if e.done[0] && e.done[1] {
		r.close(e, m)
	}
}

// Release gives back what the recorder holds for a late answer; it is not used any more.
func (r *Recorder) Release() { r.retire() }

// Abort ends every open exchange in doubt: the connection will not be read on, for a fault of ours.
func (r *Recorder) Abort(m reassembly.Mark) {
	for len(r.open) > 0 {
		e := r.open[0]
		e.x.AddDoubt(analysis.DoubtInternal, analysis.PartAll, m)
		e.done, e.how = [2]bool{true, true}, [2]analysis.Ended{analysis.EndedIdle, analysis.EndedIdle}
		r.close(e, m)
	}
}

// close ends an exchange whose messages are both over.
func (r *Recorder) close(e *entry, m reassembly.Mark) {
	for i := range r.open {
		if r.open[i] == e {
			r.open = append(r.open[:i], r.open[i+1:]...)
			break
		}
	}
	x := e.x
	x.Ended = ended(e.how[r.client], e.how[r.client.Other()], x.Final != nil)
	x.State, x.At, e.closed = analysis.Closed, m.Time, true
	if x.Ended == analysis.EndedCapture {
		r.keep(e)
		x = e.x
	}
	r.missing(x, m)
	r.swallowed(x, m)
	r.sink.Counted(x)
	if e.kept {
		r.sink.Closed(x)
	}
	if r.last != nil && r.last.x.Stream > x.Stream {
		r.pool.put(e)
		return
	}
	r.retire()
	r.last = e
}

// missing notes what of an exchange could not be seen.
func (r *Recorder) missing(x *analysis.Exchange, m reassembly.Mark) {
	if !r.conn.Seen[r.client.Other()] {
		x.AddDoubt(analysis.DoubtOneSided, analysis.PartInterim|analysis.PartFinal|analysis.PartRespBody, m)
	}
	if x.Ended != analysis.EndedCapture {
		return
	}
	p := analysis.PartEnding
	if x.Final == nil {
		p |= analysis.PartInterim | analysis.PartFinal
	}
	if !x.RespBody.Complete {
		p |= analysis.PartRespBody
	}
	if !x.ReqBody.Complete {
		p |= analysis.PartReqBody
	}
	x.AddDoubt(analysis.DoubtCaptureEnd, p, m)
}

// swallowed decides what the server took for a body by its silence: the request that began in it was never answered.
func (r *Recorder) swallowed(x *analysis.Exchange, m reassembly.Mark) {
	o := r.owing
	if o == nil || x == o || o.Owed.Next != r.id(x.Stream) {
		return
	}
	r.owing = nil
	quiet := m.Time-x.LastActivity.Time >= analysis.StallTime
	gone := (x.Ended == analysis.EndedFIN || x.Ended == analysis.EndedRST) && m.Time-o.Owed.At.Time >= analysis.CloseWait
	if x.Final == nil && o.Owed.Server == analysis.ReadUnknown && (quiet || gone) {
		o.Owed.Server, o.Owed.ServerSure = analysis.ReadAsBody, analysis.Likely
	}
}

// ended says how the exchange ended from how its two messages did.
func ended(client, server analysis.Ended, final bool) analysis.Ended {
	switch {
	case server == analysis.EndedUpgraded || server == analysis.EndedTunnel:
		return server
	case server != analysis.EndedComplete && server != analysis.EndedNot:
		return server
	case client != analysis.EndedComplete && client != analysis.EndedNot:
		return client
	}
	return analysis.EndedComplete
}
