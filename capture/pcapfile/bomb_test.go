package pcapfile

import (
	"bytes"
	"io"
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"
	"github.com/pierrec/lz4/v4"

	"expectscope/capture"
)

// bombsVar has the bombs inflate to 2 GB (make floods); else they are smaller, and so is the time they may take.
const bombsVar = "EXPECTSCOPE_FLOODS"

// bomb compresses a capture that begins so and goes on with zeros.
func bomb(t *testing.T, begins []byte, size int, open func(io.Writer) (io.WriteCloser, error)) []byte {
	t.Helper()
	var out bytes.Buffer
	w, err := open(&out)
	if err != nil {
		t.Fatal(err)
	}
	zeros := make([]byte, 1<<20)
	if _, err = w.Write(begins); err != nil {
		t.Fatal(err)
	}
	for ; size > 0; size -= len(zeros) {
		if _, err = w.Write(zeros); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// A small file that inflates to a big one is streamed, not stored: memory does not follow what it inflates to, and time does only as
// it does of any capture of that size.
func TestBombs(t *testing.T) {
	size, most := 128<<20, 5*time.Second
	switch {
	case os.Getenv(bombsVar) != "":
		size, most = 2<<30, 40*time.Second
	case testing.Short():
		size = 64 << 20
	}
	const memory = 40 << 20 // the window of zstd's default level is 8 MiB
	compressors := map[string]func(io.Writer) (io.WriteCloser, error){
		"gzip": func(w io.Writer) (io.WriteCloser, error) { return gzip.NewWriterLevel(w, gzip.BestSpeed) },
		"zstd": func(w io.Writer) (io.WriteCloser, error) {
			return zstd.NewWriter(w, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedFastest))
		},
		"lz4": func(w io.Writer) (io.WriteCloser, error) { return lz4.NewWriter(w), nil },
	}
	for _, tc := range []struct {
		name, compression string
		begins            []byte
		packets           int // at least
	}{
		{"empty packets", "gzip", little.pcap(magicMicro, 1), size / recordHeader},
		{"empty packets", "zstd", little.pcap(magicMicro, 1), size / recordHeader},
		{"empty packets", "lz4", little.pcap(magicMicro, 1), size / recordHeader},
		{"zeros", "gzip", nil, 0},
		{"zeros", "zstd", nil, 0},
	} {
		t.Run(tc.compression+" of "+tc.name, func(t *testing.T) {
			b := bomb(t, tc.begins, size, compressors[tc.compression])
			if len(b) > size/100 {
				t.Fatalf("%d bytes are no bomb", len(b))
			}
			name := write(t, b)
			base, peak, n := heapNow(), uint64(0), 0
			begun := time.Now()
			s, err := Open(name, Options{})
			if err == nil {
				var p capture.Packet
				for ; s.Next(&p) == nil; n++ {
					if n&(1<<22-1) == 0 {
						peak = max(peak, heapNow())
					}
				}
				s.Close()
			}
			peak = max(peak, heapNow())
			took := time.Since(begun)
			t.Logf("%d bytes inflate to %d: %d packets, %v, %d bytes of memory, error %v", len(b), size, n, took, int64(peak)-int64(base), err)
			if n < tc.packets {
				t.Errorf("%d packets, want %d", n, tc.packets)
			}
			if peak > base+memory {
				t.Errorf("memory grew by %d bytes, and may grow by %d", peak-base, memory)
			}
			if took > most {
				t.Errorf("it took %v", took)
			}
		})
	}
}

// heapNow is what the heap holds, before anything is collected.
func heapNow() uint64 {
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
