package report

import (
	"regexp"
	"slices"
	"strconv"
	"strings"

	"expectscope/analysis"
	"expectscope/analysis/rules"
)

// Redacted is a [Writer] that covers what is private before w sees it, each octet with an x: query strings, hosts and users, methods and
// reason phrases that no registry knows, and the values of fields. What stays is what findings stand on: paths, names of fields,
// "100-continue" and what surrounds it, and of software the name by which it is known, with its version. Addresses and times stay too.
func Redacted(w Writer) Writer { return redacted{w} }

type redacted struct{ w Writer }

// Exchange passes on a covered copy: x is others' too.
func (r redacted) Exchange(x *analysis.Exchange) error {
	c := *x
	c.Request = covered(&x.Request)
	c.Interim = coveredAll(x.Interim)
	if orphans := x.Sequel().Orphans; len(orphans) > 0 {
		c.Amend().Orphans = coveredAll(orphans)
	}
	if x.Final != nil {
		final := covered(x.Final)
		c.Final = &final
	}
	if x.TLS != nil {
		c.TLS = &analysis.TLS{Version: x.TLS.Version, ALPN: x.TLS.ALPN, SNI: coverHost(x.TLS.SNI)}
		if !slices.Contains([]string{"", "h2", "http/1.1", "http/1.0"}, c.TLS.ALPN) {
			c.TLS.ALPN = cover(c.TLS.ALPN)
		}
	}
	return r.w.Exchange(&c)
}

// Finding passes on a covered copy.
func (r redacted) Finding(f *analysis.Finding) error {
	c := *f
	c.Method, c.Target = coverMethod(f.Method), coverTarget(f.Method, f.Target)
	c.UserAgent, c.ServerSoftware = coverSoftware(f.UserAgent, rules.KnownClient), coverSoftware(f.ServerSoftware, rules.KnownServer)
	c.Summary = coverQuoted(f.Summary)
	return r.w.Finding(&c)
}

// Close passes on the summary with what names somebody covered.
func (r redacted) Close(s *analysis.Summary) error {
	if s == nil {
		return r.w.Close(nil)
	}
	c := *s
	c.Capture.Sealed = make(map[string]uint64, len(s.Capture.Sealed))
	for name, n := range s.Capture.Sealed {
		if !strings.HasPrefix(name, "(") { // else it is our word for several, or for none
			name = coverHost(name)
		}
		c.Capture.Sealed[name] += n
	}
	return r.w.Close(&c)
}

func coveredAll(ms []analysis.Message) []analysis.Message {
	out := make([]analysis.Message, len(ms))
	for i := range ms {
		out[i] = covered(&ms[i])
	}
	return out
}

// covered is a message of which only what may be seen is left; the head as sent is not.
func covered(m *analysis.Message) analysis.Message {
	c := *m
	c.Head, c.Fields = "", []analysis.Field{}
	for f := range m.Lines() {
		f.Value = coverValue(f.Name, f.Value)
		c.Fields = append(c.Fields, f)
	}
	c.Method, c.Target = coverMethod(m.Method), coverTarget(m.Method, m.Target)
	if !analysis.IsReason(m.Reason) {
		c.Reason = coverWords(m.Reason)
	}
	if !version.MatchString(m.Version) {
		c.Version = cover(m.Version)
	}
	return c
}

var version = regexp.MustCompile(`^(HTTP/\d(\.\d)?)?$`)

// cover is as many x as s has octets.
func cover(s string) string { return strings.Repeat("x", len(s)) }

// coverWords keeps the spaces between words.
func coverWords(s string) string {
	b := []byte(s)
	for i := range b {
		if b[i] != ' ' {
			b[i] = 'x'
		}
	}
	return string(b)
}

func coverValue(name, value string) string {
	switch strings.ToLower(name) {
	case "expect":
		return coverExpect(value)
	case "user-agent":
		return coverSoftware(value, rules.KnownClient)
	case "server":
		return coverSoftware(value, rules.KnownServer)
	case "host", ":authority":
		return coverHost(value)
	}
	return cover(value)
}

func coverMethod(s string) string {
	if analysis.IsMethod(s) {
		return s
	}
	return cover(s)
}

// coverTarget shows the path (RFC 9112, Section 3.2: origin-form, absolute-form, authority-form, asterisk-form).
func coverTarget(method, s string) string {
	if q := strings.IndexAny(s, "?#"); q >= 0 {
		return coverTarget(method, s[:q]) + s[q:q+1] + cover(s[q+1:])
	}
	scheme, rest, absolute := strings.Cut(s, "://")
	switch {
	case strings.HasPrefix(s, "/") || s == "*":
		return s
	case method == "CONNECT":
		return coverHost(s)
	case absolute:
		if l := strings.ToLower(scheme); l != "http" && l != "https" {
			scheme = cover(scheme)
		}
		host, path, _ := strings.Cut(rest, "/")
		return scheme + "://" + coverHost(host) + rest[len(host):len(rest)-len(path)] + path
	}
	return cover(s)
}

// coverHost shows the port and the delimiters (RFC 3986, Section 3.2).
func coverHost(s string) string {
	b, host := []byte(s), len(s)
	if n := strings.LastIndexByte(s, ':'); n >= 0 && strings.Trim(s[n+1:], "0123456789") == "" {
		host = n
	}
	for i := range host {
		if strings.IndexByte("[]@", b[i]) < 0 {
			b[i] = 'x'
		}
	}
	return string(b)
}

// asked is what an Expect value is judged by (analysis.ClassifyExpect): the expectation, whatever stands between its letters.
var asked = regexp.MustCompile("(?i)" + strings.Join(strings.Split("1|0|0|-|c|o|n|t|[iİ]|n|u|e", "|"), `[\x00- \x7f"'\\]*`))

func coverExpect(s string) string {
	b := []byte(s)
	for i, c := range b {
		if c > ' ' && strings.IndexByte(`,;="'\<>`, c) < 0 && c != 0x7f {
			b[i] = 'x'
		}
	}
	for _, at := range asked.FindAllStringIndex(s, -1) {
		copy(b[at[0]:at[1]], s[at[0]:at[1]])
	}
	return string(b)
}

// coverSoftware shows the piece by which software is known, and a version behind it.
func coverSoftware(s string, known func(string) (from, to int)) string {
	from, to := known(s)
	if from < to {
		to += len(s[to:]) - len(strings.TrimLeft(s[to:], "/.0123456789"))
	}
	return coverWords(s[:from]) + s[from:to] + coverWords(s[to:])
}

// quotes finds what the sentence of a finding quotes: all that it holds of the wire but registered words (package rules, say.go).
var quotes = regexp.MustCompile(`"(\\.|[^"\\])*"`)

func coverQuoted(sentence string) string {
	return quotes.ReplaceAllStringFunc(sentence, func(q string) string {
		s, err := strconv.Unquote(q)
		if err != nil {
			return `"` + cover(q[1:len(q)-1]) + `"`
		}
		switch {
		case analysis.IsMethod(s):
			return q
		case asked.MatchString(s):
			return strconv.QuoteToASCII(coverExpect(s))
		}
		return `"` + cover(s) + `"`
	})
}
