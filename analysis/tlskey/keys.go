package tlskey

import (
	"bytes"
	"encoding/hex"
)

// Bounds of what is kept of key logs. A line that is longer than any of the format is none.
const (
	maxSessions = 200_000
	maxLine     = 1024
	maxMissed   = 4096
	maxFree     = 16
)

// label says what a secret is for, in the words of the NSS key log format (RFC 9850).
type label uint8

const (
	master label = iota // TLS 1.2 and before
	earlyTraffic
	clientHandshake
	serverHandshake
	clientTraffic
	serverTraffic
	labels
)

var labelNames = [labels]string{
	"CLIENT_RANDOM", "CLIENT_EARLY_TRAFFIC_SECRET", "CLIENT_HANDSHAKE_TRAFFIC_SECRET",
	"SERVER_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0", "SERVER_TRAFFIC_SECRET_0",
}

type random [sizeOfRandom]byte

// secrets are those of one session, by label; nil where there is none.
type secrets [labels][]byte

// Keys holds the secrets of TLS sessions, by the client's random, as key logs
// tell them. The oldest go when there are too many. It is made for one
// goroutine, and prints as nothing: secrets never leave it but by [Keys.Log].
type Keys struct {
	sessions map[random]*secrets
	order    []random // oldest first
	part     []byte   // a line whose end is still to come
	long     bool     // and that is too long
	version  uint64   // of what is known

	missed map[random]bool // sessions that were given up for lack of a key
	late   uint64          // of which the key came
	gone   uint64          // sessions dropped for the bound
	full   uint64          // streams that could not wait for the bounds on it

	free [][]byte // buffers for records
	held int      // octets that wait for keys, of all streams
}

// NewKeys returns Keys that know nothing.
func NewKeys() *Keys {
	return &Keys{sessions: map[random]*secrets{}, missed: map[random]bool{}}
}

// String is the same for all Keys.
func (k *Keys) String() string { return "TLS keys" }

// GoString is the same for all Keys.
func (k *Keys) GoString() string { return k.String() }

// Add takes more text of a key log; a line may come in pieces. What is no line of the format is passed over.
func (k *Keys) Add(text []byte) {
	for len(text) > 0 {
		line, rest, whole := bytes.Cut(text, []byte{'\n'})
		text = rest
		switch {
		case k.long:
		case len(k.part)+len(line) > maxLine:
			k.part, k.long = k.part[:0], true
		case !whole || len(k.part) > 0:
			k.part = append(k.part, line...)
			line = k.part
		}
		if !whole {
			return
		}
		if !k.long {
			k.line(line)
		}
		k.part, k.long = k.part[:0], false
	}
}

// Finish takes what was added last for whole, though no line end came: what follows is of another log.
func (k *Keys) Finish() {
	if len(k.part) > 0 || k.long {
		k.Add([]byte{'\n'})
	}
}

// line reads "LABEL random secret", the latter two in hexadecimal.
func (k *Keys) line(text []byte) {
	words := bytes.Fields(text)
	if len(words) != 3 {
		return
	}
	for l, name := range labelNames {
		if string(words[0]) != name {
			continue
		}
		var r random
		if n, err := hex.Decode(r[:], bound(words[1], sizeOfRandom)); err != nil || n != sizeOfRandom {
			return
		}
		secret := make([]byte, hex.DecodedLen(len(words[2])))
		if _, err := hex.Decode(secret, words[2]); err != nil || !label(l).fits(len(secret)) {
			return
		}
		k.put(r, label(l), secret)
	}
}

// bound is hexadecimal text of n octets, or nothing.
func bound(text []byte, n int) []byte {
	if len(text) != hex.EncodedLen(n) {
		return nil
	}
	return text
}

// fits tells whether a secret may be so long: 48 octets in TLS 1.2 (RFC 5246, Section 8.1), a hash's length in TLS 1.3.
func (l label) fits(n int) bool { return n == 48 || l != master && n == 32 }

func (k *Keys) put(r random, l label, secret []byte) {
	s := k.sessions[r]
	if s == nil {
		if len(k.order) >= maxSessions {
			delete(k.sessions, k.order[0])
			k.order = k.order[1:]
			k.gone++
		}
		s = new(secrets)
		k.sessions[r] = s
		k.order = append(k.order, r)
	}
	if bytes.Equal(s[l], secret) {
		return
	}
	s[l] = secret
	k.version++
	if k.missed[r] {
		delete(k.missed, r)
		k.late++
	}
}

// Sessions is how many sessions have secrets.
func (k *Keys) Sessions() int { return len(k.sessions) }

// Bounds counts what was left out: sessions that were given up before their key came, those that were forgotten because
// there were too many, and those that could not be held back for want of room.
func (k *Keys) Bounds() (late, dropped, full uint64) { return k.late, k.gone, k.full }

// miss notes that a session is given up for lack of a key.
func (k *Keys) miss(r random) {
	if len(k.missed) < maxMissed {
		k.missed[r] = true
	}
}

// Log appends the secrets of the session that a Hello began as lines of a key log.
func (k *Keys) Log(b []byte, h *Hello) []byte {
	s := k.sessions[h.client]
	if s == nil {
		return b
	}
	for l, secret := range s {
		if secret != nil {
			b = append(b, labelNames[l]...)
			b = hex.AppendEncode(append(b, ' '), h.client[:])
			b = append(hex.AppendEncode(append(b, ' '), secret), '\n')
		}
	}
	return b
}

// take is an empty buffer with room for a record, give returns it.
func (k *Keys) take() []byte {
	n := len(k.free)
	if n == 0 {
		return make([]byte, 0, headerSize+maxBody)
	}
	b := k.free[n-1]
	k.free = k.free[:n-1]
	return b
}

func (k *Keys) give(b []byte) {
	if cap(b) >= headerSize+maxBody && len(k.free) < maxFree {
		k.free = append(k.free, b[:0])
	}
}
