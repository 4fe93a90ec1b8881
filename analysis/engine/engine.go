// Package engine is the assembled pipeline: packets go in, judged exchanges
// come out.
//
// An [Engine] is a plain value of one goroutine and has no clock: what it says
// is a function of the packets alone, so a file, an interface and a test give
// the same answer. For each connection a session holds the layers
// (sniff, http1, http2) and a recorder; closed exchanges wait (settle.go) until what
// may follow them has been seen, then analysis/rules judges them.
package engine

import (
	"errors"
	"fmt"
	"io"
	"net/netip"
	"time"

	"expectscope/analysis"
	"expectscope/analysis/hop"
	"expectscope/analysis/http1"
	"expectscope/analysis/peers"
	"expectscope/analysis/record"
	"expectscope/analysis/retry"
	"expectscope/analysis/tlskey"
	"expectscope/capture"
	"expectscope/capture/decode"
	"expectscope/reassembly"
)

// A Sink gets what the engine found: each exchange that is of interest, once
// it is settled, and right after it its findings. The pointers are valid during the call. An
// exchange may come again, with its findings, when an answer nobody asked for comes late; a later one replaces an earlier one with the same ID.
type Sink interface {
	Exchange(*analysis.Exchange)
	Finding(*analysis.Finding)
}

// Options of an Engine. The zero value is usable.
type Options struct {
	// All: exchanges without Expect and without findings are reported too.
	All bool
	// RetryWindow in nanoseconds; [analysis.RetryWindow] if 0.
	RetryWindow int64
	// Multi: there are several inputs, so exchange ids say which.
	Multi bool
	// Live: exchanges with an Expect field are reported when they open too, and
	// what hangs or was not repeated in time is reported while it does, as
	// provisional; a later report of the same exchange or finding replaces it.
	Live bool
	// KeyLog gives more text of a TLS key log, nothing when there is none now; nil: there is no key log. It is asked when a
	// connection lacks its key.
	KeyLog func() []byte
	// KeyLogGrows: more of the key log may come later.
	KeyLogGrows bool
	// Secrets is told of each connection that is decrypted, and how to get the key log lines of it, which are whole when the
	// run has ended. Nil: nobody gets them.
	Secrets func(c *reassembly.Conn, log func() []byte)
	// Keep chooses packets; those it refuses only let time pass. Nil keeps all.
	Keep func(*capture.Packet) bool
	// Crash: a panic in a layer is not recovered (tests).
	Crash bool
	// Observe is asked of each connection that carries data who looks on; nil, or an answer of nil: nobody.
	Observe func(*reassembly.Conn) analysis.Observer
	// Limits of the assembler; defaults if zero.
	Assembler reassembly.Options
}

// An Engine analyzes one run of packets.
type Engine struct {
	o       Options
	sink    Sink
	decoder *decode.Decoder
	asm     *reassembly.Assembler
	retry   *retry.Matcher
	links   *retry.Linker
	peers   *peers.Memory
	hop     *hop.Matcher
	pool    record.Pool
	heads   http1.Heads
	sum     analysis.Summary
	now     int64 // capture time, monotone
	first   int64
	settle  settling
	held    []*heldCase
	judged  analysis.Case      // the last one
	found   []analysis.Finding // of it
	watch   watching
	ring    keyring
	passed  passers
	seg     decode.Segment
	running *session // whose layer is running, for recovery
	panics  []Panic
	drops   uint64
	setAt   int64 // the time at which the clock was set, 0: never
	// shunned holds the ends of connections that cost a fault of ours, both ways.
	shunned map[[2]netip.AddrPort]bool
}

// A Panic is a fault of ours that cost a connection.
type Panic struct {
	Packet capture.Num
	Value  any
}

// New returns an Engine that tells sink.
func New(o Options, sink Sink) *Engine {
	if o.RetryWindow <= 0 {
		o.RetryWindow = analysis.RetryWindow
	}
	e := &Engine{o: o, sink: sink, decoder: decode.New(decode.DefaultLimits())}
	e.asm = reassembly.New(o.Assembler, e.open)
	e.retry = retry.New(retry.Options{Window: o.RetryWindow, Horizon: max(o.RetryWindow, analysis.LinkHorizon)})
	e.links = retry.NewLinker(retry.Options{Window: o.RetryWindow})
	e.peers = peers.New()
	e.hop = hop.New(hop.Options{Inputs: o.Multi})
	e.sum.Findings = map[string]uint64{}
	e.sum.Limits = map[string]uint64{}
	e.sum.Capture.Opaque = map[string]uint64{}
	e.sum.Capture.Sealed = map[string]uint64{}
	e.ring.keys = tlskey.NewKeys()
	e.shunned = map[[2]netip.AddrPort]bool{}
	e.settle.waiting = map[*analysis.Exchange]bool{}
	e.watch.said = map[*analysis.Exchange][]string{}
	return e
}

// perCheck is how many packets go by between two calls of Read's check, maxPanics how many faults are told apart.
const (
	perCheck  = 1024
	maxPanics = 100
)

