package report

import (
	"bytes"
	"encoding/csv"
	"strconv"
	"strings"
	"testing"

	"expectscope/analysis/engine"
	"expectscope/capture/script"
)

// acted on by terminals, spreadsheets, browsers and readers.
var acted = []string{
	"\x1b[2J\x1b]52;c;ZWNobw==\x07", "\x9b31m\xc2\x9b31m", "\x07\x08\x7f", "a\x00b", "\xff\xfe\xc3(", "\xe2\x80\xaegpj\xe2\x81\xa6x\xe2\x81\xa9",
	"=cmd|'/c calc'!A1", "+1+1", "-1", "@SUM(A1)", "<script>alert(1)</script>", `"';\`, "a\tb", "\xe2\x80\xa8line", "\xef\xbb\xbfbom", "\xf3\xa0\x81\x81tag",
}

// places are where the wire says something: %s is said there.
var places = []string{
	"> %sPUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n",
	"> PUT /up%s HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n",
	"> PUT /up HTTP/1.1\r\nHost: %s\r\nUser-Agent: %s\r\nVia: %s\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n",
	"> PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\nExpect: %s\r\n\r\n",
	"> PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: 5000\r\nExpect: 100-continue%s\r\nExpect: %s100-continue\r\n\r\n",
	"> PUT /up HTTP/1.1\r\nHost: a\r\nContent-Length: %s\r\nTransfer-Encoding: %s\r\nExpect: 100-continue\r\nX%s: y\r\n\r\n",
	"< HTTP/1.1 100 %s\r\nServer: %s\r\nContent-Length: %s\r\n\r\nHTTP/1.1 417 %s\r\nServer: %s\r\nVia: %s\r\nRetry-After: %s\r\nContent-Length: 0\r\n\r\n",
}

// Wherever the wire says what something acts on, no format passes it on: redacted or not.
func TestHostileEverywhere(t *testing.T) {
	for i, place := range places {
		for _, said := range acted {
			head := strings.ReplaceAll(place, "%s", said)
			asks, answers := places[1], "< HTTP/1.1 417 No\r\nServer: b\r\nContent-Length: 0\r\n\r\n"
			var first string
			if head[0] == '<' {
				asks, answers = strings.ReplaceAll(asks, "%s", said), head
				first = asks
			} else {
				asks, first = head, head
			}
			if i == 0 { // what begins so is no HTTP, unless HTTP was spoken before
				first = strings.ReplaceAll(places[1], "%s", "")
			}
			text := "@conn 10.0.0.1:40000 10.0.0.9:80\n> " + strconv.Quote(first[2:]) + "\n+60ms < " + strconv.Quote(answers[2:]) +
				"\n> " + strconv.Quote(asks[2:]) + "\n> fin\n< fin\n+70s @end\n"
			s, err := script.Parse(text)
			if err != nil {
				t.Fatal(err)
			}
			src, c := s.Source(script.Options{}), &collection{}
			e := engine.New(engine.Options{All: true, Crash: true}, c)
			_ = e.Read(src, func() bool { return true }) // a script has no error
			sum := e.Close(src)
			if len(c.results) == 0 {
				t.Fatalf("%q: no exchange", asks)
			}
			o := Options{Stream: true, Input: func(int) string { return said }}
			for _, f := range Formats() {
				var plain, covered bytes.Buffer
				if err := feed(f.New(&plain, o), c.results, sum); err != nil {
					t.Fatal(err)
				}
				if err := feed(Redacted(f.New(&covered, o)), c.results, sum); err != nil {
					t.Fatal(err)
				}
				for _, b := range []string{plain.String(), covered.String()} {
					harmless(t, b)
					whole(t, f.Name, b)
					if f.Name == "csv" {
						noFormula(t, b)
					}
				}
			}
		}
	}
}

// noFormula checks that no cell of a table begins as a formula does.
func noFormula(t *testing.T, out string) {
	t.Helper()
	rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		for _, c := range row {
			if c != "" && strings.ContainsAny(c[:1], "=+-@\t\r") {
				t.Errorf("a formula: %q", c)
			}
		}
	}
}
