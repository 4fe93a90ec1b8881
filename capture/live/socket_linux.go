package live

import (
	"encoding/binary"
	"errors"
	"unsafe"

	"golang.org/x/net/bpf"
	"golang.org/x/sys/unix"

	"expectscope/capture"
)

const (
	// blockSize is the size of a block of the ring: more than the longest
	// frame, and few enough of them are lost to one that is not full.
	blockSize = 512 << 10
	// maxBlocks is 32 GiB; the kernel counts in 32 bits.
	maxBlocks = 1 << 16
	// frameSize only has to divide blockSize: records of this kind of ring
	// are as long as they need.
	frameSize = 2048
	// retireMillis is when the kernel finishes a block that is not full.
	retireMillis = 50
)

// dropAll chooses no packet.
var dropAll = []bpf.RawInstruction{{Op: unix.BPF_RET | unix.BPF_K}}

// A socket is a packet socket (packet(7)) with its ring.
type socket struct {
	name    string
	fd      int
	mem     []byte // the ring; nil once closed
	link    capture.LinkType
	index   int // of the interface; 0 is all
	promisc bool
}

// openSocket returns a socket that captures.
func openSocket(o *Options) (*socket, error) {
	s := &socket{name: o.Interface, fd: -1, promisc: o.Promiscuous && o.Interface != Any}
	if kind, err := s.setup(o); err != nil {
		_ = s.close() // err came first
		return nil, refused(s.name, kind, err)
	}
	return s, nil
}

// setup does it, in an order that lets no packet in before the filter; with an
// error it tells of what kind that is.
func (s *socket) setup(o *Options) (ErrorKind, error) {
	var err error
	if s.link, err = Link(s.name); err != nil {
		return 0, err
	}
	kind := unix.SOCK_RAW
	if s.link == capture.LinkSLL2 {
		kind = unix.SOCK_DGRAM
	}
	// Protocol 0: nothing arrives before bind names one.
	if s.fd, err = unix.Socket(unix.AF_PACKET, kind|unix.SOCK_CLOEXEC, 0); err != nil {
		s.fd = -1
		return socketKind(err), err
	}
	for _, opt := range [][2]int{{unix.PACKET_VERSION, unix.TPACKET_V3}, {unix.PACKET_RESERVE, room}} {
		if err := unix.SetsockoptInt(s.fd, unix.SOL_PACKET, opt[0], opt[1]); err != nil {
			return Unsupported, err
		}
	}
	if err := s.attach(program(o.Filter, uint32(o.SnapLen))); err != nil {
		return BadFilter, err
	}
	blocks := max(2, (o.Buffer+blockSize-1)/blockSize)
	if err := s.share(blocks); err != nil {
		return NoMemory, err
	}
	if err := s.bind(); err != nil {
		return bindKind(err), err
	}
	return 0, nil
}

// share makes the ring.
func (s *socket) share(blocks int) error {
	if blocks > maxBlocks {
		return unix.ENOMEM
	}
	req := unix.TpacketReq3{
		Block_size: blockSize, Block_nr: uint32(blocks),
		Frame_size: frameSize, Frame_nr: uint32(blockSize / frameSize * blocks),
		Retire_blk_tov: retireMillis,
	}
	if err := unix.SetsockoptTpacketReq3(s.fd, unix.SOL_PACKET, unix.PACKET_RX_RING, &req); err != nil {
		return err
	}
	var err error
	s.mem, err = unix.Mmap(s.fd, 0, blockSize*blocks, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED|unix.MAP_POPULATE)
	return err
}

