package live

import (
	"fmt"
	"io"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"expectscope/capture"
)

const (
	// quiet is how long Next waits for a packet.
	quiet = time.Second
	// downPoll is how often an interface that is down is looked at.
	downPoll = 100 * time.Millisecond
	// settle is how long after Stop the kernel's queues are let empty
	// themselves into the ring.
	settle = 10 * time.Millisecond
	// patience is how long the end of a block is waited for after Stop; the
	// kernel takes at most two of its own time-outs (retireMillis).
	patience = 2 * time.Second
)

// A Handle captures from one interface, or from all. It implements
// [capture.Source]. Stop may be called by any goroutine, the other methods by
// one at a time.
type Handle struct {
	sock   *socket
	ring   ring
	shaper shaper
	frame  frame
	notice func(Notice)

	stats    capture.Stats
	counters Counters
	num      uint64

	down    bool
	lostAt  int64     // when it was seen to be down, ns since 1970
	handed  bool      // a packet was handed out since the last wait
	waiting time.Time // since when there is none
	sealed  time.Time // when the kernel was told to add nothing; zero before Stop

	stopped atomic.Bool
	mu      sync.Mutex // guards wake against Stop after Close
	wake    int        // an eventfd, readable after Stop; -1 once closed
}

// Open begins to capture. Its errors are of type [*Error].
func Open(o Options) (*Handle, error) {
	if o.Interface == "" {
		o.Interface = Any
	}
	if o.SnapLen <= 0 {
		o.SnapLen = DefaultSnapLen
	}
	if o.Buffer <= 0 {
		o.Buffer = DefaultBuffer
	}
	sock, err := openSocket(&o)
	if err != nil {
		return nil, err
	}
	wake, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		_ = sock.close() // err came first
		return nil, refused(o.Interface, Broken, err)
	}
	h := &Handle{
		sock: sock, ring: ring{mem: sock.mem, size: blockSize}, shaper: shaper{link: sock.link},
		notice: o.Notice, wake: wake,
	}
	if o.Interface == Any {
		h.shaper.copies = newCopies()
	}
	h.stats.Inputs = []capture.Input{{Name: o.Interface, DropsKnown: true}}
	return h, nil
}

// Link is the link type of the packets.
func (h *Handle) Link() capture.LinkType { return h.sock.link }

// Next fills p with the next packet. It returns [capture.ErrIdle] after a second
// without one, and [io.EOF] once Stop was called and what had been captured by
// then was handed out. An interface that goes down is no error: see [Notice].
func (h *Handle) Next(p *capture.Packet) error {
	for {
		for h.ring.next(&h.frame) {
			if h.shaper.shape(&h.frame) {
				h.fill(p)
				return nil
			}
		}
		if err := h.wait(); err != nil {
			return err
		}
	}
}

// fill makes a packet of the frame and counts it.
func (h *Handle) fill(p *capture.Packet) {
	f := &h.frame
	h.num++
	*p = capture.Packet{
		Num: capture.MakeNum(1, h.num), Time: f.time, Len: f.wire, Link: h.shaper.link, Data: f.data(),
	}
	in := &h.stats.Inputs[0]
	if in.Packets == 0 || p.Time < in.First {
		in.First = p.Time
	}
	in.Last = max(in.Last, p.Time)
	in.Packets++
	in.Bytes += uint64(p.Len)
	if len(p.Data) < p.Len {
		in.Snapped++
	}
	h.handed = true
	if h.down && p.Time > h.lostAt { // and not one that was in the ring already
		h.restored()
	}
}

// wait returns nil when there is a block to read.
func (h *Handle) wait() error {
	if h.stopped.Load() && h.sealed.IsZero() {
		if err := h.seal(); err != nil {
			return err
		}
	}
	for !h.ring.take() {
		now := time.Now()
		if h.handed || h.waiting.IsZero() {
			h.handed, h.waiting = false, now
		}
		left := quiet - now.Sub(h.waiting)
		switch {
		case !h.sealed.IsZero():
			if !h.ring.pending() || now.Sub(h.sealed) > patience {
				return io.EOF
			}
			left = retireMillis * time.Millisecond
		case h.stopped.Load():
			if err := h.seal(); err != nil {
				return err
			}
			continue
		case left <= 0:
			h.waiting = now
			return capture.ErrIdle
		}
		if err := h.poll(left); err != nil {
			return err
		}
	}
	return nil
}

// seal lets no more packets into the ring. Those that were on their way when
// Stop was called are let in first.
func (h *Handle) seal() error {
	time.Sleep(settle)
	h.sealed = time.Now()
	return h.sock.attach(dropAll)
}

// poll waits until the ring has a block, Stop is called, the interface changes
// or the time is over.
func (h *Handle) poll(d time.Duration) error {
	if h.down {
		d = min(d, downPoll)
		h.revive()
	}
	fds := []unix.PollFd{
		{Fd: int32(h.sock.fd), Events: unix.POLLIN},
		{Fd: int32(h.wake), Events: unix.POLLIN},
	}
	if !h.sealed.IsZero() {
		fds = fds[:1] // wake stays readable
	}
	_, err := unix.Poll(fds, int((d+time.Millisecond-1)/time.Millisecond))
	switch {
	case err == unix.EINTR:
		return nil
	case err == nil && fds[0].Revents&unix.POLLERR != 0:
		err = h.sock.failure()
	}
	switch err {
	case nil:
		return nil
	case unix.ENETDOWN, unix.ENODEV, unix.ENXIO:
		h.lost()
		return nil
	}
	return fmt.Errorf("cannot go on capturing from %s: %w", h.sock.name, err)
}

// lost takes note that the interface went down.
func (h *Handle) lost() {
	if h.down {
		return
	}
	h.down, h.lostAt = true, time.Now().UnixNano()
	h.counters.Outages++
	h.tell(false)
}

// revive captures from the interface again if it is up: the kernel goes on by
// itself unless it was taken away and made anew.
func (h *Handle) revive() {
	if h.sock.bind() == nil {
		h.restored()
	}
}

func (h *Handle) restored() {
	h.down = false
	h.tell(true)
}

func (h *Handle) tell(up bool) {
	if h.notice != nil {
		h.notice(Notice{Interface: h.sock.name, Up: up, Time: time.Now().UnixNano()})
	}
}

// Stop ends the capture: Next hands out what was captured so far, and then
// returns [io.EOF].
func (h *Handle) Stop() {
	h.stopped.Store(true)
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wake >= 0 {
		_, _ = unix.Write(h.wake, []byte{1, 0, 0, 0, 0, 0, 0, 0}) // fails only when it is readable already
	}
}

// Stats tells what was captured and, as drops, what the kernel could not put
// into the ring.
func (h *Handle) Stats() *capture.Stats {
	h.count()
	in := &h.stats.Inputs[0]
	h.stats.Read = int64(in.Bytes)
	return &h.stats
}

// Counters tells what else was counted.
func (h *Handle) Counters() Counters {
	h.counters.Malformed = h.ring.malformed
	return h.counters
}

// count adds what the kernel counted since it was asked last.
func (h *Handle) count() {
	in := &h.stats.Inputs[0]
	drops, freezes := h.sock.statistics()
	in.Drops += drops
	in.Freezes += freezes
	if h.shaper.copies != nil {
		in.Copies = h.shaper.copies.n
	}
}

// Close ends the capture at once. The data of the last packet are gone.
func (h *Handle) Close() error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.wake < 0 {
		return nil
	}
	h.count()
	unix.Close(h.wake)
	h.wake = -1
	h.ring = ring{malformed: h.ring.malformed}
	return h.sock.close()
}
