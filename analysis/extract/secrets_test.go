package extract_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"expectscope/analysis"
	"expectscope/capture/decode"
	"expectscope/capture/script"
)

// secretLetters occur in what is to be covered, and nowhere else.
const secretLetters = "QZJ"

// A draft is a random conversation full of secrets.
type draft struct {
	*rapid.T
	b strings.Builder
	// sound: it is HTTP throughout.
	sound bool
}

func (d *draft) secret() string { return rapid.StringMatching("[QZJ]{1,12}").Draw(d.T, "secret") }

func (d *draft) one(of ...string) string { return rapid.SampledFrom(of).Draw(d.T, "choice") }

func (d *draft) line(side string, text string) {
	mods := d.one("", "", "", " [seg 7]", " [seg 1]", " [dup]", " [dup 3ms]", " [late 2]", " [lost 2]", " [split 3,40]", " [snap 80]", " [blind]")
	fmt.Fprintf(&d.b, "+%dms %s %s%s\n", rapid.IntRange(0, 300).Draw(d.T, "wait"), side, strconv.Quote(text), mods)
}

func (d *draft) fields(b *strings.Builder) {
	for range rapid.IntRange(0, 5).Draw(d.T, "fields") {
		name := d.one("Host", "Cookie", "Authorization", "X-Token", "User-Agent", "Server", "Via", "Traceparent", "ETag", "Set-Cookie",
			"Forwarded", "X y", "Proxy-Authorization")
		before := d.one("", "curl/", "1.1 ", "Negotiate ", "00-", "nginx", "Bearer ", "example:80 ", "a@", "\t")
		fmt.Fprintf(b, "%s:%s%s%s%s", name, d.one("", " ", "\t "), before, d.secret(), d.one("\r\n", "\n", " \r\n", "\r\n "+d.secret()+"\r\n"))
	}
	if rapid.IntRange(0, 9).Draw(d.T, "odd line") == 0 {
		b.WriteString(d.secret() + "\r\n")
	}
}

// content gives the fields that frame a content, and the content.
func (d *draft) content(ofRequest bool) (fields, body string) {
	secret := strings.Repeat(d.secret(), rapid.IntRange(1, 40).Draw(d.T, "size"))
	how := d.one("none", "length", "short", "chunked", "broken")
	if d.sound && (how == "broken" || how == "short" && !ofRequest) {
		how = "chunked"
	}
	switch how {
	case "length":
		return fmt.Sprintf("Content-Length: %d\r\n", len(secret)), secret
	case "short": // the rest is owed
		return fmt.Sprintf("Content-Length: %d\r\n", len(secret)+rapid.IntRange(1, 500).Draw(d.T, "owed")), secret
	case "chunked":
		return "Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x;%s=%q\r\n%s\r\n0\r\nX-Sum: %s\r\n\r\n", len(secret), d.secret(), d.secret(), secret, d.secret())
	case "broken":
		return "Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s%s\r\n0\r\n\r\n", len(secret), secret, d.secret())
	}
	return "", ""
}

func (d *draft) request() {
	var b strings.Builder
	target := d.one("/up", "/up?", "/up#", "http://a/up?", "http://"+d.secret()+"@h/up?", "http://"+d.secret()+":80", "*", "")
	if strings.HasSuffix(target, "?") || strings.HasSuffix(target, "#") || target == "" {
		target += d.secret()
	}
	method := d.one("PUT", "POST", "GET", "CONNECT")
	if d.sound && method == "CONNECT" {
		method = "HEAD"
	}
	fmt.Fprintf(&b, "%s %s HTTP/1.1\r\n", method, target)
	fields, body := d.content(true)
	b.WriteString(fields + d.one("", "Expect: 100-continue\r\n", "Expect: 100-continue\r\n"))
	d.fields(&b)
	d.line(">", b.String()+"\r\n")
	if d.one("wait", "send") == "wait" {
		d.response()
	}
	if body != "" && d.one("send", "send", "withhold") == "send" {
		d.line(">", body)
	}
}

func (d *draft) response() {
	var b strings.Builder
	status := d.one("100 Continue", "417 Expectation Failed", "200 "+d.secret(), "201 Created", "403", "101 Switching Protocols", "200 OK")
	fmt.Fprintf(&b, "HTTP/1.1 %s\r\n", status)
	fields, body := d.content(false)
	if d.sound && status[0] == '1' {
		fields, body = "", ""
	}
	b.WriteString(fields)
	d.fields(&b)
	d.line("<", b.String()+"\r\n"+body)
}

