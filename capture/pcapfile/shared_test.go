package pcapfile

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"testing/iotest"
)

// Captures of many programs, if the folder with them is there: each is read to
// its end or to an error with a place, and comes out the same as a file, as a
// stream that trickles, compressed, and written again.
func TestRealCaptures(t *testing.T) {
	const folder = "../../../shared"
	if _, err := os.Stat(folder); err != nil || testing.Short() {
		t.Skip("no folder of captures beside the repository, or -short")
	}
	count := 0
	err := filepath.WalkDir(folder, func(name string, d fs.DirEntry, err error) error {
		if err != nil || !slices.Contains([]string{".pcap", ".pcapng", ".cap"}, filepath.Ext(name)) {
			return err
		}
		b, err := os.ReadFile(name)
		if err != nil || len(b) > 1<<20 {
			return err
		}
		count++
		s, err := Open([]string{name}, Options{})
		if err != nil {
			t.Logf("%v", err)
			return nil
		}
		defer s.Close()
		packets, in := drain(t, s), &s.Stats().Inputs[0]
		trickled, stream, err := readStream(t, iotest.HalfReader(bytes.NewReader(b)))
		if err != nil || !slices.Equal(packets, trickled) || (stream.Err == nil) != (in.Err == nil) {
			t.Errorf("%s: %d packets and %v as a file, %d and %v, %v as a stream", name, len(packets), in.Err, len(trickled), err, stream.Err)
		}
		unzipped, stream, err := readStream(t, bytes.NewReader(zst(b)))
		if err != nil || !slices.Equal(packets, unzipped) || (stream.Err == nil) != (in.Err == nil) {
			t.Errorf("%s: %d packets as a file, %d and %v compressed", name, len(packets), len(unzipped), err)
		}
		if again := rewritten(t, packets); !slices.EqualFunc(packets, again, func(a, b seen) bool {
			return max(a.Time, 0) == b.Time && a.Len == b.Len && a.Link == b.Link && a.Data == b.Data
		}) {
			t.Errorf("%s: %d packets, %d others when written again", name, len(packets), len(again))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d captures", count)
}
