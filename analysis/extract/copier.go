package extract

import (
	"slices"

	"expectscope/capture"
	"expectscope/capture/decode"
	"expectscope/reassembly"
)

// A Writer takes packets, with a comment that may be empty: pcapng has a place for it.
type Writer interface {
	WritePacket(p *capture.Packet, comment string) error
}

// maxHeld and maxHeldBytes bound the fragments that wait for the rest of their
// datagram, as the decoder's own limits do.
const (
	maxHeld      = 4096
	maxHeldBytes = 8 << 20
)

// A Copier writes the packets of the connections that a [Reading] learned of. It
// is given all packets of the capture, in the same order.
//
// Fragments of IP datagrams are written when their datagram is complete. A frame
// that holds no segment of these connections is not written, be it about them
// (an ICMP error) or not.
type Copier struct {
	reading *Reading
	w       Writer
	decoder *decode.Decoder
	segment decode.Segment
	next    map[*track]*[2]uint64 // offset that is expected, by direction
	packet  capture.Packet        // the packet that is changed
	frame   []byte                // and its frame
	held    []capture.Packet      // fragments; their Data is ours
	bytes   int                   // of held
	link    capture.LinkType      // of the packet that was written last
	written int64                 // the latest time of a packet that was written
	last    int64                 // and of all

	// Packets counts what was written. Refused counts packets that were to be
	// redacted and left out, because it is not certain what is where in them:
	// fragments inside fragments.
	Packets, Refused uint64
}

// NewCopier copies from the capture that was read to w.
func NewCopier(r *Reading, w Writer) *Copier {
	return &Copier{reading: r, w: w, decoder: decode.New(decode.DefaultLimits()), next: map[*track]*[2]uint64{}}
}

// Packet takes the next packet of the capture, and keeps nothing of it. The error is the writer's.
func (c *Copier) Packet(p *capture.Packet) error {
	c.last = max(c.last, p.Time)
	fragments := c.decoder.Stats().Kinds[decode.Fragment]
	if !c.decoder.Decode(p, &c.segment) {
		if c.decoder.Stats().Kinds[decode.Fragment] > fragments {
			c.hold(p)
		}
		return nil
	}
	t := c.reading.track(&c.segment)
	datagram, parts := c.decoder.Datagram()
	switch {
	case parts != nil:
		return c.fragments(t, p, datagram, parts)
	case t == nil:
		return nil
	case t.stream == nil:
		return c.write(p)
	}
	return c.redact(t, p)
}

// Finish writes, when the capture went on behind what was written, an empty packet
// with the time of its end: that something did not happen until then (a repeat,
// an answer) can be told from what was written too.
func (c *Copier) Finish() error {
	if c.Packets == 0 || c.last <= c.written {
		return nil
	}
	return c.w.WritePacket(&capture.Packet{Time: c.last, Link: c.link}, "the capture went on until here; what came in between is not in this file")
}

func (c *Copier) write(p *capture.Packet) error {
	c.Packets++
	c.link, c.written = p.Link, max(c.written, p.Time)
	return c.w.WritePacket(p, c.reading.comment(p.Num))
}

// redact writes a packet with its payload covered.
func (c *Copier) redact(t *track, p *capture.Packet) error {
	h, ok := unwrap(p.Data, &c.segment)
	if !ok {
		c.Refused++
		return nil
	}
	c.frame = append(c.frame[:0], p.Data...)
	c.packet = *p
	c.packet.Data, h.octets = c.frame, c.frame
	c.cover(t, &h)
	return c.write(&c.packet)
}

// cover covers the payload of the segment at hand, and clears what is behind it:
// padding of a short frame may be what was in somebody's memory.
func (c *Copier) cover(t *track, h *hull) {
	s := &c.segment
	clear(h.octets[h.at+len(s.Payload):])
	if len(s.Payload) == 0 {
		return
	}
	d := reassembly.Reverse
	if s.Src == t.client {
		d = reassembly.Forward
	}
	next := c.next[t]
	if next == nil {
		next = &[2]uint64{}
		c.next[t] = next
	}
	seq := s.Seq
	if s.Flags&decode.SYN != 0 {
		seq++
	}
	payload := h.octets[h.at : h.at+len(s.Payload)]
	before := ones(payload)
	next[d] = t.stream.cover(d, seq, payload, s.Len, s.Packet, next[d])
	amend(h.octets[h.tcp+16:], before, ones(payload))
}

// Waiting is how many fragments wait for the rest of their datagrams; they are bounded.
func (c *Copier) Waiting() int { return len(c.held) }

// hold keeps a fragment. The oldest go when there are too many.
func (c *Copier) hold(p *capture.Packet) {
	q := *p
	q.Data = slices.Clone(p.Data)
	c.held = append(c.held, q)
	c.bytes += len(q.Data)
	n := 0
	for len(c.held)-n > maxHeld || c.bytes > maxHeldBytes {
		c.bytes -= len(c.held[n].Data)
		n++
	}
	c.held = slices.Delete(c.held, 0, n)
}

// fragments writes the frames of a datagram, of which p was the last, if it is of a
// chosen connection; else it drops them.
func (c *Copier) fragments(t *track, p *capture.Packet, datagram []byte, parts []decode.Part) error {
	c.hold(p)
	sound := true
	if t != nil && t.stream != nil {
		h, ok := unwrap(datagram, &c.segment)
		if sound = ok; ok {
			c.cover(t, &h)
		}
	}
	for _, part := range parts {
		i := slices.IndexFunc(c.held, func(q capture.Packet) bool { return q.Num == part.Packet })
		if i < 0 {
			continue // left for a limit, or written: two parts in one frame
		}
		q := c.held[i]
		c.bytes -= len(q.Data)
		c.held = slices.Delete(c.held, i, i+1)
		switch {
		case t == nil:
			continue
		case t.stream != nil && (!sound || part.At < 0):
			c.Refused++
			continue
		case t.stream != nil:
			copy(q.Data[part.At:], datagram[part.Off:part.Off+part.Len])
			clear(q.Data[part.At+part.Len:])
		}
		if err := c.write(&q); err != nil {
			return err
		}
	}
	return nil
}
