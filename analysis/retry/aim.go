package retry

import (
	"strings"

	"expectscope/analysis"
)

// aim says what may follow from the exchange, and where to look for it; false when nothing may.
func (o *lead) aim(window int64) bool {
	x := o.x
	o.to = o.id
	if x.Final == nil {
		o.kind, o.until, o.due = analysis.LinkRepeat, x.LastActivity.Time+window, true
		gone := x.Ended == analysis.EndedFIN || x.Ended == analysis.EndedRST
		return gone && x.ReqBody.Complete && !x.NotProcessed() && !idempotent(x.Request.Method)
	}
	wait, _, asked := x.Final.RetryAfter()
	o.until = finished(x) + window
	switch s := x.Final.Status; {
	case s == 401 || s == 407:
		o.kind = analysis.LinkAuth // due once it closes, if it carried a body
		return o.challenged()
	case s >= 301 && s <= 303, s == 307, s == 308:
		o.kind, o.due = analysis.LinkRedirect, s >= 307
		return o.resolve()
	case asked && (s == 413 || s == 417 && !o.id.expects || s == 429 || s == 503):
		o.kind, o.due = analysis.LinkRepeat, true
		o.until = finished(x) + min(wait, analysis.LinkHorizon)
		return wait > 0
	case s == 500 || s >= 502 && s <= 504 || s == 507:
		o.kind, o.due = analysis.LinkRepeat, true
		return !idempotent(x.Request.Method)
	case x.HTTP2() && s >= 400 && s != 417 && x.EarlyFinal(): // sent again at once, the refusal was dropped (RFC 9113, Section 8.1)
		o.kind, o.due, o.until = analysis.LinkRepeat, true, finished(x)+analysis.RetryDelayed
		return true
	}
	return false
}

// idempotent tells whether a request may be repeated without asking what became of it (RFC 9110, Section 9.2.2). Of a
// method that is not known nothing is claimed.
func idempotent(method string) bool { return method != "POST" && method != "PATCH" }

// challenged takes note of the challenge; false when the response has none.
func (o *lead) challenged() bool {
	name := "WWW-Authenticate"
	if o.x.Final.Status == 407 {
		name = "Proxy-Authenticate"
	}
	challenges := o.x.Final.Values(name)
	for _, v := range challenges {
		if n := parameter(v, "nonce"); n != "" {
			o.nonce = n
		}
	}
	return len(challenges) > 0
}

// credentials are what a request answers a challenge of that status with, "" for none.
func credentials(x *analysis.Exchange, status int) string {
	name := "Authorization"
	if status == 407 {
		name = "Proxy-Authorization"
	}
	v, _ := x.Request.Get(name)
	return v
}

// parameter is the value of a quoted parameter of a challenge (RFC 9110, Section 11.2), "" when it has none.
func parameter(challenge, name string) string {
	lower := strings.ToLower(challenge)
	for at := 0; ; {
		i := strings.Index(lower[at:], name+`="`)
		if i < 0 {
			return ""
		}
		i += at
		at = i + len(name) + 2
		if i == 0 || strings.IndexByte(" ,\t", lower[i-1]) >= 0 { // not the end of another name, as cnonce
			v, _, _ := strings.Cut(challenge[at:], `"`)
			return v
		}
	}
}

// resolve finds where the Location points (RFC 9110, Section 10.2.2); false when it does not say, or not plainly.
func (o *lead) resolve() bool {
	location, _ := o.x.Final.Get("Location")
	location, _, _ = strings.Cut(location, "#")
	path, _, _ := strings.Cut(o.id.target, "?")
	scheme := strings.Index(location, "://")
	switch {
	case location == "" || strings.Contains(location, "./"):
		return false
	case scheme > 0 && scheme < strings.IndexAny(location, "/?"):
		o.to.locate(location, "")
	case strings.HasPrefix(location, "//"):
		o.to.locate("http:"+location, "")
		o.to.scheme = o.id.scheme
	case location[0] == '/':
		o.to.target = location
	case location[0] == '?':
		o.to.target = path + location
	default:
		o.to.target = path[:strings.LastIndexByte(path, '/')+1] + location
	}
	return true
}
