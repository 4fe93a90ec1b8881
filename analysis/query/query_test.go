package query

import (
	"errors"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"expectscope/analysis"
	"expectscope/reassembly"
)

// refused is an upload to nginx, refused with 417 after 2 MB, and what was found on it.
func refused() (*analysis.Exchange, []*analysis.Finding) {
	c := &reassembly.Conn{Client: netip.MustParseAddrPort("10.0.0.1:51766"), Server: netip.MustParseAddrPort("[2001:db8::2]:8101")}
	head := "PUT /Up/a.bin?x=1,2 HTTP/1.1\r\nHost: Files.example\r\nUser-Agent: curl/7.88.1\r\nExpect: 100-continue\r\n\r\n"
	x := &analysis.Exchange{
		ID: "21/1", Conn: c, StreamID: 5,
		Request: analysis.Message{Version: "HTTP/2", Method: "PUT", Target: "/Up/a.bin?x=1,2", Head: head, Fields: analysis.ParseFields(head), Last: reassembly.Mark{Time: 1e9, Packet: 1}},
		ReqBody: analysis.RequestBody{Body: analysis.Body{Framing: analysis.FramingLength, Declared: 5_000_000, Sent: 2_000_000, First: reassembly.Mark{Time: 2e9, Packet: 3}}},
		TLS:     &analysis.TLS{Version: "TLS 1.3", ALPN: "http/1.1", SNI: "files.example"},
		Final:   &analysis.Message{Status: 417, Fields: []analysis.Field{{Name: "Server", Value: "nginx/1.22.1"}}},
	}
	x.Amend().Retry.Outcome = analysis.RetryNone
	of := func(rule string, s analysis.Severity, c analysis.Confidence, who ...analysis.Fault) *analysis.Finding {
		return &analysis.Finding{
			Rule: rule, Exchange: x.ID, Severity: s, Confidence: c, Fault: who, Client: c0(x), Server: x.Conn.Server, Method: "PUT", Target: x.Request.Target,
			Status: 417, Summary: "Nothing followed the 417", UserAgent: "curl/7.88.1", ServerSoftware: "nginx/1.22.1",
		}
	}
	gone := of("417-no-retry", analysis.Warning, analysis.Likely, analysis.FaultClient)
	gone.Lost = 1500 * time.Millisecond
	waste := of("waste-rejected", analysis.Notice, analysis.Certain, analysis.FaultServer, analysis.FaultIntermediary)
	waste.Wasted = 2_000_000
	return x, []*analysis.Finding{gone, waste, of("expect-tiny", analysis.Info, analysis.Certain)}
}

func c0(x *analysis.Exchange) netip.AddrPort { return x.Conn.Client }