// drafts draws a conversation of up to two connections.
func drafts(t *rapid.T, sound bool) string {
	d := &draft{T: t, sound: sound}
	for i := range rapid.IntRange(1, 2).Draw(t, "connections") {
		fmt.Fprintf(&d.b, "@conn 10.0.0.1:%d 10.0.0.2:80%s\n", 40000+i, d.one("", "", " nosyn", " only=client"))
		for range rapid.IntRange(1, 6).Draw(t, "lines") {
			what := d.one("request", "request", "response", "noise")
			if i := strings.LastIndex(d.b.String(), "@conn"); sound && !strings.Contains(d.b.String()[i:], " > ") {
				what = "request" // who answers before is no server
			}
			switch {
			case what == "request":
				d.request()
			case what == "response" || sound:
				d.response()
			default:
				d.line(d.one(">", "<"), d.one("", "PROXY TCP4 ", "SSH-2.0-", "\x16\x03\x01", "\r\n")+d.secret()+d.one("", "\r\n"))
			}
		}
	}
	return d.b.String()
}

// Nothing of a secret is in a redacted capture, whatever was said, and however
// the capture was damaged.
func TestSecretsAreCovered(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) { redactDraft(rt, drafts(rt, false)) })
}

// What is said of a redacted capture of HTTP stays the same, however it was damaged. What stands in an owed body is looked at as a
// request too, and is covered as what it turned out to be: that is told of the captures there are, in same_test.go, and not of any nonsense.
func TestDamagedSaysTheSame(t *testing.T) {
	held := 0
	rapid.Check(t, func(rt *rapid.T) {
		plain, redacted := redactDraft(rt, drafts(rt, true))
		l := said(rt, written(rt, plain))
		for _, x := range l.exchanges {
			if x.Owed != nil || x.ReqBody.Inner != "" || x.Final != nil && !x.ReqBody.Complete && x.ReqBody.Framing != analysis.FramingNone {
				return
			}
		}
		held++
		same(rt, l, said(rt, written(rt, redacted)))
	})
	if held < 10 {
		t.Errorf("only %d conversations were held against their copies", held)
	}
}

// redactDraft extracts all exchanges of a conversation, plain and redacted.
func redactDraft(t *rapid.T, text string) (plain, redacted []byte) {
	t.Logf("%s", text)
	if _, err := script.Parse(text); err != nil {
		t.Skip("no conversation: ", err)
	}
	open := conversation(t, text, script.Options{})
	ids := said(t, open).ids()
	if len(ids) == 0 {
		t.Skip("no exchange in it")
	}
	plain, redacted = cut(t, open, ids, nil, false), cut(t, open, ids, nil, true)
	covered(t, plain, redacted)
	if bytes.ContainsAny(comments(redacted), secretLetters) {
		t.Errorf("a comment says %q", comments(redacted))
	}
	return plain, redacted
}

// comments are those of a pcapng that NgWriter wrote.
func comments(b []byte) []byte {
	var all []byte
	for len(b) >= 12 {
		kind, size := binary.LittleEndian.Uint32(b), binary.LittleEndian.Uint32(b[4:])
		if kind == 6 {
			n := (binary.LittleEndian.Uint32(b[20:]) + 3) &^ 3
			if rest := b[28+n : size-4]; len(rest) > 4 {
				all = append(all, rest[4:4+binary.LittleEndian.Uint16(rest[2:])]...)
			}
		}
		b = b[size:]
	}
	return all
}

// covered checks that the packets of a redacted capture are those of the plain one with other payloads, without a
// secret, and with checksums as they were.
func covered(t rapid.TB, plain, redacted []byte) {
	ps, rs := packets(t, written(t, plain)), packets(t, written(t, redacted))
	if len(ps) != len(rs) {
		t.Fatalf("%d packets, and %d redacted", len(ps), len(rs))
	}
	var p, r decode.Segment
	d := decode.New(decode.DefaultLimits())
	for i := range ps {
		if ps[i].Time != rs[i].Time || ps[i].Len != rs[i].Len || len(ps[i].Data) != len(rs[i].Data) || ps[i].Link != rs[i].Link {
			t.Fatalf("packet %d: %v, redacted %v", i+1, &ps[i], &rs[i])
		}
		if !d.Decode(&ps[i], &p) {
			continue
		}
		bad := d.Stats().BadChecksums
		if !d.Decode(&rs[i], &r) {
			t.Fatalf("packet %d cannot be decoded any more", i+1)
		}
		if d.Stats().BadChecksums != bad {
			t.Errorf("packet %d: its checksum was right and is not", i+1)
		}
		head := len(ps[i].Data) - len(p.Payload)
		const sum = 16 // where the checksum stands in a TCP header of 20 octets
		got, want := bytes.Clone(rs[i].Data[:head]), bytes.Clone(ps[i].Data[:head])
		if len(p.Payload) > 0 && len(got) >= 54 && p.Flags&decode.SYN == 0 {
			copy(got[head-20+sum:], "\x00\x00")
			copy(want[head-20+sum:], "\x00\x00")
		}
		if !bytes.Equal(got, want) {
			t.Errorf("packet %d: headers %x, redacted %x", i+1, want, got)
		}
		if bytes.ContainsAny(r.Payload, secretLetters) {
			t.Errorf("packet %d says %q", i+1, r.Payload)
		}
	}
}
