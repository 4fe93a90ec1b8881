package filter

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"

	"expectscope/capture"
)

// programText prints a program as tcpdump -ddd does.
func programText(p *Program) string {
	var b strings.Builder
	fmt.Fprintln(&b, len(p.Raw()))
	for _, in := range p.Raw() {
		fmt.Fprintln(&b, in.Op, in.Jt, in.Jf, in.K)
	}
	return b.String()
}

// tcpPort80 is what `tcpdump -y EN10MB -ddd 'ip and tcp port 80'` prints.
const tcpPort80 = `12
40 0 0 12
21 0 9 2048
48 0 0 23
21 0 7 6
40 0 0 20
69 5 0 8191
177 0 0 14
72 0 0 14
21 3 0 80
72 0 0 16
21 1 0 80
6 0 0 0
6 0 0 262144
`

func TestParseProgram(t *testing.T) {
	text := strings.Replace(tcpPort80, "12\n", "13\n", 1)
	p, err := ParseProgram(text, Options{})
	if err != nil {
		t.Fatal(err)
	}
	ps := generate(capture.LinkEthernet, true)
	got := matches(p, ps)
	want := matches(mustCompile(t, "ip and tcp port 80", capture.LinkEthernet, Options{}), ps)
	if n, first := differences(got, want, ps); n > 0 {
		t.Errorf("%d packets differ, the first is % x", n, first)
	}
	snapped, err := ParseProgram(text, Options{SnapLen: 96})
	if err != nil {
		t.Fatal(err)
	}
	if last := snapped.Raw()[12]; last.K != 96 {
		t.Errorf("the program keeps %d bytes, want 96", last.K)
	}
	if first := snapped.Raw()[11]; first.K != 0 {
		t.Errorf("the program keeps %d bytes of other packets", first.K)
	}
}

// TestProgramRoundTrip: what is compiled here reads back as the same program.
func TestProgramRoundTrip(t *testing.T) {
	ps := generate(capture.LinkEthernet, true)
	for _, r := range readTable(t, "ethernet") {
		if r.answer == "" {
			continue
		}
		p := mustCompile(t, r.expr, capture.LinkEthernet, Options{})
		q, err := ParseProgram(programText(p), Options{})
		if err != nil {
			t.Errorf("%s: %v", r.expr, err)
			continue
		}
		if programText(p) != programText(q) {
			t.Errorf("%s: the program changed", r.expr)
		}
		if n, _ := differences(matches(q, ps), matches(p, ps), ps); n > 0 {
			t.Errorf("%s: %d packets differ", r.expr, n)
		}
	}
}

// TestProgramOfTcpdump runs tcpdump's own programs.
func TestProgramOfTcpdump(t *testing.T) {
	ps := generate(capture.LinkEthernet, true)
	o := newOracle(t, ps)
	for _, expr := range []string{"tcp", "port 80", "vlan and tcp port 80", "len > 100", "tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420", "not ip6", "ip[8] * len > 300"} {
		text, err := exec.Command("tcpdump", "-r", o.file, "-ddd", expr).Output()
		if err != nil {
			t.Fatal(err)
		}
		p, err := ParseProgram(string(text), Options{})
		if err != nil {
			t.Errorf("%s: %v", expr, err)
			continue
		}
		want, _ := o.ask(t, expr)
		if n, first := differences(matches(p, ps), want, ps); n > 0 {
			t.Errorf("%s: %d packets differ, the first is % x", expr, n, first)
		}
	}
}

func TestProgramRefusals(t *testing.T) {
	for _, c := range []struct{ text, want string }{
		{"", "starts with the number of its instructions"},
		{" \n\n", "starts with the number of its instructions"},
		{"tcp port 80\n", "give what tcpdump -ddd prints (at character 1)"},
		{"-1\n", "give what tcpdump -ddd prints"},
		{"0\n", "between 1 and 4096 instructions"},
		{"4097\n", "between 1 and 4096 instructions"},
		{tcpPort80, "12 instructions are announced and 13 are there (at line 1, character 1)"},
		{"2\n6 0 0 1\n", "2 instructions are announced and 1 are there"},
		{"1\n6 0 0\n", "four numbers: opcode, jumps if true and false, operand (at line 2, character 1)"},
		{"1\n(000) ret #0\n", "four numbers"},
		{"1\n 6 256 0 0\n", "four numbers: opcode, jumps if true and false, operand (at line 2, character 2)"},
		{"1\n255 0 0 0\n", "there is no such instruction"},
		{"2\n40 0 0 4294963248\n6 0 0 1\n", "only a kernel can run this instruction"},
		{"1\n40 0 0 12\n", "not a valid program"},
		{"2\n21 9 9 0\n6 0 0 1\n", "not a valid program"},
		{"2\n52 0 0 0\n6 0 0 1\n", "not a valid program"},
	} {
		_, err := ParseProgram(c.text, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%q: got %v, want %q", c.text, err, c.want)
		}
	}
	if _, err := ParseProgram("1\n6 0 0 1\n", Options{Cooked: true}); err == nil || !strings.Contains(err.Error(), "give the expression") {
		t.Errorf("cooked: got %v", err)
	}
}
