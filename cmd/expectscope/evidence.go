package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"expectscope/analysis"
	"expectscope/analysis/engine"
	"expectscope/analysis/extract"
	"expectscope/analysis/store"
	"expectscope/capture"
	"expectscope/capture/decode"
	"expectscope/capture/live"
	"expectscope/capture/pcapfile"
)

const (
	// maxEvidence is how many files are written: findings come without end.
	maxEvidence = 1000
	// handshake is how long before a request its connection may have begun to
	// be shown from there on, around how much is shown else.
	handshake, around = 10 * time.Second, time.Second
)

// An evidence writes the packets around each finding: those of the exchange's
// connection, and those that the finding names.
type evidence struct {
	c       *console
	dir     string
	mu      sync.Mutex // guards recent, decoder, refused and faults: a browser extracts while packets come
	recent  *live.Recent
	decoder *decode.Decoder
	buf     bytes.Buffer
	// from and to are when the exchange went on of which findings come.
	from, to int64
	written  map[string]int // packets, by the file's name
	failed   bool
	redact   bool           // what is private is covered
	refused  uint64         // packets that could not be covered, and were not written
	faults   []engine.Panic // while it was learned what to cover
}

// newEvidence makes the directory, if there is none.
func newEvidence(c *console, dir string, bytes int, redact bool) (*evidence, error) {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return nil, cannotWrite(dir, err)
	}
	e := newMemory(c, bytes, redact)
	e.dir, e.written = dir, map[string]int{}
	return e, nil
}

// newMemory remembers packets for a browser, and writes no files by itself.
func newMemory(c *console, bytes int, redact bool) *evidence {
	return &evidence{c: c, recent: live.NewRecent(bytes), decoder: decode.New(decode.DefaultLimits()), redact: redact}
}

// add remembers a packet.
func (e *evidence) add(p *capture.Packet) {
	e.mu.Lock()
	e.recent.Add(p)
	e.mu.Unlock()
}

// extract writes what is remembered of an exchange's connection, from its beginning to what followed the exchange, with a comment
// on each packet that proves a finding. It returns how many packets that were.
func (e *evidence) extract(w io.Writer, x *store.Exchange) (int, error) {
	from, to := x.Request.First.Time-int64(around), max(x.At, x.LastActivity.Time)+int64(around)
	if syn := x.Conn.SYN; syn > 0 {
		from = min(from, syn)
	}
	all := &analysis.Finding{Client: x.Conn.Addr(x.Client), Server: x.Conn.Addr(x.ServerDir())}
	for _, f := range x.Findings {
		all.Evidence = append(all.Evidence, f.Evidence...)
	}
	slices.Sort(all.Evidence)
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.write(w, from, to, e.about(all), func(n capture.Num) string {
		var said []string
		for _, f := range x.Findings {
			if slices.Contains(f.Evidence, n) {
				said = append(said, e.comment(&f.Finding))
			}
		}
		return strings.Join(said, "\n")
	})
}

// comment is what is said of a packet that proves a finding. A summary may quote what is to be covered.
func (e *evidence) comment(f *analysis.Finding) string {
	if e.redact {
		return f.Rule + ": " + f.Title
	}
	return f.Rule + ": " + f.Summary
}

// write writes the remembered packets that about chooses as pcapng, with a comment on each that say has one for, and returns how
// many they were.
func (e *evidence) write(w io.Writer, from, to int64, about func(*capture.Packet) bool, say func(capture.Num) string) (int, error) {
	ng, packets := pcapfile.NewNgWriter(w), e.recent.All(from, to, about)
	if e.redact {
		n, err := e.writeRedacted(ng, packets, say)
		return n, errors.Join(err, ng.Flush())
	}
	n := 0
	for p := range packets {
		if err := ng.WritePacket(p, say(p.Num)); err != nil {
			return n, err
		}
		n++
	}
	return n, ng.Flush()
}

// writeRedacted goes through the packets twice: what must be covered is known when they were all read.
func (e *evidence) writeRedacted(w extract.Writer, packets iter.Seq[*capture.Packet], say func(capture.Num) string) (int, error) {
	reading := extract.NewRedaction(say)
	reader := engine.New(engine.Options{Observe: reading.Observe}, reading)
	for p := range packets {
		reader.Packet(p)
	}
	reader.Close(nil)
	if len(e.faults) < maxEvidence {
		e.faults = append(e.faults, reader.Panics()...)
	}
	copier := extract.NewCopier(reading, w)
	for p := range packets {
		if err := copier.Packet(p); err != nil {
			return int(copier.Packets), err
		}
	}
	e.refused += copier.Refused
	return int(copier.Packets), copier.Finish()
}

// exchange hears of the exchange whose findings come next.
func (e *evidence) exchange(x *analysis.Exchange) {
	e.from = x.Request.First.Time - int64(around)
	if syn := x.Conn.SYN; syn > 0 && x.Request.First.Time-syn < int64(handshake) {
		e.from = syn
	}
	e.to = max(x.At, x.LastActivity.Time) + int64(around)
}

// finding writes the file of a finding. One that was written before is replaced
// only by one with more in it: the memory of packets is short.
func (e *evidence) finding(f *analysis.Finding) {
	name := f.Rule + "-" + fileStem(f.Exchange) + ".pcapng"
	before, known := e.written[name]
	if f.State == analysis.Withdrawn || e.failed || !known && len(e.written) >= maxEvidence {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	e.buf.Reset()
	n, err := e.write(&e.buf, e.from, e.to, e.about(f), func(n capture.Num) string {
		if _, ok := slices.BinarySearch(f.Evidence, n); ok {
			return e.comment(f)
		}
		return ""
	})
	if err == nil && n > before {
		err = os.WriteFile(filepath.Join(e.dir, name), e.buf.Bytes(), 0o600)
		e.written[name] = n
	}
	if err != nil {
		e.failed = true
		f := cannotWrite(filepath.Join(e.dir, name), err)
		e.c.fail(f.text+"; the analysis goes on without", f.hint)
	}
}

// A proving is a sink that writes evidence too.
type proving struct {
	engine.Sink
	evidence *evidence
}

// Exchange passes an exchange on.
func (p proving) Exchange(x *analysis.Exchange) {
	p.evidence.exchange(x)
	p.Sink.Exchange(x)
}

// Finding passes a finding on.
func (p proving) Finding(f *analysis.Finding) {
	p.evidence.finding(f)
	p.Sink.Finding(f)
}

// about chooses the packets of a finding.
func (e *evidence) about(f *analysis.Finding) func(*capture.Packet) bool {
	client, server := unmapped(f.Client), unmapped(f.Server)
	var s decode.Segment
	return func(p *capture.Packet) bool {
		if _, ok := slices.BinarySearch(f.Evidence, p.Num); ok {
			return true
		}
		if !e.decoder.Decode(p, &s) {
			return false
		}
		src, dst := s.Src.AddrPort(), s.Dst.AddrPort()
		return src == client && dst == server || src == server && dst == client
	}
}

func unmapped(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// conclude says how much was not written, and tells whether writing failed. st is of the capture.
func (e *evidence) conclude(st *capture.Stats) bool {
	if len(e.written) >= maxEvidence {
		e.c.warn(fmt.Sprintf("--evidence wrote %d files, and no more", maxEvidence), "choose findings with --rule or --severity")
	}
	e.c.leftOut(e.refused)
	return e.c.faults(e.faults, st) || e.failed
}
