package decode

import (
	"bytes"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expectscope/capture"
)

// A piece is a fragment of a datagram: octets from off to end.
type piece struct{ off, end int }

// split cuts n octets into pieces of size, a multiple of 8.
func split(n, size int) (all []piece) {
	for off := 0; off < n; off += size {
		all = append(all, piece{off, min(off+size, n)})
	}
	return all
}

func (p piece) frame(v6 bool, id int, whole []byte) []byte {
	more := p.end < len(whole)
	if v6 {
		return eth(0x86dd, fragment6(client6, server6, protoTCP, id, p.off, more, whole[p.off:p.end]))
	}
	return eth(0x0800, fragment4(client4, server4, protoTCP, id, p.off, more, whole[p.off:p.end]))
}

func segmentOf(v6 bool, payload string) []byte {
	if v6 {
		return tcp(client6, server6, 0x18, nil, payload)
	}
	return tcp(client4, server4, 0x18, nil, payload)
}

// feed decodes frames, a millisecond apart, and returns the segments found, with
// copies of their payloads.
func feed(d *Decoder, frames ...[]byte) (all []Segment) {
	for i, b := range frames {
		p, s := packet(capture.LinkEthernet, b), Segment{}
		p.Num, p.Time = capture.MakeNum(1, uint64(i+1)), int64(i)*1e6
		if d.Decode(p, &s) {
			s.Payload = bytes.Clone(s.Payload)
			all = append(all, s)
		}
	}
	return all
}

func TestFragments(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	text := string(bytes.Repeat([]byte("0123456789abcdef-"), 300))
	for _, v6 := range []bool{false, true} {
		for _, length := range []int{1, 3, 8, 500, len(text)} {
			for _, size := range []int{8, 16, 64, 1480} {
				whole := segmentOf(v6, text[:length])
				pieces := split(len(whole), size)
				if len(pieces) == 1 {
					continue
				}
				for range 4 {
					var frames [][]byte
					for _, p := range pieces {
						frames = append(frames, p.frame(v6, 77, whole))
					}
					d := New(Limits{})
					got := feed(d, frames...)
					want := Segment{
						Packet: capture.MakeNum(1, uint64(len(pieces))), Tap: 2, Time: int64(len(pieces)-1) * 1e6, Src: endpoint(client4), Dst: endpoint(server4),
						Seq: testSeq, Ack: testAck, Flags: PSH | ACK, TTL: testTTL, Sum: SumRight, Len: length, Payload: []byte(text[:length]),
					}
					if v6 {
						want.Src, want.Dst = endpoint(client6), endpoint(server6)
					}
					if diff := cmp.Diff([]Segment{want}, got); diff != "" {
						t.Fatalf("v6 %v, %d octets in %v: %s", v6, length, pieces, diff)
					}
					st := d.Stats()
					if f := (FragmentStats{Complete: 1}); st.Fragments != f || st.Kinds[Fragment] != uint64(len(pieces)-1) || st.Kinds[TCP] != 1 || st.BadChecksums != 0 || d.frags.bytes != 0 {
						t.Fatalf("v6 %v: %+v, %v, holds %d", v6, st.Fragments, st.Kinds, d.frags.bytes)
					}
					random.Shuffle(len(pieces), func(i, j int) { pieces[i], pieces[j] = pieces[j], pieces[i] })
				}
			}
		}
	}
}

// Two datagrams interleaved are told apart by each part of the key.
func TestFragmentKeys(t *testing.T) {
	one, two := segmentOf(false, "one, one, one, one"), segmentOf(false, "two, two, two, two")
	a, b := split(len(one), 24), split(len(two), 24)
	other := func(p piece) []byte { // the same id from another address
		return eth(0x0800, fragment4(router4, server4, protoTCP, 1, p.off, p.end < len(two), two[p.off:p.end]))
	}
	for name, frames := range map[string][][]byte{
		"id":      {a[0].frame(false, 1, one), b[0].frame(false, 2, two), b[1].frame(false, 2, two), a[1].frame(false, 1, one)},
		"address": {a[0].frame(false, 1, one), other(b[0]), other(b[1]), a[1].frame(false, 1, one)},
	} {
		got := feed(New(Limits{}), frames...)
		if len(got) != 2 || string(got[0].Payload) != "two, two, two, two" || string(got[1].Payload) != "one, one, one, one" {
			t.Errorf("%s: %+v", name, got)
		}
	}
	d, s := New(Limits{}), Segment{}
	for tap, p := range a {
		f := packet(1, p.frame(false, 1, one))
		f.Tap = uint16(tap)
		if d.Decode(f, &s) {
			t.Error("fragments of two taps made a datagram")
		}
	}
}

