package tlskey_test

import (
	"bytes"
	"crypto/tls"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/analysis/engine"
	"expectscope/capture"
	"expectscope/capture/pcapfile"
	"expectscope/capture/script"
)

// rows are what an engine says of a capture.
type rows struct {
	exchanges map[string]string // id: what happened
	doubtful  map[string]bool
	accused   []string // rules that are certain, of warnings and worse
	sum       *analysis.Summary
	tls       *analysis.TLS
}

func (r *rows) Exchange(x *analysis.Exchange) {
	text := fmt.Sprintf("%s %s early %d invited %d tail %d of %d,", x.Request.Method, x.Request.Target, x.ReqBody.Early, x.ReqBody.Invited, x.ReqBody.Tail, x.ReqBody.Sent)
	for i := range x.Interim {
		text += " " + strconv.Itoa(x.Interim[i].Status)
	}
	if x.Final != nil {
		text += fmt.Sprintf(" %d %d", x.Final.Status, x.RespBody.Sent)
	}
	text += fmt.Sprintf(" retry %s", x.Retry().Outcome)
	r.exchanges[x.Request.Target+strconv.FormatBool(x.Request.ExpectClass() == analysis.NoExpect)] = text
	r.doubtful[x.Request.Target+strconv.FormatBool(x.Request.ExpectClass() == analysis.NoExpect)] = len(x.Doubts) > 0 || x.Retry().Outcome == analysis.RetryUnknown
	r.tls = x.TLS
}

func (r *rows) Finding(f *analysis.Finding) {
	if f.Severity >= analysis.Warning && f.Confidence == analysis.Certain {
		r.accused = append(r.accused, f.Rule)
	}
}

// packets is a talk as a script, without the pieces named lost.
func packets(t testing.TB, tk *talk, lost ...int) *script.Script {
	t.Helper()
	var b strings.Builder
	b.WriteString("@conn 10.0.0.1:40000 10.0.0.2:443\n")
	for i, p := range tk.wire {
		fmt.Fprintf(&b, "%c %s [oneseg]", "><"[p.dir], strconv.Quote(string(p.data)))
		if slices.Contains(lost, i) {
			b.WriteString(" [lost]")
		}
		b.WriteString("\n")
	}
	b.WriteString("> fin\n< fin\n+60s @end\n")
	s, err := script.Parse(b.String())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// analyze runs packets through an engine; keys are a key log, nil for none.
func analyze(t testing.TB, src capture.Source, keys []byte) *rows {
	t.Helper()
	o := engine.Options{}
	if keys != nil {
		log := bytes.NewBuffer(keys)
		o.KeyLog = func() []byte { return log.Next(7) }
	}
	return run(t, src, o)
}

// run runs packets through an engine with options.
func run(t testing.TB, src capture.Source, o engine.Options) *rows {
	t.Helper()
	r := &rows{exchanges: map[string]string{}, doubtful: map[string]bool{}}
	o.All, o.Crash = true, true
	e := engine.New(o, r)
	if err := e.Read(src, func() bool { return true }); err != nil {
		t.Fatal(err)
	}
	r.sum = e.Close(src)
	return r
}

// dsb is a capture as pcapng, with a key log in it behind so many packets, and without the pieces named lost.
func dsb(t testing.TB, tk *talk, behind int, lost ...int) capture.Source {
	t.Helper()
	var file bytes.Buffer
	w := pcapfile.NewNgWriter(&file)
	ps := packets(t, tk, lost...).Packets(script.Options{})
	for i := range ps {
		if i == behind {
			if err := w.WriteSecrets(tk.keys); err != nil {
				t.Fatal(err)
			}
		}
		if err := w.WritePacket(&ps[i], ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	src, err := pcapfile.Open([]string{"-"}, pcapfile.Options{Stdin: io.NopCloser(&file)})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { src.Close() })
	return src
}

// want is what the conversation comes to.
var want = map[string]string{
	"/onefalse": "PUT /one early 0 invited 50000 tail 0 of 50000, 100 201 3 retry ",
	"/twofalse": "PUT /two early 0 invited 0 tail 0 of 0, 417 0 retry same-connection",
	"/twotrue":  "PUT /two early 3000 invited 0 tail 0 of 3000, 200 5000 retry ",
}

// inClear is the conversation as it is.
func inClear() *talk {
	tk := &talk{}
	for _, l := range conversation {
		tk.wire = append(tk.wire, piece{l.dir, []byte(l.text)})
	}
	return tk
}

// What goes through a tunnel may be TLS, and TLS may be in TLS (RFC 9110, Section 9.3.6).
func TestTunnel(t *testing.T) {
	tk := goTalk(t, tls.VersionTLS13, 0)
	connect := []line{{0, "CONNECT files.example:443 HTTP/1.1\r\nHost: files.example:443\r\n\r\n"}, {1, "HTTP/1.1 200 OK\r\n\r\n"}}
	var wire []piece
	through := slices.Clone(connect)
	for _, l := range connect {
		wire = append(wire, piece{l.dir, []byte(l.text)})
	}
	for _, p := range tk.wire {
		wire = append(wire, p)
		through = append(through, line{p.dir, string(p.data)})
	}
	sealed := goTalk(t, tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256, through...)
	for how, c := range map[string]struct {
		tk *talk
		n  uint64
	}{"in the clear": {&talk{wire: wire, keys: tk.keys}, 1}, "in TLS": {&talk{wire: sealed.wire, keys: slices.Concat(sealed.keys, tk.keys)}, 2}} {
		r := analyze(t, packets(t, c.tk).Source(script.Options{}), c.tk.keys)
		for key, row := range want {
			if r.exchanges[key] != row {
				t.Errorf("%s: %s is %q, want %q", how, key, r.exchanges[key], row)
			}
		}
		if r.sum.Capture.Decrypted != c.n || r.exchanges["files.example:443true"] == "" {
			t.Errorf("%s: %d decrypted, exchanges %v", how, r.sum.Capture.Decrypted, r.exchanges)
		}
	}
}
