package live

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"testing"

	"expectscope/capture"
	"expectscope/capture/pcapfile"
)

// A record is a packet as the kernel puts it into a ring.
type record struct {
	time      int64
	data      string
	wire      int // 0: len(data)
	room      int // before the data; 0: what the kernel leaves
	tci, tpid uint16
	protocol  uint16
	index     uint32
	hardware  uint16
	direction byte
	addr      string
}

// block lays records out in a block as the kernel does (linux/if_packet.h).
func block(size int, rs ...record) []byte {
	b := make([]byte, size)
	num := binary.NativeEndian
	num.PutUint32(b[blockStatus:], blockIsOurs)
	num.PutUint32(b[blockCount:], uint32(len(rs)))
	num.PutUint32(b[blockFirst:], blockHeader)
	at := blockHeader
	for i, r := range rs {
		p := b[at:]
		room := r.room
		if room == 0 {
			room = 36
		}
		start := recordEnd + room
		num.PutUint32(p[recordSec:], uint32(r.time/1e9))
		num.PutUint32(p[recordNsec:], uint32(r.time%1e9))
		num.PutUint32(p[recordSnap:], uint32(len(r.data)))
		num.PutUint32(p[recordLen:], uint32(max(r.wire, len(r.data))))
		status := uint32(blockIsOurs)
		if r.tci != 0 {
			status |= hasTCI
		}
		if r.tpid != 0 {
			status |= hasTPID
		}
		num.PutUint32(p[recordStatus:], status)
		num.PutUint16(p[recordMAC:], uint16(start))
		num.PutUint32(p[recordTCI:], uint32(r.tci))
		num.PutUint16(p[recordTPID:], r.tpid)
		binary.BigEndian.PutUint16(p[linkProtocol:], r.protocol)
		num.PutUint32(p[linkIndex:], r.index)
		num.PutUint16(p[linkHardware:], r.hardware)
		p[linkDirection], p[linkAddrLen] = r.direction, byte(len(r.addr))
		copy(p[linkAddr:recordEnd], r.addr)
		copy(p[start:], r.data)
		step := (start + len(r.data) + 15) &^ 15
		if i < len(rs)-1 {
			num.PutUint32(p[recordNext:], uint32(step))
		}
		at += step
	}
	return b
}

// ringOf is a ring whose blocks are all full.
func ringOf(blocks ...[]byte) *ring {
	r := &ring{size: len(blocks[0])}
	for _, b := range blocks {
		r.mem = append(r.mem, b...)
	}
	return r
}

// readAll reads pcapng files, and what their statistics say.
func readAll(t *testing.T, paths ...string) ([]capture.Packet, []capture.Input) {
	t.Helper()
	src, err := pcapfile.Open(paths, pcapfile.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer src.Close()
	var all []capture.Packet
	for {
		var p capture.Packet
		err := src.Next(&p)
		if errors.Is(err, io.EOF) {
			return all, src.Stats().Inputs
		}
		if err != nil {
			t.Fatal(err)
		}
		p.Data = append([]byte(nil), p.Data...)
		all = append(all, p)
	}
}

// sizeOf is the size of a file.
func sizeOf(t *testing.T, path string) int64 {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info.Size()
}
