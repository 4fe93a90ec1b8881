package retry

import (
	"net/netip"
	"strings"
	"testing"

	"expectscope/analysis"
	"expectscope/reassembly"
)

func TestLocate(t *testing.T) {
	for _, c := range []struct{ target, fields, server, want string }{
		{"/up?q", "Host: A.example", "10.0.0.9:8080", " a.example /up?q"},
		{"/up", "Host: a:80", "10.0.0.9:8080", "http a /up"},
		{"/up", "Host: a:443", "10.0.0.9:8080", "https a /up"},
		{"/up", "Host: a:", "10.0.0.9:80", "http a /up"},
		{"/up", "Host: a:80", "10.0.0.9:443", "http a /up"},
		{"/up", "Host: a:8443", "10.0.0.9:443", " a:8443 /up"},
		{"/up", "Host: [2001:DB8::1]", "10.0.0.9:443", "https [2001:db8::1] /up"},
		{"/up", "Host: [2001:DB8::1]:80", "10.0.0.9:8080", "http [2001:db8::1] /up"},
		{"/up", "", "10.0.0.9:80", "http  /up"},
		{"/up", ":authority: a|:scheme: HTTPS|Host: b", "10.0.0.9:80", "https a /up"},
		{"HTTP://A:80/up", "Host: b", "10.0.0.9:8080", "http a /up"},
		{"http://a:443/up", "", "10.0.0.9:8080", "http a:443 /up"},
		{"https://a:443", "", "10.0.0.9:8080", "https a /"},
		{"http://a?q", "", "10.0.0.9:8080", "http a /?q"},
		{"http://user:pw@a/@b", "", "10.0.0.9:8080", "http a /@b"},
		{"/r?to=http://b/", "Host: a", "10.0.0.9:8080", " a /r?to=http://b/"},
		{"*", "Host: a", "10.0.0.9:8080", " a *"},
		{"", "", "10.0.0.9:8080", "  "},
		{"://", "", "10.0.0.9:8080", "  /"},
	} {
		x := &analysis.Exchange{Conn: &reassembly.Conn{Client: netip.MustParseAddrPort("10.0.0.1:4000"), Server: netip.MustParseAddrPort(c.server)}}
		x.Request.Target = c.target
		for f := range strings.SplitSeq(c.fields, "|") {
			if i := strings.LastIndex(f, ": "); i >= 0 {
				x.Request.Fields = append(x.Request.Fields, analysis.Field{Name: f[:i], Value: f[i+2:]})
			}
		}
		id := identify(x)
		if got := id.scheme + " " + id.authority + " " + id.target; got != c.want {
			t.Errorf("%s | %s to %s: have %q, want %q", c.target, c.fields, c.server, got, c.want)
		}
	}
}

func TestPlace(t *testing.T) {
	for _, c := range [][2]string{
		{"10.0.0.1", "10.0.0.1"},
		{"::ffff:10.0.0.1", "10.0.0.1"},
		{"2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"},
		{"fe80::1%eth0", "fe80::"},
	} {
		if got := place(addr(c[0])); got != addr(c[1]) {
			t.Errorf("place(%s) = %s, want %s", c[0], got, c[1])
		}
	}
	if place(netip.Addr{}).IsValid() {
		t.Error("no address has a place")
	}
}
