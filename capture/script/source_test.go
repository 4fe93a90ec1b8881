package script

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expectscope/capture"
)

func TestSource(t *testing.T) {
	s := parse(t, opened+"> body 100 [snap 60]\n+1s @end")
	src := s.Source(Options{})
	want := s.Packets(Options{})
	var bytes uint64
	for i := range want {
		var p capture.Packet
		if err := src.Next(&p); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(want[i], p); d != "" {
			t.Errorf("packet %d (-want +got):\n%s", i+1, d)
		}
		bytes += uint64(p.Len)
	}
	in := capture.Input{
		Name: "script", Packets: uint64(len(want)), Bytes: bytes,
		First: Start, Last: Start + int64(1002*time.Millisecond), Snapped: 1,
	}
	if d := cmp.Diff(&capture.Stats{Inputs: []capture.Input{in}}, src.Stats()); d != "" {
		t.Errorf("stats (-want +got):\n%s", d)
	}
	if err := src.Next(new(capture.Packet)); !errors.Is(err, io.EOF) {
		t.Errorf("after the last packet: %v, want EOF", err)
	}
}

func TestSourceClosed(t *testing.T) {
	src := parse(t, opened).Source(Options{})
	if err := src.Close(); err != nil {
		t.Fatal(err)
	}
	if err := src.Next(new(capture.Packet)); !errors.Is(err, io.EOF) {
		t.Errorf("after Close: %v, want EOF", err)
	}
}

// A pcap file holds the same packets, read back by hand.
func TestWritePcap(t *testing.T) {
	s := parse(t, opened+"> body 2000 [snap 100]\n< \"ok\"\n+1.5s @end")
	var file bytes.Buffer
	if err := s.WritePcap(&file); err != nil {
		t.Fatal(err)
	}
	le := binary.LittleEndian
	header := file.Next(24)
	if magic, link := le.Uint32(header), le.Uint32(header[20:]); magic != 0xa1b23c4d || link != 1 {
		t.Errorf("magic %#x, link type %d, want nanoseconds and Ethernet", magic, link)
	}
	for _, want := range s.Packets(Options{}) {
		record := file.Next(16)
		when := int64(le.Uint32(record))*1e9 + int64(le.Uint32(record[4:]))
		kept, wire := int(le.Uint32(record[8:])), int(le.Uint32(record[12:]))
		if b := file.Next(kept); !bytes.Equal(b, want.Data) || wire != want.Len || when != want.Time {
			t.Errorf("packet %d reads back as %d of %d bytes at %d", want.Num.Frame(), len(b), wire, when)
		}
	}
	if file.Len() > 0 {
		t.Errorf("%d bytes after the last packet", file.Len())
	}
}

func TestWritePcapOfNothing(t *testing.T) {
	var file bytes.Buffer
	if err := parse(t, "# nothing").WritePcap(&file); err != nil {
		t.Fatal(err)
	}
	if file.Len() != 24 {
		t.Errorf("%d bytes, want the 24 of the header", file.Len())
	}
}

// A failer fails the n-th write.
type failer int

func (f *failer) Write(b []byte) (int, error) {
	if *f--; *f < 0 {
		return 0, errors.New("disk full")
	}
	return len(b), nil
}

func TestWritePcapFails(t *testing.T) {
	s := parse(t, opened)
	for writes, want := range []string{"write pcap, packet 1: disk full", "write pcap, packet 2: disk full"} {
		f := failer(writes)
		if err := s.WritePcap(&f); err == nil || err.Error() != want {
			t.Errorf("failing after %d writes: %v, want %q", writes, err, want)
		}
	}
	f := failer(0)
	if err := parse(t, "").WritePcap(&f); err == nil || !strings.Contains(err.Error(), "header") {
		t.Errorf("failing at the header: %v", err)
	}
}

// Wireshark finds nothing to warn of in a clean conversation, checksums
// included.
func TestTshark(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed")
	}
	text, err := os.ReadFile("testdata/worked.txt")
	if err != nil {
		t.Fatal(err)
	}
	v6 := "\n@conn six [2001:db8::1]:4000 [2001:db8::2]:80 isn=4294960000,4294967295\n> body 20000\n< \"ok\"\n"
	clean := strings.Replace(string(text), "+10s @end", v6+"+1s @end", 1)
	damaged := opened + "> body 5000 [lost 2]\n< \"ok\""
	for name, tc := range map[string]struct {
		text  string
		warns bool
	}{"clean": {clean, false}, "damaged": {damaged, true}} {
		path := filepath.Join(t.TempDir(), "a.pcap")
		var file bytes.Buffer
		if err := parse(t, tc.text).WritePcap(&file); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, file.Bytes(), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.Command(tshark, "-n", "-r", path, "-o", "tcp.check_checksum:TRUE", "-o", "ip.check_checksum:TRUE",
			"-Y", `_ws.expert.severity >= "Warning"`).Output()
		if err != nil {
			t.Fatal(err)
		}
		if warns := len(out) > 0; warns != tc.warns {
			t.Errorf("%s: tshark warns %v, want %v:\n%s", name, warns, tc.warns, out)
		}
	}
}
