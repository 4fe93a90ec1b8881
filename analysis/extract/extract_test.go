package extract_test

import (
	"bytes"
	"encoding/binary"
	"errors"
	"slices"
	"strconv"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"expectscope/analysis/engine"
	"expectscope/analysis/extract"
	"expectscope/capture"
	"expectscope/capture/decode"
	"expectscope/capture/pcapfile"
	"expectscope/capture/script"
)

// Three clients: one that repeats on a connection of its own, one that does not, one of no concern, on the ports of the first.
const threeClients = `
@conn a 10.0.0.1:40000 10.0.0.2:80
a> PUT /up HTTP/1.1 | Host: h | User-Agent: u | Content-Length: 5 | Expect: 100-continue
a< HTTP/1.1 417 Expectation Failed | Content-Length: 0
a> fin
a< fin
@conn b 10.0.0.1:40001 10.0.0.2:80
b> PUT /up HTTP/1.1 | Host: h | User-Agent: u | Content-Length: 5
b> body 5
b< HTTP/1.1 201 Created | Content-Length: 0
@conn c 10.0.0.9:50000 10.0.0.2:80
c> PUT /other HTTP/1.1 | Host: h | Content-Length: 5 | Expect: 100-continue
c< HTTP/1.1 417 Expectation Failed | Content-Length: 0
c> fin
c< fin
+5s @conn d 10.0.0.1:40000 10.0.0.2:80
d> GET /later HTTP/1.1 | Host: h
d< HTTP/1.1 200 OK | Content-Length: 0
+60s @end
`

func TestWhatIsMeant(t *testing.T) {
	open := conversation(t, threeClients, script.Options{})
	ids := said(t, open).ids()
	if len(ids) != 4 {
		t.Fatalf("exchanges %v", ids)
	}
	byTarget := map[string]string{}
	for _, x := range said(t, open).exchanges {
		byTarget[x.Conn.Client.String()+x.Request.Target] = x.ID
	}
	first, later := byTarget["10.0.0.1:40000/up"], byTarget["10.0.0.1:40000/later"]
	only := func(rule string) func(string) bool { return func(r string) bool { return r == rule } }
	for _, c := range []struct {
		name string
		ids  []string
		rule func(string) bool
		want string // clients' ports, in the order of their first packets
	}{
		{"the refused one, with its repeat", []string{first}, nil, "40000 40001"},
		{"the repeat, with what it repeats", []string{byTarget["10.0.0.1:40001/up"]}, nil, "40000 40001"},
		{"a later connection of the same ports", []string{later}, nil, "40000"},
		{"by a rule", nil, only("417-no-retry"), "50000"},
		{"by a rule that fires on the refused", nil, only("417-retry-ok"), "40000 40001"},
		{"both", []string{later}, only("417-no-retry"), "50000 40000"},
	} {
		t.Run(c.name, func(t *testing.T) {
			var ports []string
			var s decode.Segment
			d := decode.New(decode.DefaultLimits())
			n, syns := 0, 0
			for _, p := range packets(t, written(t, cut(t, open, c.ids, c.rule, false))) {
				if !d.Decode(&p, &s) {
					continue
				}
				n++
				if s.Flags&decode.SYN != 0 {
					syns++
				}
				if port := strconv.Itoa(int(max(s.Src.Port, s.Dst.Port))); !slices.Contains(ports, port) {
					ports = append(ports, port)
				}
			}
			if got := strings.Join(ports, " "); got != c.want || syns != 2*len(ports) {
				t.Errorf("connections of %s in %d packets with %d SYNs, want %s", got, n, syns, c.want)
			}
		})
	}
}