// program is the filter with the snap length in it. What the second sight of
// each packet on loopback would cost is saved first.
func program(filter []bpf.RawInstruction, snap uint32) []bpf.RawInstruction {
	const load, equal, accept = unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, unix.BPF_RET | unix.BPF_K
	const ancillary = ^uint32(0xfff) // SKF_AD_OFF: -0x1000
	p := []bpf.RawInstruction{
		{Op: load, K: ancillary + 28}, // SKF_AD_HATYPE
		{Op: equal, K: hardwareLoopback, Jf: 3},
		{Op: load, K: ancillary + 4}, // SKF_AD_PKTTYPE
		{Op: equal, K: outgoing, Jf: 1},
		{Op: accept},
	}
	if filter == nil {
		filter = []bpf.RawInstruction{{Op: accept, K: snap}}
	}
	for _, ins := range filter {
		if ins.Op == accept {
			ins.K = min(ins.K, snap)
		}
		p = append(p, ins)
	}
	return p
}

// attach puts a filter in force.
func (s *socket) attach(filter []bpf.RawInstruction) error {
	p := make([]unix.SockFilter, len(filter))
	for i, ins := range filter {
		p[i] = unix.SockFilter{Code: ins.Op, Jt: ins.Jt, Jf: ins.Jf, K: ins.K}
	}
	if len(p) > 1<<16-1 {
		return unix.EINVAL
	}
	return unix.SetsockoptSockFprog(s.fd, unix.SOL_SOCKET, unix.SO_ATTACH_FILTER,
		&unix.SockFprog{Len: uint16(len(p)), Filter: unsafe.SliceData(p)})
}

// bind begins to capture, or does so again. It fails with ENODEV if there is
// no such interface and with ENETDOWN if it is down.
func (s *socket) bind() error {
	index := 0
	if s.name != Any {
		var err error
		if index, err = upIndex(s.fd, s.name); err != nil {
			return err
		}
	}
	protocol := binary.NativeEndian.Uint16([]byte{unix.ETH_P_ALL >> 8, unix.ETH_P_ALL}) // in network order
	if err := unix.Bind(s.fd, &unix.SockaddrLinklayer{Protocol: protocol, Ifindex: index}); err != nil {
		return err
	}
	if s.promisc && s.index != index {
		m := unix.PacketMreq{Ifindex: int32(index), Type: unix.PACKET_MR_PROMISC}
		if err := unix.SetsockoptPacketMreq(s.fd, unix.SOL_PACKET, unix.PACKET_ADD_MEMBERSHIP, &m); err != nil {
			return err
		}
	}
	s.index = index
	return s.failure()
}

// failure is the error that waits on the socket.
func (s *socket) failure() error {
	n, err := unix.GetsockoptInt(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if err == nil && n != 0 {
		err = unix.Errno(n)
	}
	return err
}

// statistics is what the kernel counted since the last call: packets it could
// not put into the ring, and how often that was full.
func (s *socket) statistics() (drops, freezes uint64) {
	if s.mem == nil {
		return 0, 0
	}
	st, err := unix.GetsockoptTpacketStatsV3(s.fd, unix.SOL_PACKET, unix.PACKET_STATISTICS)
	if err != nil {
		return 0, 0
	}
	return uint64(st.Drops), uint64(st.Freeze_q_cnt)
}

func (s *socket) close() error {
	var err error
	if s.mem != nil {
		err = unix.Munmap(s.mem)
		s.mem = nil
	}
	if s.fd >= 0 {
		err = errors.Join(err, unix.Close(s.fd))
		s.fd = -1
	}
	return err
}

// socketKind tells what an error of socket(2) means.
func socketKind(err error) ErrorKind {
	switch err {
	case unix.EPERM, unix.EACCES:
		return NotPermitted
	case unix.EAFNOSUPPORT, unix.EPROTONOSUPPORT:
		return Unsupported
	}
	return Broken
}

// bindKind tells what an error of bind means.
func bindKind(err error) ErrorKind {
	switch err {
	case unix.ENETDOWN:
		return Down
	case unix.ENODEV, unix.ENXIO:
		return NoInterface
	}
	return Broken
}

// refused is an Error. It leaves out what its kind says already.
func refused(name string, kind ErrorKind, err error) *Error {
	if e := (*Error)(nil); errors.As(err, &e) {
		return e
	}
	if err == unix.EPERM || err == unix.ENETDOWN || err == unix.ENODEV {
		err = nil
	}
	return &Error{Interface: name, Kind: kind, Err: err}
}
