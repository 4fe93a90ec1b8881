package decode

import (
	"encoding/binary"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"expectscope/capture"
)

// TestOracle asks tshark what it sees in the vectors: the builders and the
// decoder could share an error, these three do not.
func TestOracle(t *testing.T) {
	tshark, err := exec.LookPath("tshark")
	if err != nil {
		t.Skip("tshark is not installed")
	}
	all := vectors()
	file := filepath.Join(t.TempDir(), "vectors.pcapng")
	if err := os.WriteFile(file, pcapng(all), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tshark, "-n", "-r", file, "-T", "fields", "-e", "frame.number", "-e", "ip.src", "-e", "ipv6.src", "-e", "tcp.srcport", "-e", "tcp.len")
	out, err := cmd.Output()
	if err != nil {
		t.Skipf("tshark cannot read the file: %v", err)
	}
	lines := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(lines) != len(all) {
		t.Fatalf("tshark saw %d frames, not %d", len(lines), len(all))
	}
	for i, v := range all {
		got := strings.Split(lines[i], "\t")
		source := map[bool]string{false: client4.Addr().String(), true: client6.Addr().String()}[v.v6]
		found := strings.HasSuffix(got[1], source) && !v.v6 || strings.HasSuffix(got[2], source) && v.v6
		found = found && got[3] == strconv.Itoa(int(client4.Port())) && got[4] == strconv.Itoa(len(testText))
		if !found && v.noOracle == "" {
			t.Errorf("%s: tshark says %q", v.name, got)
		}
	}
}

// pcapng is a file with an interface for each link type and a frame for each
// vector.
func pcapng(all []vector) []byte {
	le := binary.LittleEndian
	block := func(kind uint32, body []byte) []byte {
		body = append(body, make([]byte, -len(body)&3)...)
		n := uint32(len(body) + 12)
		b := le.AppendUint32(le.AppendUint32(nil, kind), n)
		return le.AppendUint32(append(b, body...), n)
	}
	b := block(0x0a0d0d0a, []byte("\x4d\x3c\x2b\x1a\x01\x00\x00\x00\xff\xff\xff\xff\xff\xff\xff\xff"))
	number := map[capture.LinkType]uint32{}
	for _, v := range all {
		if _, there := number[v.link]; !there {
			number[v.link] = uint32(len(number))
			b = append(b, block(1, le.AppendUint32(le.AppendUint32(nil, uint32(v.link)), 0))...)
		}
	}
	for _, v := range all {
		var head []byte
		for _, n := range []uint32{number[v.link], 0, 0, uint32(len(v.frame)), uint32(len(v.frame))} {
			head = le.AppendUint32(head, n)
		}
		b = append(b, block(6, append(head, v.frame...))...)
	}
	return b
}