func TestMissing(t *testing.T) {
	open := conversation(t, threeClients, script.Options{})
	ids := said(t, open).ids()
	ask := func(asked ...string) (missing, instead []string) {
		c := extract.NewChoice(asked, nil)
		analyze(t, open, c, engine.Options{All: true})
		return c.Missing()
	}
	packet, _, _ := strings.Cut(ids[0], "/")
	missing, instead := ask(packet+"/9", ids[1])
	if !slices.Equal(missing, []string{packet + "/9"}) || !slices.Equal(instead, ids[:1]) {
		t.Errorf("missing %v, instead %v", missing, instead)
	}
	if missing, instead = ask("1:" + ids[0]); len(missing) != 1 || !slices.Equal(instead, ids[:1]) {
		t.Errorf("with the number of an input: missing %v, instead %v", missing, instead)
	}
	if missing, instead = ask("99/1"); len(missing) != 1 || len(instead) == 0 {
		t.Errorf("far off: missing %v, instead %v", missing, instead)
	}
	if missing, _ = ask(ids...); len(missing) > 0 {
		t.Errorf("missing %v of all", missing)
	}
}

func TestIsID(t *testing.T) {
	for word, want := range map[string]bool{
		"1/1": true, "12:17/3": true, "417-no-retry": false, "a/1": false, "1/": false, "/1": false, "1/1/1": false,
		":1/1": false, "+1/1": false, "1": false, "": false, "1/+1": false, "./1/1": false, "99999999999999999/1": false,
	} {
		if got := extract.IsID(word); got != want {
			t.Errorf("%q: %v", word, got)
		}
	}
}

// Evidence says what it is evidence of; the end of the capture is there too.
func TestComments(t *testing.T) {
	open := conversation(t, threeClients, script.Options{})
	rule := func(r string) bool { return r == "417-no-retry" }
	plain := string(comments(cut(t, open, nil, rule, false)))
	for _, want := range []string{
		"417-no-retry (warning, certain): The client gave up",
		"417-received (notice, certain): ",
		"the capture went on until here",
	} {
		if !strings.Contains(plain, want) {
			t.Errorf("no comment says %q: %q", want, plain)
		}
	}
	if redacted := string(comments(cut(t, open, nil, rule, true))); !strings.Contains(redacted, "417-no-retry (warning, certain): No retry after 417") ||
		strings.Contains(redacted, "gave up") {
		t.Errorf("redacted, the comments are %q", redacted)
	}
	in := packets(t, open)
	out := packets(t, written(t, cut(t, open, nil, rule, false)))
	if last := out[len(out)-1]; last.Time != in[len(in)-1].Time || len(last.Data) != 0 || last.Len != 0 {
		t.Errorf("the last packet is %+v", last)
	}
}

// payloads are those of a capture that are not empty.
func payloads(t rapid.TB, open opener) []string {
	var texts []string
	var s decode.Segment
	d := decode.New(decode.DefaultLimits())
	for _, p := range packets(t, open) {
		if d.Decode(&p, &s) && len(s.Payload) > 0 {
			texts = append(texts, string(s.Payload))
		}
	}
	return texts
}

