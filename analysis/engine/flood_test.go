package engine

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"iter"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"expectscope/capture"
)

// floodsVar names a directory: the floods are run in full, and written there as pcap files, to measure the program and its peers.
const floodsVar = "EXPECTSCOPE_FLOODS"

// A flood is a conversation that no honest peer has, which memory must not follow. scale makes it smaller in CI time.
type flood struct {
	name    string
	packets func(scale int) iter.Seq[*capture.Packet]
	most    int64  // bytes the heap may grow by
	limit   string // what the summary must say was hit, "" for nothing
}

const mb = 1 << 20

var floods = []flood{
	{"lone-syns", func(scale int) iter.Seq[*capture.Packet] { return scan(1_000_000 / scale) }, 100 * mb, "half-open"},
	{"half-heads", func(scale int) iter.Seq[*capture.Packet] { return halfHeads(200_000 / scale) }, 120 * mb, "connections"},
	{"pipelined-heads", func(scale int) iter.Seq[*capture.Packet] {
		return talk(func(say func(from int, text string)) {
			for i := range 100_000 / scale {
				say(0, fmt.Sprintf("PUT /%d HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 0\r\n\r\n", i))
			}
		})
	}, 150 * mb, "outstanding requests"},
	{"interims", func(int) iter.Seq[*capture.Packet] {
		return talk(func(say func(from int, text string)) {
			say(0, "PUT /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n")
			for range 20_000 {
				say(1, strings.Repeat("HTTP/1.1 102 Processing\r\nX: y\r\n\r\n", 10))
			}
		})
	}, 20 * mb, "interim responses"},
	{"field-lines", func(int) iter.Seq[*capture.Packet] {
		return talk(func(say func(from int, text string)) {
			for range 200 { // as many as fit a head
				say(0, "GET / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\n"+strings.Repeat("a:\n", 20_000)+"\r\n")
				say(1, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
			}
		})
	}, 60 * mb, "field lines"},
	{"endless-head", func(int) iter.Seq[*capture.Packet] {
		return talk(func(say func(from int, text string)) {
			say(0, "GET / HTTP/1.1\r\nHost: a\r\n")
			for range 10_000 {
				say(0, "X-Filler: "+strings.Repeat("f", 1000)+"\r\n")
			}
		})
	}, 20 * mb, ""},
	{"huge-chunks", func(int) iter.Seq[*capture.Packet] {
		return talk(func(say func(from int, text string)) {
			for _, size := range []string{"3fffffffffffffff", "7fffffffffffffff", "8000000000000000", "ffffffffffffffff", "fffffffffffffffff", "0000000000000000000000001"} {
				say(0, "PUT /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nTransfer-Encoding: chunked\r\n\r\n")
				say(1, "HTTP/1.1 100 Continue\r\n\r\n")
				say(0, size+"\r\nxx")
				say(1, "HTTP/1.1 200 OK\r\nContent-Length: 9223372036854775807\r\n\r\nx")
			}
		})
	}, 5 * mb, ""},
	{"holes", func(scale int) iter.Seq[*capture.Packet] { return holes(200_000 / scale) }, 60 * mb, "late data"},
}

// TestFloods: memory follows the limits and not the traffic, time is short, and the summary says which limit was hit.
func TestFloods(t *testing.T) {
	scale := 2 // half of each is more than any limit; make floods runs them in full
	switch {
	case os.Getenv(floodsVar) != "":
		scale = 1
	case testing.Short():
		scale = 4
	}
	for _, f := range floods {
		t.Run(f.name, func(t *testing.T) {
			if dir := os.Getenv(floodsVar); dir != "" {
				writeFlood(t, filepath.Join(dir, f.name+".pcap"), f.packets(scale))
			}
			base, peak, n := heap(), int64(0), 0
			begun := time.Now()
			told := tally{}
			e := New(Options{Crash: true}, &told)
			for p := range f.packets(scale) {
				e.Packet(p)
				if n++; n%50_000 == 0 {
					peak = max(peak, heap()-base)
				}
			}
			peak = max(peak, heap()-base)
			sum := e.Close(nil)
			took := time.Since(begun)
			t.Logf("%d packets, %d MB, %v, limits %v", n, peak/mb, took, sum.Limits)
			if peak > f.most {
				t.Errorf("the heap grew by %d MB, and may grow by %d", peak/mb, f.most/mb)
			}
			if took > 60*time.Second { // far more than it takes: it is to find what is quadratic
				t.Errorf("it took %v", took)
			}
			if f.limit != "" && scale <= 2 && sum.Limits[f.limit] == 0 {
				t.Errorf("the summary does not say that a limit was hit for %q: %v", f.limit, sum.Limits)
			}
		})
	}
}

func heap() int64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc)
}

