package extract_test

import (
	"strconv"
	"testing"
	"unicode"
	"unicode/utf8"

	"expectscope/capture/script"
)

// Comments are read by other programs: nothing that a terminal acts on comes into them from the wire, redacted or not.
func TestHostileComments(t *testing.T) {
	for _, said := range []string{"\x1b[2J\x07", "\x9b31m\xff", "a\u202eb\u2066c", "\ufeff\u2028", "a\x00b"} {
		text := "@conn 10.0.0.1:40000 10.0.0.2:80\n> " +
			strconv.Quote("PUT /"+said+" HTTP/1.1\r\nHost: "+said+"\r\nUser-Agent: "+said+"\r\nContent-Length: 5000\r\nExpect: 100-continue\r\nExpect: "+said+"\r\n\r\n") +
			"\n+60ms < " + strconv.Quote("HTTP/1.1 417 "+said+"\r\nServer: "+said+"\r\nVia: 1.1 "+said+"\r\nRetry-After: "+said+"\r\nContent-Length: 0\r\n\r\n") +
			"\n> " + strconv.Quote(said+"PUT / HTTP/1.1\r\nHost: a\r\n\r\n") + "\n+70s @end\n"
		open := conversation(t, text, script.Options{})
		every := func(string) bool { return true }
		for _, redact := range []bool{false, true} {
			all := comments(cut(t, open, nil, every, redact))
			if len(all) == 0 {
				t.Errorf("%q: no comment", said)
			}
			for at := 0; at < len(all); {
				r, n := utf8.DecodeRune(all[at:])
				if r != '\n' && !unicode.IsPrint(r) || r == utf8.RuneError && n == 1 {
					t.Errorf("%q: a comment holds %U: %q", said, r, all)
				}
				at += n
			}
		}
	}
}