// Read analyzes packets until the source ends. check is called every so often,
// with the source idle or not; when it returns false reading stops. The error is nil at the end of the source.
func (e *Engine) Read(src capture.Source, check func() bool) error {
	var p capture.Packet
	e.ring.src = src
	for n := uint64(1); ; n++ {
		switch err := src.Next(&p); {
		case err == nil:
			e.Packet(&p)
			if n%perCheck != 0 {
				continue
			}
			e.seeDrops(src.Stats())
		case errors.Is(err, capture.ErrIdle):
			e.seeDrops(src.Stats())
			e.Tick(e.now + int64(time.Second))
		default:
			e.seeDrops(src.Stats())
			if errors.Is(err, io.EOF) {
				return nil
			}
			return err
		}
		if !check() {
			return nil
		}
	}
}

// Packet analyzes one packet.
func (e *Engine) Packet(p *capture.Packet) {
	if (e.o.Keep == nil || e.o.Keep(p)) && e.decoder.Decode(p, &e.seg) {
		e.Segment(&e.seg)
		return
	}
	e.clock(p.Time)
}

// Segment analyzes one TCP segment.
func (e *Engine) Segment(s *decode.Segment) {
	e.clock(s.Time)
	if !e.o.Crash {
		defer e.recovered(s.Packet)
	}
	e.asm.Segment(s)
}

// recovered ends the connection in whose layers a fault of ours showed. Its
// open exchanges end in doubt, and the rest of it is not read.
func (e *Engine) recovered(packet capture.Num) {
	v := recover()
	if v == nil {
		return
	}
	e.limit("internal faults")
	if len(e.panics) < maxPanics {
		e.panics = append(e.panics, Panic{packet, v})
	}
	s := e.running
	if s == nil {
		return
	}
	e.running, s.dead = nil, true
	e.asm.Drop(s.conn)
	if len(e.shunned) < maxPanics {
		e.shunned[[2]netip.AddrPort{s.conn.Client, s.conn.Server}] = true
		e.shunned[[2]netip.AddrPort{s.conn.Server, s.conn.Client}] = true
	}
	if s.rec != nil {
		defer func() { _ = recover() }() // the fault may show again
		s.rec.Abort(reassembly.Mark{Time: e.now, Packet: packet, Acked: reassembly.NoAck})
	}
}

// Panics lists the first faults of ours, each of which cost a connection.
func (e *Engine) Panics() []Panic { return e.panics }

// clock moves capture time on, and ticks at whole seconds. Time that runs back
// by more than the retry window is followed: it was set. So was time that
// leaps ahead live, where a quiet second makes a tick; in a file it just passed.
func (e *Engine) clock(t int64) {
	const second = int64(time.Second)
	switch {
	case e.first == 0:
		e.first, e.now = t, t
	case t > e.now:
		if e.o.Live && t-e.now > e.o.RetryWindow {
			e.clockSet("clock set forward", e.now, t)
		}
		tick := t/second != e.now/second
		e.now = t
		if tick {
			e.Tick(t)
		}
	case e.now-t > e.o.RetryWindow:
		e.clockSet("clock set back", t, e.now)
		e.now = t
	}
}

// clockSet notes that the capture's clock was set: nothing is known of what
// would have been between the two times.
func (e *Engine) clockSet(what string, from, to int64) {
	e.setAt = e.now
	e.limit(what)
	e.retry.Blind(noAddr, noAddr, from, to, "the capture's clock was set")
}

// Tick lets capture time pass up to now without a packet.
func (e *Engine) Tick(now int64) {
	e.now = max(e.now, now)
	if !e.o.Crash {
		defer e.recovered(0)
	}
	e.asm.Tick(e.now)
	e.unlock()
	e.links.Expire(e.now)
	e.peers.Tick(e.now)
	e.settle.run(e, false)
	e.review()
	e.look()
}

// seeDrops takes note of packets the capturing program missed: a repeat may be among them.
func (e *Engine) seeDrops(st *capture.Stats) {
	n := uint64(0)
	for i := range st.Inputs {
		n += st.Inputs[i].Drops
	}
	if n > e.drops {
		e.drops = n
		e.retry.Blind(noAddr, noAddr, e.first, e.now, fmt.Sprintf("the capture lacks %d packets", n))
	}
}

// Missed takes note that nothing could be seen from one time to another, in nanoseconds since 1970: a repeat may have gone by.
func (e *Engine) Missed(from, to int64, why string) {
	e.retry.Blind(noAddr, noAddr, from, to, why)
}

// limit counts a limit that was hit.
func (e *Engine) limit(name string) { e.sum.Limits[name]++ }

// Close ends the run: what is open is reported as open. src may be nil.
func (e *Engine) Close(src capture.Source) *analysis.Summary {
	func() {
		if !e.o.Crash {
			defer e.recovered(0)
		}
		e.peers.Tick(e.now)
		e.asm.Close()
	}()
	if e.sum.Capture.TLS > 0 {
		e.more() // keys that came too late are counted
	}
	e.settle.run(e, true)
	e.release()
	return e.Summary(src)
}
