package script

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

const opened = "@conn 10.0.0.1:40000 10.0.0.2:80\n"

// handshake is how a transcript starts when the script starts with opened.
const handshake = `
	0s > S seq=0
	500µs < SA seq=0 ack=1
	1ms > A seq=1 ack=1
`

// Each conversation, packet by packet.
func TestTranscripts(t *testing.T) {
	for _, tc := range []struct{ name, text, want string }{
		{"a refused expectation", opened + `
			# the client asks first
			> PUT /up HTTP/1.1 | Host: a | Content-Length: 5 | Expect: 100-continue
			+20ms < HTTP/1.1 417 Expectation Failed | Content-Length: 0  # and is refused
			> fin
			< fin
			+60s @end`, handshake + `
			2ms > PA seq=1 ack=1 len=70
			22ms < PA seq=1 ack=71 len=54
			23ms > FA seq=71 ack=55
			23.5ms < A seq=55 ack=72
			24ms < FA seq=55 ack=72
			24.5ms > A seq=72 ack=56
			1m0.024s arp`},
		{"a lone segment is acknowledged after 40ms", opened + `
			> "x"
			+1s > "y"
			+1s < "z"`, handshake + `
			2ms > PA seq=1 ack=1 len=1
			42.5ms < A seq=1 ack=2
			1.002s > PA seq=2 ack=1 len=1
			1.0425s < A seq=1 ack=3
			2.002s < PA seq=1 ack=3 len=1
			2.0425s > A seq=3 ack=2`},
		{"a body is acknowledged every second segment", opened + `
			> body 4000
			+100ms < "ok"
			@130ms @end`, handshake + `
			2ms > A seq=1 ack=1 len=1460
			2.01ms > A seq=1461 ack=1 len=1460
			2.02ms > PA seq=2921 ack=1 len=1080
			2.51ms < A seq=1 ack=2921
			42.52ms < A seq=1 ack=4001
			102.02ms < PA seq=1 ack=4001 len=2
			130ms arp`},
		{"an answer crosses the second half of a body", opened + `
			> body 1000
			+0s > body 2000
			+0s < "no" [blind]
			> body 500`, handshake + `
			2ms > PA seq=1 ack=1 len=1000
			2.01ms > A seq=1001 ack=1 len=1460
			2.02ms > PA seq=2461 ack=1 len=540
			2.03ms < PA seq=1 ack=1001 len=2
			3.03ms > PA seq=3001 ack=3 len=500
			42.53ms < A seq=3 ack=3501`},
		{"a blind client acknowledges the interim, not the final", opened + `
			> "head"
			< "100"
			+0s < "403"
			+0s > body 10 [blind]
			+0s > body 20`, handshake + `
			2ms > PA seq=1 ack=1 len=4
			3ms < PA seq=1 ack=5 len=3
			3.01ms < PA seq=4 ack=5 len=3
			3.02ms > PA seq=5 ack=4 len=10
			3.03ms > PA seq=15 ack=7 len=20
			43.52ms < A seq=7 ack=35`},
		{"blind to two lines", opened + `
			> "head"
			< "100"
			+0s < "403"
			+0s > body 10 [blind 2]`, handshake + `
			2ms > PA seq=1 ack=1 len=4
			3ms < PA seq=1 ack=5 len=3
			3.01ms < PA seq=4 ack=5 len=3
			3.02ms > PA seq=5 ack=1 len=10
			43.52ms > A seq=15 ack=7
			43.52ms < A seq=7 ack=15`},
		{"acknowledgements by hand", opened + `
			> "hello"
			< "a" [ack prev]
			< "b" [ack 2]
			< "c" [ack none]
			> ack`, handshake + `
			2ms > PA seq=1 ack=1 len=5
			3ms < PA seq=1 ack=1 len=1
			4ms < PA seq=2 ack=3 len=1
			5ms < P seq=3 len=1
			6ms > A seq=6 ack=4
			42.5ms < A seq=4 ack=6`},
		{"segments of a line", "@conn 10.0.0.1:40000 10.0.0.2:80 mss=4 nosyn" + `
			> body 6
			> body 6 [seg 5]
			> body 6 [oneseg]
			> body 6 [split 1,3]`, `
			1ms > A seq=1 ack=1 len=4
			1.01ms > PA seq=5 ack=1 len=2
			2.01ms > A seq=7 ack=1 len=5
			2.02ms > PA seq=12 ack=1 len=1
			2.51ms < A seq=1 ack=12
			3.02ms > PA seq=13 ack=1 len=6
			4.02ms > A seq=19 ack=1 len=1
			4.03ms > A seq=20 ack=1 len=2
			4.04ms > PA seq=22 ack=1 len=3
			4.52ms < A seq=1 ack=20
			44.53ms < A seq=1 ack=25`},
		{"corked lines leave together", opened + `
			> "a" [cork]
			+1ms > "b" [cork]
			+1ms > "c"
			+60s @end`, handshake + `
			4ms > PA seq=1 ack=1 len=3
			44.5ms < A seq=1 ack=4
			1m0.004s arp`},
		{"damage", opened + `
			> body 3 [seg 1] [lost 2]
			> "d" [dup 30ms]
			< "ok" [late 1]
			> rst [lost]
			+1s @end`, handshake + `
			2ms > A seq=1 ack=1 len=1
			2.02ms > PA seq=3 ack=1 len=1
			3.02ms > PA seq=4 ack=1 len=1
			33.02ms > PA seq=4 ack=3 len=1
			33.02ms < PA seq=1 ack=5 len=2
			1.00502s arp`},
		{"a reset ends all acknowledgement", opened + `
			> body 3000
			+0s < rst
			> rst`, handshake + `
			2ms > A seq=1 ack=1 len=1460
			2.01ms > A seq=1461 ack=1 len=1460
			2.02ms > PA seq=2921 ack=1 len=80
			2.03ms < RA seq=1 ack=3001
			3.03ms > RA seq=3001 ack=1`},
		{"one side captured", "@conn 10.0.0.1:40000 10.0.0.2:80 only=server" + `
			> "a"
			< "b"`, `
			500µs < SA seq=0 ack=1
			3ms < PA seq=1 ack=2 len=1`},
		{"the round trip", "@conn 10.0.0.1:40000 10.0.0.2:80 rtt=40ms" + `
			> "a"
			< "b"
			< fin
			> fin`, `
			0s > S seq=0
			20ms < SA seq=0 ack=1
			40ms > A seq=1 ack=1
			41ms > PA seq=1 ack=1 len=1
			61ms < PA seq=1 ack=2 len=1
			62ms < FA seq=2 ack=2
			82ms > FA seq=2 ack=3
			102ms < A seq=3 ack=3`},
	} {
		t.Run(tc.name, func(t *testing.T) {
			s := parse(t, tc.text)
			tapes := readAll(t, s.Packets(Options{}))
			audit(t, s, tapes)
			got := transcript(tapes)
			if d := cmp.Diff(trim(tc.want), got); d != "" {
				t.Errorf("transcript (-want +got):\n%s", d)
			}
		})
	}
}
