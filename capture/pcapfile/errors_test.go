package pcapfile

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"strings"
	"testing"
	"testing/iotest"
)

// Every kind says what, where and what to do.
func TestEveryKindSpeaks(t *testing.T) {
	for k := Missing; int(k) < len(kinds); k++ {
		e := &InputError{Name: "x.pcap", Kind: k, Offset: 77, Err: io.ErrNoProgress}
		text := e.Error()
		if !strings.HasPrefix(text, "x.pcap ") || strings.HasSuffix(text, ".") || !strings.Contains(text, io.ErrNoProgress.Error()) {
			t.Errorf("kind %d: %q", k, text)
		}
		if strings.Contains(text, "77") != (k >= Unreadable) {
			t.Errorf("kind %d: %q; an offset is for the kinds from Unreadable on", k, text)
		}
		if e.Hint() == "" || !errors.Is(e, io.ErrNoProgress) {
			t.Errorf("kind %d has no hint or hides its cause", k)
		}
	}
}

func TestErrorTexts(t *testing.T) {
	for _, c := range []struct {
		err  *InputError
		want string
	}{
		{&InputError{Name: "-", Kind: Empty}, "standard input is empty"},
		{&InputError{Name: "a.pcap", Kind: Cut, Offset: 42}, "a.pcap is cut off at byte 42"},
		{&InputError{Name: "a.gz", Kind: Cut, Offset: 42, Compression: "gzip"}, "a.gz is cut off at byte 42 of what gzip holds"},
		{openError("a", &fs.PathError{Op: "open", Path: "a", Err: fs.ErrPermission}), "a cannot be opened: permission denied"},
		{refused(t, "CLIENT_RANDOM 00 00"), "standard input is not a capture: it is a TLS key log"},
		{refused(t, "hello, world"), "standard input is not a capture"},
		{
			refused(t, string(little.block(blockSection, byteOrderMagic, uint16(3), uint16(0), ^uint64(0)))),
			"standard input is damaged at byte 0: version 3 of pcapng is not known",
		},
	} {
		if got := c.err.Error(); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
}

// refused is the error with which these bytes are not opened.
func refused(t *testing.T, content string) *InputError {
	t.Helper()
	_, _, err := readStream(t, strings.NewReader(content))
	var e *InputError
	if !errors.As(err, &e) {
		t.Fatalf("error %v", err)
	}
	return e
}

// An I/O error ends the input after the packets before it.
func TestReadFails(t *testing.T) {
	broken := errors.New("the disk is on fire")
	fails := iotest.ErrReader(broken)
	packets, in, err := readStream(t, io.MultiReader(bytes.NewReader(at(1, 2, 3)[:65]), fails))
	if err != nil || len(packets) != 2 || !errors.Is(in.Err, broken) {
		t.Errorf("%d packets, errors %v, %v; want 2 and %v", len(packets), err, in.Err, broken)
	}
	sameError(t, in.Err, &InputError{Kind: Unreadable, Offset: 60})
	for name, b := range map[string][]byte{"gzip": gz(at(1)), "zstd": zst(at(1)), "lz4": lz(at(1)), "bzip2": bz(t)} {
		_, _, err := readStream(t, io.MultiReader(bytes.NewReader(b[:20]), fails))
		sameError(t, err, &InputError{Kind: Unreadable})
		if !errors.Is(err, broken) {
			t.Errorf("%s: error %v, want %v", name, err, broken)
		}
	}
	if _, in, err := readStream(t, stuck{bytes.NewReader(at(1))}); err != nil || !errors.Is(in.Err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing for ever: %v", in.Err)
	}
}

// stuck never says that it ended.
type stuck struct{ r io.Reader }

func (s stuck) Read(b []byte) (int, error) {
	n, _ := s.r.Read(b)
	return n, nil
}
