package script

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"strings"
	"time"

	"expectscope/capture"
)

// A tester is what fails: a test, a fuzz target or a property.
type tester interface {
	Helper()
	Errorf(format string, args ...any)
	Fatalf(format string, args ...any)
}

// A tape is one packet as these tests read it back: by hand from the bytes of
// the frame, so that the reading shares no code with the writing.
type tape struct {
	at       time.Duration
	src, dst netip.AddrPort
	ttl      uint8
	flags    uint8
	seq, ack uint32
	mss      int
	payload  []byte
	wire     int // payload bytes on the wire
	arp      bool
}

// read takes a frame apart and fails the test when a length or a checksum in it
// is wrong.
func read(t tester, p *capture.Packet) tape {
	t.Helper()
	r := tape{at: time.Duration(p.Time - Start)}
	if p.Link != capture.LinkEthernet || p.Len < len(p.Data) {
		t.Fatalf("packet %d: link %d, %d of %d bytes", p.Num.Frame(), p.Link, len(p.Data), p.Len)
	}
	ip := p.Data[14:]
	var pseudo []byte
	var n int
	switch kind := binary.BigEndian.Uint16(p.Data[12:]); kind {
	case 0x0806:
		r.arp = true
		return r
	case 0x0800:
		if got := onesSum(ip[:20]); got != 0xffff {
			t.Errorf("packet %d: IPv4 header sums to %#x", p.Num.Frame(), got)
		}
		n = int(binary.BigEndian.Uint16(ip[2:])) - 20
		r.ttl, pseudo = ip[8], ip[12:20]
		if ip[9] != 6 {
			t.Fatalf("packet %d: protocol %d", p.Num.Frame(), ip[9])
		}
		ip = ip[20:]
	case 0x86dd:
		n = int(binary.BigEndian.Uint16(ip[4:]))
		r.ttl, pseudo = ip[7], ip[8:40]
		ip = ip[40:]
	default:
		t.Fatalf("packet %d: EtherType %#x", p.Num.Frame(), kind)
	}
	half := len(pseudo) / 2
	src, _ := netip.AddrFromSlice(pseudo[:half])
	dst, _ := netip.AddrFromSlice(pseudo[half:])
	r.src = netip.AddrPortFrom(src, binary.BigEndian.Uint16(ip))
	r.dst = netip.AddrPortFrom(dst, binary.BigEndian.Uint16(ip[2:]))
	r.seq, r.ack = binary.BigEndian.Uint32(ip[4:]), binary.BigEndian.Uint32(ip[8:])
	r.flags = ip[13]
	header := int(ip[12]>>4) * 4
	if header > 20 {
		r.mss = int(binary.BigEndian.Uint16(ip[22:]))
	}
	r.wire = n - header
	r.payload = ip[header:]
	if len(p.Data) < p.Len {
		return r
	}
	if n != len(ip) {
		t.Errorf("packet %d: IP says %d bytes, there are %d", p.Num.Frame(), n, len(ip))
	}
	pseudo = append(slices.Clone(pseudo), 0, 6, byte(n>>8), byte(n))
	if got := onesSum(pseudo, ip); got != 0xffff {
		t.Errorf("packet %d: TCP segment sums to %#x", p.Num.Frame(), got)
	}
	return r
}

// onesSum is the one's complement sum; 0xffff over bytes that hold their own
// checksum.
func onesSum(parts ...[]byte) uint32 {
	var sum uint32
	for _, b := range parts {
		for i, x := range b {
			if i%2 == 0 {
				sum += uint32(x) << 8
			} else {
				sum += uint32(x)
			}
			sum = sum>>16 + sum&0xffff
		}
	}
	return sum
}

func readAll(t tester, packets []capture.Packet) []tape {
	t.Helper()
	tapes := make([]tape, len(packets))
	for i := range packets {
		if want := capture.MakeNum(1, uint64(i+1)); packets[i].Num != want {
			t.Errorf("packet %d has number %v", i+1, packets[i].Num)
		}
		if i > 0 && packets[i].Time < packets[i-1].Time {
			t.Errorf("packet %d goes back in time by %dns", i+1, packets[i-1].Time-packets[i].Time)
		}
		tapes[i] = read(t, &packets[i])
	}
	return tapes
}

