package tlskey_test

import (
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"expectscope/analysis/tlskey"
)

// opensslSuites are the suites, and their ways of agreeing on keys, that crypto/tls does not have or does not let choose.
var opensslSuites = []struct {
	name           string
	server, client []string
}{
	{"TLS 1.3 AES-128-GCM", []string{"-tls1_3"}, []string{"-ciphersuites", "TLS_AES_128_GCM_SHA256"}},
	{"TLS 1.3 AES-256-GCM", []string{"-tls1_3"}, []string{"-ciphersuites", "TLS_AES_256_GCM_SHA384"}},
	{"TLS 1.3 ChaCha20", []string{"-tls1_3"}, []string{"-ciphersuites", "TLS_CHACHA20_POLY1305_SHA256"}},
	{"TLS 1.3 HelloRetryRequest", []string{"-tls1_3", "-groups", "P-256"}, []string{"-groups", "X25519:P-256"}},
	{"TLS 1.3 padded", []string{"-tls1_3", "-record_padding", "512"}, []string{"-record_padding", "512"}},
	{"TLS 1.2 ECDHE AES-256-GCM", []string{"-tls1_2"}, []string{"-cipher", "ECDHE-RSA-AES256-GCM-SHA384"}},
	{"TLS 1.2 DHE AES-128-GCM", []string{"-tls1_2"}, []string{"-cipher", "DHE-RSA-AES128-GCM-SHA256"}},
	{"TLS 1.2 DHE ChaCha20", []string{"-tls1_2"}, []string{"-cipher", "DHE-RSA-CHACHA20-POLY1305"}},
	{"TLS 1.2 CBC-SHA, encrypt then MAC", []string{"-tls1_2"}, []string{"-cipher", "ECDHE-RSA-AES128-SHA"}},
	{"TLS 1.2 CBC-SHA256, encrypt then MAC", []string{"-tls1_2"}, []string{"-cipher", "ECDHE-RSA-AES128-SHA256"}},
	{"TLS 1.2 CBC-SHA384, encrypt then MAC", []string{"-tls1_2"}, []string{"-cipher", "ECDHE-RSA-AES256-SHA384"}},
	{"TLS 1.2 RSA CBC-SHA256, encrypt then MAC", []string{"-tls1_2"}, []string{"-cipher", "AES256-SHA256"}},
	{"TLS 1.2 CBC-SHA384, MAC then encrypt", []string{"-tls1_2", "-no_etm"}, []string{"-cipher", "ECDHE-RSA-AES256-SHA384", "-no_etm"}},
	{"TLS 1.2 DHE CBC-SHA, MAC then encrypt", []string{"-tls1_2", "-no_etm"}, []string{"-cipher", "DHE-RSA-AES256-SHA", "-no_etm"}},
}

// What was said between two ends of OpenSSL is read, and what is missing of it is a hole.
func TestOpenSSLEnds(t *testing.T) {
	needOpenSSL(t)
	for i, s := range opensslSuites {
		if testing.Short() && i%4 != 0 {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			tk := opensslTalk(t, conversation, s.server, s.client)
			for how, wire := range map[string][]piece{"records": tk.wire, "bytes": cut(tk.wire, 1), "segments": join(tk.wire, 1460)} {
				h := hear(t, tk, wire, tlskey.Options{})
				h.whole(t, how)
				if h.hello.SNI != "files.example" || h.hello.ALPN != "http/1.1" {
					t.Errorf("hello %+v", h.hello)
				}
			}
			heard := 0
			for i := range tk.wire {
				h := hear(t, tk, tk.wire, tlskey.Options{}, i)
				heard += h.got[0] + h.got[1]
			}
			if share := float64(heard) / float64(len(tk.wire)*(len(tk.said[0])+len(tk.said[1]))); share < 0.7 {
				t.Errorf("only %.3f was read", share)
			}
		})
	}
}