// Where fragments overlap, the octets that came first stay.
func TestFragmentOverlaps(t *testing.T) {
	first := segmentOf(false, "the first copy is what counts here")
	second := segmentOf(false, "THE SECOND COPY IS NOT WHAT COUNTS")
	frame := func(off, end int, from []byte) []byte { return piece{off, end}.frame(false, 1, from) }
	for _, c := range []struct {
		name     string
		frames   [][]byte
		want     string
		overlaps uint64
	}{
		{"duplicate", [][]byte{frame(0, 32, first), frame(0, 32, first), frame(32, 54, first)}, "the first copy is what counts here", 1},
		{"other octets", [][]byte{frame(0, 32, first), frame(0, 40, second), frame(40, 54, first)}, "", 1},
		{"behind a hole", [][]byte{frame(24, 40, first), frame(0, 48, second), frame(48, 54, first)}, "", 1},
		{"last twice", [][]byte{frame(32, 54, first), frame(32, 54, second), frame(0, 32, first)}, "the first copy is what counts here", 1},
	} {
		d := New(Limits{})
		got := feed(d, c.frames...)
		if len(got) != 1 || d.Stats().Fragments.Overlaps != c.overlaps {
			t.Errorf("%s: %d segments, %+v", c.name, len(got), d.Stats().Fragments)
			continue
		}
		if c.name == "behind a hole" {
			c.want = string(slices.Concat(second[20:24], first[24:40], second[40:48], first[48:54]))
		}
		if c.name == "other octets" {
			c.want = string(slices.Concat(first[20:32], second[32:40], first[40:54]))
		}
		if string(got[0].Payload) != c.want {
			t.Errorf("%s: %q, not %q", c.name, got[0].Payload, c.want)
		}
	}
}

func TestFragmentsRefused(t *testing.T) {
	whole := segmentOf(false, "0123456789012345678901234567890123456789")
	at := func(off int, more bool, b []byte) []byte {
		return eth(0x0800, fragment4(client4, server4, protoTCP, 1, off, more, b))
	}
	for _, c := range []struct {
		name   string
		frames [][]byte
		found  int
	}{
		{"beyond 65535", [][]byte{at(65528, false, whole[:16])}, 0},
		{"empty", [][]byte{at(64, true, nil)}, 0},
		{"less than a unit, not the last", [][]byte{at(64, true, whole[:7])}, 0},
		{"behind the end", [][]byte{at(32, false, whole[32:]), at(64, true, whole[:8]), at(0, true, whole[:32])}, 1},
		{"another end", [][]byte{at(32, false, whole[32:]), at(32, false, whole[32:50]), at(0, true, whole[:32])}, 1},
		{"an end before what came", [][]byte{at(0, true, whole[:32]), at(16, false, whole[:8]), at(32, false, whole[32:])}, 1},
	} {
		d := New(Limits{})
		if got := feed(d, c.frames...); len(got) != c.found || d.Stats().Fragments.Refused != 1 {
			t.Errorf("%s: %d segments, %+v", c.name, len(got), d.Stats().Fragments)
		}
	}
	// A datagram of 65,535 octets is one.
	big := segmentOf(true, string(make([]byte, 65535-20)))
	var frames [][]byte
	for _, p := range split(len(big), 1440) {
		frames = append(frames, p.frame(true, 9, big))
	}
	if got := feed(New(Limits{}), frames...); len(got) != 1 || got[0].Len != 65515 {
		t.Errorf("the largest datagram: %d segments", len(got))
	}
}

// A capture that cuts frames leaves a hole in each fragment: what is in front of
// the first hole is payload.
func TestFragmentsCut(t *testing.T) {
	text := string(bytes.Repeat([]byte("0123456789abcdef"), 200))
	whole := segmentOf(false, text)
	for _, order := range [][]int{{0, 1, 2}, {2, 1, 0}, {1, 2, 0}} {
		for _, cutting := range [][]int{{0, 1, 2}, {1}, {2}, {1, 2}} {
			d, s, found := New(Limits{}), Segment{}, 0
			for _, i := range order {
				p := packet(1, split(len(whole), 1480)[i].frame(false, 1, whole))
				if slices.Contains(cutting, i) {
					p.Data = p.Data[:100]
				}
				if d.Decode(p, &s) {
					found++
				}
			}
			want := cutting[0]*1480 + 100 - 14 - 20 - 20
			if found != 1 || s.Len != len(text) || string(s.Payload) != text[:want] {
				t.Errorf("order %v, cut %v: %d segments, Len %d, %d captured, not %d", order, cutting, found, s.Len, len(s.Payload), want)
			}
		}
	}
}

func TestFragmentsExpire(t *testing.T) {
	whole := segmentOf(false, "0123456789012345678901234567890123456789")
	pieces := split(len(whole), 32)
	for _, c := range []struct {
		wait  time.Duration
		found bool
		stats FragmentStats
	}{
		{30 * time.Second, true, FragmentStats{Complete: 1}},
		{30*time.Second + 1, false, FragmentStats{Expired: 1, Waiting: 1}},
		{-time.Hour, true, FragmentStats{Complete: 1}}, // clocks are set
	} {
		d, s := New(Limits{}), Segment{}
		d.Decode(packet(1, pieces[0].frame(false, 1, whole)), &s)
		p := packet(1, pieces[1].frame(false, 1, whole))
		p.Time += int64(c.wait)
		if ok := d.Decode(p, &s); ok != c.found || d.Stats().Fragments != c.stats {
			t.Errorf("after %v: %v, %+v", c.wait, ok, d.Stats().Fragments)
		}
	}
}

