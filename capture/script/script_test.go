package script

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestContent(t *testing.T) {
	for _, tc := range []struct{ line, want string }{
		{`GET /a?b=# HTTP/1.1 | Host: [::1]`, "GET /a?b=# HTTP/1.1\r\nHost: [::1]\r\n\r\n"},
		{`HTTP/1.1 100 Continue`, "HTTP/1.1 100 Continue\r\n\r\n"},
		{`GET / HTTP/1.1 | A:  |  B: c  # why`, "GET / HTTP/1.1\r\nA:\r\nB: c\r\n\r\n"},
		{`body 40`, "abcdefghijklmnopqrstuvwxyz0123456789abcd"},
		{`body 0x1_0`, "abcdefghijklmnop"},
		{`chunk 17`, "11\r\nabcdefghijklmnopq\r\n"},
		{`chunk 1;a="b"`, "1;a=\"b\"\r\na\r\n"},
		{`lastchunk`, "0\r\n\r\n"},
		{`lastchunk | X: 1 | Y: 2`, "0\r\nX: 1\r\nY: 2\r\n\r\n"},
		{`"a\r\n [lost]\x00"  # raw`, "a\r\n [lost]\x00"},
		{`"a" [dup][ttl 3]`, "a"},
	} {
		t.Run(tc.line, func(t *testing.T) {
			s := parse(t, opened+"> "+tc.line)
			if got := string(s.acts[1].data); got != tc.want {
				t.Errorf("content %q, want %q", got, tc.want)
			}
		})
	}
}

// The chunked example of the byte accounting: 4096, 4096 and 100 bytes of
// content are 8319 bytes on the wire.
func TestChunkedSize(t *testing.T) {
	s := parse(t, opened+"> chunk 4096\n> chunk 4096\n> chunk 100\n> lastchunk\n")
	total := 0
	for _, r := range readAll(t, s.Packets(Options{})) {
		total += r.wire
	}
	if total != 8319 {
		t.Errorf("%d bytes, want 8319", total)
	}
}

func TestConnections(t *testing.T) {
	s := parse(t, `
		@conn a 10.0.0.1:40000 10.0.0.2:80 ttl=63,57 mss=1000
		@0s @conn b [2001:db8::1]:40001 [2001:db8::2]:443 isn=4294967290,4294967295
		a> "from a"
		b > "from b, across the end of sequence numbers"
		a< "to a"
		b< "to b" [ttl 9]
		> "b again" [snap 80]
	`)
	tapes := readAll(t, s.Packets(Options{}))
	a, b := s.conns[0], s.conns[1]
	for _, tc := range []struct {
		conn *conn
		from side
		want string
	}{
		{a, client, "from a"},
		{a, server, "to a"},
		{b, client, "from b, across the end of sequence numbersb agai"},
		{b, server, "to b"},
	} {
		if got := stream(t, tapes, tc.conn.addr[tc.from], tc.conn.isn[tc.from]); got != tc.want {
			t.Errorf("%v sent %q, want %q", tc.conn.addr[tc.from], got, tc.want)
		}
	}
	if r := tapes[0]; r.src != a.addr[client] || r.dst != a.addr[server] || r.mss != 1000 || r.ttl != 63 {
		t.Errorf("first packet is %+v", r)
	}
	if tapes[1].at != 0 || tapes[1].src != b.addr[client] {
		t.Errorf("second packet is %+v, want b's SYN at the same time", tapes[1])
	}
	var snapped, ttl9 int
	for _, r := range tapes {
		if r.src == a.addr[server] && r.ttl != 57 {
			t.Errorf("a's server has ttl %d, want 57", r.ttl)
		}
		if r.ttl == 9 {
			ttl9++
		}
		if len(r.payload) < r.wire {
			snapped++
		}
	}
	if snapped != 1 || ttl9 != 1 {
		t.Errorf("%d packets snapped and %d with ttl 9, want one each", snapped, ttl9)
	}
}