// A wire makes frames, one at a time, in the same memory.
type wire struct {
	p    capture.Packet
	b    []byte
	n    uint64
	time int64
}

func (w *wire) frame(src, dst uint32, sport, dport uint16, seq, ack uint32, flags byte, payload string) *capture.Packet {
	be := binary.BigEndian
	b := append(w.b[:0], "\x02\x00\x00\x00\x00\x01\x02\x00\x00\x00\x00\x02\x08\x00\x45\x00"...)
	b = be.AppendUint16(b, uint16(40+len(payload)))
	b = append(b, 0, 0, 0, 0, 64, 6, 0, 0)
	b = be.AppendUint32(be.AppendUint32(b, src), dst)
	b = be.AppendUint16(be.AppendUint16(b, sport), dport)
	b = be.AppendUint32(be.AppendUint32(b, seq), ack)
	b = append(b, 0x50, flags, 0xff, 0xff, 0, 0, 0, 0)
	w.b = append(b, payload...)
	w.n++
	w.time += 10_000
	w.p = capture.Packet{Num: capture.MakeNum(1, w.n), Time: 1_767_607_200e9 + w.time, Len: len(w.b), Link: capture.LinkEthernet, Data: w.b}
	return &w.p
}

const (
	victim = 0x0a000002
	fin    = 1
	syn    = 2
	ack    = 16
)

// scan is SYNs from everywhere that nobody answers.
func scan(n int) iter.Seq[*capture.Packet] {
	return func(yield func(*capture.Packet) bool) {
		w := &wire{}
		for i := range n {
			if !yield(w.frame(0x0b000000+uint32(i), victim, uint16(i), 80, uint32(i), 0, syn, "")) {
				return
			}
		}
	}
}

// halfHeads is connections that begin a request and leave it there.
func halfHeads(n int) iter.Seq[*capture.Packet] {
	return func(yield func(*capture.Packet) bool) {
		w := &wire{}
		for i := range n {
			src, port := 0x0b000000+uint32(i), uint16(1024+i%60_000)
			_ = yield(w.frame(src, victim, port, 80, 0, 0, syn, "")) &&
				yield(w.frame(victim, src, 80, port, 0, 1, syn|ack, "")) &&
				yield(w.frame(src, victim, port, 80, 1, 1, ack, "PUT /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nX-Half: "+strings.Repeat("h", 100)))
		}
	}
}

// talk is one connection.
func talk(script func(say func(from int, text string))) iter.Seq[*capture.Packet] {
	return func(yield func(*capture.Packet) bool) {
		w, next := &wire{}, [2]uint32{1, 1}
		if !yield(w.frame(0x0a000001, victim, 4000, 80, 0, 0, syn, "")) || !yield(w.frame(victim, 0x0a000001, 80, 4000, 0, 1, syn|ack, "")) {
			return
		}
		script(func(from int, text string) {
			for len(text) > 0 {
				part := text[:min(len(text), 1460)]
				text = text[len(part):]
				if from == 0 {
					yield(w.frame(0x0a000001, victim, 4000, 80, next[0], next[1], ack, part))
				} else {
					yield(w.frame(victim, 0x0a000001, 80, 4000, next[1], next[0], ack, part))
				}
				next[from] += uint32(len(part))
			}
		})
	}
}

// holes is connections whose every other segment is missing and never comes.
func holes(n int) iter.Seq[*capture.Packet] {
	return func(yield func(*capture.Packet) bool) {
		w, body := &wire{}, strings.Repeat("b", 1000)
		for i := range n {
			if !yield(w.frame(0x0a000001+uint32(i%100), victim, 4000, 80, uint32(i/100)*2000, 1, ack, body)) {
				return
			}
		}
	}
}

func writeFlood(t *testing.T, name string, packets iter.Seq[*capture.Packet]) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	w, le := bufio.NewWriterSize(f, 1<<20), binary.LittleEndian
	_, _ = w.WriteString("\x4d\x3c\xb2\xa1\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x04\x00\x01\x00\x00\x00")
	var b []byte
	for p := range packets {
		b = le.AppendUint32(le.AppendUint32(b[:0], uint32(p.Time/1e9)), uint32(p.Time%1e9))
		b = append(le.AppendUint32(le.AppendUint32(b, uint32(len(p.Data))), uint32(p.Len)), p.Data...)
		_, _ = w.Write(b)
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
}
