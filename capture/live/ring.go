package live

import (
	"encoding/binary"
	"sync/atomic"
	"unsafe"
)

// Offsets in a block of the ring and in a record of it: struct tpacket_hdr_v1
// inside struct tpacket_block_desc, struct tpacket3_hdr with the struct
// sockaddr_ll behind it (linux/if_packet.h). All numbers are in the machine's
// byte order but where said.
const (
	blockStatus = 8
	blockCount  = 12
	blockFirst  = 16
	blockHeader = 48

	recordNext    = 0
	recordSec     = 4
	recordNsec    = 8
	recordSnap    = 12
	recordLen     = 16
	recordStatus  = 20
	recordMAC     = 24
	recordTCI     = 32
	recordTPID    = 36
	recordHeader  = 48
	linkProtocol  = recordHeader + 2 // big endian
	linkIndex     = recordHeader + 4
	linkHardware  = recordHeader + 8
	linkDirection = recordHeader + 10
	linkAddrLen   = recordHeader + 11
	linkAddr      = recordHeader + 12
	recordEnd     = recordHeader + 20 // what is before the frame may be overwritten from here on
)

// Bits of a block's and of a record's status.
const (
	blockIsOurs = 1 << 0 // TP_STATUS_USER
	hasTCI      = 1 << 4 // TP_STATUS_VLAN_VALID
	hasTPID     = 1 << 6 // TP_STATUS_VLAN_TPID_VALID
)

// room is how many bytes the kernel leaves free before a frame, for a link
// header and a VLAN tag (PACKET_RESERVE).
const room = 32

// A ring is memory shared with the kernel: blocks that belong to the kernel or
// to us, in turn.
type ring struct {
	mem    []byte
	size   int // of a block
	at     int // where the current block begins
	held   bool
	block  []byte // the current block, while it is held
	left   uint32 // records of it that were not handed out
	record int    // where the next one begins

	malformed uint64
}

// A frame is one record of the ring.
type frame struct {
	time int64
	// mem is free room and then, from start on, the frame.
	mem   []byte
	start int
	wire  int
	// tag tells whether the kernel stripped a VLAN tag.
	tag       bool
	tci, tpid uint16
	protocol  uint16 // EtherType
	index     uint32 // of the interface
	hardware  uint16 // ARPHRD_
	direction byte   // PACKET_HOST … PACKET_OUTGOING
	addrLen   byte
	addr      [8]byte
}

func (f *frame) data() []byte { return f.mem[f.start:] }

// take gives the block back that was handed out, and takes the next one if the
// kernel has finished it.
func (r *ring) take() bool {
	r.release()
	if atomic.LoadUint32(r.word(blockStatus))&blockIsOurs == 0 {
		return false
	}
	r.block, r.held = r.mem[r.at:r.at+r.size], true
	r.left = binary.NativeEndian.Uint32(r.block[blockCount:])
	r.record = int(binary.NativeEndian.Uint32(r.block[blockFirst:]))
	return true
}

// release gives the held block back. Its count is cleared, so that pending
// never sees the last one.
func (r *ring) release() {
	if !r.held {
		return
	}
	atomic.StoreUint32(r.word(blockCount), 0)
	atomic.StoreUint32(r.word(blockStatus), 0)
	r.held, r.block, r.left = false, nil, 0
	if r.at += r.size; r.at == len(r.mem) {
		r.at = 0
	}
}

// pending tells whether the kernel has put packets into a block that it has not
// finished. No block is held.
func (r *ring) pending() bool { return atomic.LoadUint32(r.word(blockCount)) > 0 }

// word is a number of the current block's header that the kernel may change.
func (r *ring) word(off int) *uint32 { return (*uint32)(unsafe.Pointer(&r.mem[r.at+off])) }

// next reads the next record of the held block. One that cannot be right ends
// the block.
func (r *ring) next(f *frame) bool {
	if r.left == 0 {
		return false
	}
	r.left--
	if r.read(f) {
		return true
	}
	r.malformed++
	r.left = 0
	return false
}

func (r *ring) read(f *frame) bool {
	if r.record < blockHeader || r.record > len(r.block)-recordEnd {
		return false
	}
	b := r.block[r.record:]
	num := binary.NativeEndian
	start, snap := int(num.Uint16(b[recordMAC:])), int(num.Uint32(b[recordSnap:]))
	if start < recordEnd || snap < 0 || snap > len(b)-start { // snap wraps where int has 32 bits
		return false
	}
	f.time = int64(num.Uint32(b[recordSec:]))*1e9 + int64(num.Uint32(b[recordNsec:]))
	f.mem, f.start = b[recordEnd:start+snap:start+snap], start-recordEnd
	f.wire = max(int(num.Uint32(b[recordLen:])), snap)
	status := num.Uint32(b[recordStatus:])
	f.tag, f.tci, f.tpid = status&hasTCI != 0, num.Uint16(b[recordTCI:]), 0x8100
	if status&hasTPID != 0 {
		f.tpid = num.Uint16(b[recordTPID:])
	}
	f.protocol = binary.BigEndian.Uint16(b[linkProtocol:])
	f.index = num.Uint32(b[linkIndex:])
	f.hardware = num.Uint16(b[linkHardware:])
	f.direction, f.addrLen = b[linkDirection], b[linkAddrLen]
	f.addr = [8]byte(b[linkAddr:])
	if r.left > 0 {
		step := int(num.Uint32(b[recordNext:]))
		if step < start+snap || step > len(b) {
			r.left = 0 // this record is sound, what follows it is not
			r.malformed++
		}
		r.record += step
	}
	return true
}
