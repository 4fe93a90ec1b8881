package filter

import (
	"errors"
	"strings"
	"testing"

	"expectscope/capture"
)

// refusals are expressions with carets under what is refused, and what is said
// about it. The expressions are for Ethernet.
const refusals = `
port foo
     ^^^ no port is known as "foo"
tcp port http or domian
                 ^^^^^^ no port is known as "domian"
host example.com
     ^^^^^^^^^^^ names are not looked up
ether host router
           ^^^^^^ names are not looked up
10.0.0.1
^^^^^^^^ "10.0.0.1" alone says nothing: put host
80
^^ "80" alone says nothing: put host, net, port
http
^^^^ "http" alone says nothing
tcp or 80
       ^^ "80" alone says nothing
(port 80) or 443
             ^^^ "443" alone says nothing
port 80 or tcp or 443
                  ^^^ "443" alone says nothing
port 80 and (443 or tcp)
                    ^^^ unexpected "tcp"
net 10.0.0.1/8
    ^^^^^^^^ bits outside the mask: write 10.0.0.0
net 10.0.0.1 mask 255.0.0.0
    ^^^^^^^^ bits outside the mask: write 10.0.0.0
net 10.0.0.0/33
             ^^ more than the longest mask, 32
net 10.0.0.0 mask 255
                  ^^^ a mask of four numbers
net 10.0.0.0 mask 255.0
                  ^^^^^ not a mask of four numbers
net 2001:db8::1/32
    ^^^^^^^^^^^ bits outside the mask: write 2001:db8::
net 2001:db8::/129
               ^^^ more than the longest mask, 128
host 10.0.0.0/8
             ^ a mask goes with net
src 2001:db8::/32
              ^ a mask goes with net
host 256.1.1.1
     ^^^^^^^^^ not an IPv4 address
host 010.0.0.1
     ^^^^^^^^^ not an IPv4 address
host 1.2.3.4.5
     ^^^^^^^^^ not an address
host 1:2:3
     ^^^^^ neither an IPv6 nor a MAC address
host fe80::1::2
     ^^^^^^^^^^ neither an IPv6 nor a MAC address
ether host 02:00:00:00:00:0g
           ^^^^^^^^^^^^^^^^^ neither an IPv6 nor a MAC address
ether host 01:00-5e.00:00:01
           ^^^^^^^^^^^^^^^^^ neither an IPv6 nor a MAC address
host 02:00:00:00:00:01
     ^^^^^^^^^^^^^^^^^ a MAC address: write ether host
ether net 02:00:00:00:00:01
          ^^^^^^^^^^^^^^^^^ a MAC address: write ether host
ether host 10.0.0.1
^^^^^ "ether" has no IPv4 addresses: write host without it
ip host ::1
^^ "ip" has no IPv6 addresses: write host without it
tcp host 10.0.0.1
^^^ "tcp" has no IPv4 addresses: write tcp and host
tcp net ::/0
^^^ "tcp" has no IPv6 addresses: write tcp and net
ip port 80
^^ "ip" has no ports: write ip and port
arp portrange 1-2
^^^ "arp" has no ports: tcp, udp and sctp have
udp port http
         ^^^^ "http" is not a port of udp
udp portrange ssh-http
              ^^^^^^^^ "ssh-http" is not a port of udp
port 70000
     ^^^^^ more than the largest port, 65535
portrange 80-70000
          ^^^^^^^^ 70000 is more than the largest port
portrange a-b
          ^^^ no port or range of ports is known as "a-b"
portrange 8000 - 8100
               ^ unexpected "-": and or or belongs here
portrange -
          ^ a port's number or name
port 80-90
     ^^^^^ no port is known as "80-90"
port 080
     ^^^ not a number of 32 bits
port 4294967296
     ^^^^^^^^^^ not a number of 32 bits
ip proto tcp
         ^^^ write \tcp
ip proto http
         ^^^^ no protocol is known as "http"
ip proto 256
         ^^^ the largest protocol number of IP, 255
ip proto 1.2
         ^^^ a protocol's number or name
arp proto 6
^^^ "arp" does not go with proto
src proto 6
    ^^^^^ "proto" is a keyword: an address belongs behind host
ether proto 1500
            ^^^^ no Ethertypes: 802.2 frames
ether proto ip
            ^^ write \ip
ether proto \tcp
            ^^^^ no protocol is known as "tcp"
ether
^^^^^ "ether" alone says nothing
tcp and link
        ^^^^ "link" alone says nothing
tcp multicast
^^^ "tcp" does not go with multicast
ip6 broadcast
^^^ "ip6" does not go with broadcast
vlan 4096
     ^^^^ the largest number for vlan, 4095
mpls 1048576
     ^^^^^^^ the largest number for mpls, 1048575
pppoes 65536
       ^^^^^ the largest number for pppoes, 65535
mpls and vlan
         ^^^^ put vlan before mpls
mpls and pppoes
         ^^^^^^ no PPPoE sessions on this link
pppoes and vlan
           ^^^^ no VLAN tags on this link (PPP)
pppoes and mpls
           ^^^^ no MPLS labels on this link (PPP)
pppoes and pppoes
           ^^^^^^ no PPPoE sessions on this link (PPP)
pppoes and ether host 2:0:0:0:0:1
                      ^^^^^^^^^^^ no Ethernet addresses on this link (PPP)
pppoes and broadcast
           ^^^^^^^^^ no Ethernet addresses on this link (PPP)
mpls and arp
         ^^^ only IPv4 and IPv6 can be told
mpls and ether proto 0x806
                     ^^^^^ only IPv4 and IPv6 can be told
mpls and arp host 10.0.0.1
         ^^^ only IPv4 and IPv6 can be told
mpls and arp[0] = 1
         ^^^ only IPv4 and IPv6 can be told
mpls and pppoed
         ^^^^^^ only IPv4 and IPv6 can be told
inbound
^^^^^^^ do not say which of them were sent (Ethernet)
gateway 10.0.0.1
^^^^^^^ "gateway" is not supported
tcp and protochain 6
        ^^^^^^^^^^ "protochain" is not supported
ip protochain 6
   ^^^^^^^^^^ "protochain" is not supported
wlan addr1 2:0:0:0:0:1
^^^^ "wlan" is not supported
AND
^^^ keywords have small letters: write and
tcp AND udp
    ^^^ keywords have small letters: write and
TCP port 80
^^^ keywords have small letters: write tcp
tcp port 80 443
            ^^^ unexpected "443": and or or belongs here
tcp 80
    ^^ unexpected "80": and or or belongs here
(tcp
    ^ the expression ends too early: ")" belongs here
tcp)
   ^ there is no ( for this )
()
 ^ unexpected ")"
port ()
      ^ unexpected ")"
not
   ^ the expression ends too early
tcp and
       ^ the expression ends too early
and tcp
^^^ unexpected "and"
tcp or or udp
       ^^ unexpected "or"
host
    ^ the expression ends too early: an address
src and src host 1.1.1.1
    ^^^ unexpected "and": an address
host tcp
     ^^^ "tcp" is a keyword: an address belongs behind host
less tcp
     ^^^ unexpected "tcp": a length
vlan 1 2
       ^ unexpected "2"
tcp é udp
    ^ "é" does not belong in a filter
tcp; udp
   ^ ";" does not belong in a filter
tcp \
    ^ "\\" does not belong in a filter
len-4 > 3
^^^^^ a minus sign has spaces around it
tcp[20-4] = 1
    ^^^^ a number, len, or a protocol
len / 0 = 1
      ^ division by zero
len % (2 - 2) = 1
      ^ division by zero
len << 32 = 1
       ^^ shift by more than 31 bits
tcp[0:3] = 1
      ^ a field has 1, 2 or 4 bytes
tcp[0:] = 1
      ^ unexpected "]": 1, 2 or 4 bytes
tcp[0
     ^ "]" belongs here
tcp[0] 1
       ^ a comparison belongs here
tcp[tcpflags] & tcp-syn
                       ^ a comparison belongs here
tcp[tcpflags] && tcp-syn
              ^^ a comparison belongs here
(len + 2 = 3
            ^ ")" belongs here
tcp & 1 = 1
    ^ unexpected "&"
ah[0] = 1
^^ "ah" has no fields to read
ether[0xffffffff] = 1
^^^^^ there is nothing at this offset
tcp[0xffffff] = 1
^^^ there is nothing at this offset
`

