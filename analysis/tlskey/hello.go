package tlskey

import (
	"encoding/binary"
	"unicode/utf8"

	"expectscope/reassembly"
)

// A Hello is what the handshake says in the clear, or under keys that were at hand.
type Hello struct {
	// Version is what the server chose: 0x0303 is TLS 1.2, 0x0304 TLS 1.3; 0 while it is not known.
	Version uint16
	// ALPN is the protocol the server chose (RFC 7301), "" when it chose none or that could not be read.
	ALPN string
	// SNI is the host name the client asked for (RFC 6066, Section 3), "" when it asked for none.
	SNI string
	// Client is the direction the ClientHello came in.
	Client reassembly.Dir

	client, server   [32]byte // the randoms
	hasClient        bool
	suite            uint16
	etm              bool // encrypt-then-MAC (RFC 7366)
	early            bool // the client announced early data (RFC 8446, Section 4.2.10)
	retried, settled bool // a HelloRetryRequest, a ServerHello was seen
	offered          string
}

// VersionName is the chosen version in words.
func (h *Hello) VersionName() string {
	switch h.Version {
	case 0:
		return "TLS"
	case 0x0300:
		return "SSL 3.0"
	}
	return "TLS 1." + string('0'+byte(h.Version-0x0301))
}

// Early tells whether the client announced early data (RFC 8446, Section 4.2.10).
func (h *Hello) Early() bool { return h.early }

// The handshake messages that are read (RFC 8446, Section 4).
const (
	clientHello    = 1
	serverHello    = 2
	endOfEarlyData = 5
	encryptedExts  = 8
	finished       = 20
	keyUpdate      = 24
)

// The extensions that are read.
const (
	extSNI        = 0
	extALPN       = 16
	extEtM        = 22
	extEarlyData  = 42
	extVersions   = 43
	versionTLS12  = 0x0303
	versionTLS13  = 0x0304
	maxHostname   = 255 // RFC 1035, Section 2.3.4
	maxProtocol   = 32
	sizeOfRandom  = 32
	sizeOfVersion = 2
)

// helloRetry is the random of a HelloRetryRequest (RFC 8446, Section 4.1.3).
var helloRetry = [32]byte{
	0xCF, 0x21, 0xAD, 0x74, 0xE5, 0x9A, 0x61, 0x11, 0xBE, 0x1D, 0x8C, 0x02, 0x1E, 0x65, 0xB8, 0x91,
	0xC2, 0xA2, 0x11, 0x16, 0x7A, 0xBB, 0x8C, 0x5E, 0x07, 0x9E, 0x09, 0xE2, 0xC8, 0xA8, 0x33, 0x9C,
}

// A reader takes fields off the front of bytes. What is missing reads as empty, and bad remembers it.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) take(n int) []byte {
	if n > len(r.b) {
		r.bad, r.b = true, nil
		return nil
	}
	v := r.b[:n]
	r.b = r.b[n:]
	return v
}

func (r *reader) number(size int) (n int) {
	for _, c := range r.take(size) {
		n = n<<8 | int(c)
	}
	return n
}

// vector takes a field whose length stands in front of it in size octets.
func (r *reader) vector(size int) reader { return reader{b: r.take(r.number(size))} }

// readClient reads a ClientHello (RFC 8446, Section 4.1.2).
func (h *Hello) readClient(b []byte) bool {
	r := reader{b: b}
	r.take(sizeOfVersion)
	random := r.take(sizeOfRandom)
	r.vector(1) // session
	r.vector(2) // suites
	r.vector(1) // compression
	if r.bad {
		return false
	}
	renewed := h.hasClient && !h.retried
	if renewed { // a renegotiation
		*h = Hello{SNI: h.SNI}
	}
	copy(h.client[:], random)
	h.hasClient = true
	h.early = false
	h.extensions(&r, func(kind int, e reader) {
		switch kind {
		case extSNI:
			if name := e.hostname(); name != "" {
				h.SNI = name
			}
		case extALPN:
			h.offered = e.protocols()
		case extEarlyData:
			h.early = true
		}
	})
	return true
}

// readServer reads a ServerHello or a HelloRetryRequest (RFC 8446, Section 4.1.3).
func (h *Hello) readServer(b []byte) bool {
	r := reader{b: b}
	version := r.number(sizeOfVersion)
	random := r.take(sizeOfRandom)
	r.vector(1) // session
	suite := r.number(2)
	r.take(1) // compression
	if r.bad {
		return false
	}
	if [32]byte(random) == helloRetry {
		h.retried, h.early = true, false // Section 4.2.10: there is no early data behind it
		return true
	}
	copy(h.server[:], random)
	h.Version, h.suite, h.settled = uint16(version), uint16(suite), true
	h.extensions(&r, func(kind int, e reader) {
		switch kind {
		case extVersions:
			h.Version = uint16(e.number(2))
		case extEtM:
			h.etm = true
		case extALPN:
			h.ALPN = e.protocols()
		}
	})
	return true
}

// readEncrypted reads EncryptedExtensions (RFC 8446, Section 4.3.1): early tells whether early data was accepted.
func (h *Hello) readEncrypted(b []byte) (early bool) {
	h.extensions(&reader{b: b}, func(kind int, e reader) {
		switch kind {
		case extALPN:
			h.ALPN = e.protocols()
		case extEarlyData:
			early = true
		}
	})
	return early
}

// extensions calls f for each extension.
func (h *Hello) extensions(r *reader, f func(kind int, e reader)) {
	for all := r.vector(2); len(all.b) >= 4; {
		kind := all.number(2)
		if e := all.vector(2); !all.bad {
			f(kind, e)
		}
	}
}

// hostname reads a server_name extension (RFC 6066, Section 3); what is no text is none.
func (r *reader) hostname() string {
	for list := r.vector(2); len(list.b) > 0; {
		kind := list.number(1)
		name := list.vector(2)
		if kind == 0 && len(name.b) <= maxHostname && utf8.Valid(name.b) {
			return string(name.b)
		}
	}
	return ""
}

// protocols reads the first name of an ALPN extension (RFC 7301, Section 3.1).
func (r *reader) protocols() string {
	list := r.vector(2)
	name := list.vector(1)
	if len(name.b) > maxProtocol || !utf8.Valid(name.b) {
		return ""
	}
	return string(name.b)
}

// uint24 is the length of a handshake message.
func uint24(b []byte) int { return int(b[0])<<16 | int(binary.BigEndian.Uint16(b[1:])) }
