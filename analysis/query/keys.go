package query

import (
	"cmp"
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"expectscope/analysis"
)

// part is what a key asks about.
type part uint8

const (
	either part = iota
	exchanges
	findings
)

// A Key is a word of the language.
type Key struct {
	// Name is what is written, Example a word with it, Summary a line of help.
	Name, Example, Summary string
	// Values are what may stand behind it, where that is a fixed list.
	Values []string
}

type key struct {
	name, example, summary string
	of                     part
	values                 []string
	whole                  bool // a comma is part of the value
	ordered                bool // < and > make sense
	test                   func(op, value string) (test, error)
}

// Keys lists the words of the language in the order of help.
func Keys() []Key {
	ks := make([]Key, len(keys))
	for i := range keys {
		ks[i] = Key{keys[i].name, keys[i].example, keys[i].summary, keys[i].values}
	}
	return ks
}

func keyNamed(name string) *key {
	for i := range keys {
		if keys[i].name == name {
			return &keys[i]
		}
	}
	return nil
}

// keys is the language.
var keys = []key{
	{name: "rule", example: "rule:417-*", summary: "the rule's id, * is any text", of: findings, test: only(glob)},
	{
		name: "severity", example: "severity:warning", summary: "this severity or worse", of: findings, values: names(severities[:]), ordered: true,
		test: rank(severities[:], func(f *analysis.Finding) int { return int(f.Severity) }),
	},
	{
		name: "confidence", example: "confidence:certain", summary: "this sure or surer", of: findings, values: names(confidences[:]), ordered: true,
		test: rank(confidences[:], func(f *analysis.Finding) int { return int(f.Confidence) }),
	},
	{name: "fault", example: "fault:server", summary: "who is to change something", of: findings, values: names(faults[:]), test: only(fault)},
	{name: "client", example: "client:10.0.0.0/8", summary: "address, address:port, CIDR or :port", test: only(party(subject.client))},
	{name: "server", example: "server:10.0.0.2:80", summary: "address, address:port, CIDR or :port", test: only(party(subject.server))},
	{name: "method", example: "method:PUT", summary: "the request's method", test: only(same(subject.method))},
	{name: "target", example: "target:/up/*", summary: "text in the request target, * is any text", whole: true, test: only(target)},
	{name: "host", example: "host:files.example", summary: "text in the authority", of: exchanges, test: only(holds((*analysis.Exchange).Authority))},
	{name: "agent", example: "agent:curl", summary: "text in the User-Agent", of: exchanges, test: only(holds((*analysis.Exchange).UserAgent))},
	{
		name: "tls", example: "tls:1.3", summary: "decrypted from this version of TLS, or no", of: exchanges, values: names(versions[:]),
		test: only(named(versions[:], func(x *analysis.Exchange) string { return x.TLSVersion() })),
	},
	{name: "alpn", example: "alpn:h2", summary: "the protocol TLS agreed on", of: exchanges, test: only(same(alpn))},
	{name: "sni", example: "sni:files.example", summary: "text in the host name TLS was asked for", of: exchanges, test: only(holds(sni))},
	{name: "status", example: "status:417,5xx,none", summary: "the final status, its class, or none", ordered: true, test: status},
	{
		name: "retry", example: "retry:none", summary: "what became of a refused expectation", of: exchanges, values: names(retries[:]),
		test: only(named(retries[:], func(x *analysis.Exchange) string { return x.Retry().Outcome.String() })),
	},
	{
		name: "expect", example: "expect:exact", summary: "how well formed the Expect field is", of: exchanges, values: names(classes[:]),
		test: only(named(classes[:], func(x *analysis.Exchange) string { return x.Request.ExpectClass().String() })),
	},
	{name: "id", example: "id:24/1", summary: "the exchange's id", test: only(same(subject.id))},
	{name: "proto", example: "proto:HTTP/2", summary: "the request's version", of: exchanges, test: only(same(subject.proto))},
	{
		name: "stream", example: "stream:5", summary: "the HTTP/2 stream, or stream>0 for any", of: exchanges, ordered: true,
		test: number(plainNumber, subject.stream),
	},
	{name: "wasted", example: "wasted>1MB", summary: "body bytes sent in vain", ordered: true, test: number(size, subject.wasted)},
	{name: "saved", example: "saved>0", summary: "body bytes Expect kept from being sent in vain", ordered: true, test: number(size, subject.saved)},
	{name: "sent", example: "sent>=64KiB", summary: "body bytes sent", of: exchanges, ordered: true, test: number(size, subject.sent)},
	{name: "declared", example: "declared<1kB", summary: "body bytes announced", of: exchanges, ordered: true, test: number(size, subject.declared)},
	{name: "wait", example: "wait>=1s", summary: "from the request head to the first body byte", of: exchanges, ordered: true, test: number(span, subject.wait)},
	{name: "lost", example: "lost>=350ms", summary: "time the finding says was lost", of: findings, ordered: true, test: number(span, subject.lost)},
}

