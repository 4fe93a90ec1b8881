// Package tlskey reads TLS (RFC 8446, RFC 5246) of connections whose keys are
// at hand: records go in, plaintext comes out.
//
// A [Stream] is a [reassembly.Layer] with a layer inside.
package tlskey

import "expectscope/reassembly"

// Options say where a Stream gets its keys and who gets what is in it.
type Options struct {
	// Inner gives the layer for the plaintext. The Hello is valid for good and is not written any more.
	Inner func(*Hello) reassembly.Layer
	// Opaque is told once when nothing more can be read. The Hello holds what was.
	Opaque func(*Hello)
}

// A Stream is one TLS connection.
type Stream struct {
	o     Options
	hello Hello
	dead  bool
	buf   [2][]byte
}

// New returns a Stream.
func New(o Options) *Stream { return &Stream{o: o} }

// Dead tells that nothing more will be read.
func (s *Stream) Dead() bool { return s.dead }

// maxHello bounds what is looked at for a handshake.
const maxHello = 64 << 10

// Data reads a chunk.
func (s *Stream) Data(c *reassembly.Chunk) {
	if s.dead {
		return
	}
	b := append(s.buf[c.Dir], c.Data...)
	s.buf[c.Dir] = b
	for len(b) >= 9 && !s.dead {
		n := int(b[3])<<8 | int(b[4])
		if len(b) < 5+n {
			break
		}
		msg := b[5 : 5+n]
		switch {
		case b[0] != 22 || n < 4 || len(msg) < 4+uint24(msg[1:]):
			s.opaque()
		case msg[0] == clientHello:
			s.hello.readClient(msg[4:])
		default:
			s.hello.readServer(msg[4:])
			s.opaque()
		}
		b = b[5+n:]
	}
	if len(b) > maxHello {
		s.opaque()
	}
	s.buf[c.Dir] = b
}

func (s *Stream) opaque() {
	if !s.dead {
		s.dead, s.buf = true, [2][]byte{}
		s.o.Opaque(&s.hello)
	}
}

// Gap gives up.
func (s *Stream) Gap(*reassembly.Gap) { s.opaque() }

// Resent is of no concern.
func (s *Stream) Resent(*reassembly.Resent) {}

// End gives up what has not begun.
func (s *Stream) End(*reassembly.End) { s.opaque() }
