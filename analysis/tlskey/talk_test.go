package tlskey_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/binary"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"expectscope/reassembly"
)

// A line is what one side says: ">" and "<" as in capture/script.
type line struct {
	dir  reassembly.Dir
	text string
}

// conversation is what is said in TLS: a body that is asked for, and one that is refused and comes without Expect.
var conversation = []line{
	{0, "PUT /one HTTP/1.1\r\nHost: h\r\nContent-Length: 50000\r\nExpect: 100-continue\r\n\r\n"},
	{1, "HTTP/1.1 100 Continue\r\n\r\n"},
	{0, content(20000)},
	{0, content(30000)},
	{1, "HTTP/1.1 201 Created\r\nContent-Length: 3\r\n\r\nok\n"},
	{0, "PUT /two HTTP/1.1\r\nHost: h\r\nContent-Length: 3000\r\nExpect: 100-continue\r\n\r\n"},
	{1, "HTTP/1.1 417 Expectation Failed\r\nContent-Length: 0\r\n\r\n"},
	{0, "PUT /two HTTP/1.1\r\nHost: h\r\nContent-Length: 3000\r\n\r\n" + content(3000)},
	{1, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1388\r\n" + content(5000) + "\r\n0\r\n\r\n"},
}

// content is a pattern in which each stretch says where it is.
func content(n int) string {
	var b strings.Builder
	for b.Len() < n {
		fmt.Fprintf(&b, "%07d ", b.Len())
	}
	return b.String()[:n]
}

// alpnOf is the protocol that lines are in.
func alpnOf(lines []line) string {
	if strings.HasPrefix(lines[0].text, "PRI * HTTP/2.0") {
		return "h2"
	}
	return "http/1.1"
}

// said is all that each side says.
func said(lines []line) (all [2]string) {
	for _, l := range lines {
		all[l.dir] += l.text
	}
	return all
}

// A talk is what went over the wire, in order, and the key log.
type talk struct {
	wire []piece
	keys []byte
	// said, by side: what was in it.
	said [2]string
}

type piece struct {
	dir  reassembly.Dir
	data []byte
}

// A tape notes what is sent, in order.
type tape struct {
	mu   sync.Mutex
	wire []piece
}

func (t *tape) note(d reassembly.Dir, b []byte) {
	if len(b) == 0 {
		return
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.wire = append(t.wire, piece{d, bytes.Clone(b)})
}

// records are the pieces of a tape cut where records begin, as one segment each.
func (t *tape) records() []piece {
	var out []piece
	var held [2][]byte
	for _, p := range t.wire {
		b := append(held[p.dir], p.data...)
		for len(b) >= 5 {
			n := 5 + int(binary.BigEndian.Uint16(b[3:]))
			if len(b) < n {
				break
			}
			out = append(out, piece{p.dir, b[:n]})
			b = b[n:]
		}
		held[p.dir] = b
	}
	return out
}

// A taped connection notes what goes over it; out is the direction of what is written.
type taped struct {
	net.Conn
	tape *tape
	out  reassembly.Dir
}

func (c taped) Write(b []byte) (int, error) {
	c.tape.note(c.out, b)
	return c.Conn.Write(b)
}

func (c taped) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.tape.note(c.out.Other(), b[:n])
	return n, err
}

// patience is how long one line may take.
const patience = 10 * time.Second

// speak plays lines between two ends, each when the one before it has arrived.
func speak(t testing.TB, lines []line, client, server io.ReadWriter) {
	t.Helper()
	ends := [2]io.ReadWriter{client, server}
	for i, l := range lines {
		over := make(chan error, 2)
		got := make([]byte, len(l.text))
		go func() {
			_, err := io.WriteString(ends[l.dir], l.text)
			over <- err
		}()
		go func() {
			_, err := io.ReadFull(ends[l.dir.Other()], got)
			over <- err
		}()
		for range 2 {
			select {
			case err := <-over:
				if err != nil {
					t.Fatalf("line %d: %v", i, err)
				}
			case <-time.After(patience):
				t.Fatalf("line %d does not arrive", i)
			}
		}
		if string(got) != l.text {
			t.Fatalf("line %d arrives as %.40q", i, got)
		}
	}
}

// credentials are those of a server, made once: for RSA and ECDSA.
var credentials = sync.OnceValue(func() (c [2]tls.Certificate) {
	rsaKey, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	ecKey, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		panic(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "h"}, DNSNames: []string{"h", "files.example"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	for i, key := range []any{rsaKey, ecKey} {
		public := any(&rsaKey.PublicKey)
		if i == 1 {
			public = &ecKey.PublicKey
		}
		der, err := x509.CreateCertificate(rand.Reader, template, template, public, key)
		if err != nil {
			panic(err)
		}
		c[i] = tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
	}
	return c
})

// goTalk plays lines between two ends of crypto/tls; the conversation, if there are none.
func goTalk(t testing.TB, version, suite uint16, lines ...line) *talk {
	t.Helper()
	if lines == nil {
		lines = conversation
	}
	var keys bytes.Buffer
	tp := &tape{}
	a, b := net.Pipe()
	pair := credentials()
	cfg := &tls.Config{MinVersion: version, MaxVersion: version, NextProtos: []string{alpnOf(lines)}}
	if version == tls.VersionTLS12 {
		cfg.CipherSuites = []uint16{suite}
	}
	sc := cfg.Clone()
	sc.Certificates = pair[:]
	cc := cfg.Clone()
	cc.KeyLogWriter, cc.InsecureSkipVerify, cc.ServerName = &keys, true, "files.example"
	server := tls.Server(b, sc)
	client := tls.Client(taped{a, tp, 0}, cc)
	shaken := make(chan error, 1)
	go func() { shaken <- server.Handshake() }()
	if err := client.Handshake(); err != nil {
		t.Fatal(err)
	}
	if err := <-shaken; err != nil {
		t.Fatal(err)
	}
	if got := client.ConnectionState(); version == tls.VersionTLS12 && got.CipherSuite != suite {
		t.Fatalf("the suite is %s", tls.CipherSuiteName(got.CipherSuite))
	}
	speak(t, lines, client, server)
	return &talk{tp.records(), keys.Bytes(), said(lines)}
}

// needOpenSSL skips where there is none.
func needOpenSSL(t testing.TB) {
	t.Helper()
	if _, err := exec.LookPath("openssl"); err != nil {
		t.Skip("openssl is not installed")
	}
}

// A program is openssl with what it reads and writes.
type program struct {
	io.Reader
	io.WriteCloser
	cmd *exec.Cmd
}

func (p *program) stop() {
	p.WriteCloser.Close()
	_ = p.cmd.Process.Kill()
	_ = p.cmd.Wait()
}

func openssl(t testing.TB, args ...string) *program {
	t.Helper()
	cmd := exec.Command("openssl", args...)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &program{out, in, cmd}
	t.Cleanup(p.stop)
	return p
}

// pemFiles are the RSA credentials as openssl takes them.
func pemFiles(t testing.TB, dir string) (cert, key string) {
	t.Helper()
	pair := credentials()[0]
	der, err := x509.MarshalPKCS8PrivateKey(pair.PrivateKey)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, block := range map[string]*pem.Block{cert: {Type: "CERTIFICATE", Bytes: pair.Certificate[0]}, key: {Type: "PRIVATE KEY", Bytes: der}} {
		if err := os.WriteFile(name, pem.EncodeToMemory(block), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return cert, key
}

// serve starts openssl s_server and gives its address.
func serve(t testing.TB, dir string, args ...string) (*program, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	addr := l.Addr().String()
	l.Close()
	cert, key := pemFiles(t, dir)
	p := openssl(t, slices.Concat([]string{"s_server", "-quiet", "-accept", addr, "-cert", cert, "-key", key}, args)...)
	for range 100 { // until it listens; it takes one connection at a time, and this is none
		if c, err := net.Dial("tcp", addr); err == nil {
			c.Close()
			return p, addr
		}
		time.Sleep(20 * time.Millisecond)
	}
	t.Fatal("openssl s_server does not listen")
	return nil, ""
}

// relay passes one connection on to an address and tapes it.
func relay(t testing.TB, tp *tape, to string) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		a, err := l.Accept()
		if err != nil {
			return
		}
		b, err := net.Dial("tcp", to)
		if err != nil {
			a.Close()
			return
		}
		pass := func(d reassembly.Dir, from, to net.Conn) {
			buf := make([]byte, 32<<10)
			for {
				n, err := from.Read(buf)
				tp.note(d, buf[:n])
				if _, werr := to.Write(buf[:n]); err != nil || werr != nil {
					to.Close()
					return
				}
			}
		}
		go pass(0, a, b)
		pass(1, b, a)
	}()
	return l.Addr().String()
}

// opensslTalk plays lines between openssl s_client and s_server.
func opensslTalk(t testing.TB, lines []line, server, client []string) *talk {
	t.Helper()
	needOpenSSL(t)
	dir := t.TempDir()
	s, addr := serve(t, dir, append([]string{"-alpn", alpnOf(lines), "-cipher", "ALL:@SECLEVEL=0"}, server...)...)
	tp := &tape{}
	log := filepath.Join(dir, "keys")
	c := openssl(t, slices.Concat([]string{
		"s_client", "-connect", relay(t, tp, addr), "-keylogfile", log, "-servername", "files.example",
		"-alpn", alpnOf(lines), "-quiet", "-ign_eof",
	}, client)...)
	speak(t, lines, c, s)
	keys, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	tp.mu.Lock()
	defer tp.mu.Unlock()
	return &talk{tp.records(), keys, said(lines)}
}