func TestRefusals(t *testing.T) {
	lines := strings.Split(strings.Trim(refusals, "\n"), "\n")
	for i := 0; i+1 < len(lines); i += 2 {
		expr := lines[i]
		carets, want, _ := strings.Cut(strings.TrimLeft(lines[i+1], " "), " ")
		indent := len(lines[i+1]) - len(strings.TrimLeft(lines[i+1], " "))
		p, err := Compile(expr, capture.LinkEthernet, Options{})
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%s: got %v, %v, want an error", expr, p, err)
			continue
		}
		if !strings.Contains(e.Msg, want) {
			t.Errorf("%s: got %q, want %q", expr, e.Msg, want)
		}
		if got, want := e.Caret(), expr+"\n"+strings.Repeat(" ", indent)+carets; got != want {
			t.Errorf("got\n%s\nwant\n%s", got, want)
		}
		if e.Expr != expr {
			t.Errorf("the expression is %q, want %q", e.Expr, expr)
		}
	}
}

// TestRefusalsAgainstTcpdump checks that tcpdump refuses these as well, but for
// those that need what is not supported here.
func TestRefusalsAgainstTcpdump(t *testing.T) {
	o := newOracle(t, generate(capture.LinkEthernet, false)[:1])
	ours := map[string]bool{
		"ether proto 1500": true, "ip proto 256": true, "host 010.0.0.1": true,
		"net 10.0.0.0 mask 255.0": true, "ether[0xffffffff] = 1": true, "tcp[0xffffff] = 1": true,
		"len % (2 - 2) = 1": true, "pppoes and mpls": true, "pppoes and pppoes": true,
	}
	lines := strings.Split(strings.Trim(refusals, "\n"), "\n")
	for i := 0; i < len(lines); i += 2 {
		if expr := lines[i]; !ours[expr] && !strings.Contains(expr, "protochain") {
			if _, refused := o.ask(t, expr); refused == "" {
				t.Errorf("%s: refused here, and tcpdump takes it", expr)
			}
		}
	}
}

