package tui

import (
	"errors"
	"os"
	"testing"
	"time"
)

// Keys are read through Go's poller: to end them ends a read that waits, which it does not where a system call waits.
func TestKeysEnd(t *testing.T) {
	in, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	defer out.Close()
	typed, end := keys(in)
	if _, isFile := typed.(*os.File); isFile {
		t.Fatal("what waits for keys would find the file, and wait for it itself")
	}
	if _, err := out.WriteString("j"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 8)
	if n, err := typed.Read(b); n != 1 || b[0] != 'j' || err != nil {
		t.Fatalf("read %q, %v", b[:n], err)
	}
	done := make(chan error)
	go func() {
		_, err := typed.Read(make([]byte, 8))
		done <- err
	}()
	end()
	select {
	case err := <-done:
		if !errors.Is(err, os.ErrClosed) {
			t.Errorf("the read ended with %v", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the read goes on")
	}
}