// A KeyUpdate changes the keys of one side, or of both (RFC 8446, Section 4.6.3).
func TestKeyUpdate(t *testing.T) {
	needOpenSSL(t)
	dir := t.TempDir()
	s, addr := serve(t, dir, "-tls1_3")
	tp := &tape{}
	log := filepath.Join(dir, "keys")
	c := openssl(t, "s_client", "-connect", relay(t, tp, addr), "-keylogfile", log, "-brief")
	before := []line{{0, "GET /1 HTTP/1.1\r\n\r\n"}}
	after := []line{{0, "GET /2 HTTP/1.1\r\n\r\n"}}
	speak(t, before, c, s)
	for range 3 {
		if _, err := io.WriteString(c, "K\n"); err != nil { // an update, and one of the server's is asked for
			t.Fatal(err)
		}
		time.Sleep(100 * time.Millisecond)
	}
	speak(t, after, c, s)
	if _, err := io.WriteString(s, "HTTP/1.1 200 OK\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	time.Sleep(200 * time.Millisecond)
	keys, err := os.ReadFile(log)
	if err != nil {
		t.Fatal(err)
	}
	tp.mu.Lock()
	defer tp.mu.Unlock()
	tk := &talk{tp.records(), keys, [2]string{before[0].text + after[0].text, "HTTP/1.1 200 OK\r\n\r\n"}}
	hear(t, tk, tk.wire, tlskey.Options{}).whole(t, "updated")
	for i := range tk.wire { // a lost update costs nothing but doubt
		h := hear(t, tk, tk.wire, tlskey.Options{}, i)
		if missing := len(tk.said[0]) + len(tk.said[1]) - h.got[0] - h.got[1]; missing > len(tk.said[0]) && h.opaque == 0 {
			t.Errorf("without record %d of %d, %d bytes are missing", i, len(tk.wire), missing)
		}
	}
}

// Early data that the server takes is read, and comes first (RFC 8446, Section 2.3).
func TestEarlyData(t *testing.T) {
	needOpenSSL(t)
	dir := t.TempDir()
	const early = "PUT /early HTTP/1.1\r\nContent-Length: 2\r\n\r\nhi"
	earlyFile, session, log := filepath.Join(dir, "early"), filepath.Join(dir, "session"), filepath.Join(dir, "keys")
	if err := os.WriteFile(earlyFile, []byte(early), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, taken := range []bool{true, false} {
		args := []string{"-tls1_3", "-max_early_data", "16384"}
		if taken {
			args = append(args, "-early_data")
		}
		s, addr := serve(t, dir, args...)
		first := openssl(t, "s_client", "-connect", addr, "-sess_out", session, "-quiet", "-no_ign_eof")
		speak(t, []line{{0, "x"}, {1, "y"}}, first, s)
		first.Close() // in order: the server forgets sessions that break off
		_, _ = io.Copy(io.Discard, first)
		_ = first.cmd.Wait()
		tp := &tape{}
		c := openssl(t, "s_client", "-connect", relay(t, tp, addr), "-sess_in", session, "-early_data", earlyFile, "-keylogfile", log, "-quiet", "-ign_eof")
		if taken {
			speak(t, []line{{0, early}}, silent{}, s)
		}
		lines := []line{{0, "GET / HTTP/1.1\r\n\r\n"}, {1, "HTTP/1.1 200 OK\r\n\r\n"}}
		speak(t, lines, c, s)
		keys, err := os.ReadFile(log)
		if err != nil {
			t.Fatal(err)
		}
		tp.mu.Lock()
		tk := &talk{tp.records(), keys, [2]string{lines[0].text, lines[1].text}}
		tp.mu.Unlock()
		if taken {
			tk.said[0] = early + tk.said[0]
		}
		h := hear(t, tk, tk.wire, tlskey.Options{})
		h.whole(t, map[bool]string{true: "taken", false: "refused"}[taken])
		if !h.hello.Early() {
			t.Error("no early data was announced")
		}
		c.stop()
		s.stop()
		if err := os.Remove(log); err != nil {
			t.Fatal(err)
		}
	}
}

// silent is an end that has said already what it is to say.
type silent struct{ io.Reader }

func (silent) Write(b []byte) (int, error) { return len(b), nil }
