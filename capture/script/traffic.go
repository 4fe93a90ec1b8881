package script

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"time"
)

// A Profile is a kind of traffic that [Traffic] writes.
type Profile string

// Mix: pages, forms, uploads that ask first and uploads that do not, refusals that are repeated and refusals that are not, and
// connections that carry something else, on many connections at once. Small: requests and answers of a few hundred bytes on
// connections that stay. Upload: bodies of megabytes, in segments as receive offload makes them.
const (
	Mix    Profile = "mix"
	Small  Profile = "small"
	Upload Profile = "upload"
)

// Profiles lists them.
var Profiles = [...]Profile{Mix, Small, Upload}

// Traffic writes a conversation of many connections, for benchmarks: the same profile and block
// give the same text. Blocks have addresses of their own, so that one may follow another in a capture.
func Traffic(p Profile, block uint64) string {
	t := &traffic{rand: rand.New(rand.NewPCG(block, uint64(len(p)))), block: block}
	switch p {
	case Small:
		t.connections(200, 100*time.Millisecond, func() { t.turns(30, t.small) })
	case Upload:
		t.connections(4, time.Second, func() { t.turns(2, t.large) })
	default:
		t.connections(150, time.Second, t.mixed)
	}
	return t.text.String()
}

// traffic is a conversation in the making: its connections overlap, each at its own pace.
type traffic struct {
	rand  *rand.Rand
	block uint64
	text  strings.Builder
	conn  int
	at    time.Duration

	target string
}

// connections writes n connections that begin within a time.
func (t *traffic) connections(n int, within time.Duration, write func()) {
	for t.conn = range n {
		t.at = time.Duration(t.rand.Int64N(int64(within)))
		fmt.Fprintf(&t.text, "@%dus @conn c%d 10.%d.%d.%d:%d 10.200.0.%d:80 rtt=%dus\n", t.at.Microseconds(), t.conn,
			1+t.block/200%199, t.block%200, 1+t.conn%250, 20000+t.conn, 1+t.conn%8, 200+t.rand.IntN(2000))
		t.at += 5 * time.Millisecond
		write()
		t.say(">", "fin")
		t.say("<", "fin")
	}
}

// say writes one line, a little later than the last one.
func (t *traffic) say(side, what string) {
	t.at += time.Duration(3+t.rand.IntN(9)) * time.Millisecond
	fmt.Fprintf(&t.text, "@%dus c%d%s %s\n", t.at.Microseconds(), t.conn, side, what)
}

func (t *traffic) turns(n int, turn func()) {
	for range n {
		turn()
	}
}

const ordinary = " | Host: api.example.com | User-Agent: Go-http-client/1.1 | Accept: */* | Accept-Encoding: gzip" +
	" | Authorization: Bearer eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0 | X-Request-Id: 7f3c1d2e9b"

// request asks for something new.
func (t *traffic) request(method, more string) {
	t.target = fmt.Sprintf("/api/v2/objects/%d/part-%x", t.rand.IntN(10000), t.rand.Uint32())
	t.again(method, more)
}

// again asks for the same as before.
func (t *traffic) again(method, more string) {
	t.say(">", fmt.Sprintf("%s %s HTTP/1.1%s%s", method, t.target, ordinary, more))
}

// respond answers, with so many bytes of content.
func (t *traffic) respond(status string, n int, how string) {
	t.say("<", fmt.Sprintf("HTTP/1.1 %s | Server: nginx/1.24.0 | Date: Tue, 14 Nov 2023 22:13:20 GMT | Content-Type: application/json | Content-Length: %d%s", status, n, how))
	if n > 0 {
		t.say("<", fmt.Sprintf("body %d", n))
	}
}

func (t *traffic) small() {
	t.request("GET", "")
	t.respond("200 OK", 1+t.rand.IntN(300), " [cork]")
}

func (t *traffic) large() {
	n := 1<<20 + t.rand.IntN(3<<20)
	t.request("PUT", fmt.Sprintf(" | Content-Length: %d | Expect: 100-continue", n))
	t.say("<", "HTTP/1.1 100 Continue")
	t.say(">", fmt.Sprintf("body %d [seg 64000]", n))
	t.respond("201 Created", 0, "")
}

// mixed is what one connection of Mix carries.
func (t *traffic) mixed() {
	if t.rand.IntN(10) < 3 {
		t.say(">", `"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"`)
		t.say("<", fmt.Sprintf("body %d", 1000+t.rand.IntN(60000)))
		return
	}
	for range 1 + t.rand.IntN(6) {
		n := 2000 + t.rand.IntN(100000)
		switch t.rand.IntN(20) {
		case 0: // refused, and repeated without the expectation
			t.request("PUT", fmt.Sprintf(" | Content-Length: %d | Expect: 100-continue", n))
			t.respond("417 Expectation Failed", 0, "")
			t.again("PUT", fmt.Sprintf(" | Content-Length: %d", n))
			t.say(">", fmt.Sprintf("body %d", n))
			t.respond("201 Created", 0, "")
		case 1, 2:
			t.request("PUT", fmt.Sprintf(" | Content-Length: %d | Expect: 100-continue", n))
			t.say("<", "HTTP/1.1 100 Continue")
			t.say(">", fmt.Sprintf("body %d", n))
			t.respond("201 Created", 0, "")
		case 3, 4, 5:
			t.request("POST", fmt.Sprintf(" | Content-Length: %d", n/50))
			t.say(">", fmt.Sprintf("body %d", n/50))
			t.respond("200 OK", n/10, "")
		default:
			t.request("GET", "")
			t.respond("200 OK", n, "")
		}
	}
}