var (
	severities  = [...]analysis.Severity{analysis.Info, analysis.Notice, analysis.Warning, analysis.Error}
	confidences = [...]analysis.Confidence{analysis.Inconclusive, analysis.Likely, analysis.Certain}
	faults      = [...]analysis.Fault{analysis.FaultClient, analysis.FaultServer, analysis.FaultIntermediary, analysis.FaultUnknown}
	retries     = [...]analysis.RetryOutcome{analysis.RetryNone, analysis.RetrySameConn, analysis.RetryNewConn, analysis.RetryUnknown}
	versions    = [...]word{"no", "1.2", "1.3"}
	classes     = [...]analysis.ExpectClass{analysis.ExactExpect, analysis.ListExpect, analysis.ObfuscatedExpect, analysis.EmptyExpect, analysis.UnknownExpect}
)

// A word is a value that is what it says.
type word string

// String is the word itself.
func (w word) String() string { return string(w) }

func names[T interface{ String() string }](of []T) []string {
	var s []string
	for _, v := range of {
		s = append(s, v.String())
	}
	return s
}

// What a subject says; of a finding, its own figures.

func (s subject) client() netip.AddrPort {
	if s.f != nil {
		return s.f.Client
	}
	return s.x.Conn.Addr(s.x.Client)
}

func (s subject) server() netip.AddrPort {
	if s.f != nil {
		return s.f.Server
	}
	return s.x.Conn.Addr(s.x.ServerDir())
}

func (s subject) method() string {
	if s.f != nil {
		return s.f.Method
	}
	return s.x.Request.Method
}

func (s subject) target() string {
	if s.f != nil {
		return s.f.Target
	}
	return s.x.Request.Target
}

func (s subject) status() int {
	switch {
	case s.f != nil:
		return s.f.Status
	case s.x.Final != nil:
		return s.x.Final.Status
	}
	return 0
}

func (s subject) id() string {
	if s.f != nil {
		return s.f.Exchange
	}
	return s.x.ID
}

func (s subject) proto() string { return s.x.Request.Version }

func (s subject) stream() (int64, bool) { return int64(s.x.StreamID), s.x.StreamID != 0 }

func (s subject) wasted() (int64, bool) {
	if s.f != nil {
		return s.f.Wasted, true
	}
	return s.x.Wasted()
}

func (s subject) saved() (int64, bool) {
	if s.f != nil {
		return s.f.Saved, true
	}
	return s.x.Saved(), true
}

func (s subject) sent() (int64, bool) { return s.x.ReqBody.Sent, true }

func (s subject) declared() (int64, bool) { return s.x.N(), s.x.N() >= 0 }

func (s subject) lost() (int64, bool) { return int64(s.f.Lost), true }

func (s subject) wait() (int64, bool) { return Wait(s.x) }

// Wait is how long the client waited before its body, in nanoseconds, and whether that can be said: up to the first body
// byte, or, of one that asked for 100-continue and sent none, up to the first answer.
func Wait(x *analysis.Exchange) (int64, bool) {
	if ns, ok := x.Wait(); ok {
		return max(0, ns), true
	}
	ns := x.WaitedForContinue()
	return ns, ns > 0
}

