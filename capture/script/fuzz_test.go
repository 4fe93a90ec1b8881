package script

import (
	"os"
	"testing"
)

// FuzzScript holds that no text makes Parse panic, and that whatever parses
// gives packets with right lengths and checksums in the order of time, whole
// and in pieces, the same bytes in both.
func FuzzScript(f *testing.F) {
	worked, err := os.ReadFile("testdata/worked.txt")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(worked))
	for _, seed := range []string{
		opened + "> PUT / HTTP/1.1 | Host: a\n+20ms < HTTP/1.1 417 No | Content-Length: 0\n+60s @end",
		"@conn a 10.0.0.1:1 10.0.0.2:2 rtt=40ms mss=3 isn=4294967295,0 ttl=1,2 nosyn only=client\na> body 10 [seg 2] [late 3]",
		"@conn [2001:db8::1]:1 [2001:db8::2]:2\n> \"\\x00\" [dup 1ms] [snap 90]\n< chunk 3;x [blind]\n< lastchunk | A: b\n> fin\n< rst",
		opened + "> body 9 [split 1,2,3] [lost 2-3]\n< \"a\" [cork]\n< \"b\" [ack 5]\n> ack [ack none]\n> body 3 [oneseg] [ttl 9]\n< fin [ack prev]",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := Parse(text)
		if err != nil {
			return
		}
		bytes := 0
		snapped := false
		for _, a := range s.acts {
			bytes += len(a.data)
			snapped = snapped || a.mods.snap > 0
		}
		if bytes > 1<<16 || snapped {
			return // slow in pieces, or cut inside its headers
		}
		data := s.DataPackets(Options{})
		for _, o := range []Options{{}, {SegmentSize: 1}, {Drop: 1}} {
			tapes := readAll(t, s.Packets(o))
			if o.Drop == 0 {
				audit(t, s, tapes)
			}
			if got := count(tapes); o.SegmentSize == 0 && got != max(0, data-min(o.Drop, data)) {
				t.Errorf("%+v: %d of %d packets with data", o, got, data)
			}
		}
	})
}
