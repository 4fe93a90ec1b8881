package decode

import (
	"bytes"
	"testing"

	"expectscope/capture"
)

// FuzzDecode decodes two frames of any link type with one decoder: no panic,
// counts that add up, and a payload that is in the frame (or, of fragments, was
// put together) and no longer than its length.
func FuzzDecode(f *testing.F) {
	for _, v := range vectors() {
		f.Add(uint16(v.link), v.frame, v.frame[:len(v.frame)-20], uint16(20))
	}
	whole := segmentOf(true, testText)
	pieces := split(len(whole), 40)
	f.Add(uint16(1), pieces[0].frame(true, 1, whole), pieces[1].frame(true, 1, whole), uint16(0))
	f.Fuzz(func(t *testing.T, link uint16, one, two []byte, cut uint16) {
		d, s := New(Limits{}), Segment{}
		for _, frame := range [][]byte{one, two, one} {
			p := packet(capture.LinkType(link), frame)
			p.Len += int(cut)
			if !d.Decode(p, &s) {
				continue
			}
			if s.Len < len(s.Payload) || s.Packet != p.Num || s.Tap != p.Tap || s.Time != p.Time {
				t.Fatalf("%+v", s)
			}
			if d.Stats().Fragments.Complete == 0 && !bytes.Contains(frame, s.Payload) {
				t.Fatalf("payload %q is not in the frame", s.Payload)
			}
		}
		if n := d.Stats().Frames(); n != 3 {
			t.Fatalf("3 frames counted as %d", n)
		}
		if d.frags.bytes > 3*(maxDatagram*2+datagramCost) || len(d.frags.waiting) > 3 {
			t.Fatalf("%d fragments hold %d octets", len(d.frags.waiting), d.frags.bytes)
		}
	})
}
