package tlskey_test

import (
	"crypto/tls"
	"os"
	"slices"
	"testing"

	"expectscope/analysis/engine"
	"expectscope/capture/script"
)

// matrixVar set to "all" tries every loss in every row (make matrix); otherwise each row tries one in sample of them,
// and no two rows begin with the same one.
const (
	matrixVar = "EXPECTSCOPE_MATRIX"
	sample    = 7
)

// deliveries are the ways keys come: by file, in the capture, and by a file that grows while the connection runs.
var deliveries = []struct {
	name string
	run  func(t testing.TB, tk *talk, lost ...int) *rows
}{
	{"by file", func(t testing.TB, tk *talk, lost ...int) *rows {
		return analyze(t, packets(t, tk, lost...).Source(script.Options{}), tk.keys)
	}},
	{"in the capture", func(t testing.TB, tk *talk, lost ...int) *rows { return analyze(t, dsb(t, tk, 0, lost...), nil) }},
	{"late", func(t testing.TB, tk *talk, lost ...int) *rows {
		asked := 0
		return run(t, packets(t, tk, lost...).Source(script.Options{}), engine.Options{KeyLogGrows: true, KeyLog: func() []byte {
			if asked++; asked != 12 {
				return nil
			}
			return tk.keys
		}})
	}},
}

// A matrix holds what is said of talks against what is said of the conversation in the clear.
type matrix struct {
	clear *rows
	alpn  string
	rows  int // how many talks were held against it
	right, marked, absent, plays,
	recordLosses, segmentLosses int
}

// newMatrix checks that the conversation in the clear comes to what is wanted.
func newMatrix(t *testing.T, alpn string, clear *talk) *matrix {
	m := &matrix{alpn: alpn, clear: analyze(t, packets(t, clear).Source(script.Options{}), nil)}
	m.whole(t, "in the clear", m.clear)
	return m
}

// whole checks what is said of a talk of which nothing is missing.
func (m *matrix) whole(t *testing.T, how string, r *rows) {
	t.Helper()
	for key, row := range want {
		if r.exchanges[key] != row || r.doubtful[key] {
			t.Errorf("%s: %s is %q, want %q; doubtful %v", how, key, r.exchanges[key], row, r.doubtful[key])
		}
	}
	if len(r.exchanges) != len(want) || !slices.Equal(r.accused, m.clear.accused) {
		t.Errorf("%s: exchanges %v, accused %v, want %v", how, r.exchanges, r.accused, m.clear.accused)
	}
	if r != m.clear && (r.tls == nil || r.tls.SNI != "files.example" || r.tls.ALPN != m.alpn || r.sum.Capture.Decrypted != 1) {
		t.Errorf("%s: TLS %+v, %d decrypted", how, r.tls, r.sum.Capture.Decrypted)
	}
}

// part checks what is said of a talk of which something is missing: it is right, or in doubt, or absent where a hole
// or an opaque connection says why, and nobody is accused who is not when all is there.
func (m *matrix) part(t *testing.T, how string, i int, r *rows) {
	t.Helper()
	m.plays++
	for key, row := range want {
		switch got, ok := r.exchanges[key]; {
		case !ok:
			m.absent++
			if r.sum.Capture.Gaps == 0 && r.sum.Capture.Opaque["tls"] == 0 {
				t.Errorf("%s %d: %s is absent", how, i, key)
			}
		case got == row:
			m.right++
		case r.doubtful[key]:
			m.marked++
		default:
			t.Errorf("%s %d: %s is %q, and in no doubt", how, i, key, got)
		}
	}
	for key, got := range r.exchanges {
		if want[key] == "" && !r.doubtful[key] {
			t.Errorf("%s %d: %s was never sent: %q", how, i, key, got)
		}
	}
	left := slices.Clone(m.clear.accused)
	for _, rule := range r.accused {
		k := slices.Index(left, rule)
		if k < 0 {
			t.Errorf("%s %d: %s is said to be certain", how, i, rule)
			continue
		}
		left = slices.Delete(left, k, k+1)
	}
}