func TestVariants(t *testing.T) {
	s := parse(t, opened+`
		> PUT / HTTP/1.1 | Host: a | Content-Length: 3000
		> body 3000
		+0s < HTTP/1.1 200 OK | Content-Length: 2
		+0s < "ok"`)
	whole := readAll(t, s.Packets(Options{}))
	bytewise := readAll(t, s.Packets(Options{SegmentSize: 1}))
	for _, from := range []side{client, server} {
		addr, isn := s.conns[0].addr[from], s.conns[0].isn[from]
		if w, b := stream(t, whole, addr, isn), stream(t, bytewise, addr, isn); w != b || w == "" {
			t.Errorf("%v sent %q whole and %q byte by byte", from, w, b)
		}
	}
	if a, b := whole[len(whole)-1].at, bytewise[len(bytewise)-1].at; b-a > 10*time.Microsecond {
		t.Errorf("byte by byte ends at %v, whole at %v", b, a)
	}
	var last int
	for i, r := range bytewise {
		if r.wire > 1 {
			t.Errorf("packet %d has %d bytes", i+1, r.wire)
		}
		if r.src == s.conns[0].addr[server] && r.wire > 0 && int(r.seq) <= last {
			t.Errorf("packet %d: the server's bytes are out of order", i+1)
		} else if r.wire > 0 && r.src == s.conns[0].addr[server] {
			last = int(r.seq)
		}
	}

	n := s.DataPackets(Options{})
	if n != 6 {
		t.Fatalf("%d packets with data, want 6", n)
	}
	for k := 0; k <= n+1; k++ {
		got := s.DataPackets(Options{}) - count(readAll(t, s.Packets(Options{Drop: k})))
		want := 1
		if k == 0 || k > n {
			want = 0
		}
		if got != want {
			t.Errorf("Drop: %d leaves out %d packets, want %d", k, got, want)
		}
	}
}

func count(tapes []tape) (n int) {
	for _, r := range tapes {
		if r.wire > 0 {
			n++
		}
	}
	return n
}