// only is the test of a key that has no order.
func only(parse func(value string) (test, error)) func(op, value string) (test, error) {
	return func(op, value string) (test, error) {
		if op != ":" && op != "=" {
			return nil, &Error{"there is no order behind " + op, "write a colon, as in target:/up"}
		}
		if value == "" {
			return nil, &Error{"there is nothing to look for", "give a value, as in target:/up"}
		}
		return parse(value)
	}
}

func glob(value string) (test, error) {
	if _, err := path.Match(value, ""); err != nil {
		return nil, &Error{strconv.Quote(value) + " is no pattern", "* is any text, ? any character, [ab] one of them"}
	}
	return func(s subject) bool {
		ok, _ := path.Match(value, s.f.Rule) // the pattern is well formed
		return ok
	}, nil
}

// rank compares the ranks of ordered names; a colon means: at least.
func rank[T interface{ String() string }](of []T, get func(*analysis.Finding) int) func(op, value string) (test, error) {
	return func(op, value string) (test, error) {
		at := slices.IndexFunc(of, func(v T) bool { return v.String() == value })
		if at < 0 {
			return nil, &Error{strconv.Quote(value) + " is none of them", "give " + oneOf(names(of))}
		}
		if op == ":" {
			op = ">="
		}
		return func(s subject) bool { return compare(get(s.f), op, at) }, nil
	}
}

func fault(value string) (test, error) {
	at := slices.IndexFunc(faults[:], func(f analysis.Fault) bool { return f.String() == value })
	if at < 0 {
		return nil, &Error{strconv.Quote(value) + " is nobody", "give " + oneOf(names(faults[:]))}
	}
	who := faults[at]
	return func(s subject) bool {
		return slices.Contains(s.f.Fault, who) || who == analysis.FaultUnknown && len(s.f.Fault) == 0
	}, nil
}

// named compares with one of a fixed list of words.
func named[T interface{ String() string }](of []T, get func(*analysis.Exchange) string) func(string) (test, error) {
	return func(value string) (test, error) {
		if all := names(of); !slices.Contains(all, value) {
			return nil, &Error{strconv.Quote(value) + " is none of them", "give " + oneOf(all)}
		}
		return func(s subject) bool { return get(s.x) == value }, nil
	}
}

func same(get func(subject) string) func(string) (test, error) {
	return func(value string) (test, error) {
		return func(s subject) bool { return strings.EqualFold(get(s), value) }, nil
	}
}

func alpn(s subject) string {
	if s.x.TLS == nil {
		return ""
	}
	return s.x.TLS.ALPN
}

func sni(x *analysis.Exchange) string {
	if x.TLS == nil {
		return ""
	}
	return x.TLS.SNI
}

// holds looks for text, in any case.
func holds(get func(*analysis.Exchange) string) func(string) (test, error) {
	return func(value string) (test, error) {
		return func(s subject) bool { return containsFold(get(s.x), value) }, nil
	}
}

// number compares a quantity.
func number(parse func(string) (int64, error), get func(subject) (int64, bool)) func(op, value string) (test, error) {
	return func(op, value string) (test, error) {
		want, err := parse(value)
		if err != nil {
			return nil, err
		}
		return func(s subject) bool {
			have, ok := get(s)
			return ok && compare(have, op, want)
		}, nil
	}
}

func compare[T cmp.Ordered](a T, op string, b T) bool {
	switch op {
	case "<":
		return a < b
	case "<=":
		return a <= b
	case ">":
		return a > b
	case ">=":
		return a >= b
	}
	return a == b
}

func unknownKey(name string) error {
	best := ""
	for i := range keys {
		if n := keys[i].name; strings.HasPrefix(n, name) || len(name) > 2 && strings.HasPrefix(name, n) || len(name) > 2 && strings.HasPrefix(n, name[:3]) {
			best = n
			break
		}
	}
	var all []string
	for i := range keys {
		all = append(all, keys[i].name)
	}
	if best != "" {
		return &Error{"there is no key " + strconv.Quote(name), "did you mean " + best + "?"}
	}
	return &Error{"there is no key " + strconv.Quote(name), "the keys are " + strings.Join(all, ", ")}
}

// oneOf is "a, b or c".
func oneOf(of []string) string {
	n := len(of) - 1
	return strings.Join(of[:n], ", ") + " or " + of[n]
}
