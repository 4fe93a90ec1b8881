package script

import (
	"os"
	"strings"
	"testing"
	"time"
)

// The worked example of the byte accounting, counted from the packets alone:
// what the client had seen when it sent a byte is in that segment's
// acknowledgement, what the server had seen is in the 417's.
func TestWorkedExample(t *testing.T) {
	text, err := os.ReadFile("testdata/worked.txt")
	if err != nil {
		t.Fatal(err)
	}
	s := parse(t, string(text))
	tapes := readAll(t, s.Packets(Options{}))
	audit(t, s, tapes)
	first, again := s.conns[0], s.conns[1]

	var verdict tape
	var head, started, ended time.Duration
	var headEnd uint32
	for _, r := range tapes {
		switch {
		case r.src == first.addr[server] && strings.HasPrefix(string(r.payload), "HTTP/1.1 417 "):
			verdict = r
		case r.src == first.addr[client] && strings.HasPrefix(string(r.payload), "PUT "):
			head, headEnd = r.at, r.seq+uint32(len(r.payload))
		case r.src == first.addr[client] && len(r.payload) > 0 && started == 0:
			started = r.at
		case r.dst == first.addr[client] && r.flags&finFlag != 0:
			ended = r.at
		}
	}
	if started-head != time.Second {
		t.Errorf("the client waited %v, want 1s", started-head)
	}
	if read := verdict.ack - headEnd; read != 15000 {
		t.Errorf("the 417 acknowledges %d body bytes, want 15000", read)
	}
	early, tail, resent := 0, 0, 0
	var reopened time.Duration
	for _, r := range tapes {
		switch {
		case r.src == again.addr[client]:
			if resent += len(r.payload); r.flags == synFlag {
				reopened = r.at
			}
		case r.src == first.addr[client] && r.at > head && r.ack >= verdict.seq+uint32(len(verdict.payload)):
			tail += len(r.payload)
		case r.src == first.addr[client] && r.at > head:
			early += len(r.payload)
		}
	}
	if early != 55000 || tail != 5000 {
		t.Errorf("early %d and tail %d bytes, want 55000 and 5000", early, tail)
	}
	if repeat := len("PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 100000\r\n\r\n"); resent != repeat+100000 {
		t.Errorf("the second connection carries %d bytes, want %d", resent, repeat+100000)
	}
	if reopened-ended != 30*time.Millisecond {
		t.Errorf("the second connection comes after %v, want 30ms", reopened-ended)
	}
}
