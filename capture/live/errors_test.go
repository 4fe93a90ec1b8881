package live

import (
	"errors"
	"os"
	"strings"
	"testing"
)

// Every kind of error has words and a hint, in the form of all messages.
func TestErrors(t *testing.T) {
	for kind := NotPermitted; kind <= Broken; kind++ {
		e := &Error{Interface: "eth0", Kind: kind, Err: os.ErrClosed}
		for _, text := range []string{e.Error(), e.Hint()} {
			if text == "" || strings.HasSuffix(text, ".") || strings.ContainsAny(text, "%\n") {
				t.Errorf("kind %d: %q", kind, text)
			}
		}
		if !strings.HasPrefix(e.Error(), "cannot capture from eth0: ") || !strings.HasSuffix(e.Error(), ": file already closed") || !errors.Is(e, os.ErrClosed) {
			t.Errorf("kind %d: %q", kind, e.Error())
		}
	}
	if int(Broken) != len(kinds)-1 {
		t.Errorf("%d kinds have words, there are %d", len(kinds)-1, Broken)
	}
	if e := (&Error{Kind: Unsupported}); e.Error() != "cannot capture: this system does not let expectscope capture" || e.Hint() != "tcpdump -U -w - | expectscope analyze -" {
		t.Errorf("%q, %q", e.Error(), e.Hint())
	}
}