func TestMatch(t *testing.T) {
	x, found := refused()
	for _, c := range []struct {
		q        string
		exchange bool
		findings string // the numbers of those that match
	}{
		{"", true, "012"},
		{"rule:417-no-retry", true, "0"},
		{"rule:417-*", true, "0"},
		{"rule:waste-*,expect-*", true, "12"},
		{"rule:waste-* rule:expect-*", true, "12"},
		{"rule:late-100", false, ""},
		{"tls:1.3 alpn:HTTP/1.1 sni:FILES", true, "012"},
		{"tls:1.2,no", false, ""},
		{"alpn:h2", false, ""},
		{"sni:other", false, ""},
		{"-rule:417-*", true, "12"},
		{"severity:notice", true, "01"},
		{"severity>notice", true, "0"},
		{"severity=info", true, "2"},
		{"severity<warning", true, "12"},
		{"severity:error", false, ""},
		{"confidence:certain", true, "12"},
		{"confidence:likely severity:warning", true, "0"},
		{"rule:417-* severity=notice", false, ""},
		{"fault:client", true, "0"},
		{"fault:intermediary", true, "1"},
		{"fault:unknown", true, "2"},
		{"client:10.0.0.1", true, "012"},
		{"client:10.0.0.0/8,192.168.0.1", true, "012"},
		{"client:10.0.0.1:51766", true, "012"},
		{"client:10.0.0.1:51767", false, ""},
		{"-client:10.0.0.0/8", false, ""},
		{"server::8101", true, "012"},
		{"server:2001:db8::2", true, "012"},
		{"server:[2001:db8::2]:8101", true, "012"},
		{"server:2001:db9::/32", false, ""},
		{"method:put", true, "012"},
		{"target:/Up/", true, "012"},
		{"target:/up/", false, ""},
		{"target:/Up/*", true, "012"},
		{"target:*.bin", false, ""},
		{"target:/*a.bin*x=1,2", true, "012"},
		{"target:x=1,2", true, "012"},
		{"host:files", true, "012"},
		{"agent:CURL", true, "012"},
		{"agent:wget", false, ""},
		{"status:417", true, "012"},
		{"status:4xx", true, "012"},
		{"status:200,5xx,none", false, ""},
		{"status>=400", true, "012"},
		{"status<400", false, ""},
		{"retry:none", true, "012"},
		{"retry:same-connection,new-connection", false, ""},
		{"expect:exact", true, "012"},
		{"id:21/1", true, "012"},
		{"proto:http/2", true, "012"},
		{"proto:HTTP/1.1", false, ""},
		{"stream:5", true, "012"},
		{"stream>5", false, ""},
		{"wasted>1MB", true, "1"},
		{"wasted>=2000000", true, "1"},
		{"wasted>2MiB", false, ""},
		{"sent<2.5MB declared=5MB", true, "012"},
		{"wait>=1s", true, "012"},
		{"wait>1s", false, ""},
		{"wait<350ms", false, ""},
		{"lost>1s", true, "0"},
		{"saved>0", false, ""},
		{"a.bin", true, "012"},
		{"A.BIN CURL nginx", true, "012"},
		{"followed", true, "012"},
		{"no-retry", true, "0"},
		{"-no-retry", false, "12"},
		{"-other", true, "012"},
		{"10.0.0.1", true, "012"},
		{"10.0.0.2", false, ""},
		{"8101 417", true, "012"},
		{`"followed the 417"`, true, "012"},
		{`target:"/Up/a.bin?x=1,2"`, true, "012"},
		{"http://x", false, ""},
		{"rule:417-no-retry wasted>1MB", false, ""},
	} {
		q, err := Parse(c.q)
		if err != nil {
			t.Errorf("%s: %v", c.q, err)
			continue
		}
		if got := q.Match(x, slices.Values(found)); got != c.exchange && !strings.HasPrefix(c.q, "rule:417-no-retry wasted") {
			t.Errorf("%s matches the exchange: %v", c.q, got)
		}
		got := ""
		for i, f := range found {
			if q.MatchFinding(x, f) {
				got += string(rune('0' + i))
			}
		}
		if got != c.findings {
			t.Errorf("%s matches the findings %q, want %q", c.q, got, c.findings)
		}
	}
}

// Of an exchange the figures are its own, of a finding the finding's.
func TestWhoseFigures(t *testing.T) {
	x, found := refused()
	q, err := Parse("rule:417-no-retry wasted>1MB")
	if err != nil {
		t.Fatal(err)
	}
	if !q.Match(x, slices.Values(found)) || q.MatchFinding(x, found[0]) {
		t.Error("2 MB of the exchange are wasted, none by the missing retry")
	}
}

// What only the exchange can answer does not hold without it.
func TestFindingAlone(t *testing.T) {
	_, found := refused()
	for typed, want := range map[string]bool{"rule:417-*": true, "client:10.0.0.1 status:417": true, "agent:curl": false, "-agent:curl": false, "curl": true, "wait>=0": false, "": true} {
		q, err := Parse(typed)
		if err != nil {
			t.Fatal(err)
		}
		if got := q.MatchFinding(nil, found[0]); got != want {
			t.Errorf("%q: %v", typed, got)
		}
	}
}

// An exchange without a final response has no status, and nothing is known of its waste.
func TestUnanswered(t *testing.T) {
	x, _ := refused()
	x.Final = nil
	for typed, want := range map[string]bool{"status:none": true, "status<400": false, "status:4xx": false, "wasted=0": false, "-wasted>0": true} {
		q, err := Parse(typed)
		if err != nil {
			t.Fatal(err)
		}
		if got := q.Match(x, slices.Values([]*analysis.Finding(nil))); got != want {
			t.Errorf("%q: %v", typed, got)
		}
	}
}

func TestErrors(t *testing.T) {
	for typed, want := range map[string]string{
		"rul:x": "did you mean rule?", "colour:red": "the keys are rule", "rule:[": "is no pattern", "rule:": "nothing to look for",
		"rule>x": "there is no order", "severity:bad": "info, notice, warning or error", "confidence:sure": "likely or certain", "fault:me": "client, server",
		"client:localhost": "names are not looked up", "server::0": "is no address", "server::70000": "is no address", "status:42": "is no final status", "status>4xx": "is no final status",
		"retry:maybe": "same-connection", "wasted>lots": "is no size", "wasted>1e30GB": "is no size", "wasted>": "is no size", "wait>5": "a unit", "lost>5parsec": "350ms", "expect:yes": "obfuscated",
	} {
		_, err := Parse(typed)
		var e *Error
		if !errors.As(err, &e) || !strings.Contains(err.Error(), want) || strings.HasSuffix(e.Text, ".") {
			t.Errorf("%s: %v, want something with %q", typed, err, want)
		}
	}
	if _, err := (Query{}).With("nokey", "x"); err == nil {
		t.Error("a key that is none is taken")
	}
}