// What stands in front of HTTP, behind it, and what is no HTTP.
func TestStreams(t *testing.T) {
	const head = "GET / HTTP/1.1\\r\\n\\r\\n"
	for _, c := range []struct{ name, text, want string }{
		{"a PROXY header", `> "PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n` + head + `"`, "PROXY =============================\nGET / HTTP/1.1\r\n\r\n"},
		{
			"a binary one", `> "\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0cabcdefghijkl` + head + `"`,
			"\r\n\r\n\x00\r\nQUIT\n\x21\x11\x00\x0c============GET / HTTP/1.1\r\n\r\n",
		},
		{"line ends in front", `> "\r\n\r\n` + head + `"`, "\r\n\r\nGET / HTTP/1.1\r\n\r\n"},
		{"two in one segment", `> "` + head + head + `"`, "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n"},
		{
			"a tunnel", "> \"CONNECT h:443 HTTP/1.1\\r\\n\\r\\n\"\n< \"HTTP/1.1 200 OK\\r\\n\\r\\n\"\n> \"\\x16\\x03\\x01\\x00\\x05secret\"\n< \"\\x16\\x03\\x03more\"",
			"CONNECT x:443 HTTP/1.1\r\n\r\n|HTTP/1.1 200 OK\r\n\r\n|\x16\x03\x01========|=======",
		},
		{"an upgrade", "> \"GET / HTTP/1.1\\r\\nUpgrade: w\\r\\n\\r\\n\"\n< \"HTTP/1.1 101 Switching Protocols\\r\\n\\r\\nsecret\"", "GET / HTTP/1.1\r\nUpgrade: w\r\n\r\n|HTTP/1.1 101 Switching Protocols\r\n\r\n======"},
		{"out of step", "> \"GET / HTTP/1.1\\r\\n\\r\\n\"\n> \"secret\\r\\n\"\n> \"GET / HTTP/1.1\\r\\n\\r\\n\"", "GET / HTTP/1.1\r\n\r\n|======\r\n|GET / HTTP/1.1\r\n\r\n"},
	} {
		t.Run(c.name, func(t *testing.T) {
			open := conversation(t, "@conn 10.0.0.1:40000 10.0.0.2:80\n"+c.text, script.Options{})
			got := strings.Join(payloads(t, written(t, cut(t, open, said(t, open).ids(), nil, true))), "|")
			if got != c.want {
				t.Errorf("got\n%q, want\n%q", got, c.want)
			}
		})
	}
}

// A copy with other bytes is covered, and is one with other bytes still.
func TestConflict(t *testing.T) {
	ps := packets(t, conversation(t, `@conn 10.0.0.1:40000 10.0.0.2:80
> GET / HTTP/1.1 | Host: h
< HTTP/1.1 200 OK | Content-Length: 0
> PUT /up HTTP/1.1 | Content-Length: 5 | Expect: 100-continue | Cookie: secret | A: b [seg 40] [late 9] [dup 10us]
< HTTP/1.1 417 Expectation Failed | Content-Length: 0`, script.Options{}))
	for i := range ps {
		ps[i].Data = bytes.Replace(ps[i].Data, []byte("secret"), []byte("secre"+string(rune('a'+i))), 1)
	}
	early := slices.IndexFunc(ps, func(p capture.Packet) bool { return bytes.Contains(p.Data, []byte("PUT /up")) })
	ps = slices.Delete(ps, early, early+1) // so that the other copies wait for the late one, and are compared
	open := written(t, pcapng(t, ps))
	ids := said(t, open).ids()
	plain, redacted := said(t, written(t, cut(t, open, ids, nil, false))), said(t, written(t, cut(t, open, ids, nil, true)))
	same(t, plain, redacted)
	if n := plain.exchanges[0].Conn.Conflicts; n == 0 {
		t.Error("there is no conflict in the test")
	}
	for _, p := range payloads(t, written(t, cut(t, open, ids, nil, true))) {
		if strings.Contains(p, "secre") {
			t.Errorf("a copy says %q", p)
		}
	}
}

