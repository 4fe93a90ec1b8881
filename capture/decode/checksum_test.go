package decode

import (
	"bytes"
	"testing"
)

func TestChecksum(t *testing.T) {
	text := string(bytes.Repeat([]byte("\xff\x01\x00\x80expect"), 12))
	for n := range text {
		for _, v6 := range []bool{false, true} {
			frame := eth(0x0800, ip4(client4, server4, protoTCP, tcp(client4, server4, 0x10, nil, text[:n])))
			if v6 {
				frame = eth(0x86dd, ip6(client6, server6, protoTCP, tcp(client6, server6, 0x10, nil, text[:n])))
			}
			for _, bad := range []uint64{0, 1} {
				d, s := New(Limits{}), Segment{}
				frame[len(frame)-1-n/2] ^= byte(0x40 * bad)
				ok := d.Decode(packet(1, frame), &s)
				if got := d.Stats(); !ok || got.Checksums != 1 || got.BadChecksums != bad {
					t.Fatalf("%d octets, v6 %v: decoded %v, %d of %d bad, not %d", n, v6, ok, got.BadChecksums, got.Checksums, bad)
				}
			}
		}
	}
}

// Every vector has a right checksum: the pseudo header must be that of the
// innermost packet, and of its final destination.
func TestChecksumInTunnels(t *testing.T) {
	for _, v := range vectors() {
		d, s := New(Limits{}), Segment{}
		d.Decode(packet(v.link, v.frame), &s)
		if got := d.Stats(); got.Checksums != 1 || got.BadChecksums != 0 {
			t.Errorf("%s: %d of %d bad", v.name, got.BadChecksums, got.Checksums)
		}
	}
}

func TestChecksumSample(t *testing.T) {
	bad := eth(0x0800, get4())
	bad[14+20+16] ^= 1
	d, s := New(Limits{}), Segment{}
	for range checkedFirst + 10*checkedOneIn {
		d.Decode(packet(1, bad), &s)
		d.Decode(packet(1, eth(0x0806, nil)), &s) // counts for nothing
	}
	if got, want := d.Stats().BadChecksums, uint64(checkedFirst+10); got != want || d.Stats().Checksums != want {
		t.Errorf("%d of %d bad, not %d", got, d.Stats().Checksums, want)
	}
	cut := packet(1, bad[:len(bad)-1])
	cut.Len++
	d = New(Limits{})
	if d.Decode(cut, &s); d.Stats().Checksums != 0 {
		t.Error("a checksum over octets that were not captured")
	}
}