func TestErrorText(t *testing.T) {
	for _, c := range []struct{ expr, line, caret string }{
		{"tcp port foo", `filter: no port is known as "foo": write its number (at character 10)`, "tcp port foo\n         ^^^"},
		{"é port foo", `filter: "é" does not belong in a filter (at character 1)`, "é port foo\n^"},
		{"tcp and\tport fôo", `filter: unexpected "ô": and or or belongs here (at character 15)`, ""},
		{"tcp and\n  port foo\n and udp", `filter: no port is known as "foo": write its number (at line 2, character 8)`, "  port foo\n       ^^^"},
		{"\n port foo\n", `filter: no port is known as "foo": write its number (at character 7)`, " port foo\n      ^^^"},
		{"tcp \x1b[2J", `filter: "\x1b" does not belong in a filter (at character 5)`, "tcp  [2J\n    ^"},
		{"tcp\tor\tport foo", `filter: no port is known as "foo": write its number (at character 13)`, "tcp or port foo\n            ^^^"},
	} {
		_, err := Compile(c.expr, capture.LinkEthernet, Options{})
		var e *SyntaxError
		if !errors.As(err, &e) {
			t.Errorf("%q: no error", c.expr)
			continue
		}
		if c.caret == "" { // which of the two is said first is not the matter
			continue
		}
		if got := e.Error(); got != c.line {
			t.Errorf("%q: got\n%s\nwant\n%s", c.expr, got, c.line)
		}
		if got := e.Caret(); got != c.caret {
			t.Errorf("%q: got\n%s\nwant\n%s", c.expr, got, c.caret)
		}
	}
}

// TestLinkRefusals checks what other link types do not have.
func TestLinkRefusals(t *testing.T) {
	for _, c := range []struct {
		link       capture.LinkType
		expr, want string
		o          Options
	}{
		{capture.LinkSLL2, "vlan 3", "no VLAN tags on this link (Linux cooked v2)", Options{}},
		{capture.LinkRaw, "mpls", "no MPLS labels on this link (raw IP)", Options{}},
		{capture.LinkRaw, "pppoes", "no PPPoE sessions on this link (raw IP)", Options{}},
		{capture.LinkSLL, "ether host 2:0:0:0:0:1", "no Ethernet addresses on this link (Linux cooked)", Options{}},
		{capture.LinkNull, "broadcast", "no Ethernet addresses on this link (BSD loopback)", Options{}},
		{capture.LinkLoop, "multicast", "no Ethernet addresses on this link (OpenBSD loopback)", Options{}},
		{capture.LinkIPv6, "outbound", "do not say which of them were sent (raw IPv6)", Options{}},
		{capture.LinkSLL, "pppoes and inbound", "do not say which of them were sent (PPP)", Options{}},
		{capture.LinkPPP, "tcp", "link type 9 cannot be filtered, only those of BSD loopback, Ethernet, Linux cooked", Options{}},
		{capture.LinkEthernet, "tcp", "a cooked socket hands out Linux cooked frames, not those of Ethernet", Options{Cooked: true}},
		{capture.LinkSLL2, "tcp and ether[0] = 1", "the link's header is not there to be read", Options{Cooked: true}},
	} {
		_, err := Compile(c.expr, c.link, c.o)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s on %d: got %v, want %q", c.expr, c.link, err, c.want)
		}
	}
}

func TestLimits(t *testing.T) {
	deep := strings.Repeat("(", maxDepth+1) + "tcp" + strings.Repeat(")", maxDepth+1)
	words := "len" + strings.Repeat(" - (ip[0]", 20) + strings.Repeat(")", 20) + " = 1"
	for _, c := range []struct{ name, expr, want string }{
		{"parentheses", deep, "more than 200 levels"},
		{"negations", strings.Repeat("! ", maxDepth+1) + "tcp", "more than 200 levels"},
		{"operands", "port " + strings.Repeat("(", maxDepth+1) + "80", "more than 200 levels"},
		{"factors", "len = " + strings.Repeat("-", maxDepth+1) + "1", "more than 200 levels"},
		{"instructions", "port 1" + strings.Repeat(" or 2", 500), "instructions, a filter has at most 4096"},
		{"memory", words, "words of memory, a filter has 16"},
	} {
		_, err := Compile(c.expr, capture.LinkEthernet, Options{})
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", c.name, err, c.want)
		}
	}
	mustCompile(t, deep[2:len(deep)-2], capture.LinkEthernet, Options{})
	mustCompile(t, "port 1"+strings.Repeat(" or 2", 100), capture.LinkEthernet, Options{})
}
