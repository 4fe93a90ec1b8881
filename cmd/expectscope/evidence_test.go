package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expectscope/analysis/engine"
	"expectscope/analysis/store"
	"expectscope/capture"
	"expectscope/capture/decode"
	"expectscope/capture/pcapfile"
	"expectscope/capture/script"
)

// proofs writes the evidence of a capture as live does, and gives the files by their names.
func proofs(t *testing.T, src capture.Source, redact bool) map[string][]byte {
	t.Helper()
	defer src.Close()
	var said bytes.Buffer
	e, err := newEvidence(&console{err: &said}, t.TempDir(), recentBytes, redact)
	if err != nil {
		t.Fatal(err)
	}
	run := engine.New(engine.Options{Live: true, Crash: true}, proving{store.New(), e})
	for p := (capture.Packet{}); src.Next(&p) == nil; {
		e.add(&p)
		run.Packet(&p)
	}
	run.Close(src)
	if e.conclude(src.Stats()) || said.Len() > 0 {
		t.Errorf("redacted: %v, complaints: %s", redact, said.String())
	}
	files := map[string][]byte{}
	names, err := os.ReadDir(e.dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if files[name.Name()], err = os.ReadFile(filepath.Join(e.dir, name.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return files
}

// judged is what is said of a capture, without what quotes it.
func judged(t *testing.T, pcapng []byte) []string {
	t.Helper()
	got := runWith(t, func(c *console) { c.in = bytes.NewReader(pcapng) }, "analyze", "-f", "ndjson", "--all", "-")
	if got.status != 0 {
		t.Fatalf("status %d: %s", got.status, got.err)
	}
	var all []string
	for line := range strings.Lines(got.out) {
		var o map[string]any
		if err := json.Unmarshal([]byte(line), &o); err != nil {
			t.Fatal(err)
		}
		words := []any{o["type"]}
		for _, key := range []string{"id", "client", "status", "final_packet", "expect", "ended", "retry", "retry_of", "rule", "exchange", "severity", "confidence", "evidence", "exchanges"} {
			words = append(words, o[key])
		}
		all = append(all, fmt.Sprintln(words...))
	}
	return all
}

// The evidence of a conversation full of secrets holds none of them with --redact, and proves the same.
func TestEvidenceRedacted(t *testing.T) {
	talk, err := script.Parse(`
@conn 10.0.0.1:40000 10.0.0.2:80
> PUT http://SECRET@SECRET.example/up?k=SECRET1 HTTP/1.1 | Host: SECRET.example | User-Agent: curl/8 SECRET | Cookie: SECRET2 | Transfer-Encoding: chunked | Expect: 100-continue
< HTTP/1.1 417 SECRET | Server: SECRET | Content-Length: 6
< "SECRET"
+1s > PUT /up?k=SECRET1 HTTP/1.1 | Host: SECRET.example | Cookie: SECRET2 | Transfer-Encoding: chunked [seg 7]
> "c;a=SECRET\r\nSECRETSECRET\r\n0\r\nX-Sum: SECRET\r\n\r\n" [dup 3ms]
< HTTP/1.1 201 Created | Content-Length: 0
@conn nosyn 10.0.0.3:40001 10.0.0.2:80 nosyn
nosyn> "SECRETSECRET"
nosyn> PUT /up?k=SECRET1 HTTP/1.1 | Host: SECRET.example | Content-Length: 6 | Expect: 100-continue
nosyn< HTTP/1.1 403 Forbidden | WWW-Authenticate: SECRET | Content-Length: 6
nosyn< "SECRET"
nosyn> "SECRET"
@conn cut 10.0.0.4:40001 10.0.0.2:80
cut> PUT /up HTTP/1.1 | Host: SECRET.example | Content-Length: 6 | Expect: 100-continue
cut< HTTP/1.1 417 Expectation Failed | Content-Length: 0
cut> "PUT /up HTTP/1.1\r\nCookie: SECRET"
@conn other 10.0.0.5:40001 10.0.0.2:80
other> PUT /up?k=SECRET1 HTTP/1.1 | Host: SECRET.example | Content-Length: 6 | Expect: 100-continue
other< HTTP/1.1 417 Expectation Failed | Content-Length: 0
other> "SECRET"
other> PUT /up?k=SECRET2 HTTP/1.1 | Host: SECRET.example | Content-Length: 6
other> "SECRET"
other< HTTP/1.1 201 Created | Content-Length: 0
+20s @end
`)
	if err != nil {
		t.Fatal(err)
	}
	plain, redacted := proofs(t, talk.Source(script.Options{}), false), proofs(t, talk.Source(script.Options{}), true)
	if len(plain) < 5 || len(redacted) != len(plain) {
		t.Fatalf("%d files, %d redacted", len(plain), len(redacted))
	}
	quotes := false
	for name, file := range plain {
		cover := redacted[name]
		quotes = quotes || bytes.Contains(file, []byte(`"/up?k=SECRET1" became `)) // a comment
		if !bytes.Contains(file, []byte("SECRET")) || bytes.Contains(bytes.ToLower(cover), []byte("secret")) {
			t.Errorf("%s: a secret is in what is redacted, or in nothing", name)
		}
		rule := []byte(regexp.MustCompile(`-\d+-\d+\.pcapng$`).ReplaceAllString(name, ": "))
		if n := bytes.Count(cover, rule); n == 0 || n != bytes.Count(file, rule) {
			t.Errorf("%s: %d packets are said to prove it, %d of the plain file", name, n, bytes.Count(file, rule))
		}
		if d := cmp.Diff(judged(t, file), judged(t, cover)); d != "" {
			t.Errorf("%s (-plain +redacted):\n%s", name, d)
		}
	}
	if !quotes {
		t.Error("no finding quotes a secret")
	}
}

// Wherever the memory of packets begins in a conversation, nothing of a secret is written.
func TestEvidenceBeginsAnywhere(t *testing.T) {
	talk, err := script.Parse(`
@conn 10.0.0.1:40000 10.0.0.2:80
> PUT http://QQQ@QQQ/up?k=QQQ HTTP/1.1 | Host: QQQ | Cookie: QQQQQQQQQQ; QQQQ QQQQ | Transfer-Encoding: chunked | Expect: 100-continue [seg 5]
< HTTP/1.1 417 QQ QQ | Server: QQQQQQQ QQQ | Content-Length: 6 [seg 5]
< "QQQQQQ"
> "c;a=QQQQQQ\r\nQQQQQQQQQQQQ\r\n0\r\nX-Sum: QQQQ\r\n\r\n" [seg 5] [dup 3ms]
`)
	if err != nil {
		t.Fatal(err)
	}
	src := talk.Source(script.Options{})
	var all []capture.Packet
	for p := (capture.Packet{}); src.Next(&p) == nil; {
		q := p
		q.Data = bytes.Clone(p.Data)
		all = append(all, q)
	}
	secrets := func(redact bool, from int) (packets, secret int) {
		e := newMemory(nil, 1<<20, redact)
		for i := range all[from:] {
			e.add(&all[from+i])
		}
		var b bytes.Buffer
		if _, err := e.write(&b, 0, 1<<62, nil, func(capture.Num) string { return "" }); err != nil {
			t.Fatal(err)
		}
		src, err := pcapfile.Open([]string{"-"}, pcapfile.Options{Stdin: &b})
		if err != nil {
			return 0, 0 // nothing was written
		}
		defer src.Close()
		var s decode.Segment
		for p, d := (capture.Packet{}), decode.New(decode.DefaultLimits()); src.Next(&p) == nil; packets++ {
			if d.Decode(&p, &s) {
				secret += bytes.Count(s.Payload, []byte("Q"))
			}
		}
		return packets, secret
	}
	for from := range all {
		packets, secret := secrets(true, from)
		if secret > 0 {
			t.Errorf("from packet %d on %d octets of a secret are written", from+1, secret)
		}
		// An acknowledgement in front of all data begins no connection.
		if plain, _ := secrets(false, from); packets < plain-1 && from < len(all)-10 {
			t.Errorf("from packet %d on %d packets are written, redacted %d", from+1, plain, packets)
		}
	}
	if _, secret := secrets(false, 0); secret < 50 || len(all) < 50 {
		t.Errorf("%d octets of a secret in %d packets: that is not enough", secret, len(all))
	}
}

// Redacted evidence of the committed captures proves the same. HTTP/2 is covered whole.
func TestEvidenceRedactedSaysTheSame(t *testing.T) {
	for _, path := range captures(t) {
		name := filepath.Base(path)
		t.Run(name, func(t *testing.T) {
			if strings.HasPrefix(name, "h2") {
				t.Skip("HTTP/2")
			}
			open := func() capture.Source {
				src, err := pcapfile.Open([]string{path}, pcapfile.Options{})
				if err != nil {
					t.Fatal(err)
				}
				return src
			}
			plain, redacted := proofs(t, open(), false), proofs(t, open(), true)
			for file, b := range plain {
				if d := cmp.Diff(judged(t, b), judged(t, redacted[file])); d != "" {
					t.Errorf("%s (-plain +redacted):\n%s", file, d)
				}
			}
		})
	}
}

// full is a disk without space.
type full struct{}

var errFull = errors.New("full")

func (full) Write([]byte) (int, error) { return 0, errFull }

func TestEvidenceWriteFails(t *testing.T) {
	for _, redact := range []bool{false, true} {
		e := newMemory(nil, 1<<20, redact)
		talk, err := script.Parse("@conn 10.0.0.1:40000 10.0.0.2:80\n> PUT / HTTP/1.1 | Content-Length: 900000\n> body 900000")
		if err != nil {
			t.Fatal(err)
		}
		src := talk.Source(script.Options{})
		for p := (capture.Packet{}); src.Next(&p) == nil; {
			e.add(&p)
		}
		n, err := e.write(full{}, 0, 1<<62, nil, func(capture.Num) string { return "" })
		if !errors.Is(err, errFull) || n >= e.recent.Packets() {
			t.Errorf("redacted: %v: %d packets of %d, %v", redact, n, e.recent.Packets(), err)
		}
	}
}
