package decode

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"expectscope/capture"
)

// TestLab decodes one recorded mix of connections in the disguises the lab has
// of it: each must give the same segments, in the same order.
func TestLab(t *testing.T) {
	base, counts := labSegments(t, "A50-base-mix.pcap")
	if len(base) == 0 || counts.Kinds[TCP] != counts.Frames() {
		t.Fatalf("A50: %d segments, %v", len(base), counts.Kinds)
	}
	for _, c := range []struct {
		name    string
		offload bool
		pieces  bool
	}{
		{name: "A61-vlan"},
		{name: "A62-qinq"},
		{name: "A63-vxlan"},
		{name: "A64-gre"},
		{name: "A65-mpls"},
		{name: "A66-raw-ip"},
		{name: "A67-null-loop"},
		{name: "A83-bad-tcp-checksums"},
		{name: "A84-ip-length-zero", offload: true},
		{name: "A90-ip-fragments", pieces: true},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, counts := labSegments(t, c.name+".pcap")
			if len(got) != len(base) {
				t.Fatalf("%d segments, not %d: %v", len(got), len(base), counts.Kinds)
			}
			for i := range got {
				if diff := cmp.Diff(base[i], got[i]); diff != "" {
					t.Fatalf("segment %d: %s", i, diff)
				}
			}
			if c.offload != (counts.Offload > 0) || c.pieces != (counts.Fragments.Complete > 0) {
				t.Errorf("%d offloaded, %+v", counts.Offload, counts.Fragments)
			}
		})
	}
}

// labSegments decodes a capture of the lab. Time and place are left out of the
// segments, and TTL, which tunnels change.
func labSegments(t *testing.T, name string) (all []Segment, counts *Stats) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "..", "shared", "lab", name))
	if errors.Is(err, fs.ErrNotExist) {
		t.Skip("the lab's captures are not here")
	} else if err != nil {
		t.Fatal(err)
	}
	const fileHead, recordHead, magic = 24, 16, 0xa1b2c3d4 // classic pcap, little-endian
	le := binary.LittleEndian
	if len(b) < fileHead || le.Uint32(b) != magic {
		t.Fatalf("%s is not such a file", name)
	}
	link := capture.LinkType(le.Uint32(b[20:]))
	d := New(Limits{})
	for b = b[fileHead:]; len(b) >= recordHead; {
		n := int(le.Uint32(b[8:]))
		p := &capture.Packet{Time: int64(le.Uint32(b)) * 1e9, Len: int(le.Uint32(b[12:])), Link: link, Data: b[recordHead : recordHead+n]}
		var s Segment
		if d.Decode(p, &s) {
			s.Time, s.TTL = 0, 0
			all = append(all, s)
		}
		b = b[recordHead+n:]
	}
	return all, d.Stats()
}

func TestAddrPort(t *testing.T) {
	for _, v := range vectors() {
		s, _ := decodeOne(t, packet(v.link, v.frame))
		src, dst := client4, server4
		if v.v6 {
			src, dst = client6, server6
		}
		if s.Src.AddrPort() != src || s.Dst.AddrPort() != dst {
			t.Errorf("%s: %v to %v", v.name, s.Src.AddrPort(), s.Dst.AddrPort())
		}
	}
}
