package query

import (
	"net/netip"
	"testing"

	"expectscope/analysis"
)

func TestParty(t *testing.T) {
	for _, c := range []struct {
		party, address string
		want           bool
	}{
		{"10.0.0.1", "10.0.0.1:80", true},
		{"10.0.0.1", "10.0.0.2:80", false},
		{"10.0.0.1", "[::ffff:10.0.0.1]:80", true},
		{"::ffff:10.0.0.1", "10.0.0.1:80", true},
		{"10.0.0.1:80", "10.0.0.1:80", true},
		{"10.0.0.1:80", "10.0.0.1:81", false},
		{"10.0.0.99/24", "10.0.0.1:80", true},
		{"10.0.0.0/24", "10.0.1.1:80", false},
		{"0.0.0.0/0", "[2001:db8::1]:80", false},
		{"::/0", "[2001:db8::1]:80", true},
		{"2001:db8::1", "[2001:db8::1]:443", true},
		{"[2001:db8::1]", "[2001:db8::1]:443", true},
		{"[2001:db8::1]:80", "[2001:db8::1]:443", false},
		{"::1", "[::1]:9", true},
		{"::", "[::1]:9", false},
		{":80", "10.0.0.1:80", true},
		{":80", "[::1]:80", true},
		{":80", "10.0.0.1:8080", false},
	} {
		q, err := Query{}.With("server", c.party)
		if err != nil {
			t.Errorf("%s: %v", c.party, err)
			continue
		}
		if got := q.MatchFinding(nil, &analysis.Finding{Server: netip.MustParseAddrPort(c.address)}); got != c.want {
			t.Errorf("%s holds %s: %v, want %v", c.party, c.address, got, c.want)
		}
	}
	for _, bad := range []string{"", ":", ":0", ":65536", "10.0.0", "10.0.0.1:", "10.0.0.0/33", "example.com", "10.0.0.1-9"} {
		if _, err := (Query{}).With("server", bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

func TestTargets(t *testing.T) {
	for _, c := range []struct {
		text, target string
		want         bool
	}{
		{"up", "/upload", true},
		{"?id=1", "/a?id=12", true},
		{"upload", "/download", false},
		{"*", "", true},
		{"/a*", "/a/b/c", true},
		{"/a*", "x/a/b", false},
		{"*c", "/a/b/c", true},
		{"/a*c", "/a/b/cd", false},
		{"/a*b*c", "/aXbYc", true},
		{"/a*b*c", "/aXc", false},
		{"/a**c", "/ac", true},
		{"ab*ba", "aba", false},
		{"*b*b", "b", false},
	} {
		q, err := Query{}.With("target", c.text)
		if got := q.MatchFinding(nil, &analysis.Finding{Target: c.target}); err != nil || got != c.want {
			t.Errorf("%q matches %q: %v, want %v", c.text, c.target, got, c.want)
		}
	}
}

func TestStatuses(t *testing.T) {
	for text, want := range map[string]struct{ first, last int }{
		"417": {417, 417}, "4xx": {400, 499}, "5XX": {500, 599}, "none": {}, "999": {999, 999},
	} {
		if first, last, ok := parseStatus(text); !ok || first != want.first || last != want.last {
			t.Errorf("%q: %d to %d, %v, want %v", text, first, last, ok, want)
		}
	}
	for _, bad := range []string{"", "0", "41", "4x", "xx", "44xx", "0xx", "ok", "-417", "1000", "400-499"} {
		if first, last, ok := parseStatus(bad); ok {
			t.Errorf("%q is taken for %d to %d", bad, first, last)
		}
	}
}
