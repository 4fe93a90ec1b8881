package extract_test

import (
	"bytes"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"pgregory.net/rapid"

	"expectscope/analysis"
	"expectscope/analysis/engine"
	"expectscope/analysis/extract"
	"expectscope/capture"
	"expectscope/capture/pcapfile"
	"expectscope/capture/script"
)

// TestMain draws the same conversations each time, unless -rapid.seed says otherwise.
func TestMain(m *testing.M) {
	flag.Parse()
	if f := flag.Lookup("rapid.seed"); f.Value.String() == f.DefValue {
		_ = f.Value.Set("1")
	}
	os.Exit(m.Run())
}

// A log is what the engine said.
type log struct {
	exchanges []analysis.Exchange
	findings  []analysis.Finding
}

func (l *log) Exchange(x *analysis.Exchange) {
	for i := range l.exchanges {
		if l.exchanges[i].ID == x.ID { // said again
			l.exchanges[i] = *x
			return
		}
	}
	l.exchanges = append(l.exchanges, *x)
}
func (l *log) Finding(f *analysis.Finding) { l.findings = append(l.findings, *f) }

func (l *log) ids() []string {
	var ids []string
	for i := range l.exchanges {
		ids = append(ids, l.exchanges[i].ID)
	}
	return ids
}

// An opener opens a capture once more.
type opener func() capture.Source

func file(t rapid.TB, name string) opener {
	return func() capture.Source {
		t.Helper()
		src, err := pcapfile.Open([]string{filepath.Join("../../testdata/pcaps", name)}, pcapfile.Options{})
		if err != nil {
			t.Fatal(err)
		}
		return src
	}
}

// written opens a capture that lies in memory.
func written(t rapid.TB, b []byte) opener {
	return func() capture.Source {
		t.Helper()
		src, err := pcapfile.Open([]string{"-"}, pcapfile.Options{Stdin: bytes.NewReader(b)})
		if err != nil {
			t.Fatal(err)
		}
		return src
	}
}

func conversation(t rapid.TB, text string, o script.Options) opener {
	t.Helper()
	s, err := script.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return func() capture.Source { return s.Source(o) }
}

// analyze runs the engine over a capture.
func analyze(t rapid.TB, open opener, sink engine.Sink, o engine.Options) {
	t.Helper()
	src := open()
	defer src.Close()
	o.Crash = true
	e := engine.New(o, sink)
	if err := e.Read(src, func() bool { return true }); err != nil {
		t.Fatal(err)
	}
	e.Close(src)
}

func said(t rapid.TB, open opener) *log {
	t.Helper()
	l := &log{}
	analyze(t, open, l, engine.Options{All: true})
	return l
}

// cut extracts exchanges and gives the packets as pcapng.
func cut(t rapid.TB, open opener, ids []string, rules func(string) bool, redact bool) []byte {
	t.Helper()
	c := extract.NewChoice(ids, rules)
	analyze(t, open, c, engine.Options{All: c.NeedsAll()})
	if missing, _ := c.Missing(); len(missing) > 0 {
		t.Fatalf("there is no %v", missing)
	}
	r := extract.NewReading(c.Exchanges(), redact)
	analyze(t, open, r, engine.Options{All: c.NeedsAll(), Observe: r.Observe})
	if lacks := r.Lacks(); len(lacks) > 0 {
		t.Fatalf("nothing was seen of %v", lacks)
	}
	var b bytes.Buffer
	w := pcapfile.NewNgWriter(&b)
	k := extract.NewCopier(r, w)
	src := open()
	defer src.Close()
	var p capture.Packet
	for src.Next(&p) == nil {
		before := bytes.Clone(p.Data)
		if err := k.Packet(&p); err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(before, p.Data) {
			t.Fatal("the source's packet was changed")
		}
	}
	if k.Refused > 0 {
		t.Fatalf("%d packets were refused", k.Refused)
	}
	if err := k.Finish(); err != nil {
		t.Fatal(err)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// packets are those of a capture, their Data copied.
func packets(t rapid.TB, open opener) []capture.Packet {
	t.Helper()
	src := open()
	defer src.Close()
	var ps []capture.Packet
	for p := (capture.Packet{}); src.Next(&p) == nil; {
		q := p
		q.Data = bytes.Clone(p.Data)
		ps = append(ps, q)
	}
	return ps
}
