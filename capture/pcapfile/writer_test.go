package pcapfile

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"expectscope/capture"
)

// What is written is read back.
func TestWriteAndRead(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var classic, ng bytes.Buffer
		cw, nw := NewPcapWriter(&classic, 1, 65535), NewNgWriter(&ng)
		var one, all []seen
		for range rapid.IntRange(0, 9).Draw(t, "packets") {
			data := rapid.SliceOfN(rapid.Byte(), 0, 70).Draw(t, "data")
			p := capture.Packet{
				Time: rapid.Int64Range(-5, 1<<32*1e9-1).Draw(t, "time"),
				Len:  len(data) + rapid.IntRange(0, 3).Draw(t, "snapped"),
				Link: capture.LinkType(rapid.SampledFrom([]int{1, 113, 276}).Draw(t, "link")),
				Data: data,
			}
			comment := rapid.String().Draw(t, "comment")
			if err := nw.WritePacket(&p, comment); err != nil {
				t.Fatal(err)
			}
			s := seen{capture.MakeNum(1, uint64(len(all)+1)), 0, max(p.Time, 0), p.Len, p.Link, string(data)}
			all = append(all, s)
			err := cw.WritePacket(&p, comment)
			if (err == nil) != (p.Link == 1) {
				t.Fatalf("classic pcap with link type %d: %v", p.Link, err)
			}
			if err == nil {
				s.Num = capture.MakeNum(1, uint64(len(one)+1))
				one = append(one, s)
			}
		}
		if err := errors.Join(cw.Flush(), nw.Flush()); err != nil {
			t.Fatal(err)
		}
		for _, c := range []struct {
			b    *bytes.Buffer
			want []seen
		}{{&classic, one}, {&ng, all}} {
			s, err := Open([]string{"-"}, Options{Stdin: c.b})
			if err != nil {
				t.Fatal(err)
			}
			if d := cmp.Diff(c.want, drain(t, s)); d != "" || s.Stats().Inputs[0].Err != nil {
				t.Fatalf("%v (-written +read):\n%s", s.Stats().Inputs[0].Err, d)
			}
			s.Close()
		}
	})
}

func TestWrittenBytes(t *testing.T) {
	var b bytes.Buffer
	w := NewNgWriter(&b)
	for _, err := range []error{
		w.WriteSecrets([]byte("CLIENT_RANDOM 0 0\n")),
		w.WritePacket(&capture.Packet{Time: 5, Len: 3, Link: 1, Data: []byte("abc")}, "417-no-retry"),
		w.WritePacket(&capture.Packet{Time: 6, Len: 4, Link: 1, Data: []byte("abcd")}, ""),
		w.Flush(),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	end := little.option(0, "")
	want := join(
		little.block(blockSection, byteOrderMagic, uint16(1), uint16(0), ^uint64(0), little.option(4, "expectscope"), end),
		little.dsb(secretsTLS, "CLIENT_RANDOM 0 0\n"),
		little.idb(1, 0, usec9, end),
		little.epb(0, 5, 3, "abc", little.option(1, "417-no-retry"), end),
		little.epb(0, 6, 4, "abcd"))
	if d := cmp.Diff(want, b.Bytes()); d != "" {
		t.Errorf("(-want +written):\n%s", d)
	}
}

// A comment that does not fit is cut between two characters.
func TestLongComment(t *testing.T) {
	var b bytes.Buffer
	w := NewNgWriter(&b)
	p := capture.Packet{Time: 5, Len: 1, Link: 1, Data: []byte("a")}
	if err := errors.Join(w.WritePacket(&p, "x"+strings.Repeat("é", 40_000)), w.WritePacket(&p, ""), w.Flush()); err != nil {
		t.Fatal(err)
	}
	packets, in, err := readStream(t, bytes.NewReader(b.Bytes()))
	if err != nil || in.Err != nil || len(packets) != 2 {
		t.Fatal(err, in, len(packets))
	}
	if !bytes.Contains(b.Bytes(), little.option(1, "x"+strings.Repeat("é", 32_767))) {
		t.Error("the comment is not cut after 32,767 é")
	}
}

// The first error stays until Flush.
func TestWriterFails(t *testing.T) {
	full := errors.New("disk full")
	p := capture.Packet{Link: 1, Data: make([]byte, 3*writeSize)}
	pw := NewPcapWriter(failing{full}, 1, 65535)
	nw := NewNgWriter(failing{full})
	for _, err := range []error{pw.WritePacket(&p, ""), pw.Flush(), nw.WritePacket(&p, ""), nw.WriteSecrets(nil), nw.Flush()} {
		if !errors.Is(err, full) {
			t.Errorf("error %v, want %v", err, full)
		}
	}
}

type failing struct{ err error }

func (f failing) Write([]byte) (int, error) { return 0, f.err }

func TestWritersDoNotAllocate(t *testing.T) {
	nw, pw := NewNgWriter(&nowhere{}), NewPcapWriter(&nowhere{}, 1, 65535)
	p := capture.Packet{Time: 5, Len: 9, Link: 1, Data: []byte("something")}
	if n := testing.AllocsPerRun(5000, func() {
		if err := errors.Join(nw.WritePacket(&p, "417-no-retry"), pw.WritePacket(&p, "")); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

type nowhere struct{}

func (*nowhere) Write(b []byte) (int, error) { return len(b), nil }

// Wireshark's tools see what we wrote.
func TestCapinfosReadsIt(t *testing.T) {
	capinfos, err := exec.LookPath("capinfos")
	if err != nil {
		t.Skip("capinfos is not installed")
	}
	name := filepath.Join(t.TempDir(), "x.pcapng")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	w := NewNgWriter(f)
	err = w.WriteSecrets([]byte("CLIENT_RANDOM 0 0\n"))
	for _, link := range []capture.LinkType{1, 276, 1} {
		err = errors.Join(err, w.WritePacket(&capture.Packet{Time: 1e18, Len: 60, Link: link, Data: make([]byte, 60)}, "a comment"))
	}
	if err := errors.Join(err, w.Flush(), f.Close()); err != nil {
		t.Fatal(err)
	}
	out, err := exec.Command(capinfos, "-M", name).CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	for _, want := range []string{"Number of packets:   3\n", "Number of decryption secrets in file: 1\n", "Number of interfaces in file: 2\n", "Capture application: expectscope\n"} {
		if !strings.Contains(string(out), want) {
			t.Errorf("capinfos does not say %q:\n%s", want, out)
		}
	}
}

// rewritten writes packets to pcapng and reads them back.
func rewritten(t *testing.T, packets []seen) []seen {
	t.Helper()
	var b bytes.Buffer
	w := NewNgWriter(&b)
	for _, p := range packets {
		if err := w.WritePacket(&capture.Packet{Time: p.Time, Len: p.Len, Link: p.Link, Data: []byte(p.Data)}, ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	all, in, err := readStream(t, &b)
	if err != nil || in.Err != nil {
		t.Fatal(err, in.Err)
	}
	return all
}