func TestParseErrors(t *testing.T) {
	for _, tc := range []struct{ text, want string }{
		{"> body 1", "line 1: expected an @conn line before"},
		{"\n\nhello", "line 3: expected >, <, @conn or @end"},
		{"hello world", "expected >, <, @conn or @end"},
		{"@connect a b", "expected @conn, @end or a time"},
		{"+20 @end", "expected a time such as +20ms"},
		{"+20ms", "expected an act after the time +20ms"},
		{"@2s @end now", `expected nothing after @end, not "now"`},
		{"@end\n@end", "line 2: nothing can follow @end"},
		{"@conn 10.0.0.1:1", "expected @conn [name] client:port server:port"},
		{"@conn 10.0.0.1 10.0.0.2:80", "expected the client's address and port"},
		{"@conn 10.0.0.1:1 10.0.0.2:0", "expected the server's address and port"},
		{"@conn 10.0.0.1:1 [::1]:80", "two addresses of one family"},
		{"@conn 10.0.0.1:1 10.0.0.1:1", "two different endpoints"},
		{"@conn 10.0.0.1:1 10.0.0.2:80 rtt=x", `not "rtt=x"`},
		{"@conn 10.0.0.1:1 10.0.0.2:80 mss=0", `not "mss=0"`},
		{"@conn 10.0.0.1:1 10.0.0.2:80 isn=1", `not "isn=1"`},
		{"@conn 10.0.0.1:1 10.0.0.2:80 ttl=0,1", `not "ttl=0,1"`},
		{"@conn 10.0.0.1:1 10.0.0.2:80 nosyn=1", `not "nosyn=1"`},
		{"@conn 10.0.0.1:1 10.0.0.2:80 only=me", `not "only=me"`},
		{opened + "b> body 1", `line 2: there is no connection "b"`},
		{opened + "> bdy 5", `expected a head with HTTP/, body, chunk`},
		{opened + "> body", "expected a number of bytes"},
		{opened + "> body 0", "expected a number of bytes"},
		{opened + "> body 20000000", "expected a number of bytes"},
		{opened + "> chunk x", "expected a number of bytes"},
		{opened + strings.Repeat("> body 16000000\n", 5), "line 6: a script holds at most"},
		{opened + "> body 1000000 [seg 1]", "a script holds at most 262144 segments"},
		{opened + "> fin now", "expected nothing after fin"},
		{opened + "> \"a", "expected bytes in Go's quoting"},
		{opened + "> \"\"", "at least one"},
		{opened + "> \"a\" b", `expected modifiers after the quoted bytes, not "b"`},
		{opened + "> fin\n> body 1", "line 3: the client has ended its side"},
		{opened + "> rst\n> ack", "line 3: the client has ended its side"},
		{opened + "> body 1 [blnd]", "expected a modifier such as [blind]"},
		{opened + "> body 1 [blind]", "the server has sent only 0 lines"},
		{opened + "< \"a\"\n> ack\n> body 1 [blind]", "sent only 0 lines that the client has not acknowledged"},
		{opened + "< \"a\"\n< \"b\"\n> ack [blind]\n> ack [blind 2]", "sent only 1 lines that"},
		{opened + "> body 1 [blind x]", `modifier [blind] does not take "x"`},
		{opened + "> body 1 [ack]", "modifier [ack] does not take"},
		{opened + "> body 1 [ttl 256]", "modifier [ttl] does not take"},
		{opened + "> body 1 [lost 3-2]", "modifier [lost] does not take"},
		{opened + "> body 1 [lost 2]", "the line has only 1 segments"},
		{opened + "> fin [lost 2]", "the line has only 1 segments"},
		{opened + "> body 1 [dup -1s]", "modifier [dup] does not take"},
		{opened + "> body 1 [dup] [dup]", "expected modifier [dup] once"},
		{opened + "> body 9 [split 3,2]", "expected the offsets of [split] in order"},
		{opened + "> body 9 [split 10]", "below 9"},
		{opened + "> body 9 [split 0]", "modifier [split] does not take"},
		{opened + "> fin [seg 1]", "there is no data to cut"},
		{opened + "> body 70000 [oneseg]", "one segment holds at most"},
		{opened + "> body 1 [cork]", "line 2: the client's corked bytes never leave"},
		{opened + "> body 1 [cork]\n> fin", "line 3: the client has corked bytes"},
		{opened + "> fin [cork]", "[cork] is for data"},
		{opened + "> body 1 [cork] [dup]", "[cork] is for data, and goes with no other"},
		{opened + "@1s > body 1\n@500ms > body 1", "expected a time from @1.00001s on"},
		{opened + "@1s > body 1\n@500ms @end", "@end at 500ms is before the last packet, at 1s"},
		{"+9999h @end\n", ""},
		{"+9999h @conn 10.0.0.1:1 10.0.0.2:80\n+9999h > body 1", "a script lasts at most"},
	} {
		_, err := Parse(tc.text)
		switch {
		case tc.want == "" && err != nil:
			t.Errorf("%q: %v", tc.text, err)
		case tc.want != "" && err == nil:
			t.Errorf("%q parsed, want an error with %q", tc.text, tc.want)
		case tc.want != "" && (!strings.Contains(err.Error(), tc.want) || !strings.HasPrefix(err.Error(), "line ")):
			t.Errorf("%q: error %q, want a line number and %q", tc.text, err, tc.want)
		}
	}
}

// The same text gives the same bytes, and asking for one variant does not
// change another.
func TestDeterministic(t *testing.T) {
	s := parse(t, opened+"> body 10000 [dup] [late 2]\n< \"ok\" [blind]\n+1s @end")
	first := s.Packets(Options{})
	s.Packets(Options{SegmentSize: 7, Drop: 2})
	if d := cmp.Diff(first, s.Packets(Options{})); d != "" {
		t.Errorf("packets differ (-first +again):\n%s", d)
	}
}

func ExampleParse() {
	s, err := Parse(`
		@conn 10.0.0.1:40000 10.0.0.2:80
		> PUT /up HTTP/1.1 | Host: a | Content-Length: 5 | Expect: 100-continue
		+20ms < HTTP/1.1 417 Expectation Failed | Content-Length: 0
		+60s @end`)
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, p := range s.Packets(Options{}) {
		fmt.Println(time.Duration(p.Time-Start), p.Len)
	}
	// Output:
	// 0s 62
	// 500µs 62
	// 1ms 54
	// 2ms 124
	// 22ms 108
	// 62.5ms 54
	// 1m0.022s 42
}
