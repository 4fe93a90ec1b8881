package live

import (
	"encoding/binary"
	"hash/maphash"
	"time"
)

// A packet that crosses this machine is seen on every interface on its way:
// the container's, the bridge, the network card. copyWindow is how long after
// the first sight another one is a copy: more than a queue between two
// interfaces holds a packet, less than TCP waits to repeat one (RFC 6298 has a
// second, Linux 0.2).
const copyWindow = int64(100 * time.Millisecond)

// copySlots bounds how many packets are remembered: 100 ms at 160,000 a second.
const copySlots = 1 << 14

// fingerprinted is how many bytes from the IP header on tell two packets apart,
// beside their length: all headers, sequence numbers with them.
const fingerprinted = 128

// copies recognizes packets that were seen on another interface. It remembers
// the last ones in slots by their fingerprint; a slot that another packet takes
// is forgotten.
type copies struct {
	seed  maphash.Seed
	slots []sighting
	n     uint64 // copies seen
}

// A sighting is a packet seen at a place.
type sighting struct {
	fingerprint uint64
	time        int64
	place       uint64
}

func newCopies() *copies {
	return &copies{seed: maphash.MakeSeed(), slots: make([]sighting, copySlots)}
}

// seen tells whether the packet, whose data begin with the network header, was
// seen elsewhere just before. At the place where it was seen first the same
// bytes are a packet of their own: that is a sender who repeats.
func (c *copies) seen(f *frame) bool {
	packet, ok := networkPacket(f.protocol, f.data())
	if !ok {
		return false
	}
	place := uint64(f.index) << 1
	if f.direction == outgoing {
		place |= 1
	}
	print := c.fingerprint(packet, f.wire-len(f.data())+len(packet))
	s := &c.slots[print%copySlots]
	age := f.time - s.time
	if s.fingerprint == print && s.place != place && -copyWindow < age && age < copyWindow {
		c.n++
		return true
	}
	*s = sighting{print, f.time, place}
	return false
}

// networkPacket is the IP packet behind VLAN tags.
func networkPacket(protocol uint16, b []byte) ([]byte, bool) {
	for (protocol == 0x8100 || protocol == 0x88a8) && len(b) >= 4 {
		protocol, b = binary.BigEndian.Uint16(b[2:]), b[4:]
	}
	return b, protocol == 0x0800 && len(b) >= 20 || protocol == 0x86dd && len(b) >= 40
}

// fingerprint identifies an IP packet by its beginning and length, whatever
// the machine does to it on its way: the time to live goes down, and checksums
// are filled in by the last interface.
func (c *copies) fingerprint(packet []byte, length int) uint64 {
	var b [fingerprinted + 4]byte
	n := copy(b[:fingerprinted], packet)
	binary.NativeEndian.PutUint32(b[fingerprinted:], uint32(length))
	head, protocol := 40, b[6]
	if b[0]>>4 == 4 {
		head, protocol = int(b[0]&15)*4, b[9]
		b[8], b[10], b[11] = 0, 0, 0 // time to live, header checksum
	} else {
		b[7] = 0 // hop limit
	}
	sum := 0
	switch protocol {
	case 6: // TCP
		sum = head + 16
	case 17: // UDP
		sum = head + 6
	}
	if sum > 0 && sum+2 <= n {
		b[sum], b[sum+1] = 0, 0
	}
	return maphash.Bytes(c.seed, b[:])
}
