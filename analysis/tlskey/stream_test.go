package tlskey_test

import (
	"crypto/tls"
	"fmt"
	"slices"
	"strings"
	"testing"

	"expectscope/analysis/tlskey"
	"expectscope/capture"
	"expectscope/reassembly"
)

// A listener is the layer inside: what it hears has to be what was said, but for the holes it is told of.
type listener struct {
	t    testing.TB
	said [2]string
	at   [2]int // index in said of what comes next
	lost [2]int // holes, and whether one of them was inexact
	lax  [2]bool
	got  [2]int
	ends int
	last [2]reassembly.Mark
}

func (l *listener) Data(c *reassembly.Chunk) {
	rest := l.said[c.Dir][l.at[c.Dir]:]
	i := 0
	if l.lax[c.Dir] {
		i = strings.Index(rest, string(c.Data))
	}
	if i < 0 || !strings.HasPrefix(rest[i:], string(c.Data)) {
		l.t.Fatalf("direction %d: %.30q at %d was not said there", c.Dir, c.Data, l.at[c.Dir])
	}
	l.lax[c.Dir] = false
	l.at[c.Dir] += i + len(c.Data)
	l.got[c.Dir] += len(c.Data)
	if last := l.last[c.Dir]; !c.Sealed || c.Mark.Off <= last.Off || c.Mark.Packet < last.Packet {
		l.t.Errorf("direction %d: marks %+v behind %+v", c.Dir, c.Mark, last)
	}
	l.last[c.Dir] = c.Mark
}

func (l *listener) Gap(g *reassembly.Gap) {
	l.lost[g.Dir]++
	if g.Inexact {
		l.lax[g.Dir] = true
		return
	}
	l.at[g.Dir] += int(g.Len)
	if l.at[g.Dir] > len(l.said[g.Dir]) {
		l.t.Fatalf("direction %d: a hole of %d goes beyond what was said", g.Dir, g.Len)
	}
}

func (l *listener) Resent(*reassembly.Resent) {}
func (l *listener) End(*reassembly.End)       { l.ends++ }

// A hearing is one play of a talk.
type hearing struct {
	*listener
	hello  tlskey.Hello
	opaque int
	opened int
}

// hear plays pieces to a Stream. lost names those that are missing; a nil keys is none.
func hear(t testing.TB, tk *talk, wire []piece, o tlskey.Options, lost ...int) *hearing {
	t.Helper()
	h := &hearing{listener: &listener{t: t, said: tk.said}}
	if o.Keys == nil {
		o.Keys = tlskey.NewKeys()
		o.Keys.Add(tk.keys)
	}
	o.Inner = func(hello *tlskey.Hello) reassembly.Layer {
		h.hello = *hello
		h.opened++
		return h.listener
	}
	o.Opaque = func(hello *tlskey.Hello) {
		h.hello = *hello
		h.opaque++
	}
	s := tlskey.New(o)
	var off [2]uint64
	for i, p := range wire {
		off[p.dir] += uint64(len(p.data))
		m := reassembly.Mark{Time: int64(i) * 1e6, Packet: capture.MakeNum(1, uint64(i+1)), Off: off[p.dir], Acked: off[p.dir.Other()]}
		if slices.Contains(lost, i) {
			s.Gap(&reassembly.Gap{Dir: p.dir, At: m, Len: uint64(len(p.data)), Acked: true})
			continue
		}
		b := slices.Clone(p.data)
		s.Data(&reassembly.Chunk{Dir: p.dir, Mark: m, Data: b})
		if string(b) != string(p.data) {
			t.Fatal("the packet was written to")
		}
		clear(b) // nobody may keep it
	}
	for d := range off {
		s.End(&reassembly.End{Dir: reassembly.Dir(d), At: reassembly.Mark{Time: int64(len(wire)) * 1e6, Off: off[d]}, How: reassembly.FIN})
	}
	return h
}

// whole checks that everything said was heard.
func (h *hearing) whole(t testing.TB, name string) {
	t.Helper()
	if h.opaque != 0 || h.opened != 1 || h.lost != [2]int{} || h.got != [2]int{len(h.said[0]), len(h.said[1])} || h.ends != 2 {
		t.Errorf("%s: opaque %d, opened %d, holes %v, heard %v of %d and %d, ends %d", name, h.opaque, h.opened, h.lost, h.got, len(h.said[0]), len(h.said[1]), h.ends)
	}
}

// cut makes pieces of n bytes.
func cut(wire []piece, n int) []piece {
	var out []piece
	for _, p := range wire {
		for b := range slices.Chunk(p.data, n) {
			out = append(out, piece{p.dir, b})
		}
	}
	return out
}

// join makes pieces of up to n bytes that begin and end anywhere in records.
func join(wire []piece, n int) []piece {
	var out []piece
	for _, p := range wire {
		if k := len(out) - 1; k >= 0 && out[k].dir == p.dir {
			out[k].data = slices.Concat(out[k].data, p.data)
			continue
		}
		out = append(out, p)
	}
	return cut(out, n)
}

