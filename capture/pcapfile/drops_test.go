package pcapfile

import (
	"bytes"
	"testing"

	"expectscope/capture"
)

// Drops that are written are read back, the latest of each link type.
func TestWriteDrops(t *testing.T) {
	var b bytes.Buffer
	w := NewNgWriter(&b)
	for _, d := range []struct {
		link capture.LinkType
		n    uint64
	}{{capture.LinkEthernet, 3}, {capture.LinkSLL2, 40}, {capture.LinkEthernet, 7}} {
		if err := w.WritePacket(&capture.Packet{Link: d.link, Data: []byte("x"), Len: 1, Time: 1}, ""); err != nil {
			t.Fatal(err)
		}
		if err := w.WriteDrops(d.link, 2, d.n); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	s, err := Open([]string{"-"}, Options{Stdin: &b})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(drain(t, s)); got != 3 {
		t.Errorf("%d packets, want 3", got)
	}
	if in := s.Stats().Inputs[0]; in.Drops != 47 || !in.DropsKnown || in.Err != nil {
		t.Errorf("drops %d (known: %v, %v), want 47", in.Drops, in.DropsKnown, in.Err)
	}
}
