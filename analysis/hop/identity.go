package hop

import (
	"bytes"
	"net/netip"
	"strings"

	"expectscope/analysis"
)

// An identity is what a proxy passes on of a request, or adds to it, taken from its head once.
// Its strings are parts of the exchange's own.
type identity struct {
	client, server netip.AddrPort
	target         string // in origin-form
	trace, request string
	digest, agent  string
	via            []string
	// forwarded is the last client that X-Forwarded-For, else Forwarded, else X-Real-IP names; named is how many that names.
	forwarded netip.Addr
	named     int
}

// requestIDs and digests are fields that name one request, or one content.
var (
	requestIDs = [...]string{"X-Request-ID", "X-Correlation-ID", "Request-Id", "Idempotency-Key"}
	digests    = [...]string{"Content-Digest", "Digest", "Content-MD5"}
)

func identify(x *analysis.Exchange) identity {
	id := identity{
		client: unmap(x.Conn.Addr(x.Client)), server: serverOf(x),
		target: origin(x.Request.Target), agent: x.UserAgent(),
	}
	for i := range x.Request.Fields {
		f := &x.Request.Fields[i]
		switch name := f.Name; {
		case strings.EqualFold(name, "Traceparent"):
			id.trace = traceID(f.Value)
		case strings.EqualFold(name, "X-B3-TraceId") && id.trace == "":
			id.trace = f.Value
		case strings.EqualFold(name, "Via"):
			id.via = append(id.via, list(f.Value)...)
		case strings.EqualFold(name, "X-Amz-Content-Sha256") && len(f.Value) == 64:
			id.digest = f.Value
		case among(requestIDs[:], name) && id.request == "":
			id.request = f.Value
		case among(digests[:], name) && id.digest == "":
			id.digest = f.Value
		}
	}
	id.names(&x.Request)
	return id
}

func among(names []string, name string) bool {
	for _, n := range names {
		if strings.EqualFold(n, name) {
			return true
		}
	}
	return false
}

func serverOf(x *analysis.Exchange) netip.AddrPort { return unmap(x.Conn.Addr(x.ServerDir())) }

func unmap(a netip.AddrPort) netip.AddrPort { return netip.AddrPortFrom(a.Addr().Unmap(), a.Port()) }

// names notes the clients that the request is said to come from.
func (id *identity) names(m *analysis.Message) {
	var all []string
	for _, v := range m.Values("X-Forwarded-For") {
		all = append(all, list(v)...)
	}
	if len(all) == 0 {
		for _, v := range m.Values("Forwarded") {
			for _, e := range list(v) {
				all = append(all, forwardedFor(e))
			}
		}
	}
	if len(all) == 0 {
		all = m.Values("X-Real-IP")
	}
	if id.named = len(all); id.named > 0 {
		id.forwarded = node(all[id.named-1])
	}
}

// node is the address of a node as proxies write it, the zero one where it has none (RFC 7239, Section 6).
func node(v string) netip.Addr {
	v = strings.Trim(v, ` "`)
	if a, err := netip.ParseAddr(strings.Trim(v, "[]")); err == nil {
		return a.Unmap()
	}
	p, _ := netip.ParseAddrPort(v)
	return p.Addr().Unmap()
}

// forwardedFor is the for parameter of an element of Forwarded (RFC 7239, Section 5.2).
func forwardedFor(element string) string {
	for p := range strings.SplitSeq(element, ";") {
		if name, v, ok := strings.Cut(p, "="); ok && strings.EqualFold(strings.TrimSpace(name), "for") {
			return v
		}
	}
	return ""
}

// list are the elements of a list field (RFC 9110, Section 5.6.1).
func list(v string) []string {
	var all []string
	for e := range strings.SplitSeq(v, ",") {
		if e = strings.Trim(e, " \t"); e != "" {
			all = append(all, e)
		}
	}
	return all
}

// traceID is the second part of a traceparent: version-traceid-parentid-flags (W3C Trace Context, Section 3.2).
func traceID(v string) string {
	_, rest, _ := strings.Cut(v, "-")
	id, _, ok := strings.Cut(rest, "-")
	if !ok || len(id) != 32 || strings.Trim(id, "0") == "" {
		return ""
	}
	return id
}

// origin folds absolute-form into origin-form (RFC 9112, Section 3.2.2); it is empty for the others.
func origin[T string | []byte](target T) T {
	if len(target) > 0 && target[0] == '/' {
		return target
	}
	for i := range len(target) {
		if string(target[i:min(i+3, len(target))]) != "://" {
			continue
		}
		for n := i + 3; n < len(target); n++ {
			if target[n] == '/' {
				return target[n:]
			}
		}
		return T("/")
	}
	return target[:0] // authority-form, asterisk-form
}

// sumOf is a hash of the method and of the target's last segment with its query, which a proxy that puts something in front of
// the path, or takes it off, leaves as it is; false where a proxy passes nothing on.
func sumOf[T string | []byte](method, target T) (uint64, bool) {
	const offset, prime = 14695981039346656037, 1099511628211 // FNV-1a
	path := origin(target)
	if len(path) == 0 || string(method) == "CONNECT" {
		return 0, false
	}
	last := 0
	for i := 0; i < len(path) && path[i] != '?'; i++ {
		if path[i] == '/' {
			last = i
		}
	}
	sum := uint64(offset)
	for i := range len(method) {
		sum = (sum ^ uint64(method[i])) * prime
	}
	for i := last; i < len(path); i++ {
		sum = (sum ^ uint64(path[i])) * prime
	}
	return sum, true
}

// requestLine is the method and target of a sound request head.
func requestLine(head []byte) (method, target []byte) {
	line, _, _ := bytes.Cut(head, []byte{'\n'})
	line = bytes.TrimRight(line, "\r \t")
	n := bytes.IndexAny(line, " \t")
	v := bytes.LastIndexAny(line, " \t")
	if n < 0 || v <= n {
		return nil, nil
	}
	return line[:n], bytes.Trim(line[n:v], " \t")
}
