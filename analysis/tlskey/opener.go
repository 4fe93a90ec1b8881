package tlskey

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/hmac"
	"encoding/binary"
	"hash"

	"golang.org/x/crypto/chacha20poly1305"
)

const (
	sizeOfTag      = 16 // of GCM and Poly1305
	sizeOfNonce    = 12
	sizeOfExplicit = 8  // of the nonce in each record of GCM in TLS 1.2 (RFC 5288, Section 3)
	sizeOfBlock    = 16 // of AES
)

// An opener decrypts the records of one direction under the same keys.
type opener struct {
	suite  *suite
	tls13  bool
	etm    bool
	aead   cipher.AEAD
	block  cipher.Block
	mac    hash.Hash
	secret []byte // of TLS 1.3: the next one comes from it
	iv     []byte
	padded bool // a record of TLS 1.3 was
	nonce  [sizeOfNonce]byte
	extra  [13]byte // what is authenticated besides
}

// newOpener13 makes the opener for a traffic secret of TLS 1.3 (RFC 8446, Section 7.3).
func newOpener13(s *suite, secret []byte) *opener {
	o := &opener{suite: s, tls13: true, secret: secret, iv: expandLabel(s, secret, "iv", sizeOfNonce)}
	o.key(expandLabel(s, secret, "key", s.key))
	return o
}

// next is the opener behind a KeyUpdate (RFC 8446, Section 7.2).
func (o *opener) next() *opener {
	return newOpener13(o.suite, expandLabel(o.suite, o.secret, "traffic upd", o.suite.hash().Size()))
}

// newOpener12 makes the opener of the client's or the server's records of TLS 1.2 (RFC 5246, Section 6.3).
func newOpener12(s *suite, master []byte, h *Hello, client bool) *opener {
	o := &opener{suite: s, etm: h.etm && s.mode == cbc}
	iv, mac := 0, 0 // CBC has its IV in each record
	switch s.mode {
	case gcm:
		iv = sizeOfNonce - sizeOfExplicit
	case chacha:
		iv = sizeOfNonce
	case cbc:
		mac = s.mac().Size()
	}
	seed := append(append([]byte("key expansion"), h.server[:]...), h.client[:]...)
	r := reader{b: prf(s.hash, master, seed, 2*(mac+s.key+iv))}
	part := func(n int) []byte { // the client's, then the server's
		both := r.take(2 * n)
		if client {
			return both[:n]
		}
		return both[n:]
	}
	macKey := part(mac)
	key := part(s.key)
	o.iv = part(iv)
	if s.mode == cbc {
		o.mac = hmac.New(s.mac, macKey)
	}
	o.key(key)
	return o
}

// key readies the cipher. The sizes are those of the suite, so nothing can fail.
func (o *opener) key(key []byte) {
	switch o.suite.mode {
	case chacha:
		o.aead, _ = chacha20poly1305.New(key)
	case gcm:
		block, _ := aes.NewCipher(key)
		o.aead, _ = cipher.NewGCM(block)
	case cbc:
		o.block, _ = aes.NewCipher(key)
	}
}

// least is how long a body of a record is at least, most how much longer than its plaintext at most.
func (o *opener) least() int {
	switch {
	case o.tls13:
		return sizeOfTag + 1
	case o.suite.mode == gcm:
		return sizeOfExplicit + sizeOfTag
	case o.suite.mode == chacha:
		return sizeOfTag
	}
	return 2 * sizeOfBlock
}

// exact tells whether every record is longer than its plaintext by least octets, as far as was seen: who pads pads from the beginning (RFC 8446, Section 5.4).
func (o *opener) exact() bool { return o.suite.mode != cbc && !o.padded }

// open decrypts a record with its sequence number behind dst. It returns the
// plaintext and its type; false: the record is not authentic. The record is left as it is.
func (o *opener) open(dst []byte, seq uint64, record []byte) (plain []byte, kind byte, ok bool) {
	body := record[headerSize:]
	if len(body) < o.least() {
		return nil, 0, false
	}
	switch {
	case o.tls13:
		return o.open13(dst, seq, record[:headerSize], body)
	case o.suite.mode == cbc:
		return o.openCBC(dst, seq, record, body)
	}
	n := copy(o.nonce[:], o.iv)
	if o.suite.mode == gcm {
		n += copy(o.nonce[n:], body)
		body = body[sizeOfExplicit:]
	} else {
		o.number(seq)
	}
	plain, err := o.aead.Open(dst, o.nonce[:], body, o.header(seq, record, len(body)-sizeOfTag))
	return plain, record[0], err == nil
}