// transcript writes a capture as one line a packet, with sequence numbers that
// start at 0 as Wireshark shows them (isn=1000,2000 is the default).
func transcript(tapes []tape) string {
	var b strings.Builder
	for _, r := range tapes {
		if r.arp {
			fmt.Fprintf(&b, "%v arp\n", r.at)
			continue
		}
		arrow, mine, theirs := ">", uint32(1000), uint32(2000)
		if r.src.Port() < 1024 {
			arrow, mine, theirs = "<", theirs, mine
		}
		fmt.Fprintf(&b, "%v %s %s seq=%d", r.at, arrow, flagNames(r.flags), r.seq-mine)
		if r.flags&ackFlag != 0 {
			fmt.Fprintf(&b, " ack=%d", r.ack-theirs)
		}
		if r.wire > 0 {
			fmt.Fprintf(&b, " len=%d", r.wire)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

func flagNames(f uint8) string {
	s := ""
	for i, c := range "FSRPA" {
		if f&(1<<i) != 0 {
			s += string(c)
		}
	}
	if s == "" {
		return "-"
	}
	return s
}

// trim takes the indentation off an expectation.
func trim(s string) string {
	var b strings.Builder
	for _, l := range strings.Split(s, "\n") {
		if l = strings.TrimSpace(l); l != "" {
			b.WriteString(l + "\n")
		}
	}
	return b.String()
}

func parse(t tester, text string) *Script {
	t.Helper()
	s, err := Parse(text)
	if err != nil {
		t.Fatalf("%v", err)
	}
	return s
}

// stream is what one side sent, put together from the packets by sequence
// number; it fails the test when a byte is missing.
func stream(t tester, tapes []tape, src netip.AddrPort, isn uint32) string {
	t.Helper()
	var b []byte
	for _, r := range tapes {
		if r.arp || r.src != src || len(r.payload) == 0 {
			continue
		}
		at := int(r.seq - isn - 1)
		if at > len(b) {
			t.Fatalf("byte %d of %v was never sent", len(b), src)
		}
		b = append(b[:at], append(slices.Clone(r.payload), b[min(len(b), at+len(r.payload)):]...)...)
	}
	return string(b)
}

// audit holds a capture to TCP's arithmetic: each side's segments follow one
// another without a hole, and it acknowledges no less than before and no more
// than the other side had sent by then. Scripts that ask for damage, or write
// acknowledgements by hand, are excepted.
func audit(t tester, s *Script, tapes []tape) {
	t.Helper()
	type half struct{ next, acked uint32 }
	halves := map[[2]netip.AddrPort]*half{}
	for _, c := range s.conns {
		for from, addr := range c.addr {
			k := [2]netip.AddrPort{addr, c.addr[1-from]}
			if halves[k] != nil || c.only != nil {
				return // the same endpoints twice
			}
			halves[k] = &half{next: c.isn[from], acked: c.isn[1-from]}
			if c.nosyn {
				halves[k].next++
			}
		}
	}
	for _, a := range s.acts {
		for _, m := range a.mods.given {
			if slices.Contains([]string{"lost", "dup", "late", "ack"}, m) {
				return
			}
		}
	}
	for i, r := range tapes {
		if r.arp {
			continue
		}
		me, them := halves[[2]netip.AddrPort{r.src, r.dst}], halves[[2]netip.AddrPort{r.dst, r.src}]
		if r.seq != me.next {
			t.Errorf("packet %d: seq %d, want %d", i+1, r.seq, me.next)
		}
		me.next += uint32(r.wire)
		if r.flags&(synFlag|finFlag) != 0 {
			me.next++
		}
		if r.flags&ackFlag == 0 {
			continue
		}
		if back, ahead := int32(r.ack-me.acked) < 0, int32(r.ack-them.next) > 0; back || ahead {
			t.Errorf("packet %d: ack %d after %d, and the other side is at %d", i+1, r.ack, me.acked, them.next)
		}
		me.acked = r.ack
	}
}
