package filter

import (
	"fmt"
	"strings"
	"testing"
)

// TestLex shows each token with its kind.
func TestLex(t *testing.T) {
	kinds := [...]string{
		end: "end", mark: "mark", word: "word", name: "name", numeral: "number", dotted: "dotted", address6: "v6",
		hardware: "mac", nonsense: "nonsense", excluded: "excluded", mangled: "mangled", badAddr: "bad",
	}
	for _, c := range []struct{ expr, want string }{
		{"", ""},
		{" \t\r\n", ""},
		{"tcp port 80", "word:tcp word:port number:80"},
		{"tcp&&!udp||ip", "word:tcp mark:and mark:not word:udp mark:or word:ip"},
		{"and or not", "mark:and mark:or mark:not"},
		{"a<=b<<c<d", "name:a mark:<= name:b mark:<< name:c mark:< name:d"},
		{"1==2=3!=4", "number:1 mark:= number:2 mark:= number:3 mark:!= number:4"},
		{"host 10.1", "word:host dotted:10.1"},
		{"10.0.0.0/8", "dotted:10.0.0.0 mark:/ number:8"},
		{"1.2.3.4.5 1. 1..2", "name:1.2.3.4.5 name:1. name:1..2"},
		{"::1 2001:db8::/32 ::ffff:1.2.3.4", "v6:::1 v6:2001:db8:: mark:/ number:32 v6:::ffff:1.2.3.4"},
		{"1:2:3:4:5:6 1:2:3:4:5:6:7:8", "mac:1:2:3:4:5:6 v6:1:2:3:4:5:6:7:8"},
		{"02-00-00-00-00-01 0200.0000.0001 aabbccddeeff", "mac:02-00-00-00-00-01 mac:0200.0000.0001 mac:aabbccddeeff"},
		{"1:2:3 1::2::3 g:1:2", "bad:1:2:3 bad:1::2::3 name:g bad::1:2"},
		{"tcp[0:2]", "word:tcp mark:[ number:0 mark:: number:2 mark:]"},
		{"tcp[a:2]", "word:tcp mark:[ name:a mark:: number:2 mark:]"},
		{"0x1F 010 0 0x 09 0x100000000", "number:0x1F number:010 number:0 name:0x mangled:09 mangled:0x100000000"},
		{"tcp-syn tcpflags icmp6-echo", "number:tcp-syn number:tcpflags number:icmp6-echo"},
		{"8000-8080 http-alt a_b-", "name:8000-8080 name:http-alt name:a_b mark:-"},
		{`\tcp \ip6) \`, `name:tcp name:ip6 mark:) nonsense:\`},
		{"gateway", "excluded:gateway"},
		{"é;", "nonsense:é nonsense:;"},
	} {
		var got []string
		ts := lex(c.expr)
		for _, tok := range ts[:len(ts)-1] {
			got = append(got, fmt.Sprintf("%s:%s", kinds[tok.kind], tok.text))
			if text := c.expr[tok.off : tok.off+tok.length]; tok.kind != mark && strings.TrimPrefix(text, `\`) != strings.TrimPrefix(tok.text, `\`) {
				t.Errorf("%q: the token %q is at %q", c.expr, tok.text, text)
			}
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%q: got %s, want %s", c.expr, got, c.want)
		}
		if last := ts[len(ts)-1]; last.kind != end || last.off != len(c.expr) {
			t.Errorf("%q: the end is %+v", c.expr, last)
		}
	}
}

// TestNumbers: as in C, 0x is for hex digits and 0 for octal ones.
func TestNumbers(t *testing.T) {
	for s, want := range map[string]uint32{"0": 0, "80": 80, "0x50": 80, "0120": 80, "0xffffffff": 1<<32 - 1, "tcp-cwr": 128, "icmp6-redirect": 137} {
		if got := lex(s)[0]; got.kind != numeral || got.number != want {
			t.Errorf("%s: got %+v, want %d", s, got, want)
		}
	}
}

// TestServices holds the table to what tcpdump would find on a machine that has
// the usual /etc/services: names over TCP alone match no UDP.
func TestServices(t *testing.T) {
	for s, v := range services {
		if v.port == 0 || v.port > 0xffff || v.over != 0 && v.over != protoTCP && v.over != protoUDP {
			t.Errorf("%s is %+v", s, v)
		}
		if k := classify(s); k.kind != name {
			t.Errorf("%s cannot be written: it is read as %d", s, k.kind)
		}
	}
	for k := range protocols {
		if keywords[k] || refused[k] {
			t.Errorf("%s has two meanings", k)
		}
	}
	for k := range refused {
		if keywords[k] {
			t.Errorf("%s is refused and not", k)
		}
	}
}