func pcapng(t rapid.TB, ps []capture.Packet) []byte {
	var b bytes.Buffer
	w := pcapfile.NewNgWriter(&b)
	for i := range ps {
		if err := w.WritePacket(&ps[i], ""); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// fragmented cuts the IPv4 datagrams of frames into pieces of 48 octets, the last first.
func fragmented(ps []capture.Packet) []capture.Packet {
	const link, ip, size = 14, 20, 48
	var out []capture.Packet
	for _, p := range ps {
		payload := p.Data[link+ip:]
		if p.Data[link] != 0x45 || len(payload) <= size {
			out = append(out, p)
			continue
		}
		var pieces []capture.Packet
		for at := 0; at < len(payload); at += size {
			part := payload[at:min(at+size, len(payload))]
			b := append(bytes.Clone(p.Data[:link+ip]), part...)
			offset := uint16(at / 8)
			if at+size < len(payload) {
				offset |= 0x2000
			}
			binary.BigEndian.PutUint16(b[link+2:], uint16(ip+len(part)))
			binary.BigEndian.PutUint16(b[link+6:], offset)
			binary.BigEndian.PutUint16(b[link+4:], uint16(len(out)+1))
			q := p
			q.Data, q.Len = append(b, "pad"...), len(b)+3
			pieces = append(pieces, q)
		}
		for i := range pieces { // one datagram, one identification
			copy(pieces[i].Data[link+4:], pieces[0].Data[link+4:link+6])
		}
		slices.Reverse(pieces)
		out = append(out, pieces...)
	}
	return out
}

// Datagrams that came in fragments are written whole, and covered whole; those of others are not.
func TestFragments(t *testing.T) {
	ps := fragmented(packets(t, conversation(t, threeClients, script.Options{})))
	open := written(t, pcapng(t, ps))
	l := said(t, open)
	if len(l.exchanges) != 4 {
		t.Fatalf("%d exchanges", len(l.exchanges))
	}
	rule := func(r string) bool { return r == "417-no-retry" }
	for _, redact := range []bool{false, true} {
		b := cut(t, open, nil, rule, redact)
		got := packets(t, written(t, b))
		n := 0
		for _, p := range ps {
			if len(p.Data) > 34 && (bytes.Equal(p.Data[26:30], []byte{10, 0, 0, 9}) || bytes.Equal(p.Data[30:34], []byte{10, 0, 0, 9})) {
				n++
			}
		}
		if len(got) != n+1 { // and the end
			t.Errorf("%d packets, want %d", len(got), n+1)
		}
		texts := strings.Join(payloads(t, written(t, b)), "")
		if !strings.Contains(texts, "PUT /other HTTP/1.1\r\nHost: ") || strings.Contains(texts, "Host: h") == redact {
			t.Errorf("redacted: %v, the payloads are %q", redact, texts)
		}
		if bytes.Contains(b, []byte("pad")) == redact {
			t.Errorf("redacted: %v, and padding is shown: %v", redact, !redact)
		}
		d := decode.New(decode.DefaultLimits())
		var s decode.Segment
		for i := range got {
			d.Decode(&got[i], &s)
		}
		if st := d.Stats(); st.BadChecksums > 0 || st.Checksums == 0 {
			t.Errorf("%d of %d checksums are wrong", st.BadChecksums, st.Checksums)
		}
	}
}

// Nothing grows with fragments that nobody completes.
func TestFragmentsAreBounded(t *testing.T) {
	all := fragmented(packets(t, conversation(t, "@conn 10.0.0.1:1 10.0.0.2:80\n> body 1000", script.Options{})))
	k := extract.NewCopier(extract.NewReading(map[string]bool{"1/1": true}, true), &failing{})
	p := all[len(all)-3] // the last piece of a datagram
	for i := range 20_000 {
		p.Num = capture.MakeNum(1, uint64(i+1))
		binary.BigEndian.PutUint16(p.Data[18:], uint16(i))
		if err := k.Packet(&p); err != nil {
			t.Fatal(err)
		}
	}
	if n := k.Waiting(); n > 4096 {
		t.Errorf("%d fragments are held", n)
	}
}

// failing is a Writer whose disk is full.
type failing struct{}

var errFull = errors.New("no space left on device")

func (*failing) WritePacket(*capture.Packet, string) error { return errFull }

func TestWriteFails(t *testing.T) {
	open := conversation(t, threeClients, script.Options{})
	ids := map[string]bool{}
	for _, id := range said(t, open).ids() {
		ids[id] = true
	}
	for _, redact := range []bool{false, true} {
		r := extract.NewReading(ids, redact)
		analyze(t, open, r, engine.Options{All: true, Observe: r.Observe})
		k := extract.NewCopier(r, &failing{})
		p := packets(t, open)[0]
		if err := k.Packet(&p); !errors.Is(err, errFull) {
			t.Errorf("redacted: %v, the error is %v", redact, err)
		}
	}
}

// A capture that changed between two readings is noticed.
func TestLacks(t *testing.T) {
	r := extract.NewReading(map[string]bool{"1/1": true, "77/1": true}, false)
	analyze(t, conversation(t, threeClients, script.Options{}), r, engine.Options{Observe: r.Observe})
	if got := r.Lacks(); !slices.Equal(got, []string{"77/1"}) {
		t.Errorf("lacks %v", got)
	}
}

// Covering a packet costs no allocation once its connection is known.
func TestCopyAllocatesNothing(t *testing.T) {
	open := conversation(t, "@conn 10.0.0.1:40000 10.0.0.2:80\n> PUT / HTTP/1.1 | Content-Length: 60000\n> body 60000", script.Options{})
	r := extract.NewReading(map[string]bool{"1/1": true}, true)
	analyze(t, open, r, engine.Options{All: true, Observe: r.Observe})
	k := extract.NewCopier(r, nowhere{})
	ps := packets(t, open)
	for i := range ps {
		if err := k.Packet(&ps[i]); err != nil {
			t.Fatal(err)
		}
	}
	if n := testing.AllocsPerRun(100, func() { _ = k.Packet(&ps[len(ps)/2]) }); n > 0 {
		t.Errorf("%v allocations a packet", n)
	}
}

type nowhere struct{}

func (nowhere) WritePacket(*capture.Packet, string) error { return nil }

// Whatever two sides say, extracting it redacted gives the same packets with other payloads.
func FuzzExtract(f *testing.F) {
	f.Add("PUT /a?b HTTP/1.1\r\nTransfer-Encoding: chunked\r\nExpect: 100-continue\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "HTTP/1.1 417 No\r\n\r\n", byte(9), true)
	f.Add("CONNECT a:1 HTTP/1.1\r\n\r\n\x16\x03\x01", "HTTP/1.1 200 OK\r\n\r\nSSH-2.0", byte(40), false)
	f.Add("PROXY TCP4\r\nGET / HTTP/1.0\n\nPUT ", "HTTP/1.1 101 \n\n", byte(3), true)
	f.Fuzz(func(t *testing.T, client, server string, size byte, whole bool) {
		if len(client)+len(server) > 4096 {
			t.Skip("long")
		}
		text := "@conn 10.0.0.1:40000 10.0.0.2:80\n"
		n := int(size) + 1
		for client != "" || server != "" {
			if client != "" {
				k := min(n, len(client))
				text += "> " + strconv.Quote(client[:k]) + "\n"
				client = client[k:]
			}
			if server != "" && (client == "" || !whole) {
				k := min(n, len(server))
				text += "< " + strconv.Quote(server[:k]) + "\n"
				server = server[k:]
			}
		}
		s, err := script.Parse(text)
		if err != nil {
			t.Skip(err)
		}
		open := func() capture.Source { return s.Source(script.Options{}) }
		ids := said(t, open).ids()
		if len(ids) == 0 {
			t.Skip("no exchange in it")
		}
		plain, redacted := packets(t, written(t, cut(t, open, ids, nil, false))), packets(t, written(t, cut(t, open, ids, nil, true)))
		if len(plain) != len(redacted) {
			t.Fatalf("%d packets, and %d redacted", len(plain), len(redacted))
		}
		d := decode.New(decode.DefaultLimits())
		var seg decode.Segment
		for i := range plain {
			if len(plain[i].Data) != len(redacted[i].Data) || plain[i].Time != redacted[i].Time {
				t.Fatalf("packet %d is another", i+1)
			}
			d.Decode(&redacted[i], &seg)
		}
		if d.Stats().BadChecksums > 0 {
			t.Errorf("%d checksums are wrong", d.Stats().BadChecksums)
		}
	})
}