// A flag is the word with its name: values of several are alternatives, and a query is not changed by what is added to it.
func TestWith(t *testing.T) {
	x, found := refused()
	a, err := Query{}.With("rule", "late-100")
	if err != nil {
		t.Fatal(err)
	}
	b, err := a.With("rule", "417-*,no-100")
	if err != nil {
		t.Fatal(err)
	}
	if a.Match(x, slices.Values(found)) || !b.Match(x, slices.Values(found)) || !(Query{}).Empty() || a.Empty() {
		t.Error("the alternatives are not added, or added to what was there before")
	}
}

// Each key's example is a query, and its values are.
func TestKeys(t *testing.T) {
	for _, k := range Keys() {
		if _, err := Parse(k.Example); err != nil || !strings.HasPrefix(k.Example, k.Name) || k.Summary == "" {
			t.Errorf("%s: the example %q: %v", k.Name, k.Example, err)
		}
		for _, v := range k.Values {
			if _, err := Parse(k.Name + ":" + v); err != nil {
				t.Errorf("%s:%s: %v", k.Name, v, err)
			}
		}
	}
}

func TestComplete(t *testing.T) {
	values := func(key string) []string {
		return map[string][]string{"rule": {"417-no-retry", "417-late", "no-100"}, "server": {"10.0.0.2"}, "host": {"a b"}}[key]
	}
	for typed, want := range map[string][]string{
		"":                  nil,
		"ru":                {"rule:"},
		"s":                 {"severity:", "server:", "sni:", "status:", "stream>", "saved>", "sent>"},
		"-ru":               {"-rule:"},
		"wa":                {"wasted>", "wait>"},
		"rule:417":          {"rule:417-no-retry", "rule:417-late"},
		"rule:no-100,4":     {"rule:no-100,417-no-retry", "rule:no-100,417-late"},
		"x rule:no":         {"x rule:no-100"},
		"rule:no-100":       nil,
		"severity:n":        {"severity:notice"},
		"severity>w":        {"severity>warning"},
		"server:":           {"server:10.0.0.2"},
		"host:":             {`host:"a b"`},
		"bogus:x":           nil,
		"text":              nil,
		"rule:no-100 ":      nil,
		`"quoted text rule`: nil,
	} {
		if got := Complete(typed, values, 9); !slices.Equal(got, want) {
			t.Errorf("%q goes on as %q, want %q", typed, got, want)
		}
	}
	if got := Complete("s", values, 2); len(got) != 2 {
		t.Errorf("2 wanted, %d given", len(got))
	}
	if got := Complete("rule:", nil, 9); got != nil {
		t.Errorf("out of nothing: %q", got)
	}
}

func TestWait(t *testing.T) {
	x, _ := refused()
	if ns, ok := Wait(x); ns != 1e9 || !ok {
		t.Errorf("waited %d, %v", ns, ok)
	}
	x.ReqBody.Sent = 0
	x.Final.First.Time = 3e9
	if ns, ok := Wait(x); ns != 2e9 || !ok {
		t.Errorf("without a body, up to the answer: %d, %v", ns, ok)
	}
	x.Request.Head, x.Request.Fields = "", nil
	if _, ok := Wait(x); ok {
		t.Error("who did not ask and sent nothing did not wait")
	}
}

// FuzzParse: nothing panics; what can be read can be asked; a completion begins with what was typed and can be completed no worse.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"rule:417-* server:10.0.0.2,10.0.0.3 status:4xx wasted>1MB wait>=1s -method:GET upload", `"a b" target:"x y"`, "-", "--", `"`, ":", "a:b", "rule:\xff", "wait>1e999s", "client:::1"} {
		f.Add(s)
	}
	x, found := refused()
	f.Fuzz(func(t *testing.T, s string) {
		for _, c := range Complete(s, func(string) []string { return []string{"value", "a b"} }, 5) {
			if c == s {
				t.Errorf("%q is no completion of itself", c)
			}
		}
		q, err := Parse(s)
		if err != nil {
			var e *Error
			if !errors.As(err, &e) || e.Hint == "" {
				t.Errorf("%q: %v says not what to write instead", s, err)
			}
			return
		}
		any := q.Match(x, slices.Values(found))
		for _, f := range found {
			if q.MatchFinding(x, f) && !any && !strings.ContainsAny(s, "-<>=") {
				t.Errorf("%q chooses a finding and not its exchange", s)
			}
		}
	})
}