func TestFragmentsEvicted(t *testing.T) {
	whole := segmentOf(false, string(make([]byte, 60_000)))
	last := split(len(whole), 59_992)[1]
	for _, c := range []struct {
		limits  Limits
		waiting int
	}{
		{Limits{Datagrams: 3}, 3},
		{Limits{Bytes: 210_000}, 3},
		{Limits{Bytes: 1}, 1}, // the newest always stays: a limit is no reason to forget what just came
	} {
		d := New(c.limits)
		for id := range 50 {
			feed(d, last.frame(false, id, whole))
			if n := d.frags.bytes; id > 0 && n > max(d.frags.limits.Bytes, 70_000) {
				t.Fatalf("%+v: holds %d octets", c.limits, n)
			}
		}
		got := d.Stats().Fragments
		if got.Waiting != c.waiting || got.Evicted != uint64(50-c.waiting) || got.Expired != 0 {
			t.Errorf("%+v: %+v", c.limits, got)
		}
		if found := feed(d, piece{0, 59_992}.frame(false, 49, whole)); len(found) != 1 {
			t.Errorf("%+v: the newest was given up", c.limits)
		}
	}
}

// Fragments inside and outside of tunnels, and behind extension headers.
func TestFragmentsNested(t *testing.T) {
	cutInTwo := func(next byte, id int, payload []byte) [][]byte {
		return [][]byte{
			fragment4(router4, mirror4, next, id, 0, true, payload[:64]),
			fragment4(router4, mirror4, next, id, 64, false, payload[64:]),
		}
	}
	whole := segmentOf(true, testText)
	options := join([]byte{protoTCP, 0, 1, 4, 0, 0, 0, 0}, whole)
	part := func(off, end int) []byte { // destination options are in the fragmentable part
		return fragment6(client6, server6, protoOptions, 5, off, end < len(options), options[off:end])
	}
	var frames [][]byte
	for _, inner := range [][]byte{part(0, 24), part(24, len(options))} {
		for _, outer := range cutInTwo(17, 10+len(frames), udp(4789, join([]byte{8, 0, 0, 0, 0, 0, 7, 0}, eth(0x86dd, inner)))) {
			frames = append(frames, eth(0x0800, outer))
		}
	}
	d := New(Limits{})
	got := feed(d, frames...)
	if len(got) != 1 || string(got[0].Payload) != testText || got[0].Src != endpoint(client6) || d.Stats().Fragments.Complete != 3 {
		t.Errorf("%d segments, %+v: %+v", len(got), d.Stats().Fragments, got)
	}
}

// FuzzFragments holds the defragmenter to a model that keeps every octet in an
// array. Each three octets of script are a fragment: offset, length, last.
func FuzzFragments(f *testing.F) {
	f.Add([]byte{0, 3, 0, 3, 3, 1})
	f.Add([]byte{3, 3, 1, 0, 3, 0})
	f.Add([]byte{0, 4, 0, 2, 4, 0, 6, 1, 1, 1, 1, 0})
	f.Add([]byte{5, 2, 1, 9, 1, 0, 0, 9, 0, 0, 5, 0})
	f.Fuzz(func(t *testing.T, script []byte) {
		var stats FragmentStats
		d := defragmenter{limits: Limits{Datagrams: 4, Bytes: 1 << 20, Age: time.Second}, stats: &stats}
		model, end := map[int]byte{}, -1
		most := 0 // end of the octets that came
		for i := 0; i+3 <= len(script) && i < 3*100; i += 3 {
			off, length, more := int(script[i])*unit, int(script[i+1]), script[i+2]&1 == 0
			content := bytes.Repeat([]byte{byte(i/3 + 1)}, length)
			_, got, ok := d.add(datagramKey{}, fragment{view{data: content, wire: length}, off, more, protoTCP}, 0)
			if more {
				length = length / unit * unit
			}
			stop := off + length
			if length == 0 || end >= 0 && (stop > end || !more && stop != end) || !more && most > stop {
				continue
			}
			if !more {
				end = stop
			}
			for o := off; o < stop; o++ {
				if _, there := model[o]; !there {
					model[o] = byte(i/3 + 1)
				}
			}
			most = max(most, stop)
			if complete := end >= 0 && len(model) == end; complete != ok {
				t.Fatalf("fragment %d: complete %v, want %v", i/3, ok, complete)
			}
			if !ok {
				continue
			}
			if got.wire != end || len(got.data) != end {
				t.Fatalf("datagram of %d octets, %d captured, not %d", got.wire, len(got.data), end)
			}
			for o, b := range got.data {
				if model[o] != b {
					t.Fatalf("octet %d is of fragment %d, not %d", o, b, model[o])
				}
			}
			if d.bytes != 0 || stats.Waiting != 0 {
				t.Fatalf("holds %d octets, %d datagrams", d.bytes, stats.Waiting)
			}
			clear(model)
			end, most = -1, 0
		}
	})
}
