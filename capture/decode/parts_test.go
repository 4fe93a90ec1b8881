package decode

import (
	"bytes"
	"slices"
	"testing"

	"expectscope/capture"
)

// The parts of a datagram, laid out by their places in their frames, are the datagram; the segment is a view of it.
func TestDatagram(t *testing.T) {
	for _, v6 := range []bool{false, true} {
		whole := segmentOf(v6, string(bytes.Repeat([]byte("0123456789"), 20)))
		d, s := New(Limits{}), Segment{}
		frames := map[capture.Num][]byte{}
		var got []byte
		var parts []Part
		pieces := split(len(whole), 48)
		slices.Reverse(pieces)
		for i, f := range pieces {
			p := packet(capture.LinkEthernet, append(f.frame(v6, 7, whole), "trailer"...))
			p.Num = capture.MakeNum(1, uint64(i+1))
			frames[p.Num] = p.Data
			found := d.Decode(p, &s)
			if found != (i == len(pieces)-1) {
				t.Fatalf("fragment %d: a segment: %v", i, found)
			}
			if got, parts = d.Datagram(); (parts != nil) != found {
				t.Fatalf("fragment %d: parts %v", i, parts)
			}
		}
		if !bytes.Equal(got, whole) || len(parts) != len(pieces) {
			t.Fatalf("v6 %v: %d octets of %d, in %d parts of %d", v6, len(got), len(whole), len(parts), len(pieces))
		}
		joined := make([]byte, len(whole))
		for _, p := range parts {
			copy(joined[p.Off:], frames[p.Packet][p.At:p.At+p.Len])
		}
		if !bytes.Equal(joined, whole) {
			t.Errorf("v6 %v: the parts do not make the datagram: %+v", v6, parts)
		}
		if at := cap(got) - cap(s.Payload); &got[at] != &s.Payload[0] {
			t.Error("the payload is no view of the datagram")
		}
		p := packet(capture.LinkEthernet, eth(0x0800, ip4(client4, server4, protoTCP, segmentOf(false, "whole"))))
		if !d.Decode(p, &s) {
			t.Fatal("a whole frame is not decoded")
		}
		if b, parts := d.Datagram(); b != nil || parts != nil {
			t.Errorf("a frame that came whole has parts %+v", parts)
		}
	}
}

// The same small fragment again and again does not grow its datagram.
func TestPartsAreBounded(t *testing.T) {
	d, s := New(Limits{}), Segment{}
	whole := segmentOf(false, string(make([]byte, 60_000)))
	p := packet(capture.LinkEthernet, piece{0, 8}.frame(false, 7, whole))
	for range 10 * maxParts {
		d.Decode(p, &s)
	}
	if n := len(d.frags.waiting[0].parts); n != maxParts {
		t.Errorf("%d parts are noted", n)
	}
}
