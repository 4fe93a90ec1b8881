package report

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"expectscope/analysis"
	"expectscope/analysis/engine"
	"expectscope/capture/script"
)

// conversation makes of bytes a conversation on two connections of one client: pieces end with 0xff, the first byte of a piece says who
// sends, when, and what befalls it, the rest is what is sent.
func conversation(data []byte) string {
	var b strings.Builder
	b.WriteString("@conn a 10.0.0.1:40000 10.0.0.9:80\n@conn b 10.0.0.1:40001 10.0.0.9:80\n")
	pieces := bytes.Split(data[:min(len(data), 1<<14)], []byte{0xff})
	for _, p := range pieces[:min(len(pieces), 100)] {
		if len(p) < 2 {
			continue
		}
		wait := [...]string{"+1ms", "+60ms", "+1s", "+11s"}[p[0]>>2&3]
		harm := [...]string{"", "", "", "  [lost]", "  [dup]", "  [snap 60]", "  [late 3]", "  [blind]", "  [seg 7]", "  [ack none]"}[p[0]>>4%10]
		fmt.Fprintf(&b, "%s %c%c %s%s\n", wait, "ab"[p[0]>>1&1], "><"[p[0]&1], strconv.Quote(string(p[1:])), harm)
	}
	b.WriteString("+70s @end\n")
	return b.String()
}

// A collection is what an engine told.
type collection struct {
	results []result
}

func (c *collection) Exchange(x *analysis.Exchange) {
	own := *x
	c.results = append(c.results, result{x: &own})
}

func (c *collection) Finding(f *analysis.Finding) {
	last := &c.results[len(c.results)-1]
	last.findings = append(last.findings, *f)
}

// FuzzTraffic lets two hosts say anything: the rules and what links exchanges judge it without a panic, each finding stands on the
// exchange it was told with, and every format of the outcome is whole and harmless.
func FuzzTraffic(f *testing.F) {
	for _, seed := range []string{
		"\x00PUT /up HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 50\r\n\r\n\xff\x01HTTP/1.1 417 \x1b[31mNo\r\nContent-Length: 0\r\n\r\n\xff\x04PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello\xff\x01HTTP/1.1 201 Created\r\nServer: =cmd|'x'!A1\r\nContent-Length: 0\r\n\r\n",
		"\x00PUT /\xe2\x80\xae HTTP/1.1\r\nHost: <b>\r\nExpect: <script>\r\nTransfer-Encoding: chunked\r\n\r\n\xff\x01HTTP/1.1 100 Continue\r\nContent-Length: 4\r\n\r\n\xff\x405\r\nhello\r\n0\r\n\r\n\xff\x51HTTP/1.1 200 OK\r\n\r\n",
		"\x00GET / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 60\r\n\r\n\xff\x01HTTP/1.1 404 No\r\nContent-Length: 0\r\n\r\n\xff\x00GET /x HTTP/1.1\r\nHost: b\r\n\r\n\xff\x0eHTTP/1.1 400 Bad\r\nConnection: close\r\n\r\n\xff\x33HTTP/1.1 100\r\n\r\n",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := script.Parse(conversation(data))
		if err != nil {
			t.Skip(err)
		}
		src, c := s.Source(script.Options{}), &collection{}
		e := engine.New(engine.Options{All: true, Crash: true}, c)
		if err := e.Read(src, func() bool { return true }); err != nil {
			t.Fatal(err)
		}
		sum := e.Close(src)
		for _, r := range c.results {
			for _, f := range r.findings {
				if f.Exchange != r.x.ID || f.Summary == "" || len(f.Evidence) == 0 {
					t.Errorf("%s of %s is told with %s: %q, %v", f.Rule, f.Exchange, r.x.ID, f.Summary, f.Evidence)
				}
			}
		}
		for _, f := range Formats() {
			var b bytes.Buffer
			if err := feed(f.New(&b, Options{Width: 80, Stream: true}), c.results, sum); err != nil {
				t.Fatal(err)
			}
			harmless(t, b.String())
			whole(t, f.Name, b.String())
		}
	})
}

// whole checks that a format's own readers can read it.
func whole(t *testing.T, format, out string) {
	t.Helper()
	var err error
	switch format {
	case "json":
		err = json.Unmarshal([]byte(out), new(any))
	case "ndjson":
		for line := range strings.Lines(out) {
			if err = json.Unmarshal([]byte(line), new(any)); err != nil {
				break
			}
		}
	case "csv":
		_, err = csv.NewReader(strings.NewReader(out)).ReadAll()
	case "prom":
		p := expfmt.NewTextParser(model.UTF8Validation)
		_, err = p.TextToMetricFamilies(strings.NewReader(out))
	}
	if err != nil {
		t.Errorf("%s: %v in %q", format, err, out)
	}
}