// number makes the nonce of a sequence number (RFC 8446, Section 5.3; RFC 7905, Section 2).
func (o *opener) number(seq uint64) {
	copy(o.nonce[:], o.iv)
	tail := o.nonce[sizeOfNonce-8:]
	binary.BigEndian.PutUint64(tail, binary.BigEndian.Uint64(tail)^seq)
}

// header is what is authenticated besides the content in TLS 1.2 (RFC 5246, Section 6.2.3.3).
func (o *opener) header(seq uint64, record []byte, n int) []byte {
	binary.BigEndian.PutUint64(o.extra[:], seq)
	copy(o.extra[8:], record[:3])
	binary.BigEndian.PutUint16(o.extra[11:], uint16(n))
	return o.extra[:]
}

func (o *opener) open13(dst []byte, seq uint64, header, body []byte) ([]byte, byte, bool) {
	o.number(seq)
	plain, err := o.aead.Open(dst, o.nonce[:], body, header)
	if err != nil {
		return nil, 0, false
	}
	n := len(plain)
	for n > 0 && plain[n-1] == 0 { // padding (RFC 8446, Section 5.4)
		n--
	}
	if n == 0 {
		return nil, 0, false
	}
	o.padded = o.padded || n < len(plain)
	return plain[:n-1], plain[n-1], true
}

// openCBC opens a record in one of the two orders of encryption and MAC (RFC 5246, Section 6.2.3.2; RFC 7366).
func (o *opener) openCBC(dst []byte, seq uint64, record, body []byte) ([]byte, byte, bool) {
	size := o.mac.Size()
	if o.etm {
		n := len(body) - size
		if n < 0 || !o.authentic(seq, record, body[:n], body[n:]) {
			return nil, 0, false
		}
		body = body[:n]
	}
	if len(body) < 2*sizeOfBlock || len(body)%sizeOfBlock != 0 {
		return nil, 0, false
	}
	iv, body := body[:sizeOfBlock], body[sizeOfBlock:]
	plain := append(dst, body...)[len(dst):]
	cipher.NewCBCDecrypter(o.block, iv).CryptBlocks(plain, body)
	n := len(plain) - 1 - int(plain[len(plain)-1])
	if n < 0 {
		return nil, 0, false
	}
	for _, c := range plain[n:] {
		if c != plain[len(plain)-1] {
			return nil, 0, false
		}
	}
	if !o.etm {
		if n -= size; n < 0 || !o.authentic(seq, record, plain[:n], plain[n:n+size]) {
			return nil, 0, false
		}
	}
	return plain[:n], record[0], true
}

// authentic tells whether a MAC is that of content.
func (o *opener) authentic(seq uint64, record, content, mac []byte) bool {
	o.mac.Reset()
	o.mac.Write(o.header(seq, record, len(content)))
	o.mac.Write(content)
	return hmac.Equal(o.mac.Sum(nil), mac)
}

// prf is that of TLS 1.2 (RFC 5246, Section 5); seed begins with the label.
func prf(h func() hash.Hash, secret, seed []byte, n int) []byte {
	m := hmac.New(h, secret)
	sum := func(parts ...[]byte) []byte {
		m.Reset()
		for _, p := range parts {
			m.Write(p)
		}
		return m.Sum(nil)
	}
	var out []byte
	for a := seed; len(out) < n; {
		a = sum(a)
		out = append(out, sum(a, seed)...)
	}
	return out[:n]
}

// expandLabel is HKDF-Expand-Label without context (RFC 8446, Section 7.1).
func expandLabel(s *suite, secret []byte, label string, n int) []byte {
	label = "tls13 " + label
	info := string([]byte{byte(n >> 8), byte(n), byte(len(label))}) + label + "\x00"
	key, err := hkdf.Expand(s.hash, secret, info, n)
	if err != nil { // only a length that HKDF cannot give
		return make([]byte, n)
	}
	return key
}
