package tlskey_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"expectscope/capture/script"
	"expectscope/reassembly"
)

// http2Talk is the conversation as net/http's client and server have it over HTTP/2; version 0 is in the clear, by prior knowledge.
func http2Talk(t testing.TB, version, suite uint16) *talk {
	t.Helper()
	srv := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/one":
			_, _ = io.Copy(io.Discard, r.Body)
			w.WriteHeader(http.StatusCreated)
			_, _ = io.WriteString(w, "ok\n")
		case r.Header.Get("Refuse") != "": // the server keeps Expect to itself
			w.WriteHeader(http.StatusExpectationFailed)
		default:
			_, _ = io.Copy(io.Discard, r.Body)
			_, _ = io.WriteString(w, content(5000))
		}
	}))
	var protocols http.Protocols
	var keys bytes.Buffer
	config := &tls.Config{MinVersion: version, MaxVersion: version, NextProtos: []string{"h2"}}
	if version == tls.VersionTLS12 {
		config.CipherSuites = []uint16{suite}
	}
	srv.Config.Protocols = &protocols
	if version == 0 {
		protocols.SetUnencryptedHTTP2(true)
		srv.Start()
	} else {
		protocols.SetHTTP2(true)
		srv.TLS = config.Clone()
		pair := credentials()
		srv.TLS.Certificates = pair[:]
		srv.StartTLS()
	}
	defer srv.Close()
	tp := &tape{}
	config.KeyLogWriter, config.InsecureSkipVerify, config.ServerName = &keys, true, "files.example"
	tr := &http.Transport{
		Protocols: &protocols, TLSClientConfig: config, ExpectContinueTimeout: patience,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := new(net.Dialer).DialContext(ctx, network, addr)
			return taped{c, tp, reassembly.Forward}, err
		},
	}
	put := func(path string, n int, expect bool) {
		req, err := http.NewRequest("PUT", srv.URL+path, strings.NewReader(content(n)))
		if err != nil {
			t.Fatal(err)
		}
		if expect {
			req.Header.Set("Expect", "100-continue")
			if path == "/two" {
				req.Header.Set("Refuse", "yes")
			}
		}
		resp, err := tr.RoundTrip(req)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if _, err := io.Copy(io.Discard, resp.Body); err != nil || resp.ProtoMajor != 2 {
			t.Fatalf("%s: %v by %s", path, err, resp.Proto)
		}
		if state := resp.TLS; version == tls.VersionTLS12 && state.CipherSuite != suite {
			t.Fatalf("the suite is %s", tls.CipherSuiteName(state.CipherSuite))
		}
	}
	put("/one", 50000, true)
	put("/two", 3000, true)
	put("/two", 3000, false)
	tr.CloseIdleConnections()
	tp.mu.Lock()
	defer tp.mu.Unlock()
	if version == 0 {
		return &talk{wire: slices.Clone(tp.wire)}
	}
	return &talk{wire: tp.records(), keys: keys.Bytes()}
}

// forHTTP2 tells whether a suite of TLS 1.2 may carry HTTP/2 (RFC 9113, Section 9.2.2): net/http takes no other.
func forHTTP2(suite uint16) bool {
	switch suite {
	case tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256:
		return true
	}
	return false
}

// ALPN says what a connection carries and the handshake who its client is: without the record in which the preface is,
// the rest is HTTP/2 all the same.
func TestPrefaceLost(t *testing.T) {
	lines := linesOf(http2Talk(t, 0, 0))
	for _, s := range goSuites[:2] {
		tk := goTalk(t, s.version, s.suite, lines...)
		i := slices.IndexFunc(tk.wire, func(p piece) bool { // what is sealed of TLS 1.3's handshake is shorter
			return p.dir == 0 && p.data[0] == 23 && len(p.data) > len(lines[0].text)+16
		})
		r := analyze(t, packets(t, tk, i).Source(script.Options{}), tk.keys)
		if len(r.sum.Capture.Opaque) != 0 || len(r.exchanges) == 0 {
			t.Errorf("%s without record %d: opaque %v, exchanges %v", nameOf(s.version, s.suite), i, r.sum.Capture.Opaque, r.exchanges)
		}
	}
}
