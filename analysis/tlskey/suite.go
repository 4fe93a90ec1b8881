package tlskey

import (
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"hash"
)

// mode is how a suite protects records.
type mode uint8

const (
	gcm mode = iota
	chacha
	cbc
)

// A suite is what a cipher suite means for its records.
type suite struct {
	mode mode
	key  int              // octets of an AES or ChaCha20 key
	hash func() hash.Hash // of the PRF, or of HKDF
	mac  func() hash.Hash // of CBC
}

var (
	aes128gcm = &suite{gcm, 16, sha256.New, nil}
	aes256gcm = &suite{gcm, 32, sha512.New384, nil}
	chacha20  = &suite{chacha, 32, sha256.New, nil}

	aes128sha    = &suite{cbc, 16, sha256.New, sha1.New}
	aes256sha    = &suite{cbc, 32, sha256.New, sha1.New}
	aes128sha256 = &suite{cbc, 16, sha256.New, sha256.New}
	aes256sha256 = &suite{cbc, 32, sha256.New, sha256.New}
	aes256sha384 = &suite{cbc, 32, sha512.New384, sha512.New384}
)

// suites are those that can be read. How the keys were agreed on (RSA, DHE,
// ECDHE, PSK, signed how) does not matter behind the master secret.
var suites = map[uint16]*suite{
	// RFC 8446, Appendix B.4
	0x1301: aes128gcm, 0x1302: aes256gcm, 0x1303: chacha20,
	// RFC 5288, RFC 5487
	0x009c: aes128gcm, 0x009e: aes128gcm, 0x00a0: aes128gcm, 0x00a2: aes128gcm, 0x00a4: aes128gcm, 0x00a8: aes128gcm, 0x00aa: aes128gcm, 0x00ac: aes128gcm,
	0x009d: aes256gcm, 0x009f: aes256gcm, 0x00a1: aes256gcm, 0x00a3: aes256gcm, 0x00a5: aes256gcm, 0x00a9: aes256gcm, 0x00ab: aes256gcm, 0x00ad: aes256gcm,
	// RFC 5289, RFC 8442
	0xc02b: aes128gcm, 0xc02d: aes128gcm, 0xc02f: aes128gcm, 0xc031: aes128gcm, 0xd001: aes128gcm,
	0xc02c: aes256gcm, 0xc02e: aes256gcm, 0xc030: aes256gcm, 0xc032: aes256gcm, 0xd002: aes256gcm,
	// RFC 7905
	0xcca8: chacha20, 0xcca9: chacha20, 0xccaa: chacha20, 0xccab: chacha20, 0xccac: chacha20, 0xccad: chacha20, 0xccae: chacha20,
	// RFC 5246, Appendix A.5
	0x002f: aes128sha, 0x0030: aes128sha, 0x0031: aes128sha, 0x0032: aes128sha, 0x0033: aes128sha,
	0x0035: aes256sha, 0x0036: aes256sha, 0x0037: aes256sha, 0x0038: aes256sha, 0x0039: aes256sha,
	0x003c: aes128sha256, 0x003e: aes128sha256, 0x003f: aes128sha256, 0x0040: aes128sha256, 0x0067: aes128sha256,
	0x003d: aes256sha256, 0x0068: aes256sha256, 0x0069: aes256sha256, 0x006a: aes256sha256, 0x006b: aes256sha256,
	// RFC 8422, RFC 5489
	0xc004: aes128sha, 0xc009: aes128sha, 0xc00e: aes128sha, 0xc013: aes128sha, 0xc035: aes128sha,
	0xc005: aes256sha, 0xc00a: aes256sha, 0xc00f: aes256sha, 0xc014: aes256sha, 0xc036: aes256sha,
	// RFC 5289
	0xc023: aes128sha256, 0xc025: aes128sha256, 0xc027: aes128sha256, 0xc029: aes128sha256, 0xc037: aes128sha256,
	0xc024: aes256sha384, 0xc026: aes256sha384, 0xc028: aes256sha384, 0xc02a: aes256sha384, 0xc038: aes256sha384,
}

// fitting are the suites of TLS 1.3 that a traffic secret of n octets may belong to: the ServerHello that said which is missing.
func fitting(n int) []*suite {
	if n == sha512.Size384 {
		return []*suite{aes256gcm}
	}
	return []*suite{aes128gcm, chacha20}
}

// tls13 tells whether a suite's number is one of TLS 1.3.
func tls13(number uint16) bool { return number>>8 == 0x13 }