var goSuites = []struct{ version, suite uint16 }{
	{tls.VersionTLS13, 0},
	{tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256},
	{tls.VersionTLS12, tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384},
	{tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256},
	{tls.VersionTLS12, tls.TLS_RSA_WITH_AES_128_GCM_SHA256},
	{tls.VersionTLS12, tls.TLS_RSA_WITH_AES_256_CBC_SHA},
	{tls.VersionTLS12, tls.TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA256},
}

func nameOf(version, suite uint16) string {
	if suite == 0 {
		return tls.VersionName(version)
	}
	return fmt.Sprintf("%s %s", tls.VersionName(version), tls.CipherSuiteName(suite))
}

// What was said between two ends of crypto/tls is read, however it was cut into segments.
func TestGoEnds(t *testing.T) {
	for _, s := range goSuites {
		name := nameOf(s.version, s.suite)
		tk := goTalk(t, s.version, s.suite)
		for how, wire := range map[string][]piece{"records": tk.wire, "bytes": cut(tk.wire, 1), "segments": join(tk.wire, 1460), "long segments": join(tk.wire, 1<<20)} {
			h := hear(t, tk, wire, tlskey.Options{})
			h.whole(t, name+" in "+how)
			if h.hello.SNI != "files.example" || h.hello.ALPN != "http/1.1" || h.hello.Version != s.version {
				t.Errorf("%s: hello %+v", name, h.hello)
			}
		}
	}
}

// Each record, and each segment, may be missing: what is handed on was said, and what is not is a hole or opaque.
func TestLoss(t *testing.T) {
	for _, s := range goSuites {
		name := nameOf(s.version, s.suite)
		tk := goTalk(t, s.version, s.suite)
		heard, plays := 0, 0
		for _, wire := range [][]piece{tk.wire, join(tk.wire, 1460)} {
			for i := range wire {
				h := hear(t, tk, wire, tlskey.Options{}, i)
				plays++
				heard += h.got[0] + h.got[1]
				missing := len(h.said[0]) + len(h.said[1]) - h.got[0] - h.got[1]
				if missing > 0 && h.lost == [2]int{} && h.opaque == 0 {
					t.Errorf("%s: without %d, %d bytes are missing and nobody says so", name, i, missing)
				}
			}
		}
		share := float64(heard) / float64(plays*(len(tk.said[0])+len(tk.said[1])))
		t.Logf("%s: %d plays, %.3f of the content was read", name, plays, share)
		if share < 0.8 {
			t.Errorf("%s: only %.3f was read", name, share)
		}
	}
}

// The first record under the keys that content is under may be the one that is missing: TLS 1.2's Finished, which is no
// content, or the first content of TLS 1.3. What follows is read.
func TestFirstLost(t *testing.T) {
	for _, s := range goSuites {
		tk := goTalk(t, s.version, s.suite)
		for dir := range tk.said {
			if s.version == tls.VersionTLS13 && dir == 1 { // its handshake is of such records too
				continue
			}
			var sealed []int
			changed := false
			for i, p := range tk.wire {
				if int(p.dir) == dir && changed {
					sealed = append(sealed, i)
				}
				changed = changed || int(p.dir) == dir && p.data[0] == 20
			}
			first, want := sealed[0], tk.said
			if s.version == tls.VersionTLS13 {
				first, want[dir] = sealed[1], strings.TrimPrefix(want[dir], conversation[0].text)
			}
			h := hear(t, tk, tk.wire, tlskey.Options{}, first)
			marked := h.lost[dir] > 0 || want == tk.said
			if h.opaque != 0 || h.got != [2]int{len(want[0]), len(want[1])} || !marked {
				t.Errorf("%s: without record %d: opaque %d, heard %v of %d and %d, holes %v", nameOf(s.version, s.suite), first, h.opaque, h.got, len(want[0]), len(want[1]), h.lost)
			}
		}
	}
}

// Without a key nothing is read but the names, and nothing more after the handshake's first messages.
func TestNoKey(t *testing.T) {
	for _, s := range goSuites {
		tk := goTalk(t, s.version, s.suite)
		h := hear(t, tk, tk.wire, tlskey.Options{Keys: tlskey.NewKeys()})
		if h.opaque != 1 || h.opened != 0 || h.hello.SNI != "files.example" {
			t.Errorf("%s: opaque %d, opened %d, name %q", nameOf(s.version, s.suite), h.opaque, h.opened, h.hello.SNI)
		}
	}
}

// A key that comes late is found, line by line, while what was seen is held back.
func TestLateKey(t *testing.T) {
	for _, s := range goSuites {
		name := nameOf(s.version, s.suite)
		tk := goTalk(t, s.version, s.suite)
		lines := strings.SplitAfter(string(tk.keys), "\n")
		slices.Reverse(lines) // the worst order
		keys, asked := tlskey.NewKeys(), 0
		more := func() bool {
			if asked++; asked%4 == 0 && asked/4 <= len(lines) {
				keys.Add([]byte(lines[asked/4-1]))
			}
			return true
		}
		hear(t, tk, join(tk.wire, 1460), tlskey.Options{Keys: keys, More: more}).whole(t, name)
	}
}
