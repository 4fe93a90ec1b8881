package sniff

import (
	"strings"
	"testing"

	"expectscope/reassembly"
)

// FuzzSniff plays segments in both directions: the first byte of each says its direction and whether it is a hole, the second its
// length. Whatever comes: no panic, one decision at most, few bytes held before it (hear checks), and what
// reaches the layer is the end of each stream without a break (the listener checks): from its first byte
// on, or from behind a PROXY header, unless it was joined in the middle or something else stood in front.
func FuzzSniff(f *testing.F) {
	for _, text := range []string{get, ok200, hello, preface, proxied1 + get, proxied2 + get, "SSH-2.0-x\r\n", strings.Repeat("\r\n", 30), "PUT it there\n"} {
		f.Add(encode([]piece{up(text), down(ok200)}), false)
		f.Add(encode(cut([]piece{up(text[:min(20, len(text))])})), false)
		f.Add(encode([]piece{down("words"), {dir: reassembly.Reverse, gap: 9}, up(text)}), true)
	}
	f.Add(encode([]piece{up("GET"), {dir: reassembly.Reverse, gap: 9}, up(" /a HTTP/1.1\r\n"), up("POST /b HTTP/1.1\r\n")}), false)
	f.Fuzz(func(t *testing.T, b []byte, joined bool) {
		ps := decode(b)
		var all [2]string
		holes := joined
		for _, p := range ps {
			all[p.dir] += p.data + strings.Repeat("?", p.gap)
			holes = holes || p.gap > 0
		}
		_, l := hear(t, joined, ps)
		if l == nil {
			return
		}
		for d, got := range l.got {
			want := all[d]
			if l.gaps == 0 && !strings.HasSuffix(want, string(got)) {
				t.Errorf("direction %d: the layer got %q of %q", d, got, want)
			}
			if missing := want[:len(want)-min(len(want), len(got))]; !holes && !l.odd && missing != "" && !isProxy(missing) {
				t.Errorf("direction %d: the layer did not get %q", d, missing)
			}
		}
	})
}

// isProxy tells whether s is a PROXY header as a whole, or the beginning of one.
func isProxy(s string) bool {
	n, more := proxyHeader([]byte(s))
	return more || n >= len(s)
}

const (
	fzReverse = 1 << iota
	fzGap
)

func encode(ps []piece) []byte {
	var out []byte
	for _, p := range ps {
		k := byte(p.dir)
		if p.gap > 0 {
			out = append(out, k|fzGap, byte(p.gap))
			continue
		}
		for s := p.data; s != ""; {
			n := min(len(s), 255)
			out = append(append(out, k, byte(n)), s[:n]...)
			s = s[n:]
		}
	}
	return out
}

// decode is the inverse of encode, for any bytes.
func decode(b []byte) []piece {
	var ps []piece
	for len(b) >= 2 {
		k, n := b[0], int(b[1])
		b = b[2:]
		p := piece{dir: reassembly.Dir(k & fzReverse)}
		switch {
		case n == 0:
			continue
		case k&fzGap != 0:
			p.gap = n
		default:
			n = min(n, len(b))
			p.data, b = string(b[:n]), b[n:]
		}
		if p.data != "" || p.gap > 0 {
			ps = append(ps, p)
		}
	}
	return ps
}
