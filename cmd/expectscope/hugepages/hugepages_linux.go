package hugepages

import (
	"syscall"
	"unsafe"
)

const (
	hugePage = 2 << 20
	tables   = 8 << 20  // of gopacket/layers; behind them lies what is hardly touched
	heap     = 60 << 20 // asked for at once, so that it is one mapping; an ordinary analysis needs less
	advice   = 14       // MADV_HUGEPAGE: madvise(2)
)

// first lies at the beginning of the data that are zero at start: the linker puts small variables first.
var first *byte

func init() {
	ask(uintptr(unsafe.Pointer(&first)), tables)
	ask(uintptr(unsafe.Pointer(unsafe.SliceData(make([]byte, heap)))), heap) // mapped, not touched, free again
}

// ask may be refused, wholly or where nothing is mapped: then all is as it was.
func ask(at, length uintptr) {
	_, _, _ = syscall.Syscall(syscall.SYS_MADVISE, at&^(hugePage-1), length, advice)
}
