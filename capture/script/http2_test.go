package script

import (
	"strings"
	"testing"

	"golang.org/x/net/http2/hpack"
)

// Frames are written as RFC 9113, Section 6, has them.
func TestFrames(t *testing.T) {
	for line, want := range map[string]string{
		"SETTINGS":                        "\x00\x00\x00\x04\x00\x00\x00\x00\x00",
		"SETTINGS ACK":                    "\x00\x00\x00\x04\x01\x00\x00\x00\x00",
		"PING":                            "\x00\x00\x08\x06\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00",
		"PRIORITY 1":                      "\x00\x00\x05\x02\x00\x00\x00\x00\x01\x00\x00\x00\x00\x00",
		"DATA 1 5 END_STREAM":             "\x00\x00\x05\x00\x01\x00\x00\x00\x01abcde",
		"DATA 258 1 pad=2":                "\x00\x00\x04\x00\x08\x00\x00\x01\x02\x02a\x00\x00",
		"HEADERS 1 MORE | #2 | +a: b":     "\x00\x00\x06\x01\x00\x00\x00\x00\x01\x82\x40\x01a\x01b",
		"CONTINUATION 1 | :path: /a: b":   "\x00\x00\x0d\x09\x04\x00\x00\x00\x01\x00\x05:path\x05/a: b",
		"HEADERS 3 END_STREAM pad=1 | #8": "\x00\x00\x03\x01\x0d\x00\x00\x00\x03\x01\x88\x00",
		"PUSH_PROMISE 1 2 | #2":           "\x00\x00\x05\x05\x04\x00\x00\x00\x01\x00\x00\x00\x02\x82",
		"RST_STREAM 3 CANCEL":             "\x00\x00\x04\x03\x00\x00\x00\x00\x03\x00\x00\x00\x08",
		"GOAWAY 5 REFUSED_STREAM":         "\x00\x00\x08\x07\x00\x00\x00\x00\x00\x00\x00\x00\x05\x00\x00\x00\x07",
		"WINDOW_UPDATE 0 100":             "\x00\x00\x04\x08\x00\x00\x00\x00\x00\x00\x00\x00\x64",
		"preface":                         "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00",
	} {
		if got, err := Frame(line); string(got) != want || err != nil {
			t.Errorf("%s: %q, want %q; %v", line, got, want, err)
		}
	}
	long := strings.Repeat("y", 300)
	b, err := Frame("HEADERS 1 | x: " + long)
	if err != nil {
		t.Fatal(err)
	}
	fs, err := hpack.NewDecoder(4096, nil).DecodeFull(b[9:])
	if err != nil || len(fs) != 1 || fs[0].Value != long {
		t.Errorf("a long value is read as %v, %v", fs, err)
	}
}

// What is no frame is said to be none, and what was expected.
func TestFrameErrors(t *testing.T) {
	for line, want := range map[string]string{
		"":                     "expected a frame's type",
		"HEADS 1":              "expected preface or a frame's type such as HEADERS, not \"HEADS\"",
		"DATA 1":               "expected 1 numbers behind the stream's in DATA, not 0",
		"DATA 1 5 END":         "expected a number, END_STREAM, ACK, MORE, pad= or an error code, not \"END\"",
		"DATA 1 5 pad=256":     "expected pad= with a number from 0 to 255",
		"DATA 1 0xffffff":      "a frame holds at most 2^24-1 octets",
		"HEADERS 1 | nothing":  "expected a field such as :path: /up, not \"nothing\"",
		"HEADERS 1 | #127":     "expected an index from 1 to 126, not \"#127\"",
		"RST_STREAM 1 2 NO":    "expected a number",
		"preface 1":            "expected preface or a frame's type",
		"SETTINGS 0 1 | a: b":  "expected 0 numbers behind the stream's in SETTINGS, not 1",
		"HEADERS 1 | +a":       "expected a field such as",
		"WINDOW_UPDATE 0":      "expected 1 numbers",
		"HEADERS 99999999999":  "expected a number",
		"CONTINUATION 1 | :":   "expected a field such as",
		"PUSH_PROMISE 1 | #2 ": "expected 1 numbers",
	} {
		if _, err := Frame(line); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", line, err, want)
		}
	}
}