// talk holds a talk against the matrix: whole by each delivery, and without each record and each segment of it.
func (m *matrix) talk(t *testing.T, tk *talk) {
	t.Helper()
	m.rows++
	segments := &talk{wire: join(tk.wire, 1460), keys: tk.keys}
	for _, d := range deliveries {
		m.whole(t, d.name, d.run(t, tk))
		m.whole(t, "segments, "+d.name, d.run(t, segments))
	}
	if none := analyze(t, packets(t, tk).Source(script.Options{}), nil); none.sum.Capture.Opaque["tls"] != 1 || none.sum.Capture.Sealed["files.example"] != 1 || len(none.exchanges) != 0 {
		t.Errorf("without keys: opaque %v, sealed %v", none.sum.Capture.Opaque, none.sum.Capture.Sealed)
	}
	if late := analyze(t, dsb(t, tk, 30), nil); late.sum.Limits["TLS keys too late"] != 1 {
		t.Errorf("secrets behind the handshake: limits %v", late.sum.Limits)
	}
	before := *m
	step := sample
	if os.Getenv(matrixVar) == "all" {
		step = 1
	}
	for i := m.rows % step; i < len(tk.wire); i += step {
		for k, d := range deliveries {
			if step == 1 || k == (i/step)%len(deliveries) {
				m.part(t, d.name+", without record", i, d.run(t, tk, i))
				m.recordLosses++
			}
		}
	}
	for i := m.rows % step; i < len(segments.wire); i += step {
		for k, d := range deliveries {
			if step == 1 || k == (i/step)%len(deliveries) {
				m.part(t, d.name+", without segment", i, d.run(t, segments, i))
				m.segmentLosses++
			}
		}
	}
	t.Logf("%d records, %d segments, %d losses: %d rows right, %d marked, %d absent", len(tk.wire), len(segments.wire),
		m.plays-before.plays, m.right-before.right, m.marked-before.marked, m.absent-before.absent)
}

func (m *matrix) sum(t *testing.T) {
	t.Logf("%s: %d talks, %d records lost, %d segments lost: %d rows right, %d marked, %d absent",
		m.alpn, m.rows, m.recordLosses, m.segmentLosses, m.right, m.marked, m.absent)
	if m.right < m.plays {
		t.Errorf("only %d rows of %d are right", m.right, m.plays*len(want))
	}
}

// A conversation in TLS comes to the same rows as in the clear, whatever the suite, the version of HTTP, and the way
// the keys come. Without a record or a segment each row is right or marked.
func TestRows(t *testing.T) {
	h2 := http2Talk(t, 0, 0)
	for _, http := range []struct {
		alpn  string
		clear *talk
		lines []line
	}{{"http/1.1", inClear(), conversation}, {"h2", h2, linesOf(h2)}} {
		t.Run(http.alpn, func(t *testing.T) {
			m := newMatrix(t, http.alpn, http.clear)
			for _, s := range goSuites {
				t.Run(nameOf(s.version, s.suite), func(t *testing.T) { m.talk(t, goTalk(t, s.version, s.suite, http.lines...)) })
			}
			for _, s := range opensslSuites {
				t.Run("OpenSSL "+s.name, func(t *testing.T) { m.talk(t, opensslTalk(t, http.lines, s.server, s.client)) })
			}
			if http.alpn == "h2" {
				for _, s := range goSuites {
					if s.version == tls.VersionTLS12 && !forHTTP2(s.suite) {
						continue
					}
					t.Run("net/http "+nameOf(s.version, s.suite), func(t *testing.T) { m.talk(t, http2Talk(t, s.version, s.suite)) })
				}
			}
			m.sum(t)
		})
	}
}

// linesOf is what a talk in the clear says, for two other ends to say it again.
func linesOf(tk *talk) []line {
	var out []line
	for _, p := range tk.wire {
		if k := len(out) - 1; k >= 0 && out[k].dir == p.dir {
			out[k].text += string(p.data)
			continue
		}
		out = append(out, line{p.dir, string(p.data)})
	}
	return out
}
