package rules

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"expectscope/analysis"
)

// The keys of the rule catalog; all have a text.
var fixKeys = []analysis.FixKey{
	"c-auth", "c-backoff", "c-close", "c-final", "c-key", "c-off", "c-on", "c-redirect", "c-retry", "c-split", "c-stop", "c-timeout", "c-url", "c-wait",
	"p-100", "p-apache", "p-dup", "s-10", "s-100", "s-close", "s-late100", "s-limit", "s-linger", "s-log", "s-same", "s-size", "s-strict", "s-update", "see-status",
}

func TestEveryKeyHasARemedy(t *testing.T) {
	if got := slices.Sorted(maps.Keys(fixes)); !slices.Equal(got, fixKeys) {
		t.Errorf("keys %v,\nwant %v", got, fixKeys)
	}
	for key, f := range fixes {
		lines := append(slices.Collect(maps.Values(f.by)), f.general)
		for _, line := range lines {
			who, what, ok := strings.Cut(line, ": ")
			if !ok || who == "" || len(who) > 40 || what == "" || strings.HasSuffix(line, ".") || strings.Contains(line, "\n") {
				t.Errorf("%s: %q is not one line that begins with who applies it, without a full stop", key, line)
			}
		}
	}
}

// A name in the table that no mark gives is a remedy nobody ever sees.
func TestRemediesAreReachable(t *testing.T) {
	known := map[string]bool{}
	for _, m := range slices.Concat(clients, servers) {
		known[m.name] = true
	}
	for key, f := range fixes {
		for name := range f.by {
			if !known[name] {
				t.Errorf("%s has a text for %q, which nothing recognises", key, name)
			}
		}
	}
}

func TestRecognise(t *testing.T) {
	for agent, want := range map[string]string{
		"curl/8.5.0": "curl", "PycURL/7.45.2 libcurl/8.5.0": "curl", "git/2.39.2": "git", "JGit/6.7": "",
		"Go-http-client/1.1": "go", "Apache-HttpClient/4.5.14 (Java/17.0.15)": "apache-java4", "Apache-HttpClient/5.3 (Java/21)": "apache-java5",
		"Java/17.0.15": "java-url", "Java-http-client/17.0.15": "java-client", "up-java/2": "",
		"Boto3/1.26.27 Python/3.11.2 Linux/6.1 Botocore/1.29.27": "boto", "aws-cli/2.15 md/Botocore#2": "boto",
		"aws-sdk-java/2.25.1 Linux/5 Java_HotSpot": "aws-java2", "aws-sdk-java/1.12.1 Java/17": "aws-java1",
		"aws-sdk-go/1.44.0 (go1.20)": "aws-go1", "aws-sdk-go-v2/1.24 os/linux": "aws-go2", "aws-sdk-js/3.1 ua/2.0 node.js": "aws-js",
		"GuzzleHttp/7 curl/8": "guzzle", "okhttp/4.12.0": "okhttp", "Wget/1.21.3": "eager", "Python-urllib/3.11": "eager",
		"Mozilla/5.0 (compatible; bot; +http://example.net/)": "", "": "",
	} {
		if got := recognise(clients, agent); got != want {
			t.Errorf("User-Agent %q is %q, want %q", agent, got, want)
		}
	}
	for server, want := range map[string]string{
		"nginx/1.22.1": "nginx", "openresty": "nginx", "Apache/2.4.71 (Debian)": "httpd", "Apache-Coyote/1.1": "tomcat",
		"ATS/9.2.8": "ats", "ApacheTrafficServer/9.2.8": "ats", "lighttpd/1.4.69": "lighttpd", "squid/5.7": "squid", "Varnish": "varnish",
		"h2o/2.2.5": "h2o", "envoy": "envoy", "Jetty(9.4.50)": "jetty", "Kestrel": "kestrel", "Python/3.11 aiohttp/3.8.4": "aiohttp",
		"BaseHTTP/0.6 Python/3.11": "http.server", "AmazonS3": "", "": "",
	} {
		if got := recognise(servers, server); got != want {
			t.Errorf("Server %q is %q, want %q", server, got, want)
		}
	}
}

func TestRemedies(t *testing.T) {
	got := remedies([]analysis.FixKey{"c-off", "s-close", "c-wait", "c-timeout", "nothing"}, "curl/8.5.0", "nginx/1.22.1")
	want := []string{
		"curl: -H 'Expect:' (in libcurl \"Expect:\" in CURLOPT_HTTPHEADER)",
		"nginx: keepalive_timeout 0 in the location that refuses",
		"curl: --expect100-timeout SECONDS (default 1; in libcurl CURLOPT_EXPECT_100_TIMEOUT_MS)",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got %q,\nwant %q", got, want)
	}
	for _, line := range remedies(fixKeys, "", "") {
		if who, _, _ := strings.Cut(line, ":"); !slices.Contains([]string{"client", "server", "proxy", "proxies", "server or proxy"}, who) {
			t.Errorf("for unknown software %q names some", line)
		}
	}
	if got := remedies(nil, "curl/8.5.0", "nginx"); got != nil {
		t.Errorf("no keys, yet %q", got)
	}
}
