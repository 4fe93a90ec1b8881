package filter

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/net/bpf"

	"expectscope/capture"
)

// checkError holds an error to what SyntaxError promises.
func checkError(t *testing.T, text string, err error) {
	t.Helper()
	var e *SyntaxError
	if !errors.As(err, &e) {
		t.Fatalf("%q: the error is a %T", text, err)
	}
	if e.Expr != text || e.Offset < 0 || e.Length < 0 || e.Offset+e.Length > len(text) {
		t.Errorf("%q: refuses %d bytes at %d", text, e.Length, e.Offset)
	}
	if s := e.Error(); strings.ContainsAny(s, "\n\r\x1b") {
		t.Errorf("%q: the error is more than a line: %q", text, s)
	}
	line, carets, _ := strings.Cut(e.Caret(), "\n")
	if strings.Trim(carets, " ^") != "" || !strings.HasSuffix(carets, "^") {
		t.Errorf("%q: the carets are %q", text, carets)
	}
	if n := utf8.RuneCountInString(carets); utf8.ValidString(text) && n > utf8.RuneCountInString(text)+1 {
		t.Errorf("%q: the carets are at %d, under %q", text, n, line)
	}
}

// checkProgram runs a program on any frame, and lets the BPF package check what
// the kernel is to run.
func checkProgram(t *testing.T, text string, p *Program, frame []byte, wire int) {
	t.Helper()
	p.Match(&capture.Packet{Data: frame, Len: wire})
	p.Match(&capture.Packet{Data: frame, Len: len(frame)})
	if n := len(p.Raw()); n == 0 || n > maxInstructions {
		t.Errorf("%q: %d instructions", text, n)
	}
	for i, in := range p.Raw() {
		if _, unknown := in.Disassemble().(bpf.RawInstruction); unknown {
			t.Errorf("%q: instruction %d is none: %v", text, i, in)
		}
	}
}

func FuzzCompile(f *testing.F) {
	frame := namedFrames()["double"]
	for _, s := range []string{
		"", "tcp port 80", "host 10.0.0.1 or ::1", "net 10.0.0.0/8 or 192.168/16", "vlan 5 and (tcp or udp)", "mpls 3 and ip", "pppoes and port http",
		"tcp[((tcp[12] & 0xf0) >> 2):4] = 0x47455420", "ether host 2:0:0:0:0:1", "not (port 80 or not 443)", "len % 3 + 1 = 2 or -len > 5",
		"portrange http-https", "ip proto \\tcp", "src and dst net 10.0 mask 255.0.0.0", "inbound", "ip[ip[ip[0]]] - ip[1] * 3 > 0xffffffff",
		"((((", "port (80 or", "tcp\nand", "\x00", "1:2:3", "\\", "é",
	} {
		f.Add(s, uint8(0), frame, 1500)
	}
	f.Fuzz(func(t *testing.T, expr string, link uint8, frame []byte, wire int) {
		all := []capture.LinkType{
			capture.LinkEthernet, capture.LinkSLL, capture.LinkSLL2, capture.LinkRaw,
			capture.LinkIPv4, capture.LinkIPv6, capture.LinkNull, capture.LinkLoop, capture.LinkPPP,
		}
		l := all[int(link)%len(all)]
		for _, o := range []Options{{}, {VLANStripped: true, SnapLen: 64}, {Cooked: true}} {
			p, err := Compile(expr, l, o)
			if err != nil {
				checkError(t, expr, err)
				continue
			}
			checkProgram(t, expr, p, frame, wire)
		}
	})
}

func FuzzParseProgram(f *testing.F) {
	frame := namedFrames()["get"]
	for _, s := range []string{
		tcpPort80, strings.Replace(tcpPort80, "12\n", "13\n", 1), "", "1\n6 0 0 1\n", "2\n128 0 0 0\n22 0 0 0\n", "2\n3 0 0 16\n6 0 0 1\n",
		"2\n32 0 0 4294967295\n6 0 0 1\n", "3\n1 0 0 4294967295\n64 0 0 4294967295\n6 0 0 1\n", "2\n132 0 0 0\n6 0 0 1\n",
	} {
		f.Add(s, frame, 1500)
	}
	f.Fuzz(func(t *testing.T, text string, frame []byte, wire int) {
		p, err := ParseProgram(text, Options{})
		if err != nil {
			checkError(t, text, err)
			return
		}
		checkProgram(t, text, p, frame, wire)
	})
}
