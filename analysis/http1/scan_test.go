package http1

import (
	"strings"
	"testing"
)

// FuzzScanHead holds the one pass to the two it replaces: the same end, the same fields.
func FuzzScanHead(f *testing.F) {
	for _, s := range []string{
		"GET / HTTP/1.1\r\nHost: a\r\n\r\nrest",
		"PUT / HTTP/1.1\nexpect : 100-continue\nCONTENT-length:  5 , 5\t\nTransfer-Encoding: gzip, chunked\n\n",
		"PUT / HTTP/1.1\r\nExpect:\r\n 100-continue\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
		"PUT / HTTP/1.1\r\n folded: first\r\nConnection: close, keep-alive\r\nUpgrade: h2c\r\n\r\n",
		"HTTP/1.0 200\r\nconnection\r\nupgrade\t\t:\rx\r\nte: x\r\n: y\r\nct\r\n\r\r\n\r\n",
		"GET / HTTP/1.1\r\nContent-Length: 9223372036854775808\r\nConnection:clo\r\n se\r\n\r\n",
		"PUT / HTTP/1.1\r\nConnection:\r\n close\r\nTransfer-Encoding: gzip,\r\n\tchunked\r\n\r\n",
		"PUT / HTTP/1.1\r\nContent-Length:\r\n 5\r\n\r\n",
		"GET / HTTP/1.1\r\nExpect: x\r\nHost: cut",
		"no line end",
	} {
		f.Add([]byte(s), uint8(0))
		f.Add([]byte("before"+s), uint8(6))
	}
	f.Fuzz(func(t *testing.T, b []byte, from uint8) {
		at := min(int(from), len(b))
		var fast, slow fields
		end := fast.scanHead(b, at)
		if want := headEnd(b, at); end != want {
			t.Fatalf("ends at %d, not %d: %q", end, want, b[at:])
		}
		if end < 0 {
			return
		}
		if slow.scan(b[at:end]); fast != slow {
			t.Errorf("fields of %q: %+v, not %+v", b[at:end], fast, slow)
		}
	})
}

// BenchmarkScanHead is one pass over the head of an ordinary request: see performance.md, "One head".
func BenchmarkScanHead(b *testing.B) {
	head := []byte("POST /api/v2/objects/8384/part-6ff0fd?rev=991 HTTP/1.1\r\nHost: svc7.example.com\r\nUser-Agent: Go-http-client/1.1\r\n" +
		"Accept: */*\r\nAccept-Encoding: gzip\r\nAuthorization: Bearer " + strings.Repeat("k", 120) + "\r\nContent-Type: application/json\r\n" +
		"Content-Length: 4711\r\nX-Request-Id: 0123456789abcdef\r\nExpect: 100-continue\r\n\r\n")
	var f fields
	b.ReportAllocs()
	for b.Loop() {
		if f.scanHead(head, 0) != len(head) {
			b.Fatal("no head")
		}
	}
}
