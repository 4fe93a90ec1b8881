package retry

import (
	"net/netip"
	"strings"

	"expectscope/analysis"
)

// An identity is what tells one request from another, taken from its head once.
// Its strings are parts of the exchange's own.
type identity struct {
	client netip.Addr
	server netip.AddrPort
	// scheme is "" when neither the target nor a port gives it away; authority is in
	// lower case, without the scheme's default port; target is in origin-form where it can be.
	scheme, authority, method, target string
	agent                             string
	cookie, authorization             string
	marks                             [len(discriminators)]string
	expects                           bool
}

// discriminators are the fields that two attempts of one request have in
// common: where both have one and it differs they are two requests. An equal strong one ties them together by itself.
var discriminators = [...]struct {
	field string
	// value is the part that counts, "" for none.
	value  func(string) string
	strong func(string) bool
}{
	{"Content-Range", whole, never},
	{"If-Match", whole, never},
	{"ETag", whole, never},
	{"Content-Digest", whole, always}, // RFC 9530, Section 2
	{"Digest", whole, always},         // RFC 3230, Section 4.3.2
	{"Content-MD5", whole, always},    // RFC 1864
	{"X-Amz-Content-Sha256", whole, sha256},
	{"Idempotency-Key", whole, always},
	{"Traceparent", traceID, always},
}

func whole(v string) string { return v }
func always(string) bool    { return true }
func never(string) bool     { return false }

// sha256 tells a digest from what AWS signatures have in its place, such as UNSIGNED-PAYLOAD.
func sha256(v string) bool { return len(v) == 64 }

// traceID is the second part of a traceparent: version-traceid-parentid-flags (W3C Trace Context, Section 3.2).
func traceID(v string) string {
	_, rest, _ := strings.Cut(v, "-")
	id, _, ok := strings.Cut(rest, "-")
	if !ok || len(id) != 32 || strings.Trim(id, "0") == "" {
		return ""
	}
	return id
}

func identify(x *analysis.Exchange) identity {
	id := identity{
		client: x.Conn.Addr(x.Client).Addr().Unmap(),
		server: unmap(x.Conn.Addr(x.ServerDir())),
		method: x.Request.Method,
	}
	host, first := "", func(to *string, v string) {
		if *to == "" {
			*to = v
		}
	}
	for i := range x.Request.Fields {
		f := &x.Request.Fields[i]
		switch name := f.Name; {
		case strings.EqualFold(name, "Host"), name == ":authority":
			first(&host, f.Value)
		case name == ":scheme":
			first(&id.scheme, strings.ToLower(f.Value))
		case strings.EqualFold(name, "User-Agent"):
			first(&id.agent, f.Value)
		case strings.EqualFold(name, "Cookie"):
			first(&id.cookie, f.Value)
		case strings.EqualFold(name, "Authorization"):
			first(&id.authorization, f.Value)
		case strings.EqualFold(name, "Expect"):
			id.expects = true
		default:
			for d := range discriminators {
				if strings.EqualFold(name, discriminators[d].field) {
					first(&id.marks[d], discriminators[d].value(f.Value))
				}
			}
		}
	}
	id.locate(x.Request.Target, host)
	return id
}

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// locate folds absolute-form into authority and origin-form (RFC 9112, Section
// 3.2.2: the target's authority replaces Host), without percent-decoding.
func (id *identity) locate(target, host string) {
	id.target = target
	if scheme, rest, ok := strings.Cut(target, "://"); ok && !strings.HasPrefix(target, "/") {
		end := strings.IndexAny(rest, "/?#")
		if end < 0 {
			end = len(rest)
		}
		id.scheme, host, id.target = strings.ToLower(scheme), rest[:end], rest[end:]
		if !strings.HasPrefix(id.target, "/") {
			id.target = "/" + id.target
		}
		host = host[strings.LastIndexByte(host, '@')+1:]
	}
	host = strings.ToLower(host)
	colon := strings.LastIndexByte(host, ':')
	if colon < 0 || strings.HasSuffix(host, "]") { // no port, or the colon is one of an IPv6 address
		colon = len(host)
	}
	port := strings.TrimPrefix(host[colon:], ":")
	if id.scheme == "" {
		id.scheme = schemeOf(port, id.server.Port())
	}
	if port == "" || port == "80" && id.scheme == "http" || port == "443" && id.scheme == "https" {
		host = host[:colon]
	}
	id.authority = host
}

// schemeOf is what a port says of the scheme: that of the authority, or where it has none that of the server.
func schemeOf(port string, server uint16) string {
	switch {
	case port == "80", port == "" && server == 80:
		return "http"
	case port == "443", port == "" && server == 443:
		return "https"
	}
	return ""
}

// sameHost tells whether both requests are for one origin; without a name, for one server.
func (id *identity) sameHost(c *identity) bool {
	if id.authority == "" || c.authority == "" {
		return id.server == c.server
	}
	return id.authority == c.authority && !differ(id.scheme, c.scheme)
}

// conflicts tells whether the two have a discriminator in common that differs.
func (id *identity) conflicts(c *identity) bool {
	if differ(id.agent, c.agent) {
		return true
	}
	for d := range id.marks {
		if differ(id.marks[d], c.marks[d]) {
			return true
		}
	}
	return false
}

// keyed tells whether the two share a strong discriminator.
func (id *identity) keyed(c *identity) bool {
	for d, v := range id.marks {
		if v != "" && v == c.marks[d] && discriminators[d].strong(v) {
			return true
		}
	}
	return false
}

// credited tells whether the two come with the same credentials: one of Cookie and Authorization is equal and the other does not speak against it.
func (id *identity) credited(c *identity) bool {
	cookie := id.cookie != "" && id.cookie == c.cookie
	auth := id.authorization != "" && id.authorization == c.authorization
	return cookie && !differ(id.authorization, c.authorization) || auth && !differ(id.cookie, c.cookie)
}

// differ tells whether both are known and not equal.
func differ(a, b string) bool { return a != "" && b != "" && a != b }

// finished is when the refusal was over: the last byte of the final response that was seen.
func finished(o *analysis.Exchange) int64 {
	t := o.Final.Last.Time
	if o.RespBody.Sent > 0 {
		t = max(t, o.RespBody.Last.Time)
	}
	return t
}

// begins tells whether the request c was begun after the refusal of o: on one connection when its
// first segment acknowledges the 417, else when it was captured later. Sure is
// false when there is no acknowledgement to go by.
func begins(o, c *analysis.Exchange) (after, sure bool) {
	if o.Conn != c.Conn {
		return c.Request.First.Time >= o.Final.First.Time, true
	}
	return analysis.Knew(c.Request.First, o.Final)
}

// sameLength tells whether the declared lengths agree; one that is unknown agrees with any.
func sameLength(o, c *analysis.Exchange) bool { return agree(o.N(), c.N()) }

func agree(n, k int64) bool { return n < 0 || k < 0 || n == k }

// contradicted tells whether the two bodies are seen to differ. On one connection that means
// nothing: a client may repeat there with the rest of a file.
func contradicted(o, c *analysis.Exchange) bool {
	if o.Conn == c.Conn {
		return false
	}
	for i, h := range o.ReqBody.Prefix {
		if k := c.ReqBody.Prefix[i]; h != 0 && k != 0 && h != k {
			return true
		}
	}
	return false
}
