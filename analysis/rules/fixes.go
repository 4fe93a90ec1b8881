package rules

import (
	"slices"
	"strings"

	"expectscope/analysis"
)

// remedies is what to change for each key, in the words of the software seen
// where there are such words, else in general ones. A line stands for itself:
// it begins with who is to apply it. What userAgent and serverSoftware say is
// as sent, "" when unknown. The same line is given once.
func remedies(keys []analysis.FixKey, userAgent, serverSoftware string) []string {
	client, server := recognise(clients, userAgent), recognise(servers, serverSoftware)
	var lines []string
	for _, k := range keys {
		f := fixes[k]
		line := f.general
		for _, name := range [...]string{client, server} {
			if l, ok := f.by[name]; ok {
				line = l
			}
		}
		if line != "" && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	return lines
}

// A fix is a remedy: in general, and by the name of the software that has its
// own way. Names of clients and of servers are different words, so one map serves both.
type fix struct {
	general string
	by      map[string]string
}

// A mark is a piece of a User-Agent or Server field, in lower case, by which
// software is known; ^ stands for the field's beginning and $ for its end.
type mark struct{ text, name string }

// recognise is the name of the first mark found, "" when there is none.
func recognise(marks []mark, field string) string {
	field = "^" + strings.ToLower(field) + "$"
	for _, m := range marks {
		if strings.Contains(field, m.text) {
			return m.name
		}
	}
	return ""
}

// The more particular comes first: an SDK names its language and its HTTP library too.
var clients = []mark{
	{"botocore", "boto"},
	{"boto3", "boto"},
	{"aws-cli", "boto"},
	{"aws-sdk-java/2", "aws-java2"},
	{"aws-sdk-java", "aws-java1"},
	{"aws-sdk-kotlin", "aws-kotlin"},
	{"aws-sdk-go-v2", "aws-go2"},
	{"aws-sdk-go/", "aws-go1"},
	{"aws-sdk-js", "aws-js"},
	{"^git/", "git"},
	{"guzzle", "guzzle"},
	{"curl/", "curl"},
	{"go-http-client", "go"},
	{"apache-httpclient/5", "apache-java5"},
	{"apache-httpclient", "apache-java4"},
	{"java-http-client", "java-client"},
	{"okhttp", "okhttp"},
	{"^java/", "java-url"},
	{"dotnet", "dotnet"},
	{".net framework", "dotnet"},
	{".net core", "dotnet"},
	{"ms web services client protocol", "dotnet"},
	{"^wget", "eager"},
	{"python-urllib", "eager"},
	{"python-requests", "eager"},
	{"node.js", "node"},
	{"^node$", "node"},
	{"node-fetch", "node"},
	{"axios", "node"},
}

var servers = []mark{
	{"nginx", "nginx"},
	{"openresty", "nginx"},
	{"coyote", "tomcat"},
	{"tomcat", "tomcat"},
	{"trafficserver", "ats"},
	{"^ats/", "ats"},
	{"apache", "httpd"},
	{"lighttpd", "lighttpd"},
	{"haproxy", "haproxy"},
	{"squid", "squid"},
	{"varnish", "varnish"},
	{"h2o", "h2o"},
	{"envoy", "envoy"},
	{"jetty", "jetty"},
	{"undertow", "undertow"},
	{"wildfly", "undertow"},
	{"kestrel", "kestrel"},
	{"aiohttp", "aiohttp"},
	{"basehttp", "http.server"},
	{"simplehttp", "http.server"},
	{"node.js", "nodejs"},
	{"^node", "nodejs"},
}
