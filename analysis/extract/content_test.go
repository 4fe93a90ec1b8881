package extract

import (
	"bytes"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// read reads a content that begins at offset 10, cut into pieces of some size,
// and gives what may be seen of it over what covers it.
func read(text string, framing analysis.Framing, length int64, size int) (string, *half) {
	h := &half{covers: newCovers(), known: true}
	h.body.begin(10, true, &analysis.Head{Framing: framing, Length: length})
	for at := 0; at < len(text); at += size {
		h.body.read(uint64(10+at), []byte(text[at:min(at+size, len(text))]), h)
	}
	s := &stream{covers: h.covers, dirs: [2]half{*h}}
	b := []byte(text)
	s.cover(reassembly.Forward, 10, b, len(b), 1, 0)
	return string(b), h
}

func TestContents(t *testing.T) {
	for _, c := range []struct {
		name, text, want string
		length           int64 // 0: chunked
	}{
		{"plain", "secret\r\nsecret", "==============", 14},
		{"chunks", "5;a=\"b\"\r\nhello\r\n3\r\nabc\r\n0\r\n\r\n", "5;xxxxx\r\n=====\r\n3\r\n===\r\n0\r\n\r\n", 0},
		{"trailers", "1 \nx\n0;x\r\nX-Sum: abc\r\n d\r\nA:\r\n\r\nsecret", "1 \n=\n0;x\r\nX-Sum: xxx\r\n x\r\nA:\r\n\r\n======", 0},
		{"a size that is none", "5\r\nhello\r\nsecret\r\n5\r\nhello", "5\r\n=====\r\n=======\n========", 0},
		{"a size that is hexadecimal and too long", "deadbeefdeadbeefd\r\n", "==================\n", 0},
		{"no end of a chunk", "5\r\nhellosecret\r\n0\r\n", "5\r\n============\n===", 0},
		{
			"a request", "GET /a?b HTTP/1.1\r\nHost: secret\r\n", "GET xxxx HTTP/1.1\r\nxxxx:\n========", 33,
		},
		{
			"a request in chunks", "4\r\nGET \r\n13\r\n/a HTTP/1.1\nHost: a\r\n0\r\n\r\n", "4\r\nGET \r\n13\r\nxx HTTP/1.1\nxxxx:\n=\r\n0\r\n\r\n", 0,
		},
		{"a method of its own", "GOT /a HTTP/1.1\r\nHost: a", "xxx xx HTTP/1.1\r\nxxxx:\n=", 24},
		{"no request", "GET /a HTTP/1.1\r\n\r\nHost: a", "==========================", 26},
		{"not whole", "5\r\nhel", "5\r\n===", 0},
	} {
		framing := analysis.FramingChunked
		if c.length > 0 {
			framing = analysis.FramingLength
		}
		for _, size := range []int{len(c.text), 1, 2, 3, 7} {
			if got, _ := read(c.text, framing, c.length, size); got != c.want {
				t.Errorf("%s, by %d: %q, want %q", c.name, size, got, c.want)
			}
		}
	}
}

// The beginnings of two contents that are compared are told apart, and equal ones are not; which they are cannot be seen.
func TestBeginnings(t *testing.T) {
	h := &half{covers: newCovers(), known: true}
	cover := func(text string) string {
		h.body.begin(0, true, &analysis.Head{Framing: analysis.FramingLength, Length: int64(len(text))})
		h.frames, h.sorted = nil, false
		h.body.read(0, []byte(text), h)
		s := &stream{covers: h.covers, dirs: [2]half{*h}}
		b := []byte(text)
		s.cover(reassembly.Forward, 0, b, len(b), 1, 0)
		if len(bytes.Trim(b, contentLetters)) > 0 {
			t.Errorf("%q shows in %q", text, b)
		}
		return string(b)
	}
	long := strings.Repeat("abcdefgh", 600)
	first := cover(long)
	if other := cover("b" + long[1:]); other[:64] == first[:64] || other[:512] == first[:512] || other[:4096] == first[:4096] {
		t.Error("contents that differ in the first octet are covered alike")
	}
	if other := cover(long[:100] + "x" + long[101:]); other[:64] != first[:64] || other[:512] == first[:512] {
		t.Error("contents that differ in octet 100 are not covered so")
	}
	if cover(long) != first || cover(long[:64]) != first[:64] || cover(long[:63]) != first[:63] {
		t.Error("equal contents are covered in different ways")
	}
}

// What was lost is passed over where only content can be missing.
func TestContentLost(t *testing.T) {
	for _, c := range []struct {
		before, after string
		lost          uint64
		want          string
	}{
		{"5\r\nh", "o\r\n0\r\n\r\n", 3, "=\r\n0\r\n\r\n"},
		{"5\r\nh", "0\r\n\r\n", 6, "====="},
		{"5\r", "hello", 1, "====="},
	} {
		h := &half{covers: newCovers(), known: true}
		h.body.begin(0, false, &analysis.Head{Framing: analysis.FramingChunked, Length: -1})
		h.body.read(0, []byte(c.before), h)
		h.body.lose(c.lost)
		at := uint64(len(c.before)) + c.lost
		h.body.read(at, []byte(c.after), h)
		s, b := &stream{covers: h.covers, dirs: [2]half{*h}}, []byte(c.after)
		if s.cover(reassembly.Forward, uint32(at), b, len(b), 1, 0); string(b) != c.want {
			t.Errorf("%q, %d lost, %q: %q, want %q", c.before, c.lost, c.after, b, c.want)
		}
	}
}

// What covers a content is read like it, to the same end.
func FuzzContent(f *testing.F) {
	f.Add("5;a=b\r\nhello\r\n0\r\nX: y\r\n z\r\n\r\nmore", byte(3))
	f.Add("ffffffffffffffff\r\n", byte(1))
	f.Add("0\r\n: \r\n\r\n", byte(9))
	f.Add("1\r\n\r\r\n\n;\r\n", byte(2))
	f.Fuzz(func(t *testing.T, text string, size byte) {
		got, h := read(text, analysis.FramingChunked, -1, int(size)+1)
		if len(got) != len(text) {
			t.Fatalf("%d octets of %d", len(got), len(text))
		}
		again, h2 := read(got, analysis.FramingChunked, -1, 1)
		if h.body.step != h2.body.step || h.body.left != h2.body.left || h.body.at != h2.body.at && h.body.step != past {
			t.Errorf("%q ends %+v, and its cover %q %+v", text, h.body, got, h2.body)
		}
		if len(again) != len(got) {
			t.Errorf("%q, and covered again %q", got, again)
		}
		shown := 0
		for _, p := range h.frames {
			shown += len(p.text)
			if p.off < 10 || p.end() > uint64(10+len(text)) {
				t.Errorf("a piece %q at %d of %d octets", p.text, p.off, len(text))
			}
		}
		if shown > len(text)+3*len(compared) {
			t.Errorf("%d octets are shown of %d", shown, len(text))
		}
	})
}
