package reassembly

import (
	"encoding/binary"
	"slices"

	"github.com/google/gopacket"
	"github.com/google/gopacket/layers"
	"github.com/google/gopacket/reassembly"
)

// pageOctets is what one of gopacket's pages holds: its pages of an out-of-order
// segment beyond the first have no context, and it panics on them, so it is
// given no more at once.
const pageOctets = 1900

// maxSpan bounds the sequence numbers gopacket sees: in the first quarter of
// their space its arithmetic, which is off by one at the wrap, is not needed.
const maxSpan = 1 << 30

// pagesKept is how many pages gopacket's pool, which never gets small again,
// may have had in use to be kept when nothing is.
const pagesKept = 2048

// A pageStore keeps late bytes in the pages of gopacket's assembler, which
// orders them. Only this file knows gopacket.
//
// gopacket sees an artificial connection for each episode: no SYN, FIN or RST of
// the traffic, no sequence number of it (they count from the hole at which
// the episode began), and no byte twice. So its first hole is never filled: the
// assembler around it knows when the hole is closed or given up, and takes the
// run of bytes behind it.
type pageStore struct {
	asm   *reassembly.Assembler // made at the first hole
	tcp   [2]layers.TCP         // reused header of each half of an episode
	made  uint64                // episodes so far: their names
	open  int                   // episodes now
	pages int                   // of open episodes
	peak  int                   // most of them since asm was made
	run   []byte                // what gopacket handed out last
}

// An episode is the late bytes of one direction since a hole opened.
type episode struct {
	net    gopacket.Flow
	origin uint64 // the offset gopacket knows as sequence number 0
	held   int    // bytes in pages
	pages  int    // taken since it began
}

// begin opens an episode at a hole that starts at offset hole.
func (p *pageStore) begin(hole uint64) *episode {
	if p.asm == nil {
		p.asm = reassembly.NewAssembler(reassembly.NewStreamPool(p))
		p.tcp = [2]layers.TCP{{SrcPort: 1, DstPort: 2}, {SrcPort: 2, DstPort: 1}}
		p.tcp[0].SetInternalPortsForTesting()
		p.tcp[1].SetInternalPortsForTesting()
		p.peak = 0
	}
	p.made++
	p.open++
	var src, dst [9]byte
	binary.BigEndian.PutUint64(src[1:], p.made)
	dst = src
	dst[0] = 1
	e := &episode{
		net:    gopacket.NewFlow(gopacket.EndpointInvalid, src[:], dst[:]),
		origin: hole,
	}
	p.segment(e, 0, hole, nil, false) // Accept makes it the start
	return e
}

// put stores bytes that lie beyond the place where gopacket waits and that it
// does not have.
func (p *pageStore) put(e *episode, off uint64, b []byte) {
	p.asm.MaxBufferedPagesPerConnection = 0
	for len(b) > 0 {
		n := min(len(b), pageOctets)
		p.segment(e, 0, off, b[:n], false)
		p.pages++
		e.pages++
		b, off, e.held = b[n:], off+uint64(n), e.held+n
	}
	p.peak = max(p.peak, p.pages)
}

// take gives up gopacket's first hole and returns the run of bytes behind it.
// The caller owns it. An empty segment beyond all bytes makes gopacket look at
// its limit, which is one page for this moment; FlushWithOptions would walk all episodes.
func (p *pageStore) take(e *episode) []byte {
	p.run = nil
	p.asm.MaxBufferedPagesPerConnection = 1
	p.segment(e, 0, e.origin+maxSpan+1, nil, false)
	e.held -= len(p.run)
	return p.run
}

// end closes an episode, whatever it still holds. gopacket forgets it with a
// FIN each way; the origin is old enough for it anywhere.
func (p *pageStore) end(e *episode) {
	for e.held > 0 {
		p.take(e)
	}
	p.segment(e, 0, e.origin, nil, true)
	p.segment(e, 1, e.origin, nil, true)
	p.pages -= e.pages
	p.open--
	if p.open == 0 && p.peak > pagesKept {
		p.asm = nil
	}
}

func (p *pageStore) segment(e *episode, half int, off uint64, b []byte, fin bool) {
	t := &p.tcp[half]
	t.Seq, t.Payload, t.FIN = uint32(off-e.origin), b, fin
	net := e.net
	if half == 1 {
		net = net.Reverse()
	}
	p.asm.AssembleWithContext(net, t, p)
}

// New makes the page store the stream of all episodes: one at a time is fed.
func (p *pageStore) New(_, _ gopacket.Flow, _ *layers.TCP, _ reassembly.AssemblerContext) reassembly.Stream {
	return p
}

// Accept starts an episode with its first segment, which has no SYN.
func (p *pageStore) Accept(_ *layers.TCP, _ gopacket.CaptureInfo, _ reassembly.TCPFlowDirection, _ reassembly.Sequence, start *bool, _ reassembly.AssemblerContext) bool {
	*start = true
	return true
}

// ReassembledSG receives a run of bytes. One that fits a page may be the page
// itself, which gopacket uses again.
func (p *pageStore) ReassembledSG(sg reassembly.ScatterGather, _ reassembly.AssemblerContext) {
	n, _ := sg.Lengths()
	if n == 0 {
		return
	}
	p.run = sg.Fetch(n)
	if n <= pageOctets {
		p.run = slices.Clone(p.run)
	}
}

// ReassemblyComplete tells gopacket to forget the episode.
func (p *pageStore) ReassemblyComplete(reassembly.AssemblerContext) bool { return true }

// GetCaptureInfo has nothing to tell: marks are kept beside the pages.
func (p *pageStore) GetCaptureInfo() (none gopacket.CaptureInfo) { return none }
