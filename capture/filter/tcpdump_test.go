package filter

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"expectscope/capture"
)

// An oracle answers with tcpdump.
type oracle struct {
	file string
	n    int
}

// newOracle writes the packets to a file for tcpdump. Each packet's number is
// its time stamp.
func newOracle(t *testing.T, ps []capture.Packet) *oracle {
	t.Helper()
	if _, err := exec.LookPath("tcpdump"); err != nil {
		t.Skip("tcpdump is not installed: expressions are held to the committed answers alone")
	}
	order := binary.LittleEndian
	var b []byte
	b = order.AppendUint32(b, 0xa1b2c3d4)
	b = order.AppendUint32(b, 4<<16|2)
	b = append(b, make([]byte, 8)...)
	b = order.AppendUint32(b, 262144)
	b = order.AppendUint32(b, uint32(ps[0].Link))
	for i, p := range ps {
		b = order.AppendUint32(b, uint32(i))
		b = order.AppendUint32(b, 0)
		b = order.AppendUint32(b, uint32(len(p.Data)))
		b = order.AppendUint32(b, uint32(p.Len))
		b = append(b, p.Data...)
	}
	file := filepath.Join(t.TempDir(), "frames.pcap")
	if err := os.WriteFile(file, b, 0o600); err != nil {
		t.Fatal(err)
	}
	return &oracle{file, len(ps)}
}

// ask tells which packets tcpdump keeps. It is refused is what tcpdump
// says where it does not take the expression; that one rejects all packets is an
// answer.
func (o *oracle) ask(t *testing.T, expr string, flags ...string) (kept []bool, refused string) {
	t.Helper()
	args := append([]string{"-n", "-r", o.file, "-w", "-"}, flags...)
	cmd := exec.Command("tcpdump", append(args, "--", expr)...)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	kept = make([]bool, o.n)
	if exit := (*exec.ExitError)(nil); errors.As(err, &exit) {
		if strings.Contains(stderr.String(), "rejects all packets") {
			return kept, ""
		}
		return nil, stderr.String()
	} else if err != nil {
		t.Fatal(err)
	}
	order := binary.LittleEndian
	for at := 24; at < len(out); at += 16 + int(order.Uint32(out[at+8:])) {
		kept[order.Uint32(out[at:])] = true
	}
	return kept, ""
}

// matches tells which packets the program keeps.
func matches(p *Program, ps []capture.Packet) []bool {
	kept := make([]bool, len(ps))
	for i := range ps {
		kept[i] = p.Match(&ps[i])
	}
	return kept
}

// differences counts where the answers differ and shows the first packet.
func differences(got, want []bool, ps []capture.Packet) (n int, first []byte) {
	for i := range got {
		if got[i] != want[i] {
			if n == 0 {
				first = ps[i].Data
			}
			n++
		}
	}
	return n, first
}

// strange tells whether an expression has the name of a service that this
// machine's /etc/services, which tcpdump reads, knows otherwise than we do.
func strange(t *testing.T, expr string) bool {
	t.Helper()
	text, err := os.ReadFile("/etc/services")
	if err != nil {
		t.Logf("names of services are not tried: %v", err)
	}
	theirs := map[string]service{}
	for line := range strings.Lines(string(text)) {
		line, _, _ = strings.Cut(line, "#")
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		var port, over uint32
		var proto string
		if n, _ := fmt.Sscanf(f[1], "%d/%s", &port, &proto); n != 2 {
			continue
		}
		over = map[string]uint32{"tcp": protoTCP, "udp": protoUDP}[proto]
		for _, name := range append(f[2:], f[0]) {
			if v, ok := theirs[name]; ok && v.over != over {
				over = 0
			}
			theirs[name] = service{port, over}
		}
	}
	for name, ours := range services {
		if theirs[name] != ours && strings.Contains(expr, name) {
			return true
		}
	}
	return false
}
